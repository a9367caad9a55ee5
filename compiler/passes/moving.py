"""Operations that move entries, or add some up: NumPy does it to the places of the entries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...dsl.graph import Node, make, topological
from ...dsl.shapes import Kind, Type
from ..interpret import Interpreter
from .entries import Entries, Expansion, Maker, Stays, collected, lengths

_FILLS = {"pad": "value", "shift": "fill"}


def _moved(m: Maker, operands: list[Entries]) -> Entries:
    """Entries rearranged, new ones being of one value."""
    node, name = m.node, m.node.op.name
    attributes, fill = node.attributes, 0
    if name in _FILLS:
        fill = attributes[_FILLS[name]]
        attributes = {**attributes, _FILLS[name]: 0}
    found, places = [m.filler(fill)], []
    for position, x in enumerate(operands):
        if node.op.operand_name(position) in node.op.places:
            places.append(_constants(x))
        else:
            places.append(len(found) + np.arange(x.size).reshape(x.shape))
            found += x.ravel().tolist()
    moved = _evaluated(node, places, attributes).astype(int)
    return collected([m.of_kind(found[i]) for i in moved.ravel()], moved.shape)


def _constants(x: Entries) -> NDArray[Any]:
    """Entries that are known. Raises ``Stays`` where one is not."""
    if any(node.op.name in ("input", "size") for node in topological(x.flat)):
        raise Stays
    return np.reshape(Interpreter({}, {}).run(x.flat), x.shape).astype(np.int64)


def _evaluated(node: Node, values: Sequence[NDArray[Any]], attributes: dict[str, Any]) -> Any:
    """The operation on numbers in place of its operands."""
    dummies = []
    for i, operand in enumerate(node.operands):
        places = node.op.operand_name(i) in node.op.places
        type_ = Type(Kind.INT if places else Kind.FLOAT, operand.type.shape)
        dummies.append(make("input", (), node.span, {"name": str(i), "type": type_}))
    probe = make(node.op, dummies, node.span, attributes)
    try:
        return Interpreter({str(i): v for i, v in enumerate(values)}, {}).run([probe])[0]
    except (IndexError, ValueError):
        raise Stays from None


def _added(m: Maker, operands: list[Entries]) -> Entries:
    """Sums of entries: which ones is asked of NumPy, an entry at a time."""
    (x, *places) = operands
    known = [_constants(p) for p in places]
    units = np.eye(x.size).reshape(x.size, *x.shape)
    weights = [_evaluated(m.node, [unit, *known], m.node.attributes) for unit in units]
    rows = np.reshape(weights, (x.size, -1)).T
    flat = x.ravel()
    return collected([m.total(list(flat[row != 0])) for row in rows], lengths(m.node))


def made(m: Maker) -> Entries:
    """An array of constants."""
    (values,) = Interpreter({}, {}).run([m.node])
    return collected([m.number(value) for value in values.ravel().tolist()], values.shape)


def _array(m: Maker, operands: list[Entries]) -> Entries:
    return collected([m.of_kind(x.item()) for x in operands], lengths(m.node))


_MOVING = (
    "transpose", "reshape", "expand_dims", "squeeze", "broadcast_to", "concat", "stack",
    "getitem", "place", "flip", "roll", "tile", "repeat", "pad", "triu", "tril", "diagonal",
    "diagonal_matrix", "windows", "take", "take_along_axis", "shift",
)  # fmt: skip
MOVES: dict[str, Expansion] = {
    **dict.fromkeys(_MOVING, _moved),
    **dict.fromkeys(("trace", "overlap", "scatter", "scatter_along"), _added),
    "array": _array,
}
