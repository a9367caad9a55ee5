"""Reductions to canonical operations."""

from __future__ import annotations

from ..graph import Node, constant, make
from ..sizes import product
from ..source import Span
from .table import converted, lowering


@lowering("sum", "mean", "max", "min", "logsumexp", "any", "all")
def _reduction(node: Node, operands: tuple[Node, ...]) -> Node:
    """Over no axes, a reduction is the entry itself."""
    if node.attributes["axis"]:
        return node.with_operands(operands)
    return converted(node, operands[0])


def _merged_last(x: Node, axes: tuple[int, ...], span: Span) -> Node:
    """The axes moved to the end and merged into one."""
    rest = tuple(axis for axis in range(-x.type.rank, 0) if axis not in axes)
    if rest + axes != tuple(range(-x.type.rank, 0)):
        x = make("transpose", [x], span, {"axes": rest + axes})
    if len(axes) == 1:
        return x
    kept = x.type.shape[: len(rest)]
    merged = product(x.type.shape[len(rest) :])
    return make("reshape", [x], span, {"shape": (*kept, merged)})


@lowering("prod", "median")
def _along_last(node: Node, operands: tuple[Node, ...]) -> Node:
    axes = node.attributes["axis"]
    if not axes:
        return converted(node, operands[0])
    merged = _merged_last(operands[0], axes, node.span)
    result = make(node.op, [merged], node.span, {"axis": (-1,), "keepdims": False})
    if node.attributes["keepdims"]:
        result = make("expand_dims", [result], node.span, {"axis": axes})
    return result


@lowering("norm")
def _norm(node: Node, operands: tuple[Node, ...]) -> Node:
    (x,), axes = operands, node.attributes["axis"]
    if not axes:
        return make("abs", operands, node.span)
    whole = len(axes) == x.type.rank
    if len(axes) < 3 or whole:
        if not whole or not node.attributes["keepdims"]:
            return node.with_operands(operands)
        result = make("norm", [x], node.span, {"axis": None, "keepdims": False})
        return make("expand_dims", [result], node.span, {"axis": axes})
    merged = _merged_last(x, axes, node.span)
    result = make("norm", [merged], node.span, {"axis": (-1,), "keepdims": False})
    if node.attributes["keepdims"]:
        result = make("expand_dims", [result], node.span, {"axis": axes})
    return result


@lowering("var", "std")
def _deviation(node: Node, operands: tuple[Node, ...]) -> Node:
    """Of a single entry, ``(x - x) / (1 - correction)``."""
    if node.attributes["axis"]:
        return node.with_operands(operands)
    x = converted(node, operands[0])
    zero = make("subtract", [x, x], node.span)
    left = 1 - node.attributes["correction"]
    return make("divide", [zero, constant(left, node.span)], node.span) if left != 1 else zero


@lowering("ptp")
def _ptp(node: Node, operands: tuple[Node, ...]) -> Node:
    ends = [make(name, operands, node.span, node.attributes) for name in ("max", "min")]
    return make("subtract", [_reduction(end, operands) for end in ends], node.span)


@lowering("argmax", "argmin")
def _place_of_best(node: Node, operands: tuple[Node, ...]) -> Node:
    (x,) = operands
    if not x.type.rank:
        return constant(0, node.span)
    if node.attributes["axis"] is not None:
        return node.with_operands(operands)
    flat = make("reshape", [x], node.span, {"shape": (product(x.type.shape),)})
    best = make(node.op, [flat], node.span, {"axis": -1, "keepdims": False})
    if not node.attributes["keepdims"]:
        return best
    return make("reshape", [best], node.span, {"shape": node.type.shape})
