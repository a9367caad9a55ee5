"""What is repeated stays so where it is taken by indices, and is added at indices once, not for
each of the axes along which it is repeated.

The second derivative of a sum over the nearest of some points is such a case: it counts them.
"""

from __future__ import annotations

from ...dsl.graph import Node, make
from ...dsl.sizes import ONE, Size

_PLACES = ("argmin", "argmax", "argsort")


def concerns(name: str, family: str) -> bool:
    return name in ("take", "scatter")


def step(node: Node) -> Node | None:
    if not concerns(node.op.name, node.op.family):
        return None
    x = node.operands[0]
    if x.op.name != "broadcast_to" or x.name:
        return None
    return _taken(node, x) if node.op.name == "take" else _added(node, x)


def _taken(node: Node, x: Node) -> Node | None:
    """Entries of one repeated number, at indices that are there."""
    (number,), indices = x.operands, node.operands[1]
    if number.type.rank or not _lie_within(indices, x.type.shape[node.attributes["axis"]]):
        return None
    return make("broadcast_to", [number], node.span, {"shape": node.type.shape})


def _lie_within(indices: Node, size: Size) -> bool:
    if indices.op.name in _PLACES:
        return indices.operands[0].type.shape[indices.attributes["axis"]] == size
    domain = indices.attributes.get("domain") if indices.op.name == "input" else None
    return domain is not None and domain.high == size and domain.interval.low >= 0.0


def _added(node: Node, x: Node) -> Node | None:
    """Rows of equal entries: one entry of each is added, and the sum repeated."""
    (inner,) = x.operands
    after = -node.attributes["axis"] - 1
    shape = list(x.type.shape)
    for axis in range(-after, 0):
        if inner.type.rank < -axis or inner.type.shape[axis] == ONE:
            shape[axis] = ONE
    if tuple(shape) == x.type.shape:
        return None
    rows = make("broadcast_to", [inner], node.span, {"shape": tuple(shape)})
    total = make("scatter", [rows, node.operands[1]], node.span, node.attributes)
    return make("broadcast_to", [total], node.span, {"shape": node.type.shape})
