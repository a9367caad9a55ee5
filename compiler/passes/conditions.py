"""What is known of conditions in their branches, for numbers that are chosen one by one.

A value that only one side of a condition needs may assume it: what it chooses by the same
condition is chosen already. Conditions that are joined become one inside the other where another
choice reads one of them, so that all of its choices can stand in one ``if``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TypeAlias

from ...dsl.graph import Graph, Node, make, map_nodes
from .log import note
from .rewrite import anonymous, rewrite

# Conditions with what is known of them.
_Known: TypeAlias = frozenset[tuple[Node, bool]]
_NOTHING: _Known = frozenset()
_MAX_ROUNDS = 4


def conditions(graph: Graph) -> Graph:
    """The graph with nothing chosen by what is known already."""
    if "where" not in graph.operations:
        return graph
    for _ in range(_MAX_ROUNDS):
        before, graph = graph, _assumed(_nested(_added(graph)))
        if graph is before:
            break
    return graph


def chooses(node: Node) -> Node | None:
    """The one truth value that a node chooses by."""
    if node.op.name != "where" or node.operands[0].type.rank:
        return None
    return node.operands[0]


def _added(graph: Graph) -> Graph:
    """What one condition chooses is added before it is chosen."""
    uses = Counter(operand for node in graph.nodes for operand in node.operands)
    uses.update([*graph.outputs.values(), *graph.gradients.values()])

    def step(node: Node) -> Node | None:
        pairs = (node.operands, node.operands[::-1]) if node.op.name == "add" else ()
        for first, second in pairs:
            condition = chooses(second)
            if condition is None:
                continue
            if chooses(first) is condition:
                return _sum_chosen(node, first, second)
            if first.op.name == "input" and any(o.is_constant(0.0) for o in second.operands):
                sides = (_sum(node, first, chosen) for chosen in second.operands[1:])
                return _choice(node, condition, *sides)  # One side leaves it as it is.
            if first.op.name == "add" and uses[first] <= 1 and anonymous(first):
                for other, term in (first.operands, first.operands[::-1]):
                    if chooses(term) is condition:
                        return _sum(node, other, _sum_chosen(node, term, second))
        return None

    return rewrite(graph, step, "conditions", only=("add",))


def _sum_chosen(model: Node, first: Node, second: Node) -> Node:
    condition, a, b = first.operands
    _, c, d = second.operands
    chosen = _sum(model, a, c), _sum(model, b, d)
    return chosen[0] if chosen[0] is chosen[1] else _choice(model, condition, *chosen)


def _sum(model: Node, a: Node, b: Node) -> Node:
    if a.is_constant(0.0) or b.is_constant(0.0):
        return b if a.is_constant(0.0) else a
    return make("add", [a, b], model.span, cause=model.cause, position=model.position)


def _nested(graph: Graph) -> Graph:
    """Choices by two conditions, of which others read one, as a choice inside another."""
    read = {condition for node in graph.nodes if (condition := chooses(node)) is not None}

    def step(node: Node) -> Node | None:
        condition = chooses(node)
        if condition is None:
            return None
        _, a, b = node.operands
        if condition.op.name == "logical_not":
            return _choice(node, condition.operands[0], b, a)
        if condition.op.name not in ("logical_and", "logical_or"):
            return None
        both = condition.op.name == "logical_and"
        if (b if both else a).operands:
            return None  # It would be needed on both sides.
        first, second = condition.operands
        if _without_not(first) not in read:
            first, second = second, first
        if _without_not(first) not in read:
            return None
        inner = _choice(node, second, a, b)
        return _choice(node, first, inner, b) if both else _choice(node, first, a, inner)

    return rewrite(graph, step, "conditions", only=("where",))


def _without_not(node: Node) -> Node:
    return node.operands[0] if node.op.name == "logical_not" else node


def _choice(model: Node, *operands: Node) -> Node:
    return make("where", operands, model.span, cause=model.cause, position=model.position)


def _assumed(graph: Graph) -> Graph:
    """Each node with operands that assume what its own use does."""
    known = _known(graph)
    replaced: dict[Node, Node] = {}
    for node in graph.nodes:
        operands = tuple(
            _decided(replaced.get(operand, operand), _along(node, position, known[node]))
            for position, operand in enumerate(node.operands)
        )
        if operands != node.operands:
            nothing = [o.is_constant(0.0) for o in operands] if node.op.name == "add" else []
            made = operands[not nothing[1]] if any(nothing) else node.with_operands(operands)
            replaced[node] = made
            note("conditions", node, made)
    return map_nodes(graph, replaced) if replaced else graph


def _known(graph: Graph) -> Mapping[Node, _Known]:
    """What all uses of a node assume."""
    known = dict.fromkeys([*graph.outputs.values(), *graph.gradients.values()], _NOTHING)
    for node in reversed(graph.nodes):
        own = known.setdefault(node, _NOTHING)  # An input that nothing uses.
        for position, operand in enumerate(node.operands):
            found = _along(node, position, own)
            known[operand] = known[operand] & found if operand in known else found
    return known


def _along(node: Node, position: int, known: _Known) -> _Known:
    """What is known where a node uses an operand."""
    condition = chooses(node) if position else None
    return known if condition is None else known | _implied(condition, position == 1)


def _implied(condition: Node, truth: bool) -> _Known:
    """What follows from a condition that holds, or does not."""
    found: set[tuple[Node, bool]] = set()
    stack = [(condition, truth)]
    while stack:
        node, holds = stack.pop()
        found.add((node, holds))
        if node.op.name == "logical_not":
            stack.append((node.operands[0], not holds))
        elif node.op.name == ("logical_and" if holds else "logical_or"):
            stack += [(operand, holds) for operand in node.operands]
    return frozenset(found)


def _decided(node: Node, known: _Known) -> Node:
    """What a node is where that is known."""
    while known:
        if node.op.name == "where" and (node.operands[0], True) in known:
            node = node.operands[1]
        elif node.op.name == "where" and (node.operands[0], False) in known:
            node = node.operands[2]
        elif node.op.name in ("logical_and", "logical_or") and not node.type.rank:
            neutral = node.op.name == "logical_and"
            first, second = node.operands
            if (first, neutral) in known:
                node = second
            elif (second, neutral) in known:
                node = first
            else:
                break
        else:
            break
    return node
