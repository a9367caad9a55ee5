"""Many rows of a few fixed entries, such as points in space, as one array for each entry.

NumPy runs along the last axis: of two or three entries, that takes longer than what is computed.
An array for each entry is run along as a whole, the zeros of a seed that is 1 in one place are
known to be zeros, and what two entries have in common is computed once. Where a whole array is
needed, it is put together again.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from ...dsl.graph import Graph, Node, make, map_nodes, topological
from ...dsl.loops import map_loops
from ...dsl.shapes import Kind, Shape
from ...dsl.sizes import Size
from ...dsl.subscripts import Cut
from ..machine import AVX512, Machine, entries
from .entries import Entries, Maker, Stays, collected
from .log import note
from .trailing import LONGEST, fixed, inner, outer
from .unroll import Unrolling

# Fewer operations than this are not worth the names of all entries.
_LEAST = 4
_CALLS = 4  # What a call costs is soon more than what it does for a short array.
# ns, measured: what NumPy takes each time to run along a few entries, or to combine them, and to
# read an entry that does not lie beside the one before.
_SHORT, _SUMMED, _STRIDE = 8.0, 20.0, 0.4


def columns(graph: Graph, machine: Machine = AVX512) -> Graph:
    """The graph with those parts of it by entry that gain from it."""
    graph = map_loops(graph, lambda step: columns(step, machine))
    parts = _parts(graph)
    if not parts:
        return graph
    work = _Columns(graph, parts)
    work.expand()
    kept = {part for part in set(parts.values()) if work.pays(part, machine)}
    if not kept:
        return graph
    if len(kept) < len(set(parts.values())):
        work = _Columns(graph, {n: p for n, p in parts.items() if p in kept})
        work.expand()
    return work.result()


def _parts(graph: Graph) -> dict[Node, Node]:
    """What can be computed by entry, each node with one that stands for its part: parts have no
    array in common that would be taken apart."""
    parts: dict[Node, Node] = {}

    def root(node: Node) -> Node:
        while parts[node] is not node:
            node = parts[node]
        return node

    for node in graph.nodes:
        way = inner(node)
        if way is not None:
            parts[node] = node
            for operand, width in zip(node.operands, way.widths, strict=True):
                if width and operand in parts:
                    parts[root(operand)] = root(node)
        elif outer(node) is not None and node.operands[0] in parts:
            parts[node] = root(node.operands[0])
    return {node: root(node) for node in parts}


class _Columns(Unrolling):
    """A graph some of whose nodes are computed by entry.

    ``entries`` has those of the nodes that are. Each entry has a type that broadcasts to what
    leads. ``arrays`` are the nodes that are whole, or have been put together.
    """

    def __init__(self, graph: Graph, parts: dict[Node, Node]) -> None:
        super().__init__(graph.nodes)
        self.graph, self.parts = graph, parts
        self.arrays: dict[Node, Node] = {}
        self.read: dict[tuple[Node, int], Entries] = {}
        """The entries of arrays that are not computed by entry, by how many axes they are."""
        self.made: dict[Node, list[Node]] = {}
        """By part, what is computed in it, and what is put together of it."""

    def expand(self) -> None:
        for node in self.nodes:
            if node in self.parts:
                try:
                    self.entries[node] = self.of(node)
                    self.known.update(self.entries[node].flat)
                except Stays:  # An operation on the last axes that has no expansion.
                    del self.parts[node]
            if node not in self.parts:
                operands = tuple(self.array(operand) for operand in node.operands)
                self.arrays[node] = node.with_operands(operands)
        for node in (*self.graph.outputs.values(), *self.graph.gradients.values()):
            self.array(node)

    def of(self, node: Node) -> Entries:
        way, part = inner(node), self.parts[node]
        if way is not None:
            operands = [
                self.at(operand, width, part)
                for operand, width in zip(node.operands, way.widths, strict=True)
            ]
            found = self.apart(way.node, [_converted(node, found) for found in operands])
        else:
            operands = [self.at(node.operands[0], fixed(node.operands[0]), part)]
            found = self.along(node, operands[0])
        given = [entry for known in operands for entry in known.flat]
        self.made.setdefault(part, []).extend(topological(found.flat, given))
        return self.named(node, found)

    def along(self, node: Node, x: Entries) -> Entries:
        """What an operation along the axes that lead makes of each entry."""
        found = outer(node)
        assert found is not None
        shape, maker = _lead(node.operands[0], x.ndim), Maker(node)
        made = [maker(node.op.name, _spread(entry, shape), **found.options) for entry in x.flat]
        entries = collected(made, x.shape)
        return entries if found.total is None else self.apart(found.total, [entries])

    def at(self, node: Node, width: int, part: Node) -> Entries:
        """The entries along the last ``width`` axes of an operand in a part."""
        if node in self.entries and self.entries[node].ndim == width:
            return self.entries[node]
        if not width:
            return collected([self.array(node)], ())
        if (node, width) not in self.read:
            self.read[node, width] = self.apart_from(node, width, part)
        return self.read[node, width]

    def apart_from(self, node: Node, width: int, part: Node) -> Entries:
        """The entries of a whole array, or of one that has axes of length 1 before them."""
        shape = node.type.shape[node.type.rank - width :]
        lengths = [size.constant or 0 for size in shape]
        if node.op.name in ("zeros", "ones"):
            filler = Maker(node).filler(node.op.name == "ones")
            return collected([filler] * math.prod(lengths), lengths)
        if node in self.entries and width < self.entries[node].ndim:
            held = self.entries[node]
            inserted = held.shape[: held.ndim - width]
            if math.prod(inserted) == 1:
                axes = tuple(range(-len(inserted), 0))
                wider = [make("expand_dims", [e], node.span, {"axis": axes}) if e.type.rank else e
                         for e in held.flat]  # fmt: skip
                return collected(wider, lengths)
        array = self.array(node)
        before = [Cut()] * (node.type.rank - width)
        index = [(*before, *map(Size.of, place)) for place in np.ndindex(*lengths)]
        found = [make("getitem", [array], node.span, {"index": i}) for i in index]
        self.made.setdefault(part, []).extend(found)
        self.known.update(found)
        return collected(found, lengths)

    def array(self, node: Node) -> Node:
        """A node as a whole."""
        if node not in self.arrays:
            self.arrays[node] = self.together(node)
        return self.arrays[node]

    def together(self, node: Node) -> Node:
        """The entries of a node put together."""
        shape, held = node.type.shape, self.entries[node]
        lead = _lead(node, held.ndim)
        parts = [_spread(entry, lead) for entry in held.flat]
        if shape == lead:
            return parts[0]
        more = {"cause": node.cause, "position": node.position}
        if len(parts) > 1:
            parts = [make("stack", parts, node.span, {"axis": -1}, **more)]
            self.made[self.parts[node]] += parts
        array = parts[0]
        if array.type.shape != shape:
            array = make("reshape", [array], node.span, {"shape": shape}, **more)
        if array.op.name == "input":
            return array
        return replace(array, name=node.name, adjoint_of=node.adjoint_of)

    # ── What it is worth ────────────────────────────────────────────────────

    def pays(self, part: Node, machine: Machine) -> bool:
        """Whether a part takes less time by entry, in a few times as many calls at most: those
        are what counts for short arrays."""
        whole = [node for node in self.parts if self.parts[node] is part and not node.op.view]
        made = [node for node in dict.fromkeys(self.made[part]) if node.operands]
        calls = sum(not node.op.view for node in made)
        if len(whole) < _LEAST or calls > _CALLS * len(whole):
            return False
        before = sum(_price(node, machine) for node in whole)
        after = sum(_price(node, machine) for node in made)
        return after < before

    # ── The graph ───────────────────────────────────────────────────────────

    def result(self) -> Graph:
        graph = self.graph
        for node in self.parts:
            note("columns", node, f"{self.entries[node].size} columns")
        mapped = map_nodes(graph, self.arrays)
        landmarks: list[Node] = []
        for node in self.nodes:  # Entries of one array one after the other.
            landmarks += self.entries[node].flat if node in self.parts else [self.arrays[node]]
        adjoints = {n: self.arrays[a] for n, a in graph.adjoints.items() if a in self.arrays}
        return replace(mapped, landmarks=tuple(dict.fromkeys(landmarks)), adjoints=adjoints)


def _converted(node: Node, operand: Entries) -> Entries:
    """Entries as numbers of a node's kind, where it adds them up: NumPy's sum of two arrays of
    truth values is whether either is true, and integers wrap around."""
    if node.op.by_entry or node.type.kind is Kind.BOOL:
        return operand
    maker = Maker(node)
    return collected([maker.of_kind(entry) for entry in operand.flat], operand.shape)


def _lead(node: Node, own: int) -> Shape:
    """The shape of each entry along the last ``own`` axes."""
    return node.type.shape[: node.type.rank - own]


def _spread(entry: Node, shape: Shape) -> Node:
    """An entry in the shape of all of them."""
    if entry.type.shape == shape:
        return entry
    return make("broadcast_to", [entry], entry.span, {"shape": shape})


def _price(node: Node, machine: Machine) -> float:
    """ns for a value: a call, what it does to each entry, and whenever it begins to run along a
    few of them."""
    if node.op.view:
        return _STRIDE * entries(node)  # What reads it does not find entries side by side.
    widest = max((node, *node.operands), key=entries)
    price = machine.call * 1e3 + machine.of(node.op.name) * entries(widest)
    last = widest.type.shape[-1].constant if widest.type.rank else None
    if last is None or last > LONGEST or not last:
        return price
    if node.op.by_entry and all(o.type.shape in ((), node.type.shape) for o in node.operands):
        return price
    return price + (_SHORT if node.op.by_entry else _SUMMED) * entries(widest) / last
