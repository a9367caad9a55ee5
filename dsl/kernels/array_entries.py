"""What ``checking`` asks of inputs and outputs that are arrays."""

from __future__ import annotations

from typing import Any

import numpy as np


def _places(x: Any, rng: Any) -> list[tuple[int, ...]]:
    """The subscripts of all entries, or of 64 chosen at random."""
    size = np.size(x)
    chosen = np.sort(rng.choice(size, 64, replace=False)) if size > 64 else range(size)
    return [tuple(map(int, np.unravel_index(i, np.shape(x)))) for i in chosen]


def _entry(x: Any, place: tuple[int, ...]) -> float:
    """One entry."""
    return float(np.asarray(x)[place])


def _moved(x: Any, place: tuple[int, ...], step: float) -> Any:
    """The array with a step added to one entry."""
    moved = np.array(x, float)
    moved[place] += step
    return moved


def _unit(x: Any, place: tuple[int, ...]) -> Any:
    """Zeros in the shape of x, with a single 1."""
    return _moved(np.zeros(np.shape(x)), place, 1.0)


def _ones_like(x: Any) -> Any:
    """Ones in the shape of x."""
    return np.ones(np.shape(x))


def _random_like(x: Any, rng: Any) -> Any:
    """Random numbers around 1, in the shape of x."""
    return rng.uniform(0.5, 1.5, np.shape(x))


def _inner(a: Any, b: Any) -> tuple[float, float]:
    """The sum of the products of entries, and that of their sizes."""
    product = np.multiply(a, b, dtype=float)
    return float(np.sum(product)), float(np.sum(np.abs(product)))


def _through(v: Any, derivatives: Any) -> Any:
    """What v sends back through derivatives, in their precision: their first axes are its own."""
    return np.tensordot(np.asarray(v, derivatives.dtype), derivatives, np.ndim(v))


def _largest(x: Any) -> float:
    """The size of the largest entry."""
    return float(np.max(np.abs(x), initial=0.0))


def _epsilon(x: Any) -> float:
    """The rounding unit of the precision of x."""
    return float(np.finfo(np.asarray(x).dtype).eps)


def _mixed(low: int, high: int, shape: int | tuple[int, ...], rng: Any) -> Any:
    """Integers from low to below high in random order, each about as often."""
    numbers = low + np.arange(np.prod(shape)) % (high - low)
    return rng.permutation(numbers).reshape(shape)
