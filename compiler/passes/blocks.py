"""Large arrays worked through in blocks that stay in the cache.

What runs along one size of the specification, entry by entry or row by row, becomes the step of a
loop over blocks of that size: each large array is read once for the value and its gradient, and
what lies between is never larger than a block. Sums along the size add up over the blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ...dsl.graph import Graph, Node, constant, make, map_nodes
from ...dsl.loops import (
    Chunk,
    Draft,
    Result,
    Transform,
    called,
    map_loops,
    placeholder,
    result,
    with_steps,
)
from ...dsl.shapes import INT, Mismatch
from ...dsl.sizes import ONE, ZERO, Size, product
from ..machine import AVX512, Machine
from .axes import along
from .log import note
from .parts import Part, guess
from .rewrite import rewrite
from .rows_last import rows_last
from .scales import scaled_outside

ROWS = "rows"
# Calls need so many entries to be worth it, those with several entries a row fewer rows, and
# products of matrices so many to be fast.
_LONG = 2048
_WIDE = 120
_TALL = 512
_LEAST = 4  # Fewer operations than this are not worth a loop.
_SHAPED = ("zeros", "ones", "broadcast_to", "reshape")


def blocks(graph: Graph, machine: Machine = AVX512, tidy: Transform = lambda step: step) -> Graph:
    """The graph with its largest part in a loop over blocks, if there is such a part. ``tidy`` is
    for a step whose axes were turned."""
    if any(node.op.name == "scan" for node in graph.nodes):
        return graph
    graph = rewrite(graph, _means_as_sums)
    sizes = dict.fromkeys(size for node in graph.nodes for size in node.type.shape if size != ONE)
    long = (size for size in sizes if size.constant is None or size.constant >= 4096)
    parts = [part for part in (Part.of(graph, size) for size in long)
             if part.work >= _LEAST and part.gains(graph)]  # fmt: skip
    if not parts:
        return graph
    # There are more samples than parameters.
    few = {size for i in graph.interface.inputs if i.differentiated for size in i.type.shape}
    best = max(parts, key=lambda part: (part.size not in few, part.weight))
    scaled = scaled_outside(graph, best)
    if scaled is not graph:
        graph, best = scaled, Part.of(scaled, best.size)
    try:
        blocked = _Blocked(graph, best, _room(machine))
        made = blocked.graph()
    except Mismatch:  # A size that stands for something else as well.
        return graph
    needed = set(made.nodes)
    made = replace(made, landmarks=tuple(n for n in made.landmarks if n in needed))

    def arranged(step: Graph) -> Graph:
        turned = rows_last(step, blocked.rows)
        return step if turned is step else tidy(turned)

    return map_loops(made, arranged)


def _room(machine: Machine) -> int:
    """The numbers of a block: half of what the cache of a core holds. With 1 MiB and 8 arrays, 8192
    entries each."""
    return machine.cache * 1024 // 2 // 8


def block_size(graph: Graph) -> Size:
    """The size of a block, under a name that nothing else has."""
    interface = graph.interface
    taken = {*interface.sizes, *interface.open_sizes, *(i.name for i in interface.inputs)}
    taken.update(node.label for node in with_steps(graph.nodes) if node.name)
    name = ROWS
    while name in taken:
        name += "_"
    return Size.of(name)


def _means_as_sums(node: Node) -> Node | None:
    if node.op.name != "mean":
        return None
    (x,) = node.operands
    count = product(x.type.shape[axis] for axis in node.attributes["axis"])
    total = make("sum", [x], node.span, node.attributes)
    return make("divide", [total, make("size", (), node.span, {"size": count})], node.span)


class _Blocked:
    """A graph and the loop that computes a part of it."""

    def __init__(self, graph: Graph, part: Part, room: int) -> None:
        self.old, self.part, self.room = graph, part, room
        self.rows = block_size(graph)
        self.inside: dict[Node, Node] = {}
        self.sliced: dict[tuple[Node, int], Node] = {}
        span = graph.interface.source.span(0, 0)
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
        if node.op.name in ("transpose", "expand_dims") and not node.name:
            own = along(node, axis)
            assert own is not None
            part = self._operand(node.operands[0], own[0])
            return make(node.op, [part], node.span, node.attributes)
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
        chunk = Chunk(self.rows, self._width(), self.room, self._least())
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

    def _least(self) -> int:
        """How many rows a block has at least, however long they are."""
        if any(n.op.name == "matmul" and n.type.rank == 2 for n in self.part.ways):
            return _TALL
        computed = [node for node in self.part.axis if not node.op.view]
        wide = sum(node.type.rank > 1 for node in computed)
        return _WIDE if 2 * wide > len(computed) else _LONG

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
        own = {n: product(s for a, s in enumerate(n.type.shape) if a - n.type.rank != axis)
               for n, axis in self.part.axis.items()}  # fmt: skip
        slices = {place: product(s for s in place.type.shape if s != self.rows)
                  for place in self.draft.rows}  # fmt: skip
        return sum((*widest(order, own), *slices.values()), start=ONE)  # Never 0.


def widest(order: Iterable[Node], own: Mapping[Node, Size]) -> list[Size]:
    """The sizes of nodes that are there at once, where that is most; those of ``own`` count."""
    order = [node for node in order if node in own]
    last: dict[Node, int] = {}
    for i, node in enumerate(order):
        for operand in node.operands:
            last[operand] = i
    most: Mapping[Node, Size] = {}
    live: dict[Node, Size] = {}
    for i, node in enumerate(order):
        live[node] = own[node]
        if _count(live.values()) > _count(most.values()):
            most = dict(live)
        live = {n: w for n, w in live.items() if last.get(n, i) > i}
    return list(most.values())


def _count(widths: Iterable[Size]) -> int:
    return sum(guess([width]) for width in widths)


def _zeros(node: Node) -> Node:
    if not node.type.rank:
        return constant(0.0 if node.type.is_float else 0, node.span)
    return make("zeros", (), node.span, {"shape": node.type.shape})
