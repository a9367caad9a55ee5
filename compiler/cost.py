"""What a graph costs, as polynomials of its sizes."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from ..dsl.graph import Node
from ..dsl.sizes import Size, product
from .schedule import call_key

_FREE = ("input", "constant", "size", "alias", "detach", "as_float")


def flops(nodes: Iterable[Node]) -> Size:
    """Arithmetic operations: one for each entry and function, two for each term of a product."""
    total = Size.of(0)
    calls: set[Hashable] = set()
    for node in nodes:
        if node.op.results:
            if call_key(node) in calls:
                continue  # Counted with another result of the call.
            calls.add(call_key(node))
        total = total + _flops(node)
    return total


def _flops(node: Node) -> Size:
    if node.op.name in _FREE or node.op.view or not node.operands:
        return Size.of(0)
    if node.op.flops is not None:
        return node.op.flops([o.type for o in node.operands], node.attributes, node.type)
    return product(node.type.shape)


def entries_kept(nodes: Iterable[Node]) -> Size:
    """The numbers that a cache keeps beyond the inputs it refers to."""
    total = Size.of(0)
    for node in nodes:
        if node.op.name != "input":
            total = total + product(node.type.shape)
    return total
