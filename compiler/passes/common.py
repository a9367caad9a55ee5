"""Common subexpressions: nodes that compute the same become one."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace

from ...dsl.graph import Graph, Node, map_nodes
from ...dsl.loops import called
from .log import note


def common(graph: Graph) -> Graph:
    """The first of equal nodes stays, under the first name that any of them has."""
    first: dict[Node, Node] = {}  # What stands for a node, where that is another.
    by_key: dict[Hashable, Node] = {}
    groups: dict[Node, list[Node]] = {}
    for node in graph.nodes:
        same = by_key.setdefault(key(node, first), node)
        if same is not node:
            first[node] = same
            groups.setdefault(same, [same]).append(node)
    if not groups:
        return graph
    replaced: dict[Node, Node] = {}  # Only what is no longer itself, and groups.
    for node in graph.nodes:
        if node in replaced:
            continue
        operands = node.operands
        if not replaced.keys().isdisjoint(operands):
            operands = tuple([replaced.get(operand, operand) for operand in operands])
        group = groups.get(node)
        if group is None:
            if operands is not node.operands:
                replaced[node] = node.with_operands(operands)
            continue
        named = next((n for n in group if n.name), None)
        # A value of the forward pass is not called a gradient because one happens to equal it.
        backward = group if node.cause is not None else [node]
        adjoint = next((n for n in backward if n.adjoint_of is not None), node)
        result = node
        name, span = (named.name, named.span) if named else (node.name, node.span)
        if (operands, name, adjoint.adjoint_of) != (node.operands, node.name, node.adjoint_of):
            result = replace(
                node, operands=operands, name=name, span=span, adjoint_of=adjoint.adjoint_of
            )
        for other in group[1:]:
            note("common", other, f"computed once, as {called(result)}")
        replaced |= dict.fromkeys(group, result)
    return map_nodes(graph, replaced)


def key(node: Node, first: Mapping[Node, Node]) -> Hashable:
    """What is equal for nodes that compute the same; ``first`` has what stands for operands that
    are not their own first."""
    name = node.op.name
    if name == "input":
        return node  # A gradient that arrives may have the name of an input.
    if name == "constant":
        # Python finds 1, 1.0 and True equal, and 0.0 and -0.0.
        return name, repr(node.attributes["value"])
    operands = node.operands
    if not first.keys().isdisjoint(operands):
        operands = tuple([first.get(operand, operand) for operand in operands])
    if node.op.commutative:
        operands = tuple(sorted(operands, key=id))  # Any order that is always the same.
    options = tuple(node.attributes.items()) if node.attributes else ()
    return name, operands, options
