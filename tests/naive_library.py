"""Functions of the language for ``naive``: NumPy's, or a few lines, also of complex numbers.

A function that is analytic between its kinks is so here: whatever decides (a comparison, a largest
entry) looks at real parts alone, so that the complex step goes through everything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def real(x: Any) -> Any:
    return np.real(x) if np.iscomplexobj(x) else x


def number(x: Any) -> Any:
    """Truth values as integers."""
    return np.asarray(x).astype(np.int64)[()] if np.asarray(x).dtype == bool else x


def axes(axis: Any) -> Any:
    if axis is None or np.ndim(axis) == 0:
        return axis if axis is None else int(axis)
    return tuple(int(a) for a in axis)


def shape(first: Any, *more: Any) -> tuple[int, ...]:
    return tuple(int(n) for n in np.ravel([first, *more] if more else first))


# ── Arithmetic ──────────────────────────────────────────────────────────────


def floor_divide(a: Any, b: Any) -> Any:
    return np.floor_divide(real(number(a)), real(number(b)))


def remainder(a: Any, b: Any) -> Any:
    if np.iscomplexobj(a) or np.iscomplexobj(b):
        return a - b * floor_divide(a, b)
    return np.remainder(number(a), number(b))


def power(a: Any, b: Any) -> Any:
    """A natural power by products, which keep the smallest imaginary part."""
    a, b = number(a), number(b)
    if np.ndim(b) == 0 and np.asarray(b).dtype.kind in "iu":
        product = np.ones_like(a)
        for _ in range(abs(int(b))):
            product = product * a
        return product if b >= 0 else 1.0 / product
    whole = np.asarray(a).dtype.kind in "iu" and np.asarray(b).dtype.kind in "iu"
    return np.power(np.asarray(a, float) if whole else a, b)


def compared(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda a, b: function(real(a), real(b))


BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: number(a) + number(b),
    "-": lambda a, b: number(a) - number(b),
    "*": lambda a, b: number(a) * number(b),
    "/": lambda a, b: np.true_divide(number(a), number(b)),
    "//": floor_divide,
    "%": remainder,
    "@": lambda a, b: np.matmul(number(a), number(b)),
    "^": power,
    "<": compared(np.less),
    "<=": compared(np.less_equal),
    ">": compared(np.greater),
    ">=": compared(np.greater_equal),
    "==": compared(np.equal),
    "!=": compared(np.not_equal),
    "and": np.logical_and,
    "or": np.logical_or,
}


# ── Reductions ──────────────────────────────────────────────────────────────


def _chosen(places: Callable[..., Any], x: Any, axis: Any, keepdims: bool) -> Any:
    """The entry at which the real part is largest or smallest."""
    x, axis = np.asarray(number(x)), axes(axis)
    every = tuple(range(x.ndim)) if axis is None else np.atleast_1d(axis) % x.ndim
    kept = [a for a in range(x.ndim) if a not in every]
    flat = np.transpose(x, [*kept, *every]).reshape(*(x.shape[a] for a in kept), -1)
    place = np.expand_dims(places(real(flat), axis=-1), -1)
    found = np.take_along_axis(flat, place, -1)[..., 0]
    return np.expand_dims(found, tuple(every)) if keepdims else found[()]


def largest(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return _chosen(np.argmax, x, axis, keepdims)


def smallest(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return _chosen(np.argmin, x, axis, keepdims)


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = number(x)
    top = np.max(real(x), axis=axes(axis), keepdims=True)
    whole = np.log(np.sum(np.exp(x - top), axis=axes(axis), keepdims=True)) + top
    return whole if keepdims else np.squeeze(whole, axis=axes(axis))[()]


def softmax(x: Any, axis: Any = -1) -> Any:
    powers = np.exp(x - np.max(real(x), axis=axes(axis), keepdims=True))
    return powers / np.sum(powers, axis=axes(axis), keepdims=True)


def norm(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.sqrt(np.sum(x * x, axis=axes(axis), keepdims=keepdims))


def var(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    centred = x - np.mean(x, axis=axes(axis), keepdims=True)
    return np.mean(centred * centred, axis=axes(axis), keepdims=keepdims)


def reduced(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, axis=None, keepdims=False: function(
        number(x), axis=axes(axis), keepdims=bool(keepdims)
    )


REDUCTIONS: dict[str, Callable[..., Any]] = {
    "sum": reduced(np.sum),
    "mean": reduced(np.mean),
    "prod": reduced(np.prod),
    "max": largest,
    "min": smallest,
    "logsumexp": logsumexp,
    "any": reduced(np.any),
    "all": reduced(np.all),
}


# ── Everything else ─────────────────────────────────────────────────────────


def absolute(x: Any) -> Any:
    return np.where(real(x) < 0, -number(x), number(x))[()]


def either(wins: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda a, b: np.where(wins(real(a), real(b)), number(a), number(b))[()]


def clip(x: Any, low: Any, high: Any) -> Any:
    return np.where(real(x) < low, low, np.where(real(x) > high, high, x))[()]


def solve(a: Any, b: Any) -> Any:
    if np.ndim(b) == 1:
        return np.linalg.solve(a, np.asarray(b)[..., None])[..., 0]
    return np.linalg.solve(a, b)


def trace(a: Any) -> Any:
    return np.trace(a, axis1=-2, axis2=-1)


def sigmoid(x: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-number(x)))


def swapaxes(x: Any, first: Any, second: Any) -> Any:
    return np.swapaxes(x, int(first), int(second))


LIBRARY: dict[str, Callable[..., Any]] = {
    **REDUCTIONS,
    **{name: getattr(np, name) for name in (
        "sin", "cos", "tan", "tanh", "sinh", "cosh", "exp", "log", "sqrt", "log1p", "expm1",
        "arctan", "dot", "outer", "cross", "concat", "einsum",
    )},
    "sigmoid": sigmoid,
    "softplus": lambda x: np.log(1.0 + np.exp(x)),
    "relu": lambda x: np.where(real(x) > 0, x, 0 * x)[()],
    "square": lambda x: number(x) * number(x),
    "abs": absolute,
    "sign": lambda x: np.sign(real(number(x))),
    "floor": lambda x: np.floor(real(x)),
    "detach": real,
    "maximum": either(np.greater_equal),
    "minimum": either(np.less_equal),
    "clip": clip,
    "softmax": softmax,
    "log_softmax": lambda x, axis=-1: x - logsumexp(x, axis, True),
    "norm": norm,
    "var": var,
    "std": lambda x, axis=None, keepdims=False: np.sqrt(var(x, axis, keepdims)),
    "cumsum": lambda x, axis=None: np.cumsum(x, axis=axes(axis)),
    "argmax": lambda x, axis=None: np.argmax(real(x), axis=axes(axis)),
    "zeros": lambda *sizes: np.zeros(shape(*sizes)),
    "ones": lambda *sizes: np.ones(shape(*sizes)),
    "eye": lambda n: np.eye(int(n)),
    "arange": lambda *bounds: np.arange(*(int(b) for b in bounds)),
    "reshape": lambda x, sizes: np.reshape(x, shape(sizes)),
    "concat": lambda *parts, axis=0: np.concatenate(parts, axis=int(axis)),
    "stack": lambda *parts, axis=0: np.stack(parts, axis=int(axis)),
    "expand_dims": lambda x, axis: np.expand_dims(x, axes(axis)),
    "transpose": lambda x, order: np.transpose(x, shape(order)),
    "swapaxes": swapaxes,
    "flip": lambda x, axis=None: np.flip(x, axes(axis)),
    "where": lambda c, a, b: np.where(c, a, b),
    "take": lambda x, places: np.take(x, places, axis=0),
    "solve": solve,
    "inv": np.linalg.inv,
    "det": np.linalg.det,
    "logdet": lambda a: np.log(np.linalg.det(a)),
    "trace": trace,
    "diagonal": lambda a: np.diagonal(a, axis1=-2, axis2=-1),
}  # fmt: skip
