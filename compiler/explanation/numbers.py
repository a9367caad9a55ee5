"""How values are written: rounded, and large arrays by their shape and extremes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...dsl.frozen import frozen

_LONGEST, _WIDEST, _MOST = 9, 6, 12
_LARGEST = 1e7


@frozen()
class Shown:
    """The texts of an array: one, a column of them, or rows; or nothing but ``summary``."""

    rank: int
    rows: tuple[tuple[str, ...], ...] = ()
    summary: str = ""


def scalar(value: Any, digits: int | None, short: bool = False) -> str:
    """A number, in full decimals unless ``short``."""
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    if isinstance(value, int | np.integer):
        return str(value)
    number = float(value)
    if not np.isfinite(number):
        return str(number).replace("inf", "∞")
    fixed = digits is not None and abs(number) < _LARGEST
    text = f"{number:.{digits}f}" if fixed else f"{number:.4g}"
    if short and fixed and "." in text:
        text = text.rstrip("0").rstrip(".")
    if not float(text):
        return text.removeprefix("-")
    return text.replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")


def is_small(value: Any) -> bool:
    """Whether an array is written out."""
    array = np.asarray(value)
    columns = array.shape[1] if array.ndim == 2 else 1
    few = array.ndim <= 2 and 0 < array.size <= _MOST
    return array.ndim == 0 or (few and len(array) <= _LONGEST and columns <= _WIDEST)


def shown(value: Any, digits: int | None) -> Shown:
    """A value as texts."""
    array = np.asarray(value)
    if array.ndim == 0:
        return Shown(0, ((scalar(array[()], digits),),))
    if not is_small(array):
        return Shown(array.ndim, summary=_summary(array, digits))
    rows = array.reshape(len(array), -1)
    texts = tuple(tuple(scalar(v, digits, short=True) for v in row) for row in rows)
    return Shown(array.ndim, texts)


def _summary(array: Any, digits: int | None) -> str:
    shape = "×".join(map(str, array.shape))
    if not array.size:
        return f"empty {shape} array"
    if array.dtype == bool:
        return f"{shape} array, {int(array.sum())} of {array.size} true"
    if not np.all(np.isfinite(array)):
        bad = int(np.count_nonzero(~np.isfinite(array)))
        return f"{shape} array, {bad} of {array.size} not finite"
    low, high = (scalar(v, digits, short=True) for v in (array.min(), array.max()))
    extent = f"all {low}" if low == high else f"between {low} and {high}"
    return f"{shape} array, {extent}"
