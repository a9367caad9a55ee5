"""Small arrays of fixed sizes as their entries: each a number with a name of its own.

Arrays are left where a function takes or returns them. A graph with an operation that has no
expansion stays as it is, and so does one that is too large to gain from it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...dsl.graph import Graph, Node, make
from ...dsl.loops import with_steps
from ...dsl.shapes import Type
from ...dsl.sizes import Size
from .entries import Entries, Stays, collected, lengths
from .expansions import expanded
from .log import note

# ``python -m benchmarks.unroll``: an operation on arrays takes as long as about 40 on numbers, or
# half of that where it writes into memory that is there. Beyond some hundred nodes nobody reads
# the code any more.
NODES_PER_OPERATION = 20
NODES = 600
Place = tuple[int, ...]


def unrolled(graphs: Sequence[Graph]) -> list[Graph] | None:
    """All graphs without arrays inside, or ``None`` where one of them has to keep some."""
    try:
        made = [_Whole(graph).result() for graph in graphs]
    except Stays:
        return None
    before = sum(array_operations(graph.nodes) for graph in graphs)
    after = sum(len(graph.nodes) for graph in made)
    if after > NODES_PER_OPERATION * before:
        return None
    for node in dict.fromkeys(n for graph in graphs for n in graph.nodes):
        if node.type.rank and node.operands:
            note("unroll", node, f"{math.prod(lengths(node))} numbers")
    return made


def array_operations(nodes: Iterable[Node]) -> int:
    """The operations that read or make an array."""
    return sum(
        bool(node.operands) and any(n.type.rank for n in (node, *node.operands)) for node in nodes
    )


def unroll(graph: Graph) -> Graph:
    """The graph without arrays inside, or as it is."""
    made = unrolled([graph])
    return graph if made is None else made[0]


class Unrolling:
    """The entries of nodes, which come in an order of computation."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self.nodes = list(nodes)
        self.entries: dict[Node, Entries] = {}
        self.known: set[Node] = set()
        self.absent: set[Node] = set()
        """The zeros around what an operation puts in its place: nothing is added there."""
        self.taken = {node.label for node in self.nodes if node.name or node.op.name == "input"}
        self.owners: dict[tuple[Node, Place], Node] = {}

    def expand(self) -> None:
        """Finds the entries of all nodes. Raises ``Stays`` where one has none, or too many."""
        for node in self.nodes:
            if node.op.name == "scan" or not 0 < math.prod(lengths(node)) <= NODES:
                raise Stays
            self.entries[node] = self.of(node)
            self.known.update(self.entries[node].flat)
            if len(self.known) > NODES:
                raise Stays

    def of(self, node: Node) -> Entries:
        """The entries of a node, under names made of its own."""
        shape = lengths(node)
        if node.op.name == "input":
            if not shape:
                return collected([node], ())
            return collected([self.given(node, place) for place in np.ndindex(shape)], shape)
        operands = [self.entries[operand] for operand in node.operands]
        if not shape and all(x.ndim == 0 for x in operands):
            return collected([replace(node, operands=tuple(x.item() for x in operands))], ())
        if node.op.family in ("elementwise", "pointwise") and not node.op.math:
            raise Stays
        return self.named(node, self.apart(node, operands))

    def apart(self, node: Node, operands: list[Entries]) -> Entries:
        """The entries that an operation makes of those of its operands."""
        if node.op.name == "add":
            return self.added(node, operands)
        found = expanded(node, operands)
        if node.op.name == "place":
            self.absent.update(set(found.flat) - set(operands[0].flat))
        return found

    def added(self, node: Node, operands: Sequence[Entries]) -> Entries:
        """The sums of entries, but for those that are not there in one of two arrays."""
        columns = [x.ravel().tolist() for x in np.broadcast_arrays(*operands)]
        sums = expanded(node, list(operands))
        entries = [b if a in self.absent else a if b in self.absent else entry
                   for a, b, entry in zip(*columns, sums.ravel(), strict=True)]  # fmt: skip
        return collected(entries, sums.shape)

    def given(self, node: Node, place: Place) -> Node:
        """An entry of what is given from outside."""
        index = tuple(map(Size.of, place))
        return make("getitem", [node], node.span, {"index": index}, name=self.name(node, place))

    def named(self, node: Node, entries: Entries) -> Entries:
        """The entries that are new, under names of theirs."""
        named: dict[Node, Node] = {}
        places = np.ndindex(entries.shape)
        for place, entry in zip(places, entries.ravel(), strict=True):
            if entry in named or entry in self.known or entry.is_constant():
                continue
            if entry.op.name == "input":  # What a step of a loop sees is known by itself.
                continue
            more: dict[str, Any] = {"span": node.span}
            if node.name:
                more["name"] = self.name(node, place)
            if node.adjoint_of is not None:
                more["adjoint_of"] = self.owner(node.adjoint_of, place)
            named[entry] = replace(entry, **more)
        return collected([named.get(entry, entry) for entry in entries.ravel()], entries.shape)

    def name(self, node: Node, place: Place) -> str:
        """``W_0_1`` for an entry of ``W``, with an underscore where that is another's name."""
        name = "_".join([node.label, *map(str, place)])
        while place and name in self.taken:
            name += "_"
        return name

    def owner(self, node: Node, place: Place) -> Node:
        """What an entry of a gradient is the gradient of, for the name of it."""
        if not place or not (node.name or node.op.name == "input"):
            return node
        if (node, place) not in self.owners:
            name = self.name(node, place)
            attributes = {"name": name, "type": Type(node.type.kind), "whole": node}
            self.owners[node, place] = make("input", (), node.span, attributes, name=name)
        return self.owners[node, place]


class _Whole(Unrolling):
    """A graph that has arrays only as what it is given and as its results."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph.nodes)
        self.graph = graph

    def result(self) -> Graph:
        graph = self.graph
        if not any(node.type.rank for node in with_steps(graph.nodes)):
            return graph
        self.expand()
        landmarks = [entry for n in graph.landmarks if n in self.entries
                     for entry in self.entries[n].flat]  # fmt: skip
        numbers = {n: a for n, a in graph.adjoints.items() if a in self.entries and not a.type.rank}
        result = Graph(
            graph.interface,
            graph.inputs,
            {name: self.whole(node) for name, node in graph.outputs.items()},
            tuple(dict.fromkeys(landmarks)),
            graph.seeds,
            {name: self.whole(node) for name, node in graph.gradients.items()},
            {name: self.entries[node].item() for name, node in numbers.items()},
        )
        if len(result.nodes) > NODES:
            raise Stays
        return result

    def whole(self, node: Node) -> Node:
        """A result: the entries put together again."""
        entries = self.entries[node]
        if not node.type.rank:
            found: Node = entries.item()
            return found
        array = make("array", entries.ravel(), node.span, {"shape": node.type.shape})
        return replace(array, name=node.name, cause=node.cause, adjoint_of=node.adjoint_of)
