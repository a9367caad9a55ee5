"""``--checkpoint``: loops whose gradients need the memory of √T steps instead of T.

A loop of T steps becomes one over blocks of K = ⌈√T⌉ steps. Of the blocks only the states before
them are kept; the reversed loop runs each block once more, then back. Memory is that of about
2 √T steps, for one more run forward (A. Griewank, Achieving logarithmic growth of temporal and
spatial complexity in reverse automatic differentiation, 1992, whose scheme has more levels).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..dsl.graph import Graph, Node, make, topological
from ..dsl.indices.variables import Variable
from ..dsl.loops import (
    Draft,
    Loop,
    by_loop,
    called,
    placeholder,
    result,
    stacked,
    with_loops,
)
from ..dsl.shapes import INT
from ..dsl.sizes import ZERO, Size, rounded_root
from ..dsl.source import Span
from ..dsl.subscripts import Cut

SIZE = "block"


def checkpointed(graph: Graph) -> Graph:
    """The lowered graph with loops in blocks, and the sizes of blocks in its interface."""
    groups = by_loop(graph.nodes, _fits)
    if not groups:
        return graph
    sizes = _Sizes(graph)

    def made(nodes: Sequence[Node], operands: tuple[Node, ...]) -> dict[Node, Node]:
        loop: Loop = nodes[0].attributes["loop"]
        block = sizes.of(loop.length)
        blocks = _Blocks(loop, operands, block, stacked(nodes), nodes[0].span)
        return {node: blocks.result(node) for node in nodes}

    graph = with_loops(graph, groups, made)
    return replace(graph, interface=replace(graph.interface, blocks=sizes.blocks))


def _fits(loop: Loop) -> bool:
    """Whether blocks help: a loop of known length, with states that are not stacks themselves."""
    buffers = any(after.op.name == "put" for after in loop.nexts)
    return bool(loop.states) and not loop.dynamic and not loop.backwards and not buffers


class _Sizes:
    """The size of a block for each number of steps: a number, or a size of its own."""

    def __init__(self, graph: Graph) -> None:
        interface = graph.interface
        self.taken = {*interface.sizes, *interface.open_sizes, *(i.name for i in interface.inputs)}
        self.blocks: dict[str, Size] = {}

    def of(self, length: Size) -> Size:
        if length.constant is not None:
            return Size.of(rounded_root(length.constant))
        for name, known in self.blocks.items():
            if known == length:
                return Size.of(name)
        name, number = SIZE, 1
        while name in self.taken:
            number += 1
            name = f"{SIZE}_{number}"
        self.taken.add(name)
        self.blocks[name] = length
        return Size.of(name)


class _Blocks:
    """A loop over blocks, in each a loop over their steps; the last block may have fewer."""

    def __init__(
        self, loop: Loop, operands: Sequence[Node], block: Size, stacked: Sequence[Node], span: Span
    ) -> None:
        self.loop, self.block, self.span = loop, block, span
        self.count = (loop.length + block - 1) // block
        outside = dict(zip(loop.placeholders[1:], operands, strict=False))
        which, index = self._index("part", self.count), self._index(loop.index.label, block)
        blocks, steps = Draft(which, ZERO, self.count), Draft(index, ZERO, block)
        for place in loop.states:
            held = placeholder(called(place), place.type, place.span)
            blocks.states[held] = outside[place]
            steps.states[place] = held
        for place in loop.captured:
            held = placeholder(called(place), place.type, place.span)
            blocks.captured[held] = outside[place]
            steps.captured[place] = held
        for place in loop.rows:
            type_ = place.type.with_shape((block, *place.type.shape))
            held = placeholder(f"{called(place)}_block", type_, place.span)
            blocks.rows[held] = self._in_blocks(outside[place])
            steps.rows[place] = held
        first = placeholder("first", INT, span)
        before = self._made("multiply", which, self._size(block))
        steps.captured[first] = self._made("add", before, self._size(loop.start))
        inside = self._inside(self._made("add", first, index), stacked)
        steps.nexts = {s: inside[n] for s, n in zip(loop.states, loop.nexts, strict=True)}
        inner, given = steps.loop(counted=True)
        given += (self._made("minimum", self._size(block),
                             self._made("subtract", self._size(loop.length), before)),)  # fmt: skip
        for i, held in enumerate(blocks.states):
            blocks.nexts[held] = result(inner, given, span, ("final", i))
        self.rows = {n: result(inner, given, span, ("stack", inside[n])) for n in stacked}
        self.whole, self.given = blocks.loop(replays=True)

    def _inside(self, here: Node, stacked: Sequence[Node]) -> dict[Node, Node]:
        """The nodes of a step, the index of the loop being that of the step in its block."""
        places = self.loop.placeholders[1:]
        inside: dict[Node, Node] = {place: place for place in places}
        inside[self.loop.index] = here
        for node in topological(self.loop.roots(stacked), inside):
            operands = tuple(inside[operand] for operand in node.operands)
            inside[node] = node.with_operands(operands)
        return inside

    def result(self, node: Node) -> Node:
        """A result of the loop, under its name."""
        sort, which = node.attributes["result"]
        if sort == "final":
            made = result(self.whole, self.given, node.span, ("final", which))
        else:
            blocks = result(self.whole, self.given, node.span, ("stack", self.rows[which]))
            shape = (self.count * self.block, *node.type.shape[1:])
            whole = self._made("reshape", blocks, shape=shape)
            made = self._made("getitem", whole, index=(Cut(None, self.loop.length),))
        return replace(made, name=node.name, span=node.span)

    def _in_blocks(self, sequence: Node) -> Node:
        """An array with an axis of blocks and one of their steps, zeros in steps that are none."""
        rest, rank = sequence.type.shape[1:], sequence.type.rank
        missing = self.count * self.block - self.loop.length
        widths = ((ZERO, missing), *[(ZERO, ZERO)] * (rank - 1))
        padded = (
            sequence if missing == ZERO else self._made("pad", sequence, widths=widths, value=0)
        )
        return self._made("reshape", padded, shape=(self.count, self.block, *rest))

    def _index(self, name: str, stop: Size) -> Node:
        variable = Variable(name, self.span, ZERO, stop, loop=True)
        return placeholder(name, INT, self.loop.index.span, variable=variable)

    def _size(self, size: Size) -> Node:
        return make("size", (), self.span, {"size": size})

    def _made(self, op: str, *operands: Node, **attributes: object) -> Node:
        return make(op, operands, self.span, attributes)
