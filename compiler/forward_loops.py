"""The tangent of a loop: a loop whose states are those of the first, and their tangents.

The joint loop computes everything that the first does, so it takes its place wherever both are
wanted: ``joined`` puts it there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from ..dsl.graph import Graph, Node, constant, make, map_nodes
from ..dsl.loops import Draft, Loop, Result, called, placeholder, result, stacked

Tangents = Callable[[Iterable[Node], Mapping[Node, Node]], Mapping[Node, Node]]


def along_loop(
    results: list[Node], moving: Mapping[int, Node], tangents: Tangents
) -> dict[Node, Node]:
    """The tangents of some results of one loop, given those of operands by position.

    ``tangents`` gives those of nodes of a step. Results that do not move are left out.
    """
    node = results[0]
    loop: Loop = node.attributes["loop"]
    places = loop.placeholders[1:]
    kept = stacked(results)
    arriving = {places[position]: tangent for position, tangent in moving.items()}
    placed = {place: _moved(place) for place in arriving}
    while True:
        found = tangents([*loop.nexts, *kept], placed)
        pairs = zip(loop.states, loop.nexts, strict=True)
        new = [state for state, after in pairs if after in found and state not in placed]
        if not new:
            break
        placed |= {state: _moved(state) for state in new}
    draft = Draft.of(loop, node.operands)
    for place, own in placed.items():
        table = draft.table(place)
        table[own] = arriving.get(place) or _zeros(place)
        if table is draft.states:
            after = draft.nexts[place]
            draft.nexts[own] = found.get(after) or _zeros(after)
    joint, operands = draft.loop(
        until=loop.until, backwards=loop.backwards, counted=loop.counted, extends=loop
    )
    operands += node.operands[len(places) :]
    moved: dict[Node, Node] = {}
    for one in results:
        which = _moving_result(one, placed, found, joint)
        if which is not None:
            moved[one] = result(joint, operands, one.span, which, cause=one)
    return moved


def _moving_result(
    node: Node, placed: Mapping[Node, Node], found: Mapping[Node, Node], joint: Loop
) -> Result | None:
    """Which result of the joint loop is the tangent of one of the first loop."""
    loop, (sort, which) = node.attributes["loop"], node.attributes["result"]
    if sort == "final":
        own = placed.get(loop.states[which])
        return None if own is None else ("final", joint.states.index(own))
    tangent = found.get(which) or placed.get(which) if sort == "stack" else None
    return None if tangent is None else ("stack", tangent)


def _moved(place: Node) -> Node:
    return placeholder(f"d_{called(place)}", place.type, place.span)


def _zeros(node: Node) -> Node:
    if not node.type.rank:
        return constant(0.0, node.span)
    return make("zeros", (), node.span, {"shape": node.type.shape})


def joined(graph: Graph) -> Graph:
    """The graph, loops that a joint loop extends replaced by it."""
    joint: dict[tuple[Loop, tuple[Node, ...]], Node] = {}
    for node in graph.nodes:
        if node.op.name == "scan" and node.attributes["loop"].extends is not None:
            loop = node.attributes["loop"]
            joint[loop.extends, _first_operands(loop, node.operands)] = node
    if not joint:
        return graph
    return map_nodes(graph, _Joining(joint).all(graph))


def _first_operands(loop: Loop, operands: tuple[Node, ...]) -> tuple[Node, ...]:
    """The operands of the loop that a joint one extends."""
    first = loop.extends
    assert first is not None
    given = zip(loop.split(operands), (first.states, first.captured, first.rows), strict=False)
    kept = [o for part, own in given for o in part[: len(own)]]
    return (*kept, *loop.split(operands)[3])


class _Joining:
    def __init__(self, joint: Mapping[tuple[Loop, tuple[Node, ...]], Node]) -> None:
        self.joint = joint
        self.done: dict[Node, Node] = {}
        self._made: dict[tuple[Node, Result], Node] = {}

    def all(self, graph: Graph) -> Mapping[Node, Node]:
        for root in graph.nodes:
            stack = [root]
            while stack:
                node = stack[-1]
                target = self._target(node)
                needs = node.operands if target is node else (target,)
                waiting = [n for n in needs if n not in self.done]
                if node not in self.done and waiting:
                    stack += waiting
                    continue
                stack.pop()
                if node not in self.done:
                    self.done[node] = self._replaced(node, target)
        return self.done

    def _target(self, node: Node) -> Node:
        """The same result of the joint loop."""
        if node.op.name != "scan":
            return node
        loop = node.attributes["loop"]
        found = self.joint.get((loop, node.operands))
        if found is None or found.attributes["loop"] is loop:
            return node
        key = (found, node.attributes["result"])
        if key not in self._made:
            attributes = {"loop": found.attributes["loop"], "result": node.attributes["result"]}
            self._made[key] = replace(node, operands=found.operands, attributes=attributes)
        return self._made[key]

    def _replaced(self, node: Node, target: Node) -> Node:
        if target is not node:
            return self.done[target]
        operands = tuple(self.done[operand] for operand in node.operands)
        return node.with_operands(operands)
