"""No error from a branch that is not taken.

Indices are replaced by 0 where their branch is not taken, and a matrix that may be singular by the
identity (``shield`` of a declaration).

Each value is used under a guard, the conditions of the branches on its way to the outputs. What a
condition itself is computed from counts everywhere, so that no guard depends on what it guards.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...dsl.graph import Graph, Node, constant, make, map_nodes, topological
from ...dsl.loops import map_loops
from ...dsl.shapes import Shape
from ...dsl.sizes import ONE
from ..guards import Guards
from ..rules import apply_rule, reach_of, rule_of

_GATHERS = ("take", "take_along_axis")


def shelter(graph: Graph) -> Graph:
    """The graph with operands that count only where the condition of their branch holds."""
    graph = map_loops(graph, shelter)
    fragile = {node for node in graph.nodes if node.op.shield or _may_leave(node)}
    if not fragile or not any(node.op.name == "where" for node in graph.nodes):
        return graph
    guards, light = guards_of(graph), Guards()
    replaced: dict[Node, Node] = {}
    for node in graph.nodes:
        operands = tuple(replaced[operand] for operand in node.operands)
        guard = guards.get(node) if node in fragile else None
        if guard is not None and node.op.shield:
            operands = tuple(
                _shielded(node, position, operand, guard, light)
                for position, operand in enumerate(operands)
            )
        elif guard is not None:
            operands = (operands[0], _sheltered(node, operands[1], guard, light))
        replaced[node] = node.with_operands(operands)
    return map_nodes(graph, replaced)


def _may_leave(node: Node) -> bool:
    """Whether this takes entries at indices that are not plainly in range."""
    if node.op.name not in _GATHERS:
        return False
    x, indices = node.operands
    if indices.op.name == "argsort":
        return False
    domain = indices.attributes.get("domain") if indices.op.name == "input" else None
    size = x.type.shape[node.attributes["axis"]]
    return domain is None or domain.high != size or domain.interval.low < 0.0


def guards_of(graph: Graph) -> Mapping[Node, Node | None]:
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
    if rule_of(node, position) is None or node.op.family in ("ruled", "loop"):
        return None
    return _reached(node, position, guard)


def _reached(node: Node, position: int, guard: Node) -> Node:
    """Where entries of an operand count, given those of the result that do."""
    whole = make("broadcast_to", [guard], node.span, {"shape": node.type.shape})
    reached = apply_rule(reach_of(node, position), node, position, {"dy": whole})
    return _narrowed(reached, node.operands[position].type.shape)


def _shielded(node: Node, position: int, operand: Node, guard: Node, light: Guards) -> Node:
    """An operand, what cannot fail instead of it where nothing that comes from it counts."""
    text = node.op.shield.get(node.op.operand_name(position))
    if text is None:
        return operand
    if guard.type.rank:
        guard = _reached(node, position, guard)
    instead = apply_rule(text, node, position, {})
    return _chosen(light.lightened(guard), operand, instead)


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


def _chosen(guard: Node | None, operand: Node, instead: Node) -> Node:
    if guard is None:
        return operand
    return make("where", [guard, operand, instead], operand.span)


def _sheltered(node: Node, indices: Node, guard: Node, light: Guards) -> Node:
    """The indices, 0 where none of the entries taken by them counts."""
    if guard.type.rank:
        guard = make("broadcast_to", [guard], node.span, {"shape": node.type.shape})
    if node.op.name == "take" and guard.type.rank:
        after = -node.attributes["axis"] - 1
        first = -after - indices.type.rank
        others = tuple(a for a in range(-node.type.rank, 0) if not first <= a < -after)
        if others:
            guard = make("any", [guard], node.span, {"axis": others, "keepdims": False})
    return _chosen(light.lightened(guard), indices, constant(0, node.span))
