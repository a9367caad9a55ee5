"""Operations that reorder, repeat, pad and make arrays, take entries, and slide windows."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from .case import Case, special

windows_of = np.lib.stride_tricks.sliding_window_view


def added(x: Any, indices: Any, size: int, axis: int) -> Any:
    """The entries of x added to zeros, one after the other."""
    before, after = x.shape[:axis], x.shape[axis + np.ndim(indices) :]
    result = np.zeros((*before, size, *after))
    for place in np.ndindex(np.shape(indices)):
        at = (slice(None),) * axis
        result[(*at, np.asarray(indices)[place])] += x[(*at, *place)]
    return result


def added_along(x: Any, indices: Any, size: int, axis: int) -> Any:
    shape = list(x.shape)
    shape[axis] = size
    result = np.zeros(shape)
    for place in np.ndindex(x.shape):
        at = list(place)
        at[axis] = indices[place]
        result[tuple(at)] += x[place]
    return result


def overlapped(x: Any, size: tuple[int, ...], step: int, whole: tuple[int, ...]) -> Any:
    places = windows_of(np.arange(np.prod(whole)).reshape(whole), size)
    places = places[(slice(None, None, step),) * len(size)]
    flat = x.reshape(-1, places.size)
    result = np.zeros((len(flat), int(np.prod(whole))))
    for row, values in zip(result, flat, strict=True):
        for place, value in zip(places.ravel(), values, strict=True):
            row[place] += value
    return result.reshape(*x.shape[: x.ndim - 2 * len(size)], *whole)


def _moves() -> list[Case]:
    found = []
    for source, destination in [(0, -1), (2, 0), (1, 1), ([0, 1], [-1, -2]), ([2, 0], [0, 1])]:
        found.append(
            special(f"moveaxis(x, {source}, {destination})",
                    lambda x, s=source, d=destination: np.moveaxis(x, s, d), "x: float[2, 3, 4]")
        )  # fmt: skip
    for first, second in [(0, 1), (0, -1), (1, 2), (1, 1)]:
        found.append(
            special(f"swapaxes(x, {first}, {second})",
                    lambda x, a=first, b=second: np.swapaxes(x, a, b), "x: float[2, 3, 4]")
        )  # fmt: skip
    return found


def _axes() -> list[Case]:
    """Every axis of arrays with empty axes and axes of size 1."""
    found = []
    for shape in [(3,), (1,), (0,), (2, 3), (2, 1, 3), (2, 0)]:
        rank = len(shape)
        x = f"x: float[{', '.join(map(str, shape))}]"
        for axis in range(-rank, rank):
            found += [
                special(f"flip(x, axis={axis})", lambda x, a=axis: np.flip(x, a), x),
                special(f"roll(x, 2, axis={axis})", lambda x, a=axis: np.roll(x, 2, a), x),
                special(f"roll(x, -1, axis={axis})", lambda x, a=axis: np.roll(x, -1, a), x),
                special(f"unroll(x, 1, axis={axis})", lambda x, a=axis: np.roll(x, -1, a), x),
                special(f"repeat(x, 3, axis={axis})", lambda x, a=axis: np.repeat(x, 3, a), x),
                special(f"sort(x, axis={axis})", lambda x, a=axis: np.sort(x, a), x),
                special(f"argsort(x, axis={axis})", lambda x, a=axis: np.argsort(x, a), x),
            ]
        found += [
            special("ravel(x)", np.ravel, x),
            special("flip(x)", np.flip, x),
            special("sort(x)", np.sort, x),
            special("argsort(x)", np.argsort, x),
            special("zeros_like:x + zeros_like(x)", lambda x: x, x),
            special("ones_like:x * ones_like(x)", lambda x: x, x),
        ]
    return found


def _matrices() -> list[Case]:
    found = []
    for shape in [(3, 3), (2, 3), (4, 2), (1, 1), (2, 3, 3), (0, 3), (2, 2, 4, 3)]:
        x = f"x: float[{', '.join(map(str, shape))}]"
        for k in (0, 1, -1):
            found += [
                special(f"triu(x, {k})", lambda x, k=k: np.triu(x, k), x),
                special(f"tril(x, k={k})", lambda x, k=k: np.tril(x, k), x),
                special(f"diagonal(x, {k})", lambda x, k=k: np.linalg.diagonal(x, offset=k), x),
            ]
        found.append(special("trace(x)", np.linalg.trace, x))
    return found


def _put(x: Any, row: Any, axis: int) -> Any:
    result = np.array(x)
    np.moveaxis(result, axis, 0)[1] = row
    return result


def _takes() -> list[Case]:
    found = [special("within(k, 5)", lambda k: k, f"k: {t}") for t in ("int[3]", "int[0]")]
    found.append(special("earlier(k, 5)", lambda k: k, "k: int[3]"))
    for shape, row, axis in [
        ("3", "", -1),
        ("3, 2", "2", -2),
        ("2, 3", "2", -1),
        ("4, 3, 2", "4, 2", -2),
    ]:
        types = f"x: float[{shape}]", f"r: float[{row}]" if row else "r: float"
        reference = partial(_put, axis=axis)
        found.append(special(f"put(x, 1, r, axis={axis})", reference, *types))
    for indices in ("int", "int[3]", "int[1]", "int[2, 2]", "int[0]"):
        k = f"k: {indices}"
        for shape, axis in [((5,), 0), ((5, 2), 0), ((2, 5), 1), ((2, 5), -1), ((2, 5, 3), -2),
                            ((5, 0), 0), ((1, 5), 1)]:  # fmt: skip
            x = f"x: float[{', '.join(map(str, shape))}]"
            found.append(
                special(f"take(x, k, axis={axis})", lambda x, k, a=axis: np.take(x, k, a), x, k)
            )
    for shape, places, axis in [
        ("5", "3", 0), ("5, 2", "3, 2", 0), ("2, 5", "2, 3", 1), ("2, 5", "2, 1", -1),
        ("2, 5", "1, 3", 1), ("1, 5", "2, 3", 1), ("5, 3", "2, 1", 0), ("2, 5, 2", "1, 4, 2", 1),
        ("5", "0", 0), ("0, 5", "0, 2", 1),
    ]:  # fmt: skip
        found.append(
            special(f"take_along_axis(x, k, axis={axis})",
                    lambda x, k, a=axis: np.take_along_axis(x, k, a),
                    f"x: float[{shape}]", f"k: int[{places}]")
        )  # fmt: skip
    return found


def _windows() -> list[Case]:
    found = []
    for shape, size, step in [
        ((5,), (2,), 1), ((5,), (5,), 1), ((6,), (2,), 2), ((7,), (3,), 2), ((7,), (2,), 3),
        ((2, 5), (2,), 1), ((4, 5), (2, 3), 1), ((5, 6), (2, 2), 2), ((2, 4, 5), (3, 2), 2),
        ((1, 3), (1, 1), 1), ((0, 5), (2,), 1),
    ]:  # fmt: skip
        n = len(size)

        def reference(x: Any, size: Any = size, step: int = step, n: int = n) -> Any:
            cuts = (..., *(slice(None, None, step),) * n, *(slice(None),) * n)
            return windows_of(x, size, tuple(range(-n, 0)))[cuts]

        x = f"x: float[{', '.join(map(str, shape))}]"
        found.append(special(f"windows(x, {list(size)}, step={step})", reference, x))
    return found


SQUARE = "x: float[3, 3]"
CASES = [
    *_moves(), *_axes(), *_matrices(), *_takes(), *_windows(),
    special("ravel(x)", np.ravel, "x: float"),
    special("roll(x, 1)", lambda x: np.roll(x, 1), "x: float[4]"),
    special("roll(x, 1, axis=[0, 1])", lambda x: np.roll(x, 1, (0, 1)), "x: float[2, 3]"),
    special("roll(x, n - 1)", lambda x: np.roll(x, 3), "x: float[n]"),
    special("tile(x, 3)", lambda x: np.tile(x, 3), "x: float"),
    special("tile(x, 3)", lambda x: np.tile(x, 3), "x: float[2]"),
    special("tile(x, 2)", lambda x: np.tile(x, 2), "x: float[2, 3]"),
    special("tile(x, [2, 1])", lambda x: np.tile(x, (2, 1)), "x: float[2, 3]"),
    special("tile(x, [3, 2])", lambda x: np.tile(x, (3, 2)), "x: float[2]"),
    special("tile(x, [2, 2, 3])", lambda x: np.tile(x, (2, 2, 3)), "x: float[1, 2]"),
    special("tile(x, 0)", lambda x: np.tile(x, 0), "x: float[2]"),
    special("tile(x, [n, 2])", lambda x: np.tile(x, (4, 2)), "x: float[n]"),
    special("untile(dx, x, [2])", lambda dx, x: dx.reshape(2, 3).sum(0), "dx: float[6]", "x: float[3]"),
    special("untile_any(dx, x, [2])", lambda dx, x: dx.reshape(2, 3).any(0), "dx: bool[6]", "x: float[3]"),
    special("repeat(x, 2)", lambda x: np.repeat(x, 2), "x: float[3]"),
    special("repeat(x, n, axis=1)", lambda x: np.repeat(x, 4, 1), "x: float[2, n]"),
    special("repeat(x, 0)", lambda x: np.repeat(x, 0), "x: float[3]"),
    special("unrepeat(dx, x, 2, axis=-1)", lambda dx, x: dx.reshape(3, 2).sum(1), "dx: float[6]", "x: float[3]"),
    special("unrepeat_any(dx, x, 2, axis=-1)", lambda dx, x: dx.reshape(3, 2).any(1), "dx: bool[6]", "x: float[3]"),
    special("pad(x, 2)", lambda x: np.pad(x, 2), "x: float[3]"),
    special("pad(x, 1)", lambda x: np.pad(x, 1), "x: float[2, 3]"),
    special("pad(x, [1, 2])", lambda x: np.pad(x, (1, 2)), "x: float[2, 3]"),
    special("pad(x, [[1, 0], [0, 2]])", lambda x: np.pad(x, ((1, 0), (0, 2))), "x: float[2, 3]"),
    special("pad(x, [[1, 2]])", lambda x: np.pad(x, (1, 2)), "x: float[2, 3]"),
    special("pad(x, 1, value=2.5)", lambda x: np.pad(x, 1, constant_values=2.5), "x: float[2, 3]"),
    special("pad(x, [0, 1], value=-1)", lambda x: np.pad(x, (0, 1), constant_values=-1), "x: float[3]"),
    special("pad(x, [n, 0])", lambda x: np.pad(x, (4, 0)), "x: float[n]"),
    special("pad(x, 1)", lambda x: np.pad(x, 1), "x: float[0]"),
    special("pad(x, 0)", lambda x: x, "x: float[2]"),
    special("unpad(x, [[1, 2]])", lambda x: x[1:-2], "x: float[5]"),
    special("full:x * full([2, 3], 1.5)", lambda x: x * np.full((2, 3), 1.5), "x: float"),
    special("full:full([n, 2], sum(x))", lambda x: np.full((4, 2), np.sum(x)), "x: float[n]"),
    special("full(3, x)", lambda x: np.full(3, x), "x: float"),
    special("zeros_like:x + zeros_like(x)", lambda x: x, "x: float"),
    special("ones_like:x + ones_like(x)", lambda x: x + 1, "x: float"),
    special("arange:x * arange(4)", lambda x: x * np.arange(4), "x: float"),
    special("arange:x * arange(n)", lambda x: x * np.arange(4), "x: float[n]"),
    special("arange:x * arange(1, n + 1)", lambda x: x * np.arange(1, 5), "x: float[n]"),
    special("arange:x * arange(1, 8, 2)", lambda x: x * np.arange(1, 8, 2), "x: float"),
    special("arange:x + arange(0)", lambda x: x + np.arange(0), "x: float"),
    special("diag(x)", np.diag, "x: float[3]"),
    special("diag(x)", np.diag, "x: float[0]"),
    special("diag(x)", np.diag, "x: float[2, 3]"),
    special("diagonal(x)", np.diagonal, "x: float[n, n]"),
    special("diagonal(x, 2)", lambda x: np.diagonal(x, 2), "x: float[n, n]"),
    special("trace(x)", np.trace, "x: float[n, n]"),
    special("diagonal_matrix(x, [3, 3], 0)", np.diag, "x: float[3]"),
    special("diagonal_matrix(x, [4, 4], 1)", lambda x: np.diag(x, 1), "x: float[3]"),
    special("diagonal_matrix(x, [3, 4], 1)", lambda x: np.diag(x, 1)[:3], "x: float[3]"),
    special("diagonal_matrix(x, [3, 2], -1)", lambda x: np.diag(x, -1)[:, :2], "x: float[2]"),
    special("diagonal_matrix(x, [3, 3], 0)", lambda x: x[..., None] * np.eye(3), "x: float[2, 3]"),
    special("diagonal_like(dx, x, 0)", lambda dx, x: np.diag(dx), "dx: float[3]", SQUARE),
    special("trace_like(dx, x)", lambda dx, x: dx * np.eye(3), "dx: float", SQUARE),
    special("trace_like(dx, x)", lambda dx, x: dx[:, None, None] * np.eye(3),
            "dx: float[2]", "x: float[2, 3, 3]"),
    special("take(x, 2)", lambda x: x[2], "x: float[3]"),
    special("take:take(x, argsort(x))", np.sort, "x: float[4]"),
    special("take_along_axis:take_along_axis(x, argsort(x, axis=0), axis=0)",
            lambda x: np.sort(x, 0), "x: float[4, 2]"),
    special("untake(dx, x, k, axis=-2)", lambda dx, x, k: added(dx, k, 5, 0),
            "dx: float[3, 2]", "x: float[5, 2]", "k: int[3]"),
    special("untake_any(dx, x, k, axis=-1)", lambda dx, x, k: added(dx, k, 5, 0) > 0,
            "dx: bool[3]", "x: float[5]", "k: int[3]"),
    special("scatter(x, k, 5, axis=-1)", lambda x, k: added(x, k, 5, 0), "x: float[3]", "k: int[3]"),
    special("scatter(x, k, 5, axis=-1)", lambda x, k: added(x, k, 5, 0), "x: float", "k: int"),
    special("scatter(x, k, 5, axis=-2)", lambda x, k: added(x, k, 5, 1),
            "x: float[2, 3, 2, 4]", "k: int[3, 2]"),
    special("untake_along(dx, x, k, axis=-2)", lambda dx, x, k: added_along(dx, k, 5, 0),
            "dx: float[3, 2]", "x: float[5, 2]", "k: int[3, 2]"),
    special("untake_along_any(dx, x, k, axis=-2)", lambda dx, x, k: added_along(dx, k, 5, 0) > 0,
            "dx: bool[3, 2]", "x: float[5, 2]", "k: int[3, 2]"),
    special("scatter_along(x, k, 5, axis=-1)", lambda x, k: added_along(x, k, 5, 1),
            "x: float[2, 3]", "k: int[2, 3]"),
    special("scatter_along(x, k, 5, axis=-2)", lambda x, k: added_along(x, k, 5, 1),
            "x: float[2, 3, 4]", "k: int[2, 3, 4]"),
    special("windows(x, 2)", lambda x: windows_of(x, 2), "x: float[n]"),
    special("unwindow(dx, x, [2], 1)", lambda dx, x: overlapped(dx, (2,), 1, (4,)),
            "dx: float[3, 2]", "x: float[4]"),
    special("unwindow_any(dx, x, [2], 1)", lambda dx, x: overlapped(dx, (2,), 1, (4,)) > 0,
            "dx: bool[3, 2]", "x: float[4]"),
    special("overlap(x, [3], 2, [8])", lambda x: overlapped(x, (3,), 2, (8,)),
            "x: float[3, 3]"),
    special("overlap(x, [2, 2], 1, [3, 4])", lambda x: overlapped(x, (2, 2), 1, (3, 4)),
            "x: float[2, 2, 3, 2, 2]"),
]  # fmt: skip
