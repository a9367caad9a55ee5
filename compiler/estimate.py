"""``gradc cost``: what a function and its gradient cost, and how long that takes on this machine.

Work and memory traffic are polynomials of the sizes. Times are the sum over all calls of NumPy: a
fixed cost for each, what its function costs an entry, and the rate of matrix products; they leave
out caches and threads, and are meant to compare specifications, not to replace a benchmark.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..dsl.graph import Node
from ..dsl.sizes import Size, product
from .compilation import Compilation
from .cost import entries_kept, entries_moved, executed, flops, is_free
from .schedule import forward_nodes, kept_values

_BYTES = 8
_PRODUCTS = ("matmul", "matvec", "contract", "vecouter")


@dataclass(frozen=True)
class Machine:
    """What NumPy costs on a machine: µs a call, ns an entry by function, and the rates of matrix
    products (GFLOP/s) and of memory (GB/s). The defaults are those of a server core with AVX-512.
    """

    call: float = 0.5
    gemm: float = 50.0
    memory: float = 20.0
    entry: Mapping[str, float] = field(
        default_factory=lambda: {
            "exp": 1.0, "log": 1.0, "log1p": 1.1, "expm1": 1.5, "tanh": 2.0, "sin": 8.5,
            "cos": 8.5, "tan": 1.8, "power": 40.0, "sqrt": 0.8, "divide": 0.7, "sigmoid": 4.0,
            "softplus": 4.5, "logsumexp": 4.0, "softmax": 3.5, "logaddexp": 15.0,
        }
    )  # fmt: skip
    measured: bool = False


def calibration_path() -> Path:
    """Where ``gradc calibrate`` keeps what it measured."""
    given = os.environ.get("GRADC_CALIBRATION")
    if given:
        return Path(given)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "gradc" / "calibration.json"


def machine() -> Machine:
    """What was measured here, or a typical machine."""
    try:
        known = json.loads(calibration_path().read_text(encoding="utf-8"))
        return Machine(**{**known, "measured": True})
    except (OSError, ValueError, TypeError):
        return Machine()


def as_json(found: Machine) -> str:
    values = asdict(found)
    del values["measured"]
    return json.dumps(values, indent=2) + "\n"


@dataclass(frozen=True)
class Cost:
    """Work, traffic in bytes, and calls of NumPy with the entries and functions of each."""

    flops: Size
    bytes: Size
    calls: tuple[tuple[str, Size, Size, Size], ...]

    @staticmethod
    def of(nodes: Iterable[Node]) -> Cost:
        nodes = list(nodes)
        own = [(node, times) for node, times in executed(nodes) if not is_free(node)]
        moved = sum((t * entries_moved(n) for n, t in own), start=Size.of(0)) * _BYTES
        calls = tuple((n.op.name, t, product(n.type.shape), flops([n])) for n, t in own)
        return Cost(flops(nodes), moved, calls)

    def seconds(self, machine: Machine, sizes: Mapping[str, int]) -> float:
        total = 0.0
        for name, times, entries, work in self.calls:
            if name in _PRODUCTS:
                own = work.evaluate(sizes) / machine.gemm
            else:
                own = entries.evaluate(sizes) * machine.entry.get(name, 0.5)
            total += times.evaluate(sizes) * (machine.call * 1e3 + own)
        slowest = self.bytes.evaluate(sizes) / machine.memory
        return max(total, slowest) * 1e-9


@dataclass(frozen=True)
class Costs:
    forward: Cost
    backward: Cost
    kept: Size
    """Bytes that the cache keeps beyond the inputs."""


def costs(compilation: Compilation) -> Costs:
    both = compilation.both
    forward = forward_nodes(both)
    ahead = [node for node in both.nodes if node in forward]
    backward = [node for node in both.nodes if node not in forward]
    kept = entries_kept(kept_values(both)) * _BYTES
    return Costs(Cost.of(ahead), Cost.of(backward), kept)


def table(found: Costs, sizes: Mapping[str, int], names: Iterable[str]) -> str:
    """The costs as formulas and, where all sizes are given, in numbers."""
    forward, backward = found.forward, found.backward
    rows = [("flops, forward", forward.flops), ("flops, backward", backward.flops),
            ("bytes moved, forward", forward.bytes), ("bytes moved, backward", backward.bytes),
            ("bytes kept for backward", found.kept)]  # fmt: skip
    known = set(names) <= sizes.keys()
    lines = []
    for label, size in rows:
        number = f"{size.evaluate(sizes):>16,}" if known else ""
        lines.append(f"{label:<26}{number}  {size}".rstrip())
    if not known:
        missing = ", ".join(sorted(set(names) - sizes.keys()))
        return "\n".join([*lines, f"Give {missing} with --size for numbers."]) + "\n"
    work = [c.flops.evaluate(sizes) for c in (forward, backward)]
    moved = [c.bytes.evaluate(sizes) for c in (forward, backward)]
    lines.append(f"{'backward / forward':<26}{_ratio(work[1], work[0]):>16}")
    lines.append(f"{'flops / byte':<26}{_ratio(sum(work), sum(moved)):>16}")
    here = machine()
    for label, cost in (("forward", forward), ("backward", backward)):
        lines.append(f"{f'about, {label}':<26}{_time(cost.seconds(here, sizes)):>16}")
    if not here.measured:
        lines.append("Times are those of a typical machine: `gradc calibrate` measures this one.")
    return "\n".join(lines) + "\n"


def _ratio(a: int, b: int) -> str:
    return f"{a / b:.2f}" if b else "-"


def _time(seconds: float) -> str:
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 1.0 or unit == "µs":
            return f"{seconds * factor:.3g} {unit}"
    raise AssertionError
