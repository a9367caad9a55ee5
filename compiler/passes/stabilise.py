"""Formulas that overflow or cancel, recognised and computed stably, before differentiation.

Their value and gradient are then finite wherever the exact ones are. A named part of a formula is
looked through: it is still computed where it is used by name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ...dsl.alike import alike
from ...dsl.graph import Graph, Node, make, map_nodes
from ...dsl.loops import map_loops
from ...dsl.sizes import ONE
from .patterns import Rewritings
from .rewrite import rewrite

REWRITES = Rewritings(
    """
    log(1 + exp(x)) -> softplus(x)
    log1p(exp(x)) -> softplus(x)
    log(exp(a) + exp(b)) -> logaddexp(a, b)
    log(1 + x) -> log1p(x)
    log(1 - x) -> log1p(-x)
    log(exp(x)) -> x
    exp(x) - 1 -> expm1(x)
    1 - exp(x) -> -expm1(x)
    log(expm1(x)) -> x + log(-expm1(-x))
    1 / (1 + exp(-x)) -> sigmoid(x)
    1 / (1 + exp(x)) -> sigmoid(-x)
    exp(x) / (1 + exp(x)) -> sigmoid(x)
    1 - sigmoid(x) -> sigmoid(-x)
    log(sigmoid(x)) -> -softplus(-x)
    sqrt(square(x)) -> abs(x)
    sqrt(x * x) -> abs(x)
    sqrt(square(a) + square(b)) -> hypot(a, b)
    sqrt(a * a + b * b) -> hypot(a, b)
    x * log(x) -> xlogy(x, x)
    """,
    through_names=True,
)


def stabilise(graph: Graph, kept: Iterable[Node] = ()) -> Graph:
    """The graph rewritten. ``kept`` nodes, and those that a ``grad`` asks for, stay on every path
    from them: what is looked through has no gradient any more."""
    graph = map_loops(graph, stabilise)
    asked = [node.operands[1] for node in graph.nodes if node.op.name == "grad"]
    return rewrite(_kept_apart(graph, {*kept, *asked}), step, "stabilise")


def _kept_apart(graph: Graph, kept: set[Node]) -> Graph:
    """Some nodes under an ``alias``, which no formula looks through; it has their name."""
    kept = {node for node in kept if node.op.name not in ("input", "constant", "alias")}
    if not kept:
        return graph
    replaced: dict[Node, Node] = {}
    for node in graph.nodes:
        operands = tuple(replaced[operand] for operand in node.operands)
        own = node.with_operands(operands)
        if node in kept:
            own = make("alias", [replace(own, name="")], node.span, name=node.name)
        replaced[node] = own
    return map_nodes(graph, replaced)


def step(node: Node) -> Node | None:
    if node.op.name in ("log", "sqrt", "square"):
        reduced = _of_reduction(node, node.operands[0])
        if reduced is not None:
            return reduced
    if node.op.name == "divide":
        share = _softmax(node, *node.operands)
        if share is not None:
            return share
    if node.op.name in ("add", "softmax", "log_softmax"):
        shifted = _shifted(node)
        if shifted is not None:
            return shifted
    return REWRITES.step(node)


def _of_reduction(node: Node, x: Node) -> Node | None:
    """``log(sum(exp(x)))``, ``log(softmax(x))`` and ``sqrt(sum(x^2))`` along the same axes, and
    ``norm(x)^2`` over all of them."""
    inner = (node.op.name, x.op.name)
    if inner == ("log", "softmax"):
        return make("log_softmax", x.operands, node.span, x.attributes)
    if inner == ("square", "norm"):
        return None if x.type.rank else make("sum_squares", x.operands, node.span)
    if inner == ("sqrt", "vecdot") and alike(*x.operands):
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


def _softmax(node: Node, e: Node, total: Node) -> Node | None:
    """``exp(x) / sum(exp(x))``, where the sum is spread over the axes it was taken along."""
    if (e.op.name, total.op.name) != ("exp", "sum") or not alike(e, total.operands[0]):
        return None
    axes = total.attributes["axis"]
    if not total.attributes["keepdims"] and len(axes) < e.type.rank:
        return None
    return make("softmax", e.operands, node.span, {"axis": axes})


def _shifted(node: Node) -> Node | None:
    """``max(x) + logsumexp(x - max(x))`` and ``softmax(x - max(x))`` along the same axes: what is
    written to keep exponentials from overflowing, which these functions do by themselves. What is
    added has a gradient if what is subtracted has one: else they do not cancel."""
    if node.op.name != "add":
        x = _without_peak(node, node.operands[0])
        return x and make(node.op, [x], node.span, node.attributes)
    for peak, total in (node.operands, node.operands[::-1]):
        if total.op.name == "logsumexp" and peak.type == total.type:
            shifted = total.operands[0]
            x = _without_peak(total, shifted)
            if (
                x is not None
                and _is_peak(peak, x, total)
                and _held(peak) == _held(shifted.operands[1])
            ):
                return make("logsumexp", [x], node.span, total.attributes)
    return None


def _without_peak(node: Node, shifted: Node) -> Node | None:
    """``x`` where ``shifted`` is ``x - max(x)``, the maximum taken and spread along the axes that
    ``node`` combines."""
    if shifted.op.name != "subtract":
        return None
    x, peak = shifted.operands
    kept = [ONE if i in node.attributes["axis"] else size
            for i, size in enumerate(x.type.shape, -x.type.rank)]  # fmt: skip
    spread = peak.type.shape == tuple(kept) or not peak.type.rank
    return x if x.type == shifted.type and spread and _is_peak(peak, x, node) else None


def _is_peak(peak: Node, x: Node, node: Node) -> bool:
    while peak.op.name in ("expand_dims", "detach"):
        peak = peak.operands[0]
    if peak.op.name != "max" or not alike(peak.operands[0], x):
        return False
    return bool(peak.attributes["axis"] == node.attributes["axis"])


def _held(peak: Node) -> bool:
    while peak.op.name == "expand_dims":
        peak = peak.operands[0]
    return peak.op.name == "detach"


def _is_square(node: Node) -> bool:
    twice = node.op.name == "multiply" and alike(*node.operands)
    return twice or node.op.name == "square"
