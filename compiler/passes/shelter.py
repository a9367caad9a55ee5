"""Indices of branches that are not taken, replaced by 0 there: they are never an error.

Each value is used under a guard, the conditions of the branches on its way to the outputs. What a
condition itself is computed from counts everywhere, so that no guard depends on what it guards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...dsl.graph import Graph, Node, constant, make, map_nodes, topological
from ...dsl.shapes import Shape
from ...dsl.sizes import ONE
from ..rules import apply_rule, reach_text

_GATHERS = ("take", "take_along_axis")


def shelter(graph: Graph) -> Graph:
    """The graph with indices that count only where the condition of their branch holds."""
    gathers = {node for node in graph.nodes if node.op.name in _GATHERS and not _inside(node)}
    if not gathers or not any(node.op.name == "where" for node in graph.nodes):
        return graph
    guards = _guards(graph)
    replaced: dict[Node, Node] = {}
    for node in graph.nodes:
        operands = tuple(replaced[operand] for operand in node.operands)
        guard = guards.get(node) if node in gathers else None
        if guard is not None:
            operands = (operands[0], _sheltered(node, operands[1], guard))
        replaced[node] = node if operands == node.operands else replace(node, operands=operands)
    return map_nodes(graph, replaced)


def _inside(node: Node) -> bool:
    """Whether all indices are plainly in range."""
    x, indices = node.operands
    if indices.op.name == "argsort":
        return True
    domain = indices.attributes.get("domain") if indices.op.name == "input" else None
    size = x.type.shape[node.attributes["axis"]]
    return domain is not None and domain.high == size and domain.interval.low >= 0.0


def _guards(graph: Graph) -> Mapping[Node, Node | None]:
    """The guard of each node that the outputs use; ``None`` if it counts everywhere."""
    guards: dict[Node, Node | None] = dict.fromkeys(graph.outputs.values())
    for node in reversed(topological(graph.outputs.values())):
        for position, operand in enumerate(node.operands):
            guard = _through(node, position, guards[node])
            if operand in guards:
                earlier = guards[operand]
                guard = None if guard is None or earlier is None else _or(earlier, guard)
            guards[operand] = guard
    return guards


def _through(node: Node, position: int, guard: Node | None) -> Node | None:
    """The guard of an operand, given that of the node."""
    shape = node.operands[position].type.shape
    if node.op.name == "where":
        condition = node.operands[0]
        if position == 0:
            return None
        if position == 2:
            condition = make("logical_not", [condition], condition.span)
        guard = condition if guard is None else make("logical_and", [guard, condition], node.span)
        return _narrowed(guard, shape)
    if guard is None or not guard.type.rank:
        return guard
    if node.op.family in ("elementwise", "pointwise"):
        return _narrowed(guard, shape)
    if node.op.operand_name(position) not in node.op.rules:
        return None
    whole = make("broadcast_to", [guard], node.span, {"shape": node.type.shape})
    reached = apply_rule(reach_text(node.op, position), node, position, {"dy": whole})
    return _narrowed(reached, shape)


def _or(a: Node, b: Node) -> Node | None:
    return a if a is b else make("logical_or", [a, b], a.span)


def _narrowed(guard: Node, shape: Shape) -> Node:
    """Whether any entry that comes from an entry of the shape counts."""
    extra = tuple(range(-guard.type.rank, -len(shape)))
    if extra:
        guard = make("any", [guard], guard.span, {"axis": extra, "keepdims": False})
    repeated = tuple(
        axis for axis in range(-guard.type.rank, 0)
        if shape[axis] == ONE and guard.type.shape[axis] != ONE
    )  # fmt: skip
    if not repeated:
        return guard
    return make("any", [guard], guard.span, {"axis": repeated, "keepdims": True})


def _sheltered(node: Node, indices: Node, guard: Node) -> Node:
    """The indices, 0 where none of the entries taken by them counts."""
    if guard.type.rank:
        guard = make("broadcast_to", [guard], node.span, {"shape": node.type.shape})
    if node.op.name == "take" and guard.type.rank:
        after = -node.attributes["axis"] - 1
        first = -after - indices.type.rank
        others = tuple(a for a in range(-node.type.rank, 0) if not first <= a < -after)
        if others:
            guard = make("any", [guard], node.span, {"axis": others, "keepdims": False})
    return make("where", [guard, indices, constant(0, node.span)], node.span)
