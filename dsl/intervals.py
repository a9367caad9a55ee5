"""Closed or open intervals of the extended reals, for domains and for reasoning about ranges.

Computed endpoints are rounded outwards by a relative 1e-6, more than the error of an operation in
single precision, so that what is proved here holds for what the generated code computes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from .frozen import frozen

_INF = math.inf
_SLACK = 1e-6


@frozen()
class Interval:
    """``low <= x <= high``, strict where open. NaN is in no interval."""

    low: float = -_INF
    high: float = _INF
    open_low: bool = False
    open_high: bool = False

    def within(self, other: Interval) -> bool:
        """Whether every number of this interval is in the other."""
        low = self.low > other.low or (
            self.low == other.low and (self.open_low or not other.open_low)
        )
        high = self.high < other.high or (
            self.high == other.high and (self.open_high or not other.open_high)
        )
        return low and high

    def __contains__(self, value: float) -> bool:
        return Interval(value, value).within(self)

    def intersection(self, other: Interval) -> Interval:
        low, open_low = max((self.low, self.open_low), (other.low, other.open_low))
        high, closed_high = min((self.high, not self.open_high), (other.high, not other.open_high))
        return Interval(low, high, open_low, not closed_high)

    def hull(self, other: Interval) -> Interval:
        low, open_low = min((self.low, self.open_low), (other.low, other.open_low))
        high, closed_high = max((self.high, not self.open_high), (other.high, not other.open_high))
        return Interval(low, high, open_low, not closed_high)

    def __str__(self) -> str:
        left, right = "(" if self.open_low else "[", ")" if self.open_high else "]"
        return f"{left}{self.low:g}, {self.high:g}{right}"


REAL = Interval()
FINITE = Interval(-_INF, _INF, True, True)
POSITIVE = Interval(0.0, _INF, open_low=True)
NON_NEGATIVE = Interval(0.0, _INF)
UNIT = Interval(-1.0, 1.0)
OPEN_UNIT = Interval(-1.0, 1.0, True, True)

Transfer = Callable[[Sequence[Interval]], Interval]


def point(value: float) -> Interval:
    """A written number, which single precision may round."""
    return _widened(value, value)


def _widened(low: float, high: float, open_low: bool = False, open_high: bool = False) -> Interval:
    if math.isnan(low) or math.isnan(high):
        return REAL
    if low != high or not float(low).is_integer():
        if math.isfinite(low) and low:
            low, open_low = low - abs(low) * _SLACK, False
        if math.isfinite(high) and high:
            high, open_high = high + abs(high) * _SLACK, False
    return Interval(low, high, open_low, open_high)


def constant(interval: Interval) -> Transfer:
    """The same interval, whatever the operands."""
    return lambda _: interval


def increasing(function: Callable[[float], float], image: Interval = REAL) -> Transfer:
    """For a function that never decreases; ``image`` bounds the result where it is undefined."""

    def at(x: float, fallback: float) -> float:
        try:
            return function(x)
        except (ValueError, OverflowError):
            return fallback

    def transfer(operands: Sequence[Interval]) -> Interval:
        (x,) = operands
        low, high = at(x.low, image.low), at(x.high, image.high)
        return _widened(low, high).intersection(image)

    return transfer


def add(operands: Sequence[Interval]) -> Interval:
    a, b = operands
    return _widened(
        a.low + b.low, a.high + b.high, a.open_low or b.open_low, a.open_high or b.open_high
    )


def negative(operands: Sequence[Interval]) -> Interval:
    (a,) = operands
    return Interval(-a.high, -a.low, a.open_high, a.open_low)


def subtract(operands: Sequence[Interval]) -> Interval:
    a, b = operands
    return add((a, negative((b,))))


def multiply(operands: Sequence[Interval]) -> Interval:
    a, b = operands
    ends = [_product(p, q) for p in (a.low, a.high) for q in (b.low, b.high)]
    return _widened(min(ends), max(ends))


def _product(p: float, q: float) -> float:
    return 0.0 if p == 0.0 or q == 0.0 else p * q


def divide(operands: Sequence[Interval]) -> Interval:
    a, b = operands
    if b.low > 0.0 or b.high < 0.0:
        return multiply((a, _widened(1.0 / b.high, 1.0 / b.low)))
    if a.within(NON_NEGATIVE) and b.within(NON_NEGATIVE):
        return NON_NEGATIVE
    return REAL


def square(operands: Sequence[Interval]) -> Interval:
    (x,) = operands
    ends = (x.low * x.low, x.high * x.high)
    low = 0.0 if x.low <= 0.0 <= x.high else min(ends)
    return _widened(low, max(ends)).intersection(NON_NEGATIVE)


def absolute(operands: Sequence[Interval]) -> Interval:
    (x,) = operands
    low = 0.0 if x.low <= 0.0 <= x.high else min(abs(x.low), abs(x.high))
    return Interval(low, max(abs(x.low), abs(x.high)))


def maximum(operands: Sequence[Interval]) -> Interval:
    a, b = operands
    return Interval(max(a.low, b.low), max(a.high, b.high))


def minimum(operands: Sequence[Interval]) -> Interval:
    a, b = operands
    return Interval(min(a.low, b.low), min(a.high, b.high))


def same(operands: Sequence[Interval]) -> Interval:
    """The entries are some of the operands' entries."""
    result = operands[0] if operands else REAL
    for operand in operands[1:]:
        result = result.hull(operand)
    return result


def averaged(operands: Sequence[Interval]) -> Interval:
    """A mean: between the operand's limits, but for rounding."""
    (x,) = operands
    return _widened(x.low, x.high, x.open_low, x.open_high)


def scaled_by_count(operands: Sequence[Interval]) -> Interval:
    """A sum of any number of entries, none included."""
    (x,) = operands
    return Interval(-_INF if x.low < 0.0 else 0.0, _INF if x.high > 0.0 else 0.0)
