"""What a loop need not do step by step, done for all steps at once: before it or after it.

What depends on no state is computed before the loop, as ``x @ W.T`` for ``W @ x[t]``; what no state
depends on, after it, from stacks. The index of the loop is one more index over which nodes are
spread, as in index notation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ...dsl.graph import Graph, Node, make, topological
from ...dsl.indices.spread import Spread, whole
from ...dsl.indices.variables import Variable
from ...dsl.indices.vectorise import Vectoriser
from ...dsl.loops import (
    Draft,
    Loop,
    by_loop,
    called,
    map_loops,
    placeholder,
    result,
    stacked,
    with_loops,
)
from ...dsl.lower import lower_nodes
from ...dsl.sizes import Size
from .log import note

_GUESS = 16
# Arrays of all steps may be so many times as large as the stacks they are made from.
_GROWTH = 2
# What is done one step at a time, for one row is not like for many.
_STEPWISE = ("scan", "put", "scatter", "scatter_along", "place")
# What cannot be spread over an index at all.
_ALONE = ("put", "scatter", "scatter_along")


def fission(graph: Graph) -> Graph:
    """The graph with as little as possible in the steps of its loops."""
    graph = map_loops(graph, fission)
    groups = by_loop(graph.nodes, fits)
    return with_loops(graph, groups, lambda nodes, operands: Split(nodes, operands).results())


def fits(loop: Loop) -> bool:
    """Loops of known length; one that replays its steps does so to save memory."""
    return not (loop.dynamic or loop.replays or loop.chunk)


class Split:
    """One loop: what is early, what stays in the steps, and what is late."""

    def __init__(self, nodes: Sequence[Node], operands: tuple[Node, ...]) -> None:
        loop: Loop = nodes[0].attributes["loop"]
        self.nodes, self.loop, self.span = nodes, loop, loop.index.span
        self.given = operands
        self.draft = Draft.of(loop, operands)
        self.nexts = dict(zip(loop.states, loop.nexts, strict=True))
        self.stacked = stacked(nodes)
        self.variable = Variable(loop.index.label, self.span, loop.start, loop.stop)
        arange = make("arange", (), self.span, {"bounds": (loop.start, loop.stop)})
        self.known = {loop.index: Spread(arange, (self.variable,))}
        self.known |= {p: Spread(o) for p, o in self.draft.captured.items()}
        self.known |= {p: Spread(o, (self.variable,)) for p, o in self.draft.rows.items()}
        self.body = loop.body(self.stacked)
        self.moving = self._moving()
        self.core = set(topological(self.nexts[s] for s in loop.states if not self._adds_up(s)))
        self._choose_late()

    def _moving(self) -> set[Node]:
        """The nodes that have to wait for their step: what depends on a state, loops that end when
        they like, and what differs from step to step but is nothing for all at once."""
        moving = set(self.loop.states)
        varying = {self.loop.index, *self.loop.rows}
        for node in self.body:
            if not varying.isdisjoint(node.operands):
                varying.add(node)
            ends = node.op.name == "scan" and not fits(node.attributes["loop"])
            alone = node.op.name in _ALONE and node in varying
            if ends or alone or not moving.isdisjoint(node.operands):
                moving.add(node)
        return moving

    def _adds_up(self, state: Node) -> bool:
        """Whether a state only adds up terms."""
        after = self.nexts[state]
        if after.op.name != "add" or after.operands[0] is not state:
            return False
        users = [n for n in self.body if state in n.operands or after in n.operands]
        asked = {*self.stacked, *(n for s, n in self.nexts.items() if s is not state)}
        return (
            users == [after] and after.operands[1].type == state.type and not {state, after} & asked
        )

    # ── After the loop ──────────────────────────────────────────────────────

    def _choose_late(self) -> None:
        """The stacks and sums that are made from stacks of what the states need anyway."""
        stays = set(self.core)
        self.late_stacks: list[Node] = []
        self.late_sums: list[Node] = []
        for node in self.stacked:
            if node in self.moving and node not in stays:
                if self._can_wait(node):
                    self.late_stacks.append(node)
                else:
                    stays |= set(topological([node]))
        for state in self.loop.states:
            if self._adds_up(state):
                term = self.nexts[state].operands[1]
                apart = term in self.stacked if term in stays else self._can_wait(term, summed=True)
                if apart:
                    self.late_sums.append(state)
                else:
                    stays |= set(topological([self.nexts[state]]))
        self.core = stays

    def _can_wait(self, root: Node, *, summed: bool = False) -> bool:
        """Whether a node is worth computing for all steps at once: its arrays are not much larger
        than what they are made from. A product that is summed is never an array."""
        late = topological([root], [*self.core, *self.known, *self.loop.states])
        if summed and root.op.name in ("vecouter", "matmul", "multiply"):
            late = [n for n in late if n is not root]
        sources = {o for n in (*late, root) for o in n.operands if o not in late and o is not root}
        largest = max((guess(n.type.shape) for n in sources), default=1)
        own = max((guess(n.type.shape) for n in late), default=0)
        plain = all(n.op.name not in _STEPWISE for n in (*late, root))
        return plain and own <= _GROWTH * largest and bool(late or summed)

    # ── The three parts ─────────────────────────────────────────────────────

    def results(self) -> Mapping[Node, Node]:
        early = self._early()
        kept = [s for s in self.loop.states if s not in self.late_sums]
        stacks = [n for n in self.stacked if n not in early and n not in self.late_stacks]
        late = [*self.late_stacks, *(self.nexts[s].operands[1] for s in self.late_sums)]
        stop = [*self.core, *self.known, *self.loop.states, *early]
        order = topological(late, stop)
        sources = [o for n in order for o in n.operands] + late
        frontier = [n for n in dict.fromkeys(sources) if n in self.moving and n not in order]
        inside = self._inside([*(self.nexts[s] for s in kept), *stacks, *frontier], early)
        self.draft.states = {s: self.draft.states[s] for s in kept}
        self.draft.nexts = {s: inside[self.nexts[s]] for s in kept}
        loop, operands = self.draft.loop(backwards=self.loop.backwards)

        def made(sort: str, which: object) -> Node:
            return result(loop, operands, self.span, (sort, which))

        known = {n: Spread(made("stack", inside[n]), (self.variable,)) for n in frontier}
        for node in late:
            note("fission", node, "after the loop, for all steps at once")
        arrays = self._spread(late, {**known, **self._as_spreads(early)})
        found: dict[Node, Node] = {}
        for node in self.nodes:
            sort, which = node.attributes["result"]
            if sort == "stack" and which in early:
                new = whole(self._as_spreads(early)[which], (self.variable,), self.span)
            elif sort == "stack":
                new = arrays[which] if which in arrays else made(sort, inside[which])
            elif self.loop.states[which] in self.late_sums:
                new = self._total(self.loop.states[which], arrays)
            else:
                new = made(sort, kept.index(self.loop.states[which]))
            found[node] = _in_place_of(node, new)
        return found

    def _early(self) -> dict[Node, Node]:
        """What depends on no state, as it is before the loop: for all steps, or once."""
        used = {*self.nexts.values(), *self.stacked}
        used |= {o for n in self.body if n in self.moving for o in n.operands}
        wanted = [n for n in self.body if n in used and n not in self.moving and not _trivial(n)]
        vectoriser = Vectoriser(self.known)
        vectoriser.all(wanted)
        self.axes = {n: vectoriser(n).axes for n in wanted}
        stop = [spread.node for spread in self.known.values()]
        lowered = lower_nodes([vectoriser(n).node for n in wanted], stop)
        for node in wanted:
            note("fission", node, "before the loop, for all steps at once")
        return {n: lowered[vectoriser(n).node] for n in wanted}

    def _as_spreads(self, early: Mapping[Node, Node]) -> dict[Node, Spread]:
        return {n: Spread(array, self.axes[n]) for n, array in early.items()}

    def _inside(self, roots: list[Node], early: Mapping[Node, Node]) -> dict[Node, Node]:
        """The nodes of a step, with places for what is computed before."""
        inside: dict[Node, Node] = {p: p for p in self.loop.placeholders}
        for node, array in early.items():
            inside[node] = placeholder(called(node), node.type, node.span)
            table = self.draft.rows if self.axes[node] else self.draft.captured
            table[inside[node]] = array
        for node in topological(roots, inside):
            operands = tuple(inside[operand] for operand in node.operands)
            inside[node] = node.with_operands(operands)
        return inside

    def _spread(self, nodes: list[Node], known: Mapping[Node, Spread]) -> dict[Node, Node]:
        """Nodes of a step for all steps."""
        known = {**self.known, **known}
        vectoriser = Vectoriser(known)
        vectoriser.all(nodes)
        arrays = {n: whole(vectoriser(n), (self.variable,), self.span) for n in nodes}
        lowered = lower_nodes(arrays.values(), [spread.node for spread in known.values()])
        return {n: lowered[array] for n, array in arrays.items()}

    def _total(self, state: Node, arrays: Mapping[Node, Node]) -> Node:
        """The sum of a term over all steps, and what the state begins with."""
        array = arrays[self.nexts[state].operands[1]]
        options = {"axis": (-array.type.rank,), "keepdims": False}
        total = make("sum", [array], self.span, options, cause=self.nexts[state].cause)
        first = Draft.of(self.loop, self.given).states[state]
        if first.op.name == "zeros" or first.is_constant(0.0):
            return total
        return make("add", [first, total], self.span)


def guess(shape: Iterable[Size]) -> int:
    """About how many entries a shape has."""
    total = 1
    for size in shape:
        total *= size.evaluate(dict.fromkeys(size.names(), _GUESS))
    return total


def _trivial(node: Node) -> bool:
    """Whether nothing is gained by doing this for all steps at once."""
    return node.op.name in (*_STEPWISE, "constant", "size", "input") or not node.operands


def _in_place_of(node: Node, new: Node) -> Node:
    """A new node under the name and with the provenance of an old one."""
    named = new.op.name in ("input", "constant") or (new.name and new.name != node.name)
    if named and node.name:
        new = make("alias", [new], node.span)
    return replace(
        new, name=node.name, span=node.span, cause=node.cause, position=node.position,
        adjoint_of=node.adjoint_of,
    ) if new.op.name not in ("input", "constant") else new  # fmt: skip
