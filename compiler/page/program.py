"""A graph and its gradients as arithmetic on single numbers, for a page that recomputes them.

Every entry of every array becomes a number with a place in one list, loops are unrolled, and what
is left are the operations of the table on scalars, which ``numbers.js`` knows as well.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ...dsl.frozen import frozen
from ...dsl.graph import Graph, Node, constant, make, topological
from ...dsl.loops import Loop, loop_key, stacked
from ...dsl.shapes import Kind
from ...dsl.sizes import Size
from ..evaluate import Evaluation
from ..passes.entries import Entries, Maker, Stays, collected, lengths
from ..passes.unroll import Unrolling
from ..specialise import specialise

NUMBERS = 5000
_REPEATED = 5  # How often about the same may be computed, before that is seen.
_ON_PAPER = ("round_on_paper", "given_on_paper")
_OPTIONS = {"polygamma": "order", "sinc_derivative": "order", "round_on_paper": "digits",
            "given_on_paper": "digits"}  # fmt: skip
Operation = list[Any]


@frozen()
class Place:
    """Where an array lies in the list of numbers: the place of each entry, in NumPy's order."""

    shape: tuple[int, ...]
    entries: tuple[int, ...]
    kind: str = "float"

    def as_json(self) -> dict[str, Any]:
        return {"shape": self.shape, "entries": self.entries, "kind": self.kind}


@frozen()
class Program:
    """``operations`` are ``[name, operand, ...]`` in an order of computation, the operands being
    places in the list; ``["constant", value]`` and ``["input", which]`` have none.

    ``inputs`` has the inputs by name, ``shown`` what a page shows, under the page's own keys.
    """

    operations: tuple[Operation, ...]
    inputs: Mapping[str, Place]
    shown: Mapping[str, Place]

    def as_json(self) -> dict[str, Any]:
        return {
            "operations": self.operations,
            "inputs": {name: place.as_json() for name, place in self.inputs.items()},
            "shown": {key: place.as_json() for key, place in self.shown.items()},
        }


def program(
    evaluation: Evaluation, shown: Mapping[str, Node], limit: int = NUMBERS
) -> Program | None:
    """The arithmetic behind some nodes of an evaluated graph and of its gradients, or ``None``
    where an operation has no entries of its own, or where there are more than ``limit`` numbers.

    Integers that say which entries are taken cannot change: where there are such, none can.
    """
    graph = evaluation.graph
    sizes = {name: Size.of(value) for name, value in evaluation.interpreter.sizes.items()}
    whole = specialise(Graph(graph.interface, graph.inputs, shown), sizes)
    nodes = topological([*whole.inputs.values(), *whole.outputs.values()])
    integers = {name: evaluation.interpreter.inputs[name]
                for name, node in whole.inputs.items() if node.type.kind is Kind.INT}  # fmt: skip
    for fixed in ({}, integers) if integers else ({},):
        numbers = _Numbers(nodes, limit, fixed)
        try:
            numbers.expand()
            return _listed(whole, numbers.entries, limit)
        except Stays:
            continue
    return None


def _listed(graph: Graph, entries: Mapping[Node, Entries], limit: int) -> Program:
    """The numbers in an order of computation. Raises ``Stays`` where there are too many."""
    writer = _Writer()
    given = {n: writer.inputs(node, entries[node]) for n, node in graph.inputs.items()
             if not any(entry.op.name == "constant" for entry in entries[node].flat)}  # fmt: skip
    roots = [entry for node in graph.outputs.values() for entry in entries[node].flat]
    for node in topological(roots, writer.places):
        writer.write(node)
    if len(writer.operations) > limit:
        raise Stays
    shown = {key: writer.place(node, entries[node]) for key, node in graph.outputs.items()}
    return Program(tuple(writer.operations), given, shown)


