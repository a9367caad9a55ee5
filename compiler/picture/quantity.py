"""Values and gradients as a picture writes them: a few numbers, or the shape of many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...dsl.frozen import frozen
from ...dsl.graph import Node
from ...dsl.shapes import Type
from ...dsl.sizes import Size

_LONGEST_ROW, _MOST_ROWS = 4, 3


@frozen(eq=False)
class Quantity:
    """What runs along an edge, of a known type; ``value`` is missing where nothing is computed,
    else ``node`` computes it, unless it is a sum."""

    type: Type
    value: Any = None
    node: Node | None = None

    def __add__(self, other: Quantity) -> Quantity:
        if self.value is None or other.value is None:
            return Quantity(self.type)
        return Quantity(self.type, np.asarray(self.value) + other.value)

    def lines(self, digits: int | None, sizes: Mapping[str, int]) -> tuple[str, ...]:
        """Numbers, a line for each row of a matrix, or ``float[3, 40]``."""
        array = np.asarray(self.value) if self.value is not None else None
        shape = array.shape if array is not None else self.type.shape
        rows = np.atleast_2d(array) if array is not None and array.ndim <= 2 else None
        if rows is None or rows.shape[0] > _MOST_ROWS or not 0 < rows.shape[1] <= _LONGEST_ROW:
            known = [_length(size, sizes) for size in shape]
            return (f"{self.type.kind}[{', '.join(known)}]" if known else str(self.type.kind),)
        texts = [[number(entry, digits) for entry in row] for row in rows]
        if not shape:
            return (texts[0][0],)
        return tuple(f"[{' '.join(row)}]" for row in texts)


def number(entry: Any, digits: int | None) -> str:
    """A number as on paper, or in three digits."""
    if isinstance(entry, (bool, np.bool_)):
        return str(entry).lower()
    if isinstance(entry, np.integer):
        return str(entry)
    text = f"{entry:.3g}" if digits is None else f"{entry:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def _length(size: int | Size, sizes: Mapping[str, int]) -> str:
    if isinstance(size, int) or not size.names() <= sizes.keys():
        return str(size)
    return str(size.evaluate(sizes))
