"""``gradc cost``: what a function and its gradient cost, and how long that takes on this machine.

Work and memory traffic are polynomials of the sizes. Times are the sum over all calls of NumPy: a
fixed cost for each, what its function costs an entry, and the rate of matrix products; they leave
out caches and threads, and are meant to compare specifications, not to replace a benchmark.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..dsl.frozen import frozen
from ..dsl.graph import Node
from ..dsl.sizes import Size, product
from .compilation import Compilation
from .cost import entries_moved, executed, flops, is_free
from .keeping import bytes_kept, divided, kept_values
from .machine import Machine

_BYTES = 8
_PRODUCTS = ("matmul", "matvec", "contract", "vecouter")


@frozen()
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
                own = entries.evaluate(sizes) * machine.of(name)
            total += times.evaluate(sizes) * (machine.call * 1e3 + own)
        slowest = self.bytes.evaluate(sizes) / machine.memory
        return max(total, slowest) * 1e-9


@frozen()
class Costs:
    forward: Cost
    backward: Cost
    kept: Size
    """Bytes that the cache keeps beyond the inputs."""


def costs(compilation: Compilation) -> Costs:
    kept = kept_values(compilation)
    parts = divided(compilation.graphs.both, kept)
    return Costs(Cost.of(parts.forward), Cost.of(parts.backward), bytes_kept(kept))


def table(found: Costs, here: Machine, sizes: Mapping[str, int], names: Iterable[str]) -> str:
    """The costs as formulas and, where all sizes are given, in numbers and times of a machine."""
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
