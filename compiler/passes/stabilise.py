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
    if node.op.name in ("log", "sqrt", "square"):
        reduced = _of_reduction(node, node.operands[0])
        if reduced is not None:
            return reduced
    return REWRITES.step(node)


def _of_reduction(node: Node, x: Node) -> Node | None:
    """``log(sum(exp(x)))``, ``log(softmax(x))`` and ``sqrt(sum(x^2))`` along the same axes, and
    ``norm(x)^2`` over all of them."""
    inner = (node.op.name, x.op.name)
    if inner == ("log", "softmax"):
        return make("log_softmax", x.operands, node.span, x.attributes)
    if inner == ("square", "norm"):
        return None if x.type.rank else make("sum_squares", x.operands, node.span)
    if inner == ("sqrt", "vecdot") and x.operands[0] is x.operands[1]:
        return make("norm", x.operands[:1], node.span, {"axis": (-1,), "keepdims": False})
    if x.op.name != "sum":
        return None
    below = x.operands[0]
    if node.op.name == "log" and below.op.name == "exp":
        return make("logsumexp", below.operands, node.span, x.attributes)
    few = len(x.attributes["axis"]) < 3 or not x.type.rank
    if node.op.name == "sqrt" and _is_square(below) and few:
        return make("norm", below.operands[:1], node.span, x.attributes)
    return None


def _is_square(node: Node) -> bool:
    twice = node.op.name == "multiply" and node.operands[0] is node.operands[1]
    return twice or node.op.name == "square"
