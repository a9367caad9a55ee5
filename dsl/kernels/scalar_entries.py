"""What ``checking`` asks of inputs and outputs that are numbers: each is its only entry."""

from __future__ import annotations

import sys
from typing import Any


def _places(x: float, rng: Any) -> list[tuple[int, ...]]:
    """The subscripts of all entries."""
    return [()]


def _entry(x: float, place: tuple[int, ...]) -> float:
    """One entry."""
    return x


def _moved(x: float, place: tuple[int, ...], step: float) -> float:
    """The number with a step added."""
    return x + step


def _unit(x: float, place: tuple[int, ...]) -> float:
    """The direction of a number."""
    return 1.0


def _ones_like(x: float) -> float:
    """The number 1."""
    return 1.0


def _random_like(x: float, rng: Any) -> float:
    """A random number around 1."""
    return float(rng.uniform(0.5, 1.5))


def _inner(a: float, b: float) -> tuple[float, float]:
    """The product, and its size."""
    return a * b, abs(a * b)


def _through(v: float, derivatives: float) -> float:
    """What v sends back through a derivative."""
    return v * derivatives


def _largest(x: float) -> float:
    """The size of a number."""
    return abs(x)


def _epsilon(x: float) -> float:
    """The rounding unit."""
    return sys.float_info.epsilon
