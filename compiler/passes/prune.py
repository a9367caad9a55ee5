"""Comparisons that can never hold, known from intervals, and the branches behind them.

Only "never" is used: a comparison with NaN is false too, so the result is the same for NaN.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...dsl.graph import Graph, Node, constant, make
from ...dsl.intervals import Interval
from ..ranges import ranges
from .rewrite import rewrite

_COMPARISONS = ("less", "less_equal", "greater", "greater_equal", "equal")


def prune(graph: Graph) -> Graph:
    if graph.operations.isdisjoint(_COMPARISONS):
        return graph
    known = ranges(graph.nodes)
    comparisons = [node for node in graph.nodes if node.op.name in _COMPARISONS]
    impossible = [node for node in comparisons if _never(node, known)]
    if not impossible:
        return graph
    spans = {(node.op.name, tuple(map(id, node.operands))) for node in impossible}

    def step(node: Node) -> Node | None:
        if (node.op.name, tuple(map(id, node.operands))) not in spans:
            return None
        false = constant(False, node.span)
        if not node.type.rank:
            return false
        return make("broadcast_to", [false], node.span, {"shape": node.type.shape})

    return rewrite(graph, step, "prune")


def _never(node: Node, known: Mapping[Node, Interval]) -> bool:
    a, b = (known[operand] for operand in node.operands)
    a_below = a.high < b.low or (a.high == b.low and (a.open_high or b.open_low))
    b_below = b.high < a.low or (b.high == a.low and (b.open_high or a.open_low))
    match node.op.name:
        case "less":
            return b_below or b.high == a.low
        case "less_equal":
            return b_below
        case "greater":
            return a_below or a.high == b.low
        case "greater_equal":
            return a_below
    return a_below or b_below
