"""Functions of matrices to canonical operations."""

from __future__ import annotations

from dataclasses import replace

from ..graph import Node, make
from ..source import Span
from ..subscripts import Cut
from .table import lowering, swap_last


def _symmetric(x: Node, span: Span) -> Node:
    return x if x.op.name == "symmetric" else make("symmetric", [x], span)


@lowering("cholesky", "eigh")
def _of_symmetric_part(node: Node, operands: tuple[Node, ...]) -> Node:
    return replace(node, operands=(_symmetric(operands[0], node.span),))


@lowering("eigvalsh")
def _eigvalsh(node: Node, operands: tuple[Node, ...]) -> Node:
    return make("eigh", [_symmetric(operands[0], node.span)], node.span, {"result": 0})


@lowering("svdvals")
def _svdvals(node: Node, operands: tuple[Node, ...]) -> Node:
    return make("svd", operands, node.span, {"result": 1})


@lowering("solve")
def _solve(node: Node, operands: tuple[Node, ...]) -> Node:
    if operands[1].type.rank == 1:
        return make("solve_vector", operands, node.span)
    return node.with_operands(operands)


@lowering("solve_triangular")
def _solve_triangular(node: Node, operands: tuple[Node, ...]) -> Node:
    a, b = operands
    if b.type.rank > 1:
        return node.with_operands(operands)
    column = make("expand_dims", [b], node.span, {"axis": (-1,)})
    solved = make("solve_triangular", [a, column], node.span, node.attributes)
    return make("squeeze", [solved], node.span, {"axis": (-1,)})


@lowering("qr")
def _qr(node: Node, operands: tuple[Node, ...]) -> Node:
    """A wide matrix is factorised by its first columns."""
    (x,), span = operands, node.span
    rows, columns = x.type.shape[-2:]
    if rows == columns or not (columns - rows).natural:
        return node.with_operands(operands)
    before = (Cut(),) * (x.type.rank - 1)
    first, rest = (
        make("getitem", [x], span, {"index": (*before, cut)})
        for cut in (Cut(None, rows), Cut(rows, None))
    )
    q, r = (make("qr", [first], span, {"result": result}) for result in (0, 1))
    if node.attributes["result"] == 0:
        return q
    return make("concat", [r, make("matmul", [swap_last(q, span), rest], span)], span, {"axis": -1})


@lowering("matrix_power")
def _matrix_power(node: Node, operands: tuple[Node, ...]) -> Node:
    """By repeated squaring."""
    (x,), span = operands, node.span
    power = node.attributes["n"]
    if power < 0:
        x = make("inv", [x], span)
    result = None
    power = abs(power)
    while power:
        if power % 2:
            result = x if result is None else make("matmul", [result, x], span)
        power //= 2
        if power:
            x = make("matmul", [x, x], span)
    return result if result is not None else _eye_like(node, (x,))


@lowering("eye_like")
def _eye_like(node: Node, operands: tuple[Node, ...]) -> Node:
    shape = operands[0].type.shape
    eye = make("eye", (), node.span, {"shape": shape[-2:]})
    return make("broadcast_to", [eye], node.span, {"shape": shape}) if len(shape) > 2 else eye
