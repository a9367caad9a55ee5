"""The walk that passes share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ...dsl.graph import Graph, Node, map_nodes
from .log import note

Step = Callable[[Node], Node | None]


def anonymous(node: Node) -> bool:
    """Whether a reader knows neither a node nor what it is the gradient of by name."""
    of = node.adjoint_of
    return not node.name and (of is None or (not of.name and of.op.name != "input"))


def rewrite(graph: Graph, step: Step, by: str = "") -> Graph:
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
        if result is not None and by:
            note(by, current, result)
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
    return result not in present or _known(node) > _known(result)


def _known(node: Node) -> int:
    """How well a reader knows a node: by name, or as the gradient of something."""
    return 2 if not anonymous(node) else int(node.adjoint_of is not None)
