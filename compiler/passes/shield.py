"""No exception from a branch that is not taken.

A factorisation that only branches use gets, where none of them is taken, an operand that it cannot
fail on: the identity instead of a matrix that may be singular.
"""

from __future__ import annotations

from dataclasses import replace

from ...dsl.graph import Graph, Node, constant, make, map_nodes
from ..rules import apply_rule


def shield(graph: Graph) -> Graph:
    if not any(node.op.shield for node in graph.nodes):
        return graph
    guards = _guards(graph)
    if not any(node.op.shield and guards.get(node) is not None for node in graph.nodes):
        return graph
    replaced: dict[Node, Node] = {}
    for node in graph.nodes:
        operands = tuple(replaced[operand] for operand in node.operands)
        guard = guards.get(node)
        if node.op.shield and guard is not None:
            taken = replaced.get(guard, guard)
            operands = tuple(
                _shielded(node, position, operand, taken)
                for position, operand in enumerate(operands)
            )
        replaced[node] = node if operands == node.operands else replace(node, operands=operands)
    return map_nodes(graph, replaced)


def _shielded(node: Node, position: int, operand: Node, taken: Node) -> Node:
    text = node.op.shield.get(node.op.operand_name(position))
    if text is None:
        return operand
    instead = apply_rule(text, node, position, {})
    return make("where", [taken, operand, instead], node.span)


def _guards(graph: Graph) -> dict[Node, Node | None]:
    """For each node the condition, one truth value, under which anything uses it; ``None`` where
    something always does."""
    guards: dict[Node, Node | None] = dict.fromkeys(
        (*graph.outputs.values(), *graph.gradients.values())
    )
    found: dict[Node, list[Node]] = {}
    always = set(guards)
    for node in reversed(graph.nodes):
        if node not in always:
            conditions = list(dict.fromkeys(found.get(node, [])))
            if not conditions:
                continue
            guards[node] = _any_of(conditions)
        own = guards[node]
        for position, operand in enumerate(node.operands):
            branch = _branch(node, position)
            if branch is None and own is None:
                always.add(operand)
                guards[operand] = None
            else:
                found.setdefault(operand, []).append(_both(own, branch, node))
    return guards


def _branch(node: Node, position: int) -> Node | None:
    """The condition under which ``where`` takes an operand for any entry."""
    if node.op.name != "where" or position == 0:
        return None
    condition = node.operands[0]
    if position == 2:
        condition = make("logical_not", [condition], node.span)
    if condition.type.rank:
        condition = make("any", [condition], node.span, {"axis": None, "keepdims": False})
    return condition


def _both(a: Node | None, b: Node | None, model: Node) -> Node:
    if a is None or b is None:
        both = a or b
        return both if both is not None else constant(True, model.span)
    return make("logical_and", [a, b], model.span)


def _any_of(conditions: list[Node]) -> Node:
    total = conditions[0]
    for condition in conditions[1:]:
        total = make("logical_or", [total, condition], condition.span)
    return total
