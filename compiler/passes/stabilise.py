"""Formulas that overflow or cancel, recognised and computed stably, before differentiation.

Their value and gradient are then finite wherever the exact ones are. A named part of a formula is
looked through: it is still computed where it is used by name.
"""

from __future__ import annotations

from ...dsl.graph import Graph, Node, make
from .patterns import Rewritings
from .rewrite import rewrite

REWRITES = Rewritings(
    """
    log(1 + exp(x)) -> softplus(x)
    log1p(exp(x)) -> softplus(x)
    log(exp(a) + exp(b)) -> logaddexp(a, b)
    log(1 + x) -> log1p(x)
    exp(x) - 1 -> expm1(x)
    1 / (1 + exp(-x)) -> sigmoid(x)
    log(sigmoid(x)) -> -softplus(-x)
    sqrt(square(a) + square(b)) -> hypot(a, b)
    x * log(x) -> xlogy(x, x)
    """,
    through_names=True,
)


def stabilise(graph: Graph) -> Graph:
    return rewrite(graph, step)


def step(node: Node) -> Node | None:
    if node.op.name == "log":
        reduced = _of_reduction(node, node.operands[0])
        if reduced is not None:
            return reduced
    return REWRITES.step(node)


def _of_reduction(node: Node, x: Node) -> Node | None:
    """``log(sum(exp(x)))`` and ``log(softmax(x))``, along the same axes."""
    if x.op.name == "softmax":
        return make("log_softmax", x.operands, node.span, x.attributes)
    if x.op.name == "sum" and x.operands[0].op.name == "exp":
        return make("logsumexp", x.operands[0].operands, node.span, x.attributes)
    return None
