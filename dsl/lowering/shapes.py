"""Lowerings of the operations that rearrange, repeat, take and make arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..graph import Node, constant, make
from ..ops.gather import along_shapes
from ..ops.shaping import moved_axes
from ..shapes import Kind, Shape
from ..sizes import ONE, Size
from ..source import Span
from ..subscripts import Cut
from .table import lowering


def _unless_same(op: str, x: Node, option: str, value: Any, same: Any, span: Span) -> Node:
    """The operation on ``x``, or ``x`` where the option is what would change nothing."""
    return x if value == same else make(op, [x], span, {option: value})


def _reshaped(x: Node, shape: Shape, span: Span) -> Node:
    return _unless_same("reshape", x, "shape", shape, x.type.shape, span)


def _repeated(x: Node, shape: Shape, span: Span) -> Node:
    return _unless_same("broadcast_to", x, "shape", shape, x.type.shape, span)


def _permuted(x: Node, axes: Sequence[int], span: Span) -> Node:
    return _unless_same("transpose", x, "axes", tuple(axes), tuple(range(-x.type.rank, 0)), span)


# ── The same entries in another order ───────────────────────────────────────


@lowering("ravel")
def _ravel(node: Node, operands: tuple[Node, ...]) -> Node:
    return _reshaped(operands[0], node.type.shape, node.span)


@lowering("moveaxis")
def _moveaxis(node: Node, operands: tuple[Node, ...]) -> Node:
    source, destination = node.attributes["source"], node.attributes["destination"]
    axes = moved_axes(node.type.rank, source, destination)
    return _permuted(operands[0], axes, node.span)


@lowering("swapaxes")
def _swapaxes(node: Node, operands: tuple[Node, ...]) -> Node:
    axes = list(range(-node.type.rank, 0))
    first, second = node.attributes["first"], node.attributes["second"]
    axes[first], axes[second] = second, first
    return _permuted(operands[0], axes, node.span)


@lowering("flip", "roll")
def _along_axes(node: Node, operands: tuple[Node, ...]) -> Node:
    return node.with_operands(operands) if node.attributes["axis"] else operands[0]


@lowering("unroll")
def _unroll(node: Node, operands: tuple[Node, ...]) -> Node:
    shift, axis = node.attributes["shift"] * -1, node.attributes["axis"]
    return make("roll", operands, node.span, {"shift": shift, "axis": axis})


# ── Entries repeated, padding ───────────────────────────────────────────────


def _added(dx: Node, shape: Shape, repeats: Sequence[tuple[int, Size]], span: Span) -> Node:
    """What arrives for each entry of an array of a shape, whose entries were repeated: ``repeats``
    says how often, and before which axis of the shape the repeats come."""
    split: list[Size] = []
    axes: list[int] = []
    for at, size in enumerate((*shape, ONE)):
        for count in (count for place, count in repeats if place == at and count != ONE):
            axes.append(len(split))
            split.append(count)
        split.append(size)
    split.pop()
    if not axes:
        return _reshaped(dx, shape, span)
    dx = _reshaped(dx, tuple(split), span)
    total = "any" if dx.type.kind is Kind.BOOL else "sum"
    return make(total, [dx], span, {"axis": tuple(axes), "keepdims": False})


@lowering("untile", "untile_any")
def _untile(node: Node, operands: tuple[Node, ...]) -> Node:
    dx, x = operands
    reps = node.attributes["reps"]
    missing = len(reps) - x.type.rank
    places = [(max(at - missing, 0), count) for at, count in enumerate(reps)]
    return _added(dx, x.type.shape, places, node.span)


@lowering("unrepeat", "unrepeat_any")
def _unrepeat(node: Node, operands: tuple[Node, ...]) -> Node:
    dx, x = operands
    after = x.type.rank + node.attributes["axis"] + 1
    return _added(dx, x.type.shape, [(after, Size.of(node.attributes["repeats"]))], node.span)


@lowering("pad")
def _pad(node: Node, operands: tuple[Node, ...]) -> Node:
    (x,) = operands
    if node.type == x.type:
        return x
    if node.type.kind is not x.type.kind:
        x = make("as_float" if node.type.is_float else "as_int", [x], node.span)
    return replace(node, operands=(x,))


@lowering("unpad")
def _unpad(node: Node, operands: tuple[Node, ...]) -> Node:
    (x,) = operands
    index = []
    for size, (before, after) in zip(x.type.shape, node.attributes["widths"], strict=True):
        start = None if before == Size.of(0) else before
        stop = None if after == Size.of(0) else after * -1
        index.append(Cut(start, stop if after.constant is not None else size - after))
    return make("getitem", [x], node.span, {"index": tuple(index)})


# ── Making ──────────────────────────────────────────────────────────────────


@lowering("full")
def _full(node: Node, operands: tuple[Node, ...]) -> Node:
    return _repeated(operands[0], node.type.shape, node.span)


@lowering("zeros_like", "ones_like")
def _like(node: Node, operands: tuple[Node, ...]) -> Node:
    name = node.op.name.removesuffix("_like")
    if node.type.is_float and node.type.rank:
        return make(name, (), node.span, {"shape": node.type.shape})
    number = {Kind.BOOL: bool, Kind.INT: int, Kind.FLOAT: float}[node.type.kind](name == "ones")
    return _repeated(constant(number, node.span), node.type.shape, node.span)


# ── Diagonals ───────────────────────────────────────────────────────────────


def _on_diagonal(dx: Node, shape: Shape, offset: int, span: Span) -> Node:
    return make("diagonal_matrix", [dx], span, {"shape": shape[-2:], "offset": offset})


@lowering("diag")
def _diag(node: Node, operands: tuple[Node, ...]) -> Node:
    (x,) = operands
    if x.type.rank > node.type.rank:
        return make("diagonal", [x], node.span, {"offset": 0})
    return _on_diagonal(x, node.type.shape, 0, node.span)


@lowering("diagonal_like")
def _diagonal_like(node: Node, operands: tuple[Node, ...]) -> Node:
    return _on_diagonal(operands[0], node.type.shape, node.attributes["offset"], node.span)


@lowering("trace_like")
def _trace_like(node: Node, operands: tuple[Node, ...]) -> Node:
    dx, x = operands
    diagonal = make("diagonal", [x], node.span, {"offset": 0}).type.shape
    if dx.type.rank:
        dx = make("expand_dims", [dx], node.span, {"axis": (-1,)})
    return _on_diagonal(_repeated(dx, diagonal, node.span), node.type.shape, 0, node.span)


# ── Entries taken, windows ──────────────────────────────────────────────────


@lowering("untake", "untake_any")
def _untake(node: Node, operands: tuple[Node, ...]) -> Node:
    dx, x, indices = operands
    axis = node.attributes["axis"]
    options = {"count": x.type.shape[axis], "axis": axis}
    return make("scatter", [dx, indices], node.span, options)


def _fitted(x: Node, indices: Node, axis: int) -> tuple[Node, Node]:
    """Both with all axes but one broadcast."""
    shapes = along_shapes(x.type.shape, indices.type.shape, axis)
    return _repeated(x, shapes[0], x.span), _repeated(indices, shapes[1], indices.span)


@lowering("take_along_axis")
def _take_along_axis(node: Node, operands: tuple[Node, ...]) -> Node:
    x, indices = operands
    return replace(node, operands=_fitted(x, indices, node.attributes["axis"]))


@lowering("untake_along", "untake_along_any")
def _untake_along(node: Node, operands: tuple[Node, ...]) -> Node:
    dx, x, indices = operands
    axis = node.attributes["axis"]
    options = {"count": x.type.shape[axis], "axis": axis}
    return make("scatter_along", [dx, indices], node.span, options)


@lowering("unwindow", "unwindow_any")
def _unwindow(node: Node, operands: tuple[Node, ...]) -> Node:
    dx, x = operands
    window, step = node.attributes["window"], node.attributes["step"]
    whole = x.type.shape[-len(window) :]
    return make("overlap", [dx], node.span, {"window": window, "step": step, "whole": whole})
