"""Taking entries at computed places, and adding up what goes back to them."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array: TypeAlias = NDArray[Any]


def _checked(indices: ArrayLike, size: ArrayLike) -> Array:
    """The indices. IndexError where one is outside 0..size; none counts from the end."""
    indices = np.asarray(indices)
    outside = (indices < 0) | (indices >= size)
    if outside.any():
        last = np.broadcast_to(size, outside.shape)[outside][0]
        raise IndexError(f"index {indices[outside][0]} is not in 0..{last}")
    return indices


def _take(x: Array, indices: ArrayLike, axis: int = 0) -> Any:
    """The entries of x at indices along an axis."""
    return x.take(_checked(indices, x.shape[axis]), axis)


def _put(x: Array, place: int, row: ArrayLike, axis: int = 0) -> Array:
    """A copy of x with the entries at one place of an axis replaced."""
    result = np.array(x, np.result_type(x, row))
    result[(slice(None),) * axis + (place,)] = row
    return result


def _take_along_axis(x: Array, indices: Array, axis: int) -> Array:
    """The entries of x at indices along an axis, each position of the others by itself."""
    return np.take_along_axis(x, _checked(indices, x.shape[axis]), axis)


def _scatter(x: ArrayLike, indices: ArrayLike, size: int, axis: int = 0) -> Array:
    """Zeros with an axis of a size, where the entries of x are added at indices.

    Rows of up to eight entries are faster column by column in ``np.bincount``, which adds in
    float64, longer ones at flat places in ``np.add.at``.
    """
    x, indices = np.asarray(x), np.asarray(indices)
    before, after = x.shape[:axis], x.shape[axis + indices.ndim :]
    result = np.zeros((*before, size, *after), x.dtype)
    if indices.ndim == 0:
        result[(slice(None),) * axis + (indices,)] = x
        return result
    rows = indices.ravel()
    if before:
        starts = np.arange(np.prod(before, dtype=np.int64)) * size
        rows = (starts[:, None] + rows).ravel()
    width = int(np.prod(after, dtype=np.int64)) if after else 1
    if 0 < width <= 8 and x.dtype.itemsize <= 8:
        flat = result.reshape(-1, width)
        for column, entries in enumerate(x.reshape(-1, width).T):
            flat[:, column] = np.bincount(rows, entries, len(flat))
    else:
        places = rows[:, None] * width + np.arange(width)
        np.add.at(result.reshape(-1), places.ravel(), x.ravel())
    return result


def _scatter_along(x: Array, indices: Array, size: int, axis: int) -> Array:
    """Zeros with an axis of a size, where the entries of x are added at indices, each
    position of the other axes by itself. One entry at each position meets no other."""
    axis %= x.ndim
    before, after = x.shape[:axis], x.shape[axis + 1 :]
    result = np.zeros((*before, size, *after), x.dtype)
    if x.shape[axis] == 1:
        np.put_along_axis(result, indices, x, axis)
        return result
    width = np.prod(after, dtype=np.int64)
    starts = np.arange(np.prod(before, dtype=np.int64)) * size
    rows = starts[:, None, None] + indices.reshape(starts.size, x.shape[axis], width)
    places = rows * width + np.arange(width)
    np.add.at(result.reshape(-1), places.ravel(), x.ravel())
    return result


def _windows(x: Array, window: tuple[int, ...], step: int = 1) -> Array:
    """All windows along the last axes of x: their positions first, then their entries.

    In memory the entries come first, so that what runs over all positions is fast.
    """
    count = len(window)
    last, before = tuple(range(-count, 0)), tuple(range(-2 * count, -count))
    every = np.lib.stride_tricks.sliding_window_view(x, window, last)
    entries = np.moveaxis(every, last, before)
    steps: Any = (slice(None, None, step),) * count
    return np.moveaxis(np.ascontiguousarray(entries[(..., *steps)]), before, last)


def _overlap(x: Array, whole: tuple[int, ...], step: int) -> Array:
    """Sliding windows added up to the array that they are windows of."""
    count = len(whole)
    positions, window = x.shape[-2 * count : -count], x.shape[-count:]
    result = np.zeros((*x.shape[: -2 * count], *whole), x.dtype)
    for place in np.ndindex(window):
        ends = [p + step * n for p, n in zip(place, positions, strict=True)]
        cuts: Any = [slice(p, e, step) for p, e in zip(place, ends, strict=True)]
        result[(..., *cuts)] += x[(..., *place)]
    return result


def _diagonal_matrix(x: Array, shape: tuple[int, int], offset: int = 0) -> Array:
    """Matrices of zeros, with the last axis of x on a diagonal."""
    result = np.zeros((*x.shape[:-1], *shape), x.dtype)
    rows = np.arange(x.shape[-1]) - min(offset, 0)
    result[..., rows, rows + offset] = x
    return result
