"""Loops whose steps compute with a few numbers: in Python's numbers rather than NumPy's.

An operation on a number of NumPy takes three times as long as one of Python, and one on a small
array twenty times. Small arrays of a step become their entries, as in ``unroll``; what the loop
is given, and what it leaves behind, is converted once, before and after all steps.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ...dsl.graph import Graph, Node, constant, make, map_nodes
from ...dsl.loops import (
    Loop,
    by_loop,
    called,
    is_fixed,
    loop_key,
    map_loops,
    placeholder,
    result,
    stacked,
)
from ...dsl.shapes import Type
from ...dsl.sizes import Size
from ...dsl.subscripts import Cut
from .entries import Entries, Stays, collected
from .log import note
from .unroll import NODES_PER_OPERATION, Place, Unrolling, array_operations

# What an operation on a number of NumPy takes, in those on numbers of Python.
_SCALAR = 3


def small_loops(graph: Graph) -> Graph:
    """The graph with every loop of few numbers as one of Python's."""
    graph = map_loops(graph, small_loops)
    loops = by_loop(graph.nodes)
    steps = {key: step for key, results in loops.items() if (step := _step(results)) is not None}
    return _Converted(steps).graph(graph) if steps else graph


def _step(results: list[Node]) -> _Step | None:
    """What a step does with numbers alone, or nothing where that is not possible or worth it."""
    loop: Loop = results[0].attributes["loop"]
    if loop.chunk is not None or loop.numbers:
        return None
    step = _Step(loop, stacked(results))
    try:
        step.expand()
    except Stays:
        return None
    return step if step.pays() else None


class _Step(Unrolling):
    """The entries of what a step computes."""

    def __init__(self, loop: Loop, stacked: Iterable[Node]) -> None:
        super().__init__([*loop.placeholders, *loop.body(stacked)])
        self.loop = loop
        self.fixed: dict[Node, Node] = {}
        """By placeholder, numbers that are made of sizes and written ones: computed once."""

    def of(self, node: Node) -> Entries:
        if not node.operands or not is_fixed(node):
            return super().of(node)
        place = placeholder(called(node), node.type, node.span)
        self.fixed[place] = node
        return collected([place], ())

    def given(self, node: Node, place: Place) -> Node:
        """A placeholder of its own for an entry of one."""
        return placeholder(self.name(node, place), Type(node.type.kind), node.span)

    def pays(self) -> bool:
        computed = [node for node in self.nodes if node.operands]
        arrays = array_operations(computed)
        before = NODES_PER_OPERATION * arrays + _SCALAR * (len(computed) - arrays)
        return sum(bool(node.operands) for node in self.known) <= before

    def flat(self, nodes: Iterable[Node]) -> tuple[Node, ...]:
        return tuple(entry for node in nodes for entry in self.entries[node].flat)

    def made(self) -> Loop:
        loop = self.loop
        return replace(
            loop,
            states=self.flat(loop.states),
            captured=(*self.flat(loop.captured), *self.fixed),
            rows=self.flat(loop.rows),
            nexts=self.flat(loop.nexts),
            until=self.entries[loop.until].item() if loop.until is not None else None,
            extends=None,
            numbers=True,
        )


