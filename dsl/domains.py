"""Declared domains of inputs, whose limits may be sizes."""

from __future__ import annotations

from .frozen import frozen
from .intervals import Interval
from .sizes import Size


@frozen()
class Domain:
    """``low <= x <= high``, strict where open; a missing limit is none. NaN is in no domain."""

    low: float | Size | None = None
    high: float | Size | None = None
    open_low: bool = False
    open_high: bool = False
    text: str = ""

    @property
    def interval(self) -> Interval:
        """What is known of the entries whatever the sizes are."""
        low = 0.0 if isinstance(self.low, Size) else self.low
        high = None if isinstance(self.high, Size) else self.high
        return Interval(
            -float("inf") if low is None else low,
            float("inf") if high is None else high,
            self.open_low and not isinstance(self.low, Size),
            self.open_high and not isinstance(self.high, Size),
        )
