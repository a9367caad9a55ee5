"""Interval reasoning: what values each node can take, whatever the inputs are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..dsl.graph import Node
from ..dsl.intervals import REAL, Interval, point


def ranges(
    nodes: Iterable[Node], given: Mapping[Node, Interval] | None = None
) -> dict[Node, Interval]:
    """An interval for each of the nodes, which come in an order of computation; ``given`` are
    those of others that they need.

    A value is in its interval or NaN.
    """
    known = dict(given or {})
    for node in nodes:
        known[node] = _range(node, known)
    return known


def _range(node: Node, known: dict[Node, Interval]) -> Interval:
    if node.op.name == "constant":
        return point(float(node.attributes["value"]))
    if node.op.name == "input":
        domain = node.attributes.get("domain")
        return domain.interval if domain is not None else REAL
    operands = [known[operand] for operand in node.operands]
    result = node.op.values(operands)
    if node.op.name == "multiply" and node.operands[0] is node.operands[1]:
        result = result.intersection(Interval(low=0.0))
    return result
