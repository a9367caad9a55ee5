"""What NumPy costs on a machine: the table that decisions and estimates read.

The costs of operations stand with their declarations, for two sorts of cores; ``gradc calibrate``
measures those of the machine it runs on.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..dsl.ops import OPS


def _declared(core: int) -> dict[str, float]:
    return {op.name: op.cost[core] if isinstance(op.cost, tuple) else op.cost
            for op in OPS.values()}  # fmt: skip


@dataclass(frozen=True)
class Machine:
    """µs a call of NumPy, ns an entry by operation, and the rates of matrix products (GFLOP/s)
    and of memory (GB/s). The defaults are those of a server core with AVX-512."""

    call: float = 0.5
    gemm: float = 50.0
    memory: float = 20.0
    entry: Mapping[str, float] = field(default_factory=lambda: _declared(0))
    measured: bool = False

    def of(self, op: str) -> float:
        """ns an entry. Operations that a specification defines itself are not in the table."""
        return self.entry.get(op, 0.5)


AVX512 = Machine()
AVX2 = Machine(gemm=30.0, entry=_declared(1))


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
