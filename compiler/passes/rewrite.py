"""The walk that passes share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ...dsl.graph import Graph, Node, map_nodes

Step = Callable[[Node], Node | None]


def rewrite(graph: Graph, step: Step) -> Graph:
    """Offers each node, its operands rewritten already, to ``step``; ``None`` keeps it.

    A new node takes the name and provenance of the one it replaces. The graph itself comes back
    if nothing changed.
    """
    replaced: dict[Node, Node] = {}
    present: set[Node] = set()
    changed = False
    for node in graph.nodes:
        operands = tuple(replaced[operand] for operand in node.operands)
        current = node if operands == node.operands else replace(node, operands=operands)
        result = step(current)
        if result is None:
            result = current
        elif _takes_over(node, result, present):
            result = replace(
                result,
                name=node.name,
                span=node.span,
                cause=node.cause,
                position=node.position,
                adjoint_of=node.adjoint_of,
            )
        changed = changed or result is not node
        present.add(result)
        replaced[node] = result
    return map_nodes(graph, replaced) if changed else graph


def _takes_over(node: Node, result: Node, present: set[Node]) -> bool:
    """Whether what replaces a node should bear its name: new nodes, and unnamed ones."""
    if result.op.name in ("constant", "size", "input"):
        return False
    named = bool(node.name) or node.adjoint_of is not None
    anonymous = not result.name and result.adjoint_of is None
    return result not in present or (named and anonymous)
