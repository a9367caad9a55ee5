"""Broadcasts that the consumer does anyway, and rearrangements that undo each other."""

from __future__ import annotations

from dataclasses import replace

from ...dsl.graph import Node, make
from ...dsl.shapes import broadcast
from .rewrite import anonymous

_REARRANGED = ("reshape", "transpose", "broadcast_to", "expand_dims")
_OTHERS = ("sum", "any", "diagonal", "diagonal_matrix", "stack", *_REARRANGED)


def concerns(name: str, family: str) -> bool:
    return name in _OTHERS or family in ("elementwise", "pointwise")


def step(node: Node) -> Node | None:
    if node.op.family in ("elementwise", "pointwise"):
        return _without_broadcasts(node) if node.type.rank else None
    if node.op.name == "sum":
        return _summed(node)
    if node.op.name in _REARRANGED:
        return _rearranged(node)
    if node.op.name == "any" and node.operands[0].op.name == "broadcast_to":
        return _any_of_repeated(node)
    if node.op.name in ("diagonal", "diagonal_matrix"):
        return _repeated_diagonal(node)
    if node.op.name == "stack" and len(node.operands) == 1 and node.operands[0].type.rank:
        axis = node.attributes["axis"]
        return make("expand_dims", node.operands, node.span, {"axis": (axis,)})
    return None


def _summed(node: Node) -> Node | None:
    """Signs, divisors and the order of axes after a sum, where there are fewer entries."""
    (x,), axes = node.operands, node.attributes["axis"]
    if not anonymous(x):
        return None
    if x.op.name == "negative":
        total = make("sum", x.operands, node.span, node.attributes)
        return make("negative", [total], node.span)
    if x.op.name == "divide" and not x.operands[1].type.rank:
        total = make("sum", x.operands[:1], node.span, node.attributes)
        return make("divide", [total, x.operands[1]], node.span)
    if x.op.name != "transpose" or node.attributes["keepdims"]:
        return None
    order = x.attributes["axes"]
    summed = sorted(order[axis] for axis in axes)
    total = make("sum", x.operands, node.span, {"axis": tuple(summed), "keepdims": False})
    kept = [axis for i, axis in enumerate(order, -len(order)) if i not in axes]
    ranks = {axis: i - len(kept) for i, axis in enumerate(sorted(kept))}
    new_order = tuple(ranks[axis] for axis in kept)
    if new_order == tuple(range(-len(kept), 0)):
        return total
    return make("transpose", [total], node.span, {"axes": new_order})


def _repeated_diagonal(node: Node) -> Node | None:
    """The diagonal of one repeated number, and the matrix with one: a multiple of the identity."""
    (x,) = node.operands
    if x.op.name != "broadcast_to" or x.operands[0].type.rank or x.name:
        return None
    number, shape = x.operands[0], {"shape": node.type.shape}
    if node.op.name == "diagonal":
        return make("broadcast_to", [number], node.span, shape)
    if node.type.rank != 2 or node.attributes["offset"] or not number.is_constant():
        return None
    identity = make("eye", (), node.span, shape)
    return identity if number.is_constant(1.0) else make("multiply", [number, identity], node.span)


def _any_of_repeated(node: Node) -> Node | None:
    """Whether any entry holds, of what is repeated along other axes: repeated afterwards."""
    (x,) = node.operands
    (inner,), axes = x.operands, node.attributes["axis"]
    own = [a for a in axes if a >= -inner.type.rank and inner.type.shape[a] == x.type.shape[a]]
    if x.name or len(own) < len(axes):
        return None
    found = make("any", [inner], node.span, {"axis": axes, "keepdims": True})
    if not node.attributes["keepdims"]:
        if inner.type.rank < x.type.rank:
            return None
        found = make("any", [inner], node.span, {"axis": axes, "keepdims": False})
    return make("broadcast_to", [found], node.span, {"shape": node.type.shape})


def _without_broadcasts(node: Node) -> Node | None:
    """An elementwise operation on what its operands are broadcast from."""
    operands = list(node.operands)
    for position, operand in enumerate(operands):
        if operand.op.name not in ("broadcast_to", "expand_dims") or operand.name:
            continue
        if operand.op.name == "expand_dims" and not _leading(operand):
            continue
        operands[position] = operand.operands[0]
        if broadcast([o.type.shape for o in operands]) != node.type.shape:
            operands[position] = operand
    if operands != list(node.operands):
        return replace(node, operands=tuple(operands))
    return _broadcast_later(node)


def _broadcast_later(node: Node) -> Node | None:
    """The operation on what was repeated, and the result repeated: each entry computed once."""
    if not any(operand.op.name == "broadcast_to" for operand in node.operands):
        return None
    small = [
        operand.operands[0] if operand.op.name == "broadcast_to" and not operand.name else operand
        for operand in node.operands
    ]
    shape = broadcast([operand.type.shape for operand in small])
    named = node.name or (node.adjoint_of is not None and node.adjoint_of.name)
    if shape == node.type.shape or named:
        return None
    result = replace(
        node, operands=tuple(small), type=node.type.with_shape(shape), name="", adjoint_of=None
    )
    return make("broadcast_to", [result], node.span, {"shape": node.type.shape})


def _rearranged(node: Node) -> Node | None:
    (x,) = node.operands
    if not anonymous(x):
        return x if node.op.name != "transpose" and node.type == x.type else None
    if node.op.name == "transpose":
        return _at_once(node, x) if x.op.name == "transpose" else None
    if node.type == x.type:
        return x
    if node.op.name == "reshape" and x.op.name in ("reshape", "expand_dims", "squeeze"):
        inner = x.operands[0]
        if inner.type == node.type:
            return inner
        return make("reshape", [inner], node.span, {"shape": node.type.shape})
    if node.op.name == "reshape" and x.op.name in ("sum", "any") and x.attributes["keepdims"]:
        total = make(x.op, x.operands, x.span, {**x.attributes, "keepdims": False})
        return total if total.type == node.type else None
    if x.op.name == "broadcast_to" and not (x.operands[0].type.rank and node.op.name != x.op.name):
        return make("broadcast_to", x.operands, node.span, {"shape": node.type.shape})
    return None


def _leading(node: Node) -> bool:
    """Whether axes are only inserted in front, as broadcasting does by itself."""
    axes = node.attributes["axis"]
    return bool(axes == tuple(range(-node.type.rank, -node.type.rank + len(axes))))


def _at_once(outer: Node, inner: Node) -> Node:
    """Two transposes as one, or none."""
    (x,) = inner.operands
    first, then = inner.attributes["axes"], outer.attributes["axes"]
    axes = tuple(first[axis] for axis in then)
    if axes == tuple(range(-x.type.rank, 0)):
        return x
    return make("transpose", [x], outer.span, {"axes": axes})
