"""States with their axes in the order in which steps see them and leave them behind.

Where a loop over layers stands in a batch, the layers of a state are not its first axis, as steps
have it: each would turn the state, and turn it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...dsl.graph import Graph, Node, make
from ...dsl.loops import Loop, by_loop, called, loop_key, placeholder, result, stacked, with_loops


def turned(graph: Graph) -> Graph:
    """The graph with states turned before loops and after them, rather than in each step."""
    groups = by_loop(graph.nodes)
    turns = {key: turn for key, nodes in groups.items() if (turn := _Turned(nodes)).axes}

    def made(nodes: Sequence[Node], operands: tuple[Node, ...]) -> dict[Node, Node]:
        turn = turns[loop_key(nodes[0])]
        return {node: turn.of(node, operands) for node in nodes}

    return with_loops(graph, {key: groups[key] for key in turns}, made)


def plain(node: Node) -> Node:
    """A node without the names it goes by."""
    while node.op.name == "alias":
        node = node.operands[0]
    return node


class _Turned:
    """A loop some of whose states are turned; ``axes`` are what turns them, by state."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.loop: Loop = nodes[0].attributes["loop"]
        body = self.loop.body(stacked(nodes))
        seen = {(plain(n.operands[0]), n.attributes["axes"]) for n in body if _turns(n)}
        self.axes: dict[Node, tuple[int, ...]] = {}
        for state, after in zip(self.loop.states, self.loop.nexts, strict=True):
            last = plain(after)
            if _turns(last) and (state, inverse := _inverse(last.attributes["axes"])) in seen:
                self.axes[state] = inverse
        if self.axes:
            self._step(body)

    def _step(self, body: Sequence[Node]) -> None:
        loop = self.loop
        self.new: dict[Node, Node] = {}
        places = []
        for state in loop.states:
            axes = self.axes.get(state)
            if axes is None:
                places.append(state)
                continue
            whole = transposed(state, axes)
            place = placeholder(called(state), whole.type, state.span)
            places.append(place)
            self.new[state] = transposed(place, _inverse(axes))
        for node in body:
            operands = tuple(self.new.get(o, o) for o in node.operands)
            self.new[node] = _straight(node.with_operands(operands))
        nexts = [self.new.get(after, after) for after in loop.nexts]
        nexts = [transposed(plain(after), self.axes[state]) if state in self.axes else after
                 for state, after in zip(loop.states, nexts, strict=True)]  # fmt: skip
        self.made = replace(loop, states=tuple(places), nexts=tuple(nexts), extends=None)

    def of(self, node: Node, operands: tuple[Node, ...]) -> Node:
        """A result of the loop, as it was."""
        count = len(self.loop.states)
        first = [transposed(o, self.axes[s]) if s in self.axes else o
                 for s, o in zip(self.loop.states, operands, strict=False)]  # fmt: skip
        sort, which = node.attributes["result"]
        named = self.new.get(which, which) if sort == "stack" else which
        made = result(self.made, (*first, *operands[count:]), node.span, (sort, named))
        state = self.loop.states[which] if sort == "final" else None
        if state in self.axes:
            made = transposed(made, _inverse(self.axes[state]))
        return made.known_as(node)


def _turns(node: Node) -> bool:
    return node.op.name == "transpose"


def _inverse(axes: Sequence[int]) -> tuple[int, ...]:
    """What turns back, with axes counted from the end."""
    rank = len(axes)
    return tuple(list(axes).index(k - rank) - rank for k in range(rank))


def transposed(node: Node, axes: tuple[int, ...]) -> Node:
    return _straight(make("transpose", [node], node.span, {"axes": axes}))


def _straight(node: Node) -> Node:
    """What was turned and turned back as it is."""
    if not _turns(node):
        return node
    inner = plain(node.operands[0])
    back = _turns(inner) and _inverse(inner.attributes["axes"]) == node.attributes["axes"]
    return inner.operands[0] if back else node
