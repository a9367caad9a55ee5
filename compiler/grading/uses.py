"""Mistakes where a value is used several times, so that what comes back from each use is added."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ...dsl.graph import Graph, Node, constant, make
from ..paper import differential, label
from ..reverse import Adjoint
from ..rules import Rule, rule_of
from .walk import Contributions, Edge, Slip, Walk, places


def uses(graph: Graph) -> Iterator[Slip]:
    """Of all that arrives at a node only a part is kept. What comes back comes in the order of
    computation turned round, so that the last of it is from the first use."""
    order = places(graph)
    users: dict[Node, list[Node]] = {}
    for node in order:
        for position, operand in enumerate(node.operands):
            if operand.type.is_float and rule_of(node, position):
                users.setdefault(operand, []).append(node)
    for number, node in enumerate(order):
        names = [label(u) for u in reversed(users.get(node, []))]
        left = differential(label(node))
        if len(names) < 2:
            continue
        for i, name in enumerate(names):
            wrote = f"{left} = what comes from {name} alone"
            yield Slip("overwritten", number, None, str(i), choose=_only(i), wrote=wrote)
        if len(names) > 2:
            for i, name in enumerate(names):
                wrote = f"{left} without what comes from {name}"
                yield Slip("missing-use", number, None, str(i), choose=_without(i), wrote=wrote)
        if any(u.op.name == "getitem" for u in users[node]):
            for later in ("first", "last"):
                wrote = f"{left}[…] = …, where parts overlap"
                yield Slip("overwritten", number, None, later,
                           choose=_assigned(later == "last"), wrote=wrote)  # fmt: skip


def _only(i: int) -> Callable[[Walk, Node, Contributions], Adjoint]:
    return lambda walk, node, contributions: contributions[i]


def _without(i: int) -> Callable[[Walk, Node, Contributions], Adjoint]:
    return lambda walk, node, contributions: Adjoint(
        _added([c for n, c in enumerate(contributions) if n != i], node)
    )


def _assigned(last: bool) -> Callable[[Walk, Node, Contributions], Adjoint]:
    """Parts of an array written one over the other; what comes to one part is added."""

    def choose(walk: Walk, node: Node, contributions: Contributions) -> Adjoint:
        parts: dict[object, list[Adjoint]] = {}
        for c in contributions if last else contributions[::-1]:
            user, _ = walk.setting.origins[c]
            parts.setdefault(user.attributes.get("index"), []).append(c)
        value = None
        for index, together in parts.items():
            added = _added(together, node)
            if value is not None and index is not None:
                user, position = walk.setting.origins[together[0]]
                edge = Edge(walk, user, position, _rule_of(user, position), together[0])
                zero = constant(0.0, node.span)
                covered = edge.make("greater", edge.through(edge.ones(user)), zero)
                added = edge.make("where", covered, added, value)
            value = added
        assert value is not None
        return Adjoint(value)

    return choose


def _added(contributions: Contributions, node: Node) -> Node:
    value = contributions[0].selected()
    for other in contributions[1:]:
        value = make("add", [value, other.selected()], value.span, cause=node)
    return value


def _rule_of(node: Node, position: int) -> Rule:
    rule = rule_of(node, position)
    assert rule is not None
    return rule