class _Converted:
    """A graph in which some loops compute with Python's numbers.

    ``entries`` are the numbers, or lists of them, that a result of such a loop consists of.
    """

    def __init__(self, steps: dict[Hashable, _Step]) -> None:
        self.steps = steps
        self.loops: dict[Hashable, tuple[Loop, tuple[Node, ...]]] = {}
        self.entries: dict[Node, Entries] = {}
        self.replaced: dict[Node, Node] = {}

    def graph(self, graph: Graph) -> Graph:
        for node in graph.nodes:
            if node.op.name == "scan" and loop_key(node) in self.steps:
                self.replaced[node] = self.result(node)
            else:
                operands = tuple(self.replaced[operand] for operand in node.operands)
                self.replaced[node] = node.with_operands(operands)
        return map_nodes(graph, self.replaced)

    def result(self, node: Node) -> Node:
        """A result of a loop for those who compute with NumPy."""
        key = loop_key(node)
        step = self.steps[key]
        if key not in self.loops:
            self.loops[key] = step.made(), tuple(self.operands(node, step))
            note("small_loops", node, f"numbers of Python in all steps over {step.loop}")
        loop, operands = self.loops[key]
        sort, which = node.attributes["result"]
        of: dict[str, Any] = {"cause": node.cause, "position": node.position}
        if sort == "steps":
            return result(loop, operands, node.span, (sort, which), **of)
        held = step.entries[step.loop.states[which] if sort == "final" else which]
        numbers: Iterable[Any] = held.flat
        if sort == "final":
            first = len(step.flat(step.loop.states[:which]))
            numbers = range(first, first + held.size)
        parts = [result(loop, operands, node.span, (sort, n), **of) for n in numbers]
        self.entries[node] = collected(parts, held.shape)
        return replace(self.whole(node, parts), name=node.name, adjoint_of=node.adjoint_of, **of)

    def whole(self, node: Node, parts: list[Node]) -> Node:
        """A result put together as an array of NumPy."""
        sort, _ = node.attributes["result"]
        loop = node.attributes["loop"]
        full = {"shape": (loop.length,)} if sort == "stack" and loop.dynamic else {}
        converted = [make("to_numpy", [part], node.span, full) for part in parts]
        if node.type.rank == (sort == "stack"):
            return converted[0]
        if sort == "final":
            return make("array", parts, node.span, {"shape": node.type.shape})
        rows = make("stack", converted, node.span, {"axis": -1})
        if rows.type.shape == node.type.shape:
            return rows
        return make("reshape", [rows], node.span, {"shape": node.type.shape})

    # ── What a loop is given ────────────────────────────────────────────────

    def operands(self, node: Node, step: _Step) -> Iterator[Node]:
        loop = step.loop
        states, captured, rows, steps = loop.split(node.operands)
        for operand in (*states, *captured):
            for place in np.ndindex(tuple(s.constant or 0 for s in operand.type.shape)):
                yield self.number(operand, place)
        yield from (make("to_python", [fixed], fixed.span) for fixed in step.fixed.values())
        for row, seen in zip(rows, loop.rows, strict=True):
            for entry in np.ndindex(tuple(s.constant or 0 for s in seen.type.shape)):
                yield self.listed(row, entry)
        yield from (self.replaced[count] for count in steps)

    def number(self, node: Node, place: Place) -> Node:
        """An entry of a value as a number of Python."""
        if node in self.entries:
            found: Node = self.entries[node][place]
            return found
        new = self.replaced[node]
        if new.op.name == "zeros":
            return constant(0.0, node.span)
        if new.op.name == "array":
            shape = [size.constant or 0 for size in new.type.shape]
            new = new.operands[int(np.ravel_multi_index(place, shape))]
        elif place:
            new = make("getitem", [new], node.span, {"index": tuple(map(Size.of, place))})
        return new if is_fixed(new) else make("to_python", [new], node.span)

    def listed(self, node: Node, place: Place) -> Node:
        """An entry of what all steps see, as a list."""
        if node in self.entries:
            found: Node = self.entries[node][place]
            return found
        new = self.replaced[node]
        if node.op.name == "getitem" and node.operands[0] in self.entries:
            cut, *inner = node.attributes["index"]
            within = [i.constant or 0 for i in inner if isinstance(i, Size)]
            if isinstance(cut, Cut) and len(within) == len(inner):
                new = self.listed(node.operands[0], (*within, *place))
                return new if cut == Cut() else make("getitem", [new], node.span, {"index": (cut,)})
        if place:
            column = (Cut(), *map(Size.of, place))
            new = make("getitem", [new], node.span, {"index": column})
        return make("to_python", [new], node.span)
