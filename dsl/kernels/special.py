"""Special functions of arrays: they keep the dtype, and compute in double precision."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .arrays import Array, Scalar


def _entry_by_entry(function: Any, x: Array | Scalar) -> Any:
    """A function of one number applied to each entry."""
    values = map(function, np.ravel(x).tolist())
    return np.fromiter(values, x.dtype, np.size(x)).reshape(np.shape(x))[()]


def _erf(x: Array | Scalar) -> Any:
    """The error function.

    About 60 ns an entry. Rational approximations on three ranges take some 12 ns each: not
    twice as fast, for thirty coefficients and the last digit.
    """
    return _entry_by_entry(math.erf, x)


def _erfc(x: Array | Scalar) -> Any:
    """1 - erf(x), accurate where that is tiny."""
    return _entry_by_entry(math.erfc, x)


def _lgamma(x: Array | Scalar) -> Any:
    """log(|gamma(x)|); inf at the poles 0, -1, -2, ... and where it overflows."""

    def at(value: float) -> float:
        try:
            return math.lgamma(value)
        except (ValueError, OverflowError):
            return math.inf

    return _entry_by_entry(at, x)


def _polygamma(x: Array | Scalar, order: int) -> Any:
    """The derivatives of digamma, which is that of order 0.

    At 0 infinite, the sign being that of the zero; at negative integers inf for odd orders, nan
    for even ones, where the limits from both sides differ.
    """
    given = np.asarray(x, np.float64)
    z = np.where(given < 0, 1 - given, given)
    total = np.zeros_like(z)
    with np.errstate(divide="ignore"):
        # Where z is small, the recurrence: one term of the defining sum at a time.
        while np.any(small := z < 10 + 2 * order):
            total += np.where(small, (1 / z) ** (order + 1), 0)
            z = np.where(small, z + 1, z)
    total *= math.factorial(order)
    # Then the asymptotic series, whose coefficients are made of Bernoulli's numbers.
    t = 1 / z
    total += math.factorial(order) / 2 * t ** (order + 1)
    total += math.factorial(order - 1) * t**order if order else -np.log(z)
    power = t**order
    bernoulli = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)
    for j, number in enumerate(bernoulli, start=1):
        power = power * t**2
        ratio = math.factorial(2 * j + order - 1) / math.factorial(2 * j)
        total += number * ratio * power
    result = np.asarray(total if order % 2 else -total)
    below = given < 0
    if np.any(below):
        # Reflection takes a slope of cot(pi x), a polynomial of the cotangent.
        slope = [0.0, 1.0]
        for _ in range(order):
            terms = [k * a for k, a in enumerate(slope)][1:]
            slope = [
                -a - b for a, b in zip([*terms, 0, 0], [0, 0, *terms], strict=True)
            ]
        with np.errstate(divide="ignore", invalid="ignore"):
            part = given[below] - np.rint(given[below])
            cotangent = 1 / np.tan(np.pi * part)
        cotangent[part == 0] = np.inf if order % 2 else np.nan
        reflected = np.full_like(cotangent, slope[-1])
        for a in slope[-2::-1]:
            reflected = reflected * cotangent + a
        result[below] = -total[below] - np.pi ** (order + 1) * reflected
    return result.astype(x.dtype)[()]


def _sinc_derivative(x: Array | Scalar, order: int) -> Any:
    """A derivative of sin(pi x) / (pi x), accurate also near 0.

    With f(z) = sin(z) / z and its n-th derivative f_n, z f_n = sin(z + n pi / 2) - n f_(n-1);
    near 0 that cancels, and the power series is summed.
    """
    z = np.pi * np.asarray(x, np.float64)
    near = np.abs(z) < 1 + order / 3
    far = np.where(near, 1, z)
    half = np.asarray(x, np.float64) / 2
    turn = 2 * np.pi * (half - np.rint(half))
    waves = (np.sin(turn), np.cos(turn), -np.sin(turn), -np.cos(turn))
    result = np.asarray(waves[0] / far)
    for n in range(1, order + 1):
        result = np.asarray((waves[n % 4] - n * result) / far)
    z = z[near]
    series = np.zeros_like(z)
    for m in range(20 + 2 * order + order % 2, -1, -2):
        series = 1 / (m + order + 1) - z**2 / ((m + 1) * (m + 2)) * series
    sign = -1 if (order + 1) // 2 % 2 else 1
    result[near] = sign * z ** (order % 2) * series
    return (np.pi**order * result).astype(x.dtype)[()]
