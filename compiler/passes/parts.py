"""What of a graph runs along one of its sizes, so that a loop over blocks can do it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from ...dsl.graph import Graph, Node
from ...dsl.sizes import Size
from .axes import Along, along, summed

_GUESS = 64  # A size that is not known, where sizes are compared.


@dataclass
class Part:
    """What runs along a size: the axis of each node, and the sums, with the axes of operands."""

    size: Size
    axis: dict[Node, int] = field(default_factory=dict)
    ways: dict[Node, Along] = field(default_factory=dict)
    """By node of the part, the axis of each operand, ``None`` where it is needed whole."""
    sums: set[Node] = field(default_factory=set)

    @staticmethod
    def of(graph: Graph, size: Size) -> Part:
        """The largest part that one loop can do: nothing in it waits for a sum of itself."""
        whole = Part(size)
        phase = whole._phases(graph)
        work = Counter(phase[n] for n in whole.axis if not n.op.view)
        if not work:
            return whole
        chosen = max(work, key=lambda p: (work[p], -p))
        part = Part(size)
        part.axis = {n: a for n, a in whole.axis.items() if phase[n] == chosen}
        part.sums = {n for n in whole.sums if phase[n] == chosen}
        part.ways = {n: whole.ways[n] for n in (*part.axis, *part.sums)}
        return part

    @property
    def work(self) -> int:
        return sum(not node.op.view for node in self.axis)

    @property
    def weight(self) -> int:
        """About how many entries the part computes."""
        return sum(guess(node.type.shape) for node in self.axis if not node.op.view)

    def gains(self, graph: Graph) -> bool:
        """Whether more is kept inside than is written, or nothing large: a matrix that is needed
        afterwards, and is written row by row, costs more than reading another one twice (1.3 to
        1.7 times, measured)."""
        leaving = {*graph.outputs.values(), *graph.gradients.values()}
        for node in graph.nodes:
            if node not in self.ways:
                leaving.update(node.operands)
        for node in reversed(graph.nodes):
            if node in leaving and node.op.view:
                leaving.update(node.operands)
        made = {node: guess(node.type.shape) for node in self.axis if not node.op.view}
        if all(n.type.rank == 1 for n, entries in made.items() if entries == max(made.values())):
            return True
        return sum(made.values()) > 2 * sum(e for n, e in made.items() if n in leaving)

    def _phases(self, graph: Graph) -> dict[Node, int]:
        """In which of the loops, one after the other, each node is computed. What is needed whole
        of a loop is there for the next one."""
        phase: dict[Node, int] = {}
        ready: dict[Node, int] = {}
        for node in graph.nodes:
            way = self._way(node)
            if way is None:
                ready[node] = max((ready[o] for o in node.operands), default=0)
                continue
            self.ways[node] = way
            phase[node] = max(
                (phase[o] if o in self.axis and k is not None else ready[o]
                 for o, k in zip(node.operands, way, strict=True)), default=0
            )  # fmt: skip
            ready[node] = phase[node] + 1
        return phase

    def _way(self, node: Node) -> Along | None:
        """How a node is computed for a block, if it is."""
        if not node.operands or node.op.name in ("put", "scan"):
            return None
        moving = [operand for operand in node.operands if operand in self.axis]
        if node.op.view and not moving:
            return None  # As good whole.
        for way in summed(node):
            if moving and self._fits(node, way, moving):
                self.sums.add(node)
                return way
        for axis in range(-node.type.rank, 0):
            if node.type.shape[axis] == self.size:
                way = along(node, axis) or []
                if len(way) == len(node.operands) and self._fits(node, way, moving):
                    self.axis[node] = axis
                    return way
        return None

    def _fits(self, node: Node, way: Along, moving: list[Node]) -> bool:
        """Whether operands have the size where they should, and those of the part run along it."""
        pairs = list(zip(node.operands, way, strict=True))
        if all(k is None for k in way):
            return False
        for operand, k in pairs:
            if k is None:
                continue  # If it is of the part itself, an earlier loop computes it.
            if self.axis.get(operand, k) != k or operand.type.shape[k] != self.size:
                return False
        return True


def guess(shape: Iterable[Size]) -> int:
    total = 1
    for size in shape:
        total *= size.evaluate(dict.fromkeys(size.names(), _GUESS))
    return total
