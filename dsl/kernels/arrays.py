"""Array functions that NumPy lacks, in its style: they broadcast, and keep the dtype."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array: TypeAlias = NDArray[Any]
Scalar: TypeAlias = np.floating[Any]


def _float_arrays(**inputs: ArrayLike) -> list[Array]:
    """The inputs as arrays of the floating dtype that NumPy promotes them to."""
    given: list[Any] = list(inputs.values())
    own = getattr(given[0], "dtype", None)
    for value in given:
        if type(value) is not np.ndarray or value.dtype is not own:
            break
    else:  # Most calls: all of them are arrays of one dtype.
        if own in (np.float64, np.float32, np.longdouble):
            return given
    values = {
        name: value if isinstance(value, (bool, int, float)) else np.asarray(value)
        for name, value in inputs.items()
    }
    dtype = np.result_type(*values.values(), 0.0)
    if dtype not in (np.float32, np.float64, np.longdouble):
        wrong = [n for n, v in values.items() if np.result_type(v, 0.0) == dtype]
        name = (wrong or list(values))[0]
        raise ValueError(f"{name}: expected float32 or float64, got {dtype}")
    return [np.asarray(value, dtype) for value in values.values()]


def _int_array(name: str, value: ArrayLike) -> Array:
    """The input as an array of integers."""
    array = np.asarray(value)
    if array.dtype.kind not in "iub":
        raise ValueError(f"{name}: expected integers, got {array.dtype}")
    return array.astype(np.int64, copy=False)


def _bool_array(name: str, value: ArrayLike) -> Array:
    """The input as an array of truth values."""
    array = np.asarray(value)
    if array.dtype.kind != "b":
        raise ValueError(f"{name}: expected bool, got {array.dtype}")
    return array


def _into(target: Array, value: Array) -> Array:
    """The array of a caller, filled with a value of the same shape."""
    if target.shape != value.shape:
        raise ValueError(f"out: expected shape {value.shape}, got {target.shape}")
    target[...] = value
    return target


def _units(x: ArrayLike) -> Array:
    """Arrays of the shape of x, each with a single 1: the rows of the identity."""
    size = np.size(x)
    return np.eye(size).reshape((size, *np.shape(x)))


def _rows(rows: list[Any], of: ArrayLike, wrt: ArrayLike) -> Array:
    """Gradients of the entries of ``of``, as an array of its axes and those of ``wrt``."""
    return np.reshape(rows, np.shape(of) + np.shape(wrt))


def _columns(columns: list[Any], of: ArrayLike, wrt: ArrayLike) -> Array:
    """Derivatives along the entries of ``wrt``, as an array of the axes of both."""
    matrix = np.reshape(columns, (np.size(wrt), np.size(of))).T
    return matrix.reshape(np.shape(of) + np.shape(wrt))


def _sigmoid(x: Array | Scalar) -> Any:
    """1 / (1 + exp(-x)), without overflow."""
    e = np.exp(-np.abs(x))
    return np.maximum(e, np.sign(x)) / (1 + e)  # 1 or e above: no branch to guess at.


def _softplus(x: Array | Scalar) -> Any:
    """log(1 + exp(x)), without overflow."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _xlogy(a: Array | Scalar, b: Array | Scalar) -> Any:
    """a * log(b), and 0 where a is 0."""
    zero = (a == 0) & ~np.isnan(b)
    return np.where(zero, 0, a * np.log(np.where(zero, 1, b)))[()]


def _logsumexp(
    x: Array, axis: tuple[int, ...] | int | None = None, keepdims: bool = False
) -> Any:
    """log(sum(exp(x))), without overflow; -inf where all entries are."""
    peak = x.max(axis=axis, keepdims=True, initial=-np.inf)
    e = x - np.where(np.isfinite(peak), peak, 0)
    np.exp(e, e)
    total = np.log(np.maximum(e.sum(axis=axis, keepdims=True), 1)) + peak
    return total if keepdims else np.squeeze(total, axis=axis)[()]


def _softmax(x: Array, axis: tuple[int, ...] | int) -> Array:
    """exp(x) / sum(exp(x)), without overflow; 0 where all entries are -inf."""
    peak = x.max(axis=axis, keepdims=True, initial=-np.inf)
    result: Array = x - np.where(np.isfinite(peak), peak, 0)
    np.exp(result, result)
    result /= np.maximum(result.sum(axis=axis, keepdims=True), 1)
    return result


def _log_softmax(x: Array, axis: tuple[int, ...] | int) -> Array:
    """log(softmax(x)), without overflow; -inf where all entries are."""
    total: Array = _logsumexp(x, axis, keepdims=True)
    result: Array = x - np.where(np.isfinite(total), total, 0)
    return result


def _cross(a: Array, b: Array) -> Array:
    """The cross product along the last axis, which comes first in memory: what runs over many
    vectors is fast."""
    x, y, z = a[..., 0], a[..., 1], a[..., 2]
    u, v, w = b[..., 0], b[..., 1], b[..., 2]
    result = np.array([y * w - z * v, z * u - x * w, x * v - y * u])
    return result.T if result.ndim < 3 else np.moveaxis(result, 0, -1)


def _prod_others(x: Array) -> Array:
    """Along the last axis, the product of all other entries: exact where entries are 0."""
    before = np.ones_like(x)
    after = np.ones_like(x)
    np.cumprod(x[..., :-1], axis=-1, out=before[..., 1:])
    np.cumprod(x[..., :0:-1], axis=-1, out=after[..., -2::-1])
    result: Array = before * after
    return result


def _place(x: Any, shape: tuple[int, ...], index: Any) -> Array:
    """Zeros of a shape, with x put at a subscript."""
    result = np.zeros(shape, x.dtype)
    result[index] = x
    return result


def _round_on_paper(x: Array, digits: int) -> Array:
    """Rounded half away from zero, as decided on the decimal of 15 significant digits."""
    unit = Decimal(1).scaleb(-digits)

    def rounded(value: float) -> float:
        if not math.isfinite(value) or abs(value) >= 1e15:  # The latter are whole.
            return value
        return float(Decimal(f"{value:.15g}").quantize(unit, ROUND_HALF_UP))

    result: Array = np.vectorize(rounded, otypes=[np.float64])(x).astype(
        np.asarray(x).dtype
    )
    return result
