"""Large arrays worked through in blocks that stay in the cache.

What runs along one size of the specification, entry by entry or row by row, becomes the step of a
loop over blocks of that size: each large array is read once for the value and its gradient, and
what lies between is never larger than a block. Sums along the size add up over the blocks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ...dsl.graph import Graph, Node, constant, make, map_nodes
from ...dsl.loops import Chunk, Draft, Result, called, placeholder, result
from ...dsl.shapes import INT, Mismatch
from ...dsl.sizes import ONE, ZERO, Size, product
from ..machine import AVX512, Machine
from .axes import Along, along, summed
from .log import note
from .rewrite import rewrite

ROWS = "rows"
# Products of matrices need so many rows to be fast, and calls for each column so many entries.
_TALL = 512
_LONG = 2048
_LEAST = 4  # Fewer operations than this are not worth a loop.
_SHAPED = ("zeros", "ones", "broadcast_to", "reshape")
_GUESS = 64  # A size that is not known, where sizes are compared.


def blocks(graph: Graph, machine: Machine = AVX512) -> Graph:
    """The graph with its largest part in a loop over blocks, if there is such a part."""
    if any(node.op.name == "scan" for node in graph.nodes):
        return graph
    graph = rewrite(graph, _means_as_sums)
    sizes = Counter(size for node in graph.nodes for size in node.type.shape if size != ONE)
    best: _Part | None = None
    for size in sizes:
        if size.constant is None or size.constant >= 4096:
            part = _Part.of(graph, size)
            if (
                part.work >= _LEAST
                and part.gains(graph)
                and (best is None or part.weight > best.weight)
            ):
                best = part
    if best is None:
        return graph
    try:
        return _Blocked(graph, best, _room(machine)).graph()
    except Mismatch:  # A size that stands for something else as well.
        return graph


def _room(machine: Machine) -> int:
    """The numbers of a block: half of what the cache of a core holds. With 1 MiB and 8 arrays, 8192
    entries each."""
    return machine.cache * 1024 // 2 // 8


def _means_as_sums(node: Node) -> Node | None:
    if node.op.name != "mean":
        return None
    (x,) = node.operands
    count = product(x.type.shape[axis] for axis in node.attributes["axis"])
    total = make("sum", [x], node.span, node.attributes)
    return make("divide", [total, make("size", (), node.span, {"size": count})], node.span)


@dataclass
class _Part:
    """What runs along a size: the axis of each node, and the sums, with the axes of operands."""

    size: Size
    axis: dict[Node, int] = field(default_factory=dict)
    ways: dict[Node, Along] = field(default_factory=dict)
    """By node of the part, the axis of each operand, ``None`` where it is needed whole."""
    sums: set[Node] = field(default_factory=set)

    @staticmethod
    def of(graph: Graph, size: Size) -> _Part:
        """The largest part that one loop can do: nothing in it waits for a sum of itself."""
        whole = _Part(size)
        phase = whole._phases(graph)
        work = Counter(phase[n] for n in whole.axis if not n.op.view)
        if not work:
            return whole
        chosen = max(work, key=lambda p: (work[p], -p))
        part = _Part(size)
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
        return sum(_guess(node.type.shape) for node in self.axis if not node.op.view)

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
        made = {node: _guess(node.type.shape) for node in self.axis if not node.op.view}
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
            if operand in self.axis and k != self.axis[operand]:
                return False
            if k is not None and operand.type.shape[k] != self.size:
                return False
        return True


def _guess(shape: Iterable[Size]) -> int:
    total = 1
    for size in shape:
        total *= size.evaluate(dict.fromkeys(size.names(), _GUESS))
    return total


class _Blocked:
    """A graph and the loop that computes a part of it."""

    def __init__(self, graph: Graph, part: _Part, room: int) -> None:
        self.old, self.part, self.room = graph, part, room
        interface = graph.interface
        taken = {*interface.sizes, *interface.open_sizes, *(i.name for i in interface.inputs)}
        name = ROWS
        while name in taken:
            name += "_"
        self.rows = Size.of(name)
        self.inside: dict[Node, Node] = {}
        self.sliced: dict[tuple[Node, int], Node] = {}
        span = interface.source.span(0, 0)
        start = placeholder("start", INT, span)
        self.draft = Draft(start, ZERO, part.size)
        self.totals: dict[Node, Node] = {}
        for node in graph.nodes:
            if node in part.ways:
                self._compute(node)

    def _compute(self, node: Node) -> None:
        operands = tuple(
            self._operand(operand, k)
            for operand, k in zip(node.operands, self.part.ways[node], strict=True)
        )
        attributes = node.attributes
        if node.op.name in _SHAPED:
            shape = list(attributes["shape"])
            shape[self.part.axis[node]] = self.rows
            attributes = {**attributes, "shape": tuple(shape)}
        own = {"name": node.name, "cause": node.cause, "position": node.position}
        made = make(node.op, operands, node.span, attributes, **own, adjoint_of=node.adjoint_of)
        if node not in self.part.sums:
            self.inside[node] = made
            return
        total = placeholder(called(node), node.type, node.span)
        self.draft.states[total] = _zeros(node)
        plain = replace(made, name="", adjoint_of=None)
        self.draft.nexts[total] = make("add", [total, plain], node.span, cause=node.cause)
        self.totals[node] = total

    def _operand(self, node: Node, axis: int | None) -> Node:
        """What a step has in place of an operand."""
        if node in self.inside:
            return self.inside[node]
        if axis is None:
            return self._captured(node)
        if node.op.name == "transpose" and not node.name:
            own = node.attributes["axes"][axis]
            part = self._operand(node.operands[0], own)
            return make("transpose", [part], node.span, node.attributes)
        if (node, axis) not in self.sliced:
            shape = list(node.type.shape)
            shape[axis] = self.rows
            type_ = node.type.with_shape(tuple(shape))
            place = placeholder(f"{called(node)}_rows", type_, node.span)
            self.sliced[node, axis] = place
            self.draft.rows[place] = node
        return self.sliced[node, axis]

    def _captured(self, node: Node) -> Node:
        if node.op.name in ("constant", "size"):
            return node
        for place, operand in self.draft.captured.items():
            if operand is node:
                return place
        place = placeholder(called(node), node.type, node.span)
        self.draft.captured[place] = node
        return place

    # ── Around the loop ─────────────────────────────────────────────────────

    def graph(self) -> Graph:
        """The graph, the part replaced by results of the loop."""
        products = any(n.op.name == "matmul" and n.type.rank == 2 for n in self.part.ways)
        least = _TALL if products else _LONG
        chunk = Chunk(self.rows, self._width(), self.room, least)
        # The operands of the loop are those of the old graph: nothing of the part among them.
        loop, operands = self.draft.loop(chunk=chunk)
        states = list(self.draft.states)
        replaced: dict[Node, Node] = {}
        span = self.draft.index.span
        around: tuple[Node, ...] | None = None
        for node in self.old.nodes:
            if node in self.part.ways:
                note("blocks", node, f"in blocks along {self.part.size}")
                if around is None:
                    around = self._around(operands, replaced)
                which: Result
                if node in self.totals:
                    which = ("final", states.index(self.totals[node]))
                else:
                    which = ("stack", self.inside[node])
                own = {"name": node.name, "cause": node.cause, "position": node.position}
                made = result(loop, around, span, which, **own, adjoint_of=node.adjoint_of)
                replaced[node] = replace(made, span=node.span)
            else:
                given = tuple(replaced[o] for o in node.operands)
                replaced[node] = node if given == node.operands else replace(node, operands=given)
        return map_nodes(self.old, replaced)

    def _around(self, operands: Iterable[Node], replaced: dict[Node, Node]) -> tuple[Node, ...]:
        return tuple(self._outside(operand, replaced) for operand in operands)

    def _outside(self, node: Node, replaced: dict[Node, Node]) -> Node:
        """An operand of the loop, which comes before all of its results."""
        if node not in replaced:
            given = tuple(self._outside(operand, replaced) for operand in node.operands)
            replaced[node] = node if given == node.operands else replace(node, operands=given)
        return replaced[node]

    def _width(self) -> Size:
        """How many numbers a row of all that is there at once has, at most."""
        order = [node for node in self.old.nodes if node in self.part.axis and not node.op.view]
        last: dict[Node, int] = {}
        for i, node in enumerate(order):
            for operand in node.operands:
                last[operand] = i
        own = {n: product(s for a, s in enumerate(n.type.shape) if a - n.type.rank != axis)
               for n, axis in self.part.axis.items()}  # fmt: skip
        slices = {place: product(s for s in place.type.shape if s != self.rows)
                  for place in self.draft.rows}  # fmt: skip
        most: Mapping[Node, Size] = {}
        live: dict[Node, Size] = {}
        for i, node in enumerate(order):
            live[node] = own[node]
            if _count(live.values()) > _count(most.values()):
                most = dict(live)
            live = {n: w for n, w in live.items() if last.get(n, i) > i}
        return sum((*most.values(), *slices.values()), start=ONE)  # Never 0.


def _count(widths: Iterable[Size]) -> int:
    return sum(_guess([width]) for width in widths)


def _zeros(node: Node) -> Node:
    if not node.type.rank:
        return constant(0.0 if node.type.is_float else 0, node.span)
    return make("zeros", (), node.span, {"shape": node.type.shape})
