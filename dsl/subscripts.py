"""Subscripts made of literals, sizes and slices: their shapes, and what must hold for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from .frozen import frozen
from .shapes import Mismatch, Shape, shape_text
from .sizes import Size


@frozen()
class Cut:
    """``start:stop:step``; a missing end is the axis's, a negative constant counts from it."""

    start: Size | None = None
    stop: Size | None = None
    step: int = 1


Index: TypeAlias = tuple[Size | Cut, ...]


@frozen()
class Condition:
    """``low <= high`` for the sizes the function is called with."""

    low: Size
    high: Size
    what: str


def undecided(pairs: Iterable[tuple[Size, Size, str]]) -> list[Condition]:
    """Of ``low <= high``, those that are not known to hold, each with the words for it."""
    return [
        Condition(low, high, f"{what}: {low} <= {high} does not hold")
        for low, high, what in pairs
        if not (high - low).natural
    ]


def from_start(position: Size, size: Size) -> Size:
    """A position counted from 0."""
    return size + position if position.constant is not None and position.constant < 0 else position


def cut_length(cut: Cut, size: Size) -> Size:
    """How many entries ``cut`` takes of an axis."""
    if cut.step < 0:
        last = size - 1 if cut.start is None else from_start(cut.start, size)
        before = Size.of(-1) if cut.stop is None else from_start(cut.stop, size)
        return (last - before + (-cut.step - 1)) // -cut.step
    start = Size.of(0) if cut.start is None else from_start(cut.start, size)
    stop = size if cut.stop is None else from_start(cut.stop, size)
    return (stop - start + (cut.step - 1)) // cut.step


def index_shape(shape: Shape, index: Index) -> Shape:
    result = [
        cut_length(item, size)
        for item, size in zip(index, shape, strict=False)
        if isinstance(item, Cut)
    ]
    return (*result, *shape[len(index) :])


def conditions(shape: Shape, index: Index) -> list[tuple[int, Condition]]:
    """What must hold for each item, by position; raises ``Mismatch`` for what cannot."""
    found = []
    for position, (item, size) in enumerate(zip(index, shape, strict=False)):
        for condition in _item_conditions(item, size):
            slack = condition.high - condition.low
            if slack.constant is None:
                if not slack.natural:
                    found.append((position, condition))
            elif slack.constant < 0:
                hint = "subscripts count from 0; literals may count from the end, as x[-1]"
                if isinstance(item, Cut):
                    hint = "a slice lies within the axis; it is not cut off at its ends"
                what = f"subscript out of range of {shape_text(shape)}"
                raise Mismatch("G206", what, condition.what, hint, position)
    return found


def _item_conditions(item: Size | Cut, size: Size) -> Sequence[Condition]:
    if isinstance(item, Size):
        place = from_start(item, size)
        what = f"{item} is not in 0..{size}"
        if item.constant is not None and item.constant >= 0:
            return [Condition(item + 1, size, what)]
        return [Condition(Size.of(0), place, what), Condition(place + 1, size, what)]
    start = Size.of(0) if item.start is None else from_start(item.start, size)
    stop = size if item.stop is None else from_start(item.stop, size)
    if item.step < 0:
        start = size - 1 if item.start is None else start
        before = Size.of(-1) if item.stop is None else stop
        what = f"-1 <= {before} <= {start} < {size} does not hold"
        return [
            Condition(Size.of(-1), before, what),
            Condition(before, start, what),
            Condition(start + 1, size, what),
        ]
    what = f"0 <= {start} <= {stop} <= {size} does not hold"
    return [
        Condition(Size.of(0), start, what),
        Condition(start, stop, what),
        Condition(stop, size, what),
    ]