class _Writer:
    """Gives each number its place in the list."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.places: dict[Node, int] = {}
        self.written: dict[tuple[Any, ...], int] = {}
        self.given = 0

    def inputs(self, node: Node, entries: Entries) -> Place:
        for entry in entries.flat:
            self.places[entry] = self.add(["input", self.given])
            self.given += 1
        return self.place(node, entries)

    def place(self, node: Node, entries: Entries) -> Place:
        places = tuple(self.places[entry] for entry in entries.flat)
        return Place(entries.shape, places, str(node.type.kind))

    def add(self, operation: Operation) -> int:
        """The place of an operation; what has been written already is not written again."""
        key = tuple(map(str, operation))  # 0 is not -0.
        if key not in self.written:
            self.written[key] = len(self.operations)
            self.operations.append(operation)
        return self.written[key]

    def constant(self, value: Any) -> int:
        """A number; JSON has no infinities, so those are texts."""
        number = float(value)
        written = number if math.isfinite(number) else _JAVASCRIPT[repr(number)]
        return self.add(["constant", written])

    def write(self, node: Node) -> None:
        """One operation on numbers. Raises ``Stays`` where the table has none for numbers."""
        name = node.op.name
        if name == "constant":
            self.places[node] = self.constant(node.attributes["value"])
            return
        if name == "size":
            self.places[node] = self.constant(node.attributes["size"].constant)
            return
        if not node.op.math and name not in _ON_PAPER:
            raise Stays
        operands = [self.places[operand] for operand in node.operands]
        if name in _OPTIONS:
            operands.append(self.constant(node.attributes[_OPTIONS[name]]))
        self.places[node] = self.add([name, *operands])
        if node.type.kind is Kind.INT and name != "as_int":
            # Integers have no negative zero, JavaScript's numbers do.
            self.places[node] = self.add(["as_int", self.places[node]])


_JAVASCRIPT = {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}


class _Numbers(Unrolling):
    """The entries of all nodes, the steps of loops among them."""

    def __init__(self, nodes: Iterable[Node], limit: int, fixed: Mapping[str, Any]) -> None:
        super().__init__(nodes)
        self.limit = limit
        self.fixed = fixed
        self.loops: dict[Hashable, _Steps] = {}

    def expand(self) -> None:
        wanted: dict[Hashable, list[Node]] = {}
        self.results(self.nodes, wanted)
        for node in self.nodes:
            self.entries[node] = self.entered(node, wanted)

    def results(self, nodes: Iterable[Node], wanted: dict[Hashable, list[Node]]) -> None:
        """The results of each loop, those that nobody has asked for yet among them."""
        for node in nodes:
            if node.op.name == "scan":
                wanted.setdefault(loop_key(node), []).append(node)

    def entered(self, node: Node, wanted: Mapping[Hashable, list[Node]]) -> Entries:
        """The entries of a node. Raises ``Stays`` where it has none, or too many."""
        if not 0 < math.prod(lengths(node)) <= self.limit:
            raise Stays
        entries = self.of(node) if node.op.name != "scan" else self.result(node, wanted)
        self.known.update(entries.flat)
        if len(self.known) > _REPEATED * self.limit:
            raise Stays
        return entries

    def of(self, node: Node) -> Entries:
        if node.op.name in _ON_PAPER:
            maker = Maker(node)
            (x,) = (self.entries[operand] for operand in node.operands)
            rounded = [maker(node.op.name, entry, **node.attributes) for entry in x.flat]
            return collected(rounded, x.shape)
        if node.op.name == "input" and node.attributes["name"] in self.fixed:
            written = np.asarray(self.fixed[node.attributes["name"]])
            constants = [constant(value, node.span) for value in written.ravel().tolist()]
            return collected(constants, written.shape)
        if node.op.family == "ruled":  # The value is that of the function's body.
            return self.entries[node.operands[node.attributes.get("result", 0)]]
        return super().of(node)

    def named(self, node: Node, entries: Entries) -> Entries:
        """As they are: nobody reads their names."""
        return entries

    def given(self, node: Node, place: tuple[int, ...]) -> Node:
        """An entry of an input as a number that is given."""
        return make("getitem", [node], node.span, {"index": tuple(map(Size.of, place))})

    # ── Loops ───────────────────────────────────────────────────────────────

    def result(self, node: Node, wanted: Mapping[Hashable, list[Node]]) -> Entries:
        key = loop_key(node)
        if key not in self.loops:
            self.loops[key] = _Steps(self, node, wanted[key])
        return self.loops[key].result(node)


class _Steps:
    """The steps of a loop, one after the other.

    Where only the run itself says how many there are, all are computed, and those that are not
    taken change nothing.
    """

    def __init__(self, numbers: _Numbers, node: Node, results: Sequence[Node]) -> None:
        loop: Loop = node.attributes["loop"]
        if loop.chunk is not None or loop.length.constant is None or loop.start.constant is None:
            raise Stays
        self.numbers, self.loop = numbers, loop
        self.make = Maker(node)
        kept = stacked(results)
        self.body = loop.body(kept)
        self.wanted: dict[Hashable, list[Node]] = {}
        numbers.results(self.body, self.wanted)
        operands = [numbers.entries[operand] for operand in node.operands]
        self.states, self.captured, self.rows, counts = loop.split(operands)
        self.stacks: dict[Node, list[Entries | None]] = {
            n: [None] * loop.length.constant for n in kept
        }
        self.taken: Node = self.make.number(0)
        self.running: Node | None = None
        order = range(loop.length.constant)
        for step in reversed(order) if loop.backwards else order:
            if counts:
                self.running = self.make("less", self.make.number(step), counts[0].item())
            self.step(step, loop.start.constant + step)

    def step(self, row: int, index: int) -> None:
        loop, numbers = self.loop, self.numbers
        entries = numbers.entries
        entries[loop.index] = collected([self.make.number(index)], ())
        entries.update(zip(loop.states, self.states, strict=True))
        entries.update(zip(loop.captured, self.captured, strict=True))
        entries.update({r: x[row] if x.ndim > 1 else collected([x[row]], ())
                        for r, x in zip(loop.rows, self.rows, strict=True)})  # fmt: skip
        for key in self.wanted:
            numbers.loops.pop(key, None)
        for node in self.body:
            entries[node] = numbers.entered(node, self.wanted)
        nexts = [entries[node] for node in loop.nexts]
        pairs = zip(nexts, self.states, strict=True)
        self.states = [self.kept(after, before) for after, before in pairs]
        for node, rows in self.stacks.items():
            nothing = [self.make.number((bool, int, float)[node.type.kind](0))] * entries[node].size
            rows[row] = self.kept(entries[node], collected(nothing, entries[node].shape))
        one = self.make.number(1)
        counted = one if self.running is None else self.make("as_int", self.running)
        self.taken = self.make("add", self.taken, counted)
        if loop.until is not None:
            goes_on = self.make("logical_not", entries[loop.until].item())
            before = self.running
            self.running = self.make("logical_and", before, goes_on) if before else goes_on

    def kept(self, after: Entries, before: Entries) -> Entries:
        """What a step leaves, if it is taken at all; else what there was."""
        if self.running is None:
            return after
        pairs = zip(after.ravel(), before.ravel(), strict=True)
        return collected([self.make("where", self.running, a, b) for a, b in pairs], after.shape)

    def result(self, node: Node) -> Entries:
        sort, which = node.attributes["result"]
        if sort == "final":
            found: Entries = self.states[which]
            return found
        if sort == "steps":
            return collected([self.taken], ())
        shape = lengths(node)
        flat = [entry for rows in self.stacks[which] for entry in rows.flat]  # type: ignore[union-attr]
        return collected(flat, shape)
