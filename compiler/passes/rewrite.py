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
        elif result not in present and result.op.name not in ("constant", "size", "input"):
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
