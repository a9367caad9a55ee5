"""Loops over loops the other way round: ``for t: for i`` as ``for i: for t``.

Where a step (t, i) needs nothing but steps (t - 1, i) and (t, i - 1), as in layers of a recurrent
network, either loop may be the outer one. Outside is where fewer steps are: what does not depend
on the loop inside is then done for all of its steps at once, by ``fission``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from ...dsl.graph import Graph, Node, make, topological
from ...dsl.indices.spread import permuted
from ...dsl.loops import (
    Draft,
    Loop,
    by_loop,
    called,
    loop_key,
    map_loops,
    placeholder,
    result,
    stacked,
    with_loops,
)
from ...dsl.shapes import INT
from ..machine import AVX512
from ..prices import again
from .fission import fits
from .log import note
from .turned import plain, turned

# How many steps a loop has where its size is not known: one of two of which nothing more is
# known, and one that runs along what is shared or along what is not.
_STEPS, _MANY, _FEW = 16, 64, 4


def interchanged(graph: Graph) -> Graph:
    """The graph, before differentiation, with nests of loops the other way round where that is
    possible and less work."""
    if not any(n.op.name == "scan" for loop in _loops(graph) for n in loop.body()):
        return graph
    graph = turned(map_loops(graph, interchanged))
    groups = by_loop(graph.nodes, fits)
    nests = {key: nest for key, nodes in groups.items() if (nest := _nest(nodes)) is not None}

    def made(nodes: Sequence[Node], operands: tuple[Node, ...]) -> Mapping[Node, Node]:
        nest = nests[loop_key(nodes[0])]
        note("interchange", nodes[0], f"{nest.loop} inside of {nest.inner}")
        return _Interchange(nest, operands).results()

    return with_loops(graph, {key: groups[key] for key in nests}, made)


def _loops(graph: Graph) -> list[Loop]:
    return [node.attributes["loop"] for node in graph.nodes if node.op.name == "scan"]


def _nest(nodes: list[Node]) -> Nest | None:
    """A loop over a loop that may be, and had better be, the other way round."""
    nest = Nest.of(nodes)
    return nest if nest is not None and nest.is_perfect() and nest.pays() else None


class Nest:
    """A loop whose states are what the steps of a loop in its step leave behind, entry by entry."""

    def __init__(self, nodes: Sequence[Node], inner: Node) -> None:
        self.nodes = nodes
        self.loop: Loop = nodes[0].attributes["loop"]
        self.inner: Loop = inner.attributes["loop"]
        operands = [plain(operand) for operand in inner.operands]
        self.first, self.captured, self.rows, _ = self.inner.split(operands)
        self.stacked = stacked(nodes)
        self.body = self.loop.body(self.stacked)
        key = loop_key(inner)
        self.steps = {n for n in self.body if n.op.name == "scan" and loop_key(n) == key}
        self.recurrent = _depending(self.body, {*self.loop.states, *self.steps})
        self.varying = _depending(self.body, {self.loop.index, *self.loop.rows})

    @staticmethod
    def of(nodes: Sequence[Node]) -> Nest | None:
        nexts = [plain(after) for after in nodes[0].attributes["loop"].nexts]
        stacks = [n for n in nexts if n.op.name == "scan" and n.attributes["result"][0] == "stack"]
        if not nexts or len(stacks) < len(nexts) or len({loop_key(n) for n in stacks}) > 1:
            return None
        return Nest(nodes, stacks[0]) if fits(stacks[0].attributes["loop"]) else None

    @property
    def nexts(self) -> list[Node]:
        """What becomes of an entry of each state in a step of the loop inside."""
        found: list[Node] = [plain(after).attributes["result"][1] for after in self.loop.nexts]
        return found

    @property
    def stacked_inside(self) -> list[Node]:
        """What the loop inside leaves behind of each step."""
        return stacked(n for n in self.body if n in self.steps)

    def is_perfect(self) -> bool:
        """Whether a step of the loop inside sees of the states but its own entry."""
        seen = [*self.first, *self.captured, *(r for r in self.rows if r not in self.loop.states)]
        buffers = any(after.op.name == "put" for after in self.inner.nexts)
        return not buffers and bool(self.inner.states) and self.recurrent.isdisjoint(seen)

    # ── Whether it pays ─────────────────────────────────────────────────────

    def pays(self) -> bool:
        """Whether the steps cost less the other way round, once all that does not depend on the
        loop inside is done for all of its steps at once."""
        body = self.inner.body([*self.nexts, *self.stacked_inside])
        entries = {p for p, o in zip(self.inner.rows, self.rows, strict=True)
                   if o in self.loop.states}  # fmt: skip
        outer, inner = self._lengths()
        now = _cost(body, _depending(body, self.inner.states), outer, inner)
        return _cost(body, _depending(body, entries), inner, outer) < now

    def _lengths(self) -> tuple[int, int]:
        """About how many steps each loop has. If more is given for each step of the loop inside
        than for one of the other, as with the weights of layers, there are more of the other."""
        of_inner = sum(o not in self.varying and o not in self.recurrent for o in self.rows)
        of_outer = sum(o in self.varying for o in self.captured)
        guesses = (_STEPS, _STEPS)
        if of_inner != of_outer:
            guesses = (_MANY, _FEW) if of_inner > of_outer else (_FEW, _MANY)
        known = self.loop.length.constant, self.inner.length.constant
        outer, inner = (g if k is None else k for k, g in zip(known, guesses, strict=True))
        return outer, inner


def _depending(body: Iterable[Node], on: Iterable[Node]) -> set[Node]:
    """Some nodes and those that depend on them."""
    found = set(on)
    for node in body:
        if not found.isdisjoint(node.operands):
            found.add(node)
    return found


def _cost(body: Sequence[Node], coupled: set[Node], outer: int, inner: int) -> float:
    """What a nest costs whose inner steps do only what is coupled. To begin a loop, and to put
    away what it leaves behind, costs about as much as a step."""
    prices = {n: again(n, AVX512) for n in body if n.operands and not n.op.view}
    step = sum(price for n, price in prices.items() if n in coupled)
    return outer * (inner * step + 2 * sum(prices.values()) - step)


class _Interchange:
    """The loops that take the place of a nest, and what they compute."""

    def __init__(self, nest: Nest, operands: tuple[Node, ...]) -> None:
        self.nest, self.loop, self.inner = nest, nest.loop, nest.inner
        self.span = self.loop.index.span
        self.length = self.loop.length
        self.outside = dict(zip(self.loop.placeholders[1:], operands, strict=True))
        self.before = _Apart(self.loop, self.outside)
        self.columns = Draft(self.inner.index, self.inner.start, self.inner.stop)
        self.steps = Draft(self.loop.index, self.loop.start, self.loop.stop)
        self._place()
        self._carry()

    # ── The two loops ───────────────────────────────────────────────────────

    def _place(self) -> None:
        """What a step sees, of the loop outside and of that inside."""
        nest, inner = self.nest, self.inner
        self.inside: dict[Node, Node] = {}
        here = self.inside[inner.index] = placeholder(inner.index.label, INT, inner.index.span)
        self.steps.captured[here] = inner.index
        self.held: dict[Node, Node] = {}
        """By state of the loop that was outside, its entry in a step."""
        for place, operand in zip(inner.captured, nest.captured, strict=True):
            self._see(place, operand, self.columns.captured)
        for place, operand in zip(inner.rows, nest.rows, strict=True):
            if operand in self.loop.states:
                self.inside[place] = self.held.setdefault(operand, place)
            else:
                self._see(place, operand, self.columns.rows)
        for state in self.loop.states:
            if state not in self.held:
                type_ = state.type.with_shape(state.type.shape[1:])
                self.held[state] = placeholder(called(state), type_, state.span)
        for place, first in zip(inner.states, nest.first, strict=True):
            array = self._of_all_steps(place)
            self.columns.states[array] = self._in_all_steps(first)
            self.steps.rows[place] = array

    def _see(self, place: Node, operand: Node, table: dict[Node, Node]) -> None:
        """A value from outside, by way of the loop outside, in a step of the loop inside."""
        if operand is self.loop.index:
            self.inside[place] = operand
        elif operand not in self.nest.varying:
            seen = placeholder(called(place), place.type, place.span)
            table[seen] = self.before.once(operand)
            self.steps.captured[place] = seen
        else:
            seen = self._of_all_steps(place)
            array = self.before.all(operand)
            table[seen] = self._turned(array) if table is self.columns.rows else array
            self.steps.rows[place] = seen

    def _carry(self) -> None:
        """What becomes of the states of both."""
        nexts = dict(zip(self.loop.states, self.nest.nexts, strict=True))
        wanted = [*nexts.values(), *self.inner.nexts, *self.nest.stacked_inside]
        places = [*self.steps.rows, *self.steps.captured, *self.held.values(), *self.inside]
        for node in topological(wanted, places):
            self.inside[node] = node.with_operands(tuple(self._inner(o) for o in node.operands))
        for state, held in self.held.items():
            first = placeholder(called(held), held.type, held.span)
            self.columns.rows[first] = self.outside[state]
            self.steps.states[held] = first
            self.steps.nexts[held] = self._inner(nexts[state])
        self.made = self.steps.loop(backwards=self.loop.backwards)
        for state, after in zip(self.columns.states, self.inner.nexts, strict=True):
            self.columns.nexts[state] = self._step(("stack", self._inner(after)), after)
        self.whole = self.columns.loop(backwards=self.inner.backwards)

    def _inner(self, node: Node) -> Node:
        return self.inside.get(node, node)

    def _step(self, which: tuple[str, object], source: Node) -> Node:
        """A result of the loop inside, under the name of what it stands for."""
        made = result(*self.made, source.span, which)
        return made.with_name(source.name) if source.name else made

    # ── What comes out ──────────────────────────────────────────────────────

    def results(self) -> dict[Node, Node]:
        """By result of the nest, what takes its place."""
        found = {}
        for node in self.nest.nodes:
            sort, which = node.attributes["result"]
            if sort == "final":
                held = self.held[self.loop.states[which]]
                state = list(self.steps.states).index(held)
                last = self._step(("final", state), held)
                new = result(*self.whole, node.span, ("stack", last))
            else:
                new = self._in_all_steps(which)
            found[node] = replace(new, name=node.name, span=node.span)
        return found

    def _in_all_steps(self, node: Node) -> Node:
        """A node of a step of the nest for all steps."""
        node = plain(node)
        if node not in self.nest.recurrent:
            if node in self.nest.varying:
                return self.before.all(node)
            shape = (self.length, *node.type.shape)
            return make("broadcast_to", [self.before.once(node)], self.span, {"shape": shape})
        if node in self.loop.states:
            return self._stacked(self.held[node])
        if node not in self.nest.steps:
            return self.after.all(node)
        sort, which = node.attributes["result"]
        if sort == "final":
            return result(*self.whole, node.span, ("final", which))
        return self._stacked(self._inner(which))

    def _stacked(self, node: Node) -> Node:
        """What a node of a step inside is in all steps of both loops."""
        rows = self._step(("stack", node), node)
        return self._turned(result(*self.whole, node.span, ("stack", rows)))

    @cached_property
    def after(self) -> _Apart:
        """What only a step of the nest makes of the results of the loop inside."""
        given = dict.fromkeys([*self.loop.states, *self.nest.steps])
        late = topological(self.nest.stacked, [*self.loop.placeholders, *given])
        used = {o for n in late for o in n.operands}
        arrays = {n: self._in_all_steps(n) for n in given if n in used}
        return _Apart(self.loop, self.outside, arrays)

    def _of_all_steps(self, node: Node) -> Node:
        """A place for the values of a node in all steps of the loop inside."""
        type_ = node.type.with_shape((self.length, *node.type.shape))
        return placeholder(called(node), type_, node.span)

    def _turned(self, array: Node) -> Node:
        """The axes of both loops in the other order."""
        return permuted(array, [1, 0, *range(2, array.type.rank)], self.span)


class _Apart:
    """What the steps of a nest do without its states: before the loop inside, or after it, where
    ``given`` are arrays of what nodes are in all steps."""

    def __init__(
        self, loop: Loop, outside: Mapping[Node, Node], given: Mapping[Node, Node] | None = None
    ) -> None:
        self.captured = {p: outside[p] for p in loop.captured}
        self.rows = {p: outside[p] for p in loop.rows}
        self.copies: dict[Node, Node] = {}
        for node, array in (given or {}).items():
            self.copies[node] = placeholder(called(node), node.type, node.span)
            self.rows[self.copies[node]] = array
        draft = Draft(loop.index, loop.start, loop.stop, {}, self.captured, self.rows)
        self.made = draft.loop()

    def once(self, node: Node) -> Node:
        """A node that is the same in all steps."""
        return _copied(node, dict(self.captured))

    def all(self, node: Node) -> Node:
        """A node in all steps, as an array with one more axis."""
        if node in self.rows:
            return self.rows[node]
        return result(*self.made, node.span, ("stack", _copied(node, self.copies)))


def _copied(node: Node, copies: dict[Node, Node]) -> Node:
    """A node with others in the place of some that it is made of."""
    for own in topological([node], copies):
        copies[own] = own.with_operands(tuple(copies[o] for o in own.operands))
    return copies[node]
