"""Subscripts, shapes and what only rules use to canonical operations."""

from __future__ import annotations

from ..graph import Node, constant, make
from ..ops import Attributes
from ..sizes import Size, product
from ..subscripts import Cut
from .table import lowering, size_node


@lowering("spread")
def _spread(node: Node, operands: tuple[Node, ...]) -> Node:
    dx, x = operands
    axes = node.attributes["axis"]
    leading = axes == tuple(range(-x.type.rank, -x.type.rank + len(axes)))
    if axes and not node.attributes["keepdims"] and not leading:
        dx = make("expand_dims", [dx], node.span, {"axis": axes})
    if dx.type.shape == x.type.shape:
        return dx
    return make("broadcast_to", [dx], node.span, {"shape": x.type.shape})


@lowering("hits")
def _hits(node: Node, operands: tuple[Node, ...]) -> Node:
    hit = make("as_float", [make("equal", operands, node.span)], node.span)
    axes = {"axis": node.attributes["axis"], "keepdims": True}
    return make("divide", [hit, make("sum", [hit], node.span, axes)], node.span)


@lowering("count")
def _count(node: Node, operands: tuple[Node, ...]) -> Node:
    size = product(operands[0].type.shape[axis] for axis in node.attributes["axis"])
    return size_node(size, node.span)


@lowering("diagonal_mask")
def _diagonal_mask(node: Node, operands: tuple[Node, ...]) -> Node:
    identity = make("eye", (), node.span, {"shape": node.type.shape})
    return make("equal", [identity, constant(1, node.span)], node.span)


@lowering("reshape_like")
def _reshape_like(node: Node, operands: tuple[Node, ...]) -> Node:
    dx, x = operands
    return make("reshape", [dx], node.span, {"shape": x.type.shape})


@lowering("place_like")
def _place_like(node: Node, operands: tuple[Node, ...]) -> Node:
    dx, x = operands
    attributes: Attributes = {"shape": x.type.shape, "index": node.attributes["index"]}
    return make("place", [dx], node.span, attributes)


@lowering("entry")
def _entry(node: Node, operands: tuple[Node, ...]) -> Node:
    (x,) = operands
    before = (Cut(),) * (x.type.rank + node.attributes["axis"])
    index = (*before, Size.of(node.attributes["position"]))
    return make("getitem", [x], node.span, {"index": index})


@lowering("part", "split")
def _part(node: Node, operands: tuple[Node, ...]) -> Node:
    (x,), axis = operands, node.attributes["axis"]
    stop = Size.of(node.attributes["stop"])
    last = stop == x.type.shape[axis]
    start = Size.of(node.attributes["start"])
    cut = Cut(None if start == Size.of(0) else start, None if last else stop)
    index = (*(Cut(),) * (x.type.rank + axis), cut)
    return make("getitem", [x], node.span, {"index": index})


@lowering("squeeze")
def _squeeze(node: Node, operands: tuple[Node, ...]) -> Node:
    if not node.attributes["axis"]:
        return operands[0]
    return node.with_operands(operands)


@lowering("getitem")
def _getitem(node: Node, operands: tuple[Node, ...]) -> Node:
    return node.with_operands(operands) if node.attributes["index"] else operands[0]


@lowering("reshape", "broadcast_to")
def _same_shape(node: Node, operands: tuple[Node, ...]) -> Node:
    if node.type.shape == operands[0].type.shape:
        return operands[0]
    return node.with_operands(operands)


@lowering("transpose")
def _transpose(node: Node, operands: tuple[Node, ...]) -> Node:
    if node.attributes["axes"] == tuple(range(-node.type.rank, 0)):
        return operands[0]
    return node.with_operands(operands)
