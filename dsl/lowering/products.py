"""Products, powers and norms to canonical operations."""

from __future__ import annotations

from ..graph import Node, constant, make
from .table import converted, lowering, swap_last


@lowering("matmul")
def _matmul(node: Node, operands: tuple[Node, ...]) -> Node:
    a, b = operands
    if a.type.rank == 1 and b.type.rank == 1:
        return make("vecdot", operands, node.span)
    if b.type.rank == 1:
        return make("matvec", operands, node.span)
    if a.type.rank == 1:
        return make("matvec", [swap_last(b, b.span), a], node.span)
    return make("matmul", operands, node.span)


@lowering("dot")
def _dot(node: Node, operands: tuple[Node, ...]) -> Node:
    return make("vecdot", operands, node.span)


@lowering("outer")
def _outer(node: Node, operands: tuple[Node, ...]) -> Node:
    return make("vecouter", operands, node.span)


@lowering("matrix_transpose")
def _matrix_transpose(node: Node, operands: tuple[Node, ...]) -> Node:
    return swap_last(operands[0], node.span)


@lowering("untranspose")
def _untranspose(node: Node, operands: tuple[Node, ...]) -> Node:
    axes = node.attributes["axes"]
    return make("transpose", operands, node.span, {"axes": axes})


@lowering("power")
def _power(node: Node, operands: tuple[Node, ...]) -> Node:
    a, b = operands
    if b.is_constant(2):
        return _square(node, a)
    if b.is_constant(1):
        return converted(node, a)
    if b.is_constant(0):
        one = constant(1 if node.type.kind < 2 else 1.0, node.span)
        shape = {"shape": node.type.shape}
        return make("broadcast_to", [one], node.span, shape) if node.type.rank else one
    if not node.type.is_float:
        return make("int_power", operands, node.span)
    return node.with_operands(operands)


def _square(node: Node, a: Node) -> Node:
    norm_of_all = a.op.name == "norm" and not a.name and not a.type.rank
    if norm_of_all:
        return make("sum_squares", [converted(node, a.operands[0])], node.span)
    return make("square", [converted(node, a)], node.span)


@lowering("square")
def _square_call(node: Node, operands: tuple[Node, ...]) -> Node:
    return _square(node, operands[0])


@lowering("as_float")
def _as_float(node: Node, operands: tuple[Node, ...]) -> Node:
    return operands[0] if operands[0].type.is_float else node.with_operands(operands)
