"""Common subexpressions: nodes that compute the same become one."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from ...dsl.graph import Graph, Node, map_nodes
from ...dsl.loops import called
from .log import note


def common(graph: Graph) -> Graph:
    """The first of equal nodes stays, under the first name that any of them has."""
    numbers: dict[Node, int] = {}
    groups: dict[Hashable, list[Node]] = {}
    for node in graph.nodes:
        group = groups.setdefault(_key(node, numbers), [])
        group.append(node)
        numbers[node] = numbers[group[0]] if len(group) > 1 else len(numbers)
    if all(len(group) == 1 for group in groups.values()):
        return graph
    replaced: dict[Node, Node] = {}
    for node in graph.nodes:
        if node in replaced:
            continue
        group = groups[_key(node, numbers)]
        named = next((n for n in group if n.name), None)
        # A value of the forward pass is not called a gradient because one happens to equal it.
        backward = group if node.cause is not None else [node]
        adjoint = next((n for n in backward if n.adjoint_of is not None), node)
        operands = tuple(replaced[operand] for operand in node.operands)
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


def _key(node: Node, numbers: dict[Node, int]) -> Hashable:
    if node.op.name == "input":
        return id(node)  # A gradient that arrives may have the name of an input.
    if node.op.name == "input":
        # A seed may have the name of an input; it is another one all the same.
        return id(node)
    operands = [numbers[operand] for operand in node.operands]
    if node.op.commutative:
        operands.sort()
    if node.op.name == "constant":
        # Python finds 1, 1.0 and True equal, and 0.0 and -0.0.
        return "constant", repr(node.attributes["value"])
    return node.op.name, tuple(operands), tuple(node.attributes.items()), node.type
