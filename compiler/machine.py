"""What NumPy costs on a machine: the table that decisions and estimates read.

The costs of operations stand with their declarations, for two sorts of cores; ``gradc calibrate``
measures those of the machine it runs on.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, field
from pathlib import Path

from ..dsl.frozen import frozen
from ..dsl.graph import Node
from ..dsl.ops import OPS

# A length that is not known counts as long, so that calls are not what matters.
_GUESS = 4096


def _declared(core: int) -> dict[str, float]:
    return {op.name: op.cost[core] if isinstance(op.cost, tuple) else op.cost
            for op in OPS.values()}  # fmt: skip


@frozen()
class Machine:
    """µs a call of NumPy, ns an entry by operation, the rates of matrix products (GFLOP/s) and of
    memory (GB/s), and what the cache of a core holds (KiB). The defaults are those of a server
    core with AVX-512."""

    call: float = 0.5
    gemm: float = 50.0
    memory: float = 20.0
    cache: int = 1024
    entry: Mapping[str, float] = field(default_factory=lambda: _declared(0))
    measured: bool = False

    def of(self, op: str) -> float:
        """ns an entry. Operations that a specification defines itself are not in the table."""
        return self.entry.get(op, 0.5)

    def work(self, nodes: Iterable[Node]) -> float:
        """ns for the entries of what is computed, beyond what the calls cost."""
        return sum(
            self.of(node.op.name) * max(entries(n) for n in (node, *node.operands))
            for node in nodes
            if node.operands and not node.op.view
        )


def entries(node: Node) -> int:
    """About how many entries a value has."""
    count = 1
    for size in node.type.shape:
        terms = [coefficient * _GUESS ** len(names) for names, coefficient in size.terms]
        count *= max([0, *map(int, terms)])
    return count


AVX512 = Machine()
AVX2 = Machine(gemm=30.0, cache=512, entry=_declared(1))
TARGETS = ("avx512", "avx2", "native")


class NotMeasured(Exception):
    """``native`` is asked for where ``gradc calibrate`` has not run."""


def target(name: str) -> Machine:
    """The machine to compile for, one of ``TARGETS``. Raises ``NotMeasured``."""
    if name != "native":
        return AVX2 if name == "avx2" else AVX512
    found = machine()
    if not found.measured:
        raise NotMeasured("nothing is known of this machine yet: run `gradc calibrate`")
    return found


def calibration_path() -> Path:
    """Where ``gradc calibrate`` keeps what it measured."""
    given = os.environ.get("GRADC_CALIBRATION")
    if given:
        return Path(given)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "gradc" / "calibration.json"


def machine() -> Machine:
    """What was measured here, with declared costs for what was not, or a typical machine."""
    try:
        known = json.loads(calibration_path().read_text(encoding="utf-8"))
        entry = {**AVX512.entry, **known.pop("entry")}
        return Machine(**{**known, "entry": entry, "measured": True})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return AVX512


def as_json(found: Machine) -> str:
    values = asdict(found)
    del values["measured"]
    return json.dumps(values, indent=2) + "\n"
