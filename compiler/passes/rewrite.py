"""The walk that passes share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

from ...dsl.graph import Graph, Node, map_nodes
from .log import note

Step = Callable[[Node], Node | None]
NOTHING: Mapping[Node, Node] = MappingProxyType({})


def anonymous(node: Node) -> bool:
    """Whether a reader knows neither a node nor what it is the gradient of by name."""
    of = node.adjoint_of
    return not node.name and (of is None or (not of.name and of.op.name != "input"))


def rewrite(
    graph: Graph,
    step: Step,
    by: str = "",
    settled: set[Node] | None = None,
    only: Collection[str] | None = None,
    given: Mapping[Node, Node] = NOTHING,
) -> Graph:
    """Offers each node, its operands rewritten already, to ``step``; ``None`` keeps it.

    A new node takes the name and provenance of the one it replaces. The graph itself comes back
    if nothing changed. ``settled`` are nodes that an earlier walk with the same step has kept:
    they are not offered again, and those kept now are added. ``only`` names the operations that
    the step may replace, where those are few. Nodes of ``given`` are replaced by others anyway.
    """
    if only is not None and graph.operations.isdisjoint(only):
        return graph
    if settled is not None and not given and settled.issuperset(graph.nodes):
        return graph
    replaced = dict(given)  # Only what is no longer itself.
    present = set(given.values())
    for node in graph.nodes:
        if node in given:
            continue
        current = node
        if replaced and not replaced.keys().isdisjoint(node.operands):
            current = node.with_operands(tuple([replaced.get(o, o) for o in node.operands]))
        result = None if settled is not None and current in settled else step(current)
        if result is not None and by:
            note(by, current, result)
        if result is None:
            result = current
            if settled is not None:
                settled.add(current)
        elif _takes_over(node, result, present):
            result = result.known_as(node)
        if result is not node:
            replaced[node] = result
        present.add(result)
    return map_nodes(graph, replaced) if replaced else graph


def _takes_over(node: Node, result: Node, present: set[Node]) -> bool:
    """Whether what replaces a node should bear its name: new nodes, and unnamed ones."""
    if result.op.name in ("constant", "size", "input"):
        return False
    return result not in present or _known(node) > _known(result)


def _known(node: Node) -> int:
    """How well a reader knows a node: by name, or as the gradient of something."""
    return 2 if not anonymous(node) else int(node.adjoint_of is not None)
