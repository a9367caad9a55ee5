"""What statistics of arrays and their derivatives need along axes."""

from __future__ import annotations

import numpy as np

from .arrays import Array


def _varies(x: Array, axis: tuple[int, ...] | int | None) -> Array:
    """Whether the entries along the axes are not all the same; the axes stay, of size 1."""
    low = np.min(x, axis=axis, keepdims=True, initial=np.inf)
    high = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    result: Array = ~(low >= high)
    return result


def _median_weights(x: Array) -> Array:
    """Along the last axis 1 at the middle entry in order, or 1/2 at each of the two."""
    count = x.shape[-1]
    order = np.argsort(x, axis=-1, kind="stable")
    middle = order[..., (count - 1) // 2 : count // 2 + 1] if count else order
    result = np.zeros_like(x)
    np.put_along_axis(result, middle, 1 if count % 2 else 0.5, axis=-1)
    return result


def _shift(x: Array, axis: int, step: int, fill: float) -> Array:
    """The entries moved one step along an axis, back for -1; ``fill`` comes in."""
    result = np.full_like(x, fill)
    source, target = np.moveaxis(x, axis, 0), np.moveaxis(result, axis, 0)
    if step > 0:
        target[1:] = source[:-1]
    else:
        target[:-1] = source[1:]
    return result


def _recurrence(a: Array, b: Array, axis: int, step: int) -> Array:
    """y[i] = a[i] * y[i - step] + b[i] along an axis, from its end for a step of -1.

    It is 0 up to the first b that is not, even where a is infinite or nan.
    """
    result = np.array(b, np.result_type(a, b))
    steps = np.moveaxis(result, axis, 0)[::step]
    begun = np.logical_or.accumulate(steps != 0, axis=0)
    factors = np.where(begun[:-1], np.moveaxis(a, axis, 0)[::step][1:], 0)
    for i, factor in enumerate(factors, start=1):
        steps[i] += factor * steps[i - 1]
    return result
