"""What a graph costs, as polynomials of its sizes."""

from __future__ import annotations

from collections.abc import Iterable

from ..dsl.graph import Node
from ..dsl.sizes import Size, product

_FREE = ("input", "constant", "size", "alias", "detach", "as_float")
_PRODUCTS = ("matmul", "matvec", "vecdot")
_INPUT_BOUND = ("sum", "mean", "max", "min", "prod", "norm", "logsumexp", "any", "all")


def flops(nodes: Iterable[Node]) -> Size:
    """Arithmetic operations: one for each entry and function, two for each term of a product."""
    total = Size.of(0)
    for node in nodes:
        total = total + _flops(node)
    return total


def _flops(node: Node) -> Size:
    entries = product(node.type.shape)
    if node.op.name in _FREE or node.op.view or not node.operands:
        return Size.of(0)
    if node.op.name in _PRODUCTS:
        return entries * node.operands[0].type.shape[-1] * 2
    if node.op.name == "sum_squares":
        return product(node.operands[0].type.shape) * 2
    if node.op.name in _INPUT_BOUND:
        return product(node.operands[0].type.shape)
    return entries


def entries_kept(nodes: Iterable[Node]) -> Size:
    """The numbers that a cache keeps beyond the inputs it refers to."""
    total = Size.of(0)
    for node in nodes:
        if node.op.name != "input":
            total = total + product(node.type.shape)
    return total
