"""Scalar functions with the results of IEEE arithmetic: inf and NaN, never an error."""

from __future__ import annotations

import math


def _int_number(name: str, value: float) -> int:
    """The argument as an integer."""
    if int(value) != value:
        raise ValueError(f"{name}: expected an integer, got {value}")
    return int(value)


def _divide(a: float, b: float) -> float:
    """a / b; a division by zero gives inf or nan."""
    if b != 0.0:
        return a / b
    if a == 0.0 or math.isnan(a) or math.isnan(b):
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def _floor_divide(a: float, b: float) -> float:
    """a // b; a division by zero gives inf or nan."""
    if b == 0.0:
        return _divide(a, b)
    return a // b if math.isfinite(a) else math.nan


def _remainder(a: float, b: float) -> float:
    """a % b; nan where the quotient is not finite."""
    return a % b if b != 0.0 and math.isfinite(a) else math.nan


def _power(a: float, b: float) -> float:
    """a**b; inf for an overflow or a pole, nan where it is not real."""
    try:
        return math.pow(a, b)
    except OverflowError:
        return -math.inf if a < 0.0 and b % 2.0 == 1.0 else math.inf
    except ValueError:
        if a == 0.0:
            return math.copysign(math.inf, a) if b % 2.0 == 1.0 else math.inf
        return math.nan


def _exp(x: float) -> float:
    """The exponential; inf where it overflows."""
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def _expm1(x: float) -> float:
    """exp(x) - 1; inf where it overflows."""
    try:
        return math.expm1(x)
    except OverflowError:
        return math.inf


def _log(x: float) -> float:
    """The logarithm; -inf at 0, nan below."""
    if x > 0.0:
        return math.log(x)
    return -math.inf if x == 0.0 else math.nan


def _log1p(x: float) -> float:
    """log(1 + x); -inf at -1, nan below."""
    if x > -1.0:
        return math.log1p(x)
    return -math.inf if x == -1.0 else math.nan


def _logaddexp(a: float, b: float) -> float:
    """log(exp(a) + exp(b)), without overflow."""
    if a == b:
        return a + math.log(2.0)
    if math.isnan(a) or math.isnan(b):
        return math.nan
    return max(a, b) + math.log1p(math.exp(-abs(a - b)))


def _xlogy(a: float, b: float) -> float:
    """a * log(b), and 0 where a is 0."""
    return 0.0 if a == 0.0 and not math.isnan(b) else a * _log(b)


def _sqrt(x: float) -> float:
    """The square root; nan for negative numbers."""
    return math.sqrt(x) if x >= 0.0 else math.nan


def _sin(x: float) -> float:
    """The sine; nan for infinite numbers."""
    return math.sin(x) if math.isfinite(x) else math.nan


def _cos(x: float) -> float:
    """The cosine; nan for infinite numbers."""
    return math.cos(x) if math.isfinite(x) else math.nan


def _tan(x: float) -> float:
    """The tangent; nan for infinite numbers."""
    return math.tan(x) if math.isfinite(x) else math.nan


def _arcsin(x: float) -> float:
    """The inverse sine; nan outside [-1, 1]."""
    return math.asin(x) if -1.0 <= x <= 1.0 else math.nan


def _arccos(x: float) -> float:
    """The inverse cosine; nan outside [-1, 1]."""
    return math.acos(x) if -1.0 <= x <= 1.0 else math.nan


def _sinh(x: float) -> float:
    """The hyperbolic sine; infinite where it overflows."""
    try:
        return math.sinh(x)
    except OverflowError:
        return math.copysign(math.inf, x)


def _cosh(x: float) -> float:
    """The hyperbolic cosine; infinite where it overflows."""
    try:
        return math.cosh(x)
    except OverflowError:
        return math.inf


def _sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)), without overflow."""
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)


def _softplus(x: float) -> float:
    """log(1 + exp(x)), without overflow."""
    return x if math.isnan(x) else max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def _sign(x: float) -> float:
    """-1, 0 or 1; nan for nan."""
    return x if math.isnan(x) else type(x)((x > 0) - (x < 0))


def _maximum(a: float, b: float) -> float:
    """The larger of two numbers; nan if one is."""
    return a if a >= b or math.isnan(a) else b


def _minimum(a: float, b: float) -> float:
    """The smaller of two numbers; nan if one is."""
    return a if a <= b or math.isnan(a) else b


def _clip(x: float, low: float, high: float) -> float:
    """x held between low and high."""
    return _minimum(_maximum(x, low), high)


def _exp2(x: float) -> float:
    """2**x; inf where it overflows."""
    try:
        return math.exp2(x)
    except OverflowError:
        return math.inf


def _log2(x: float) -> float:
    """The logarithm to base 2; -inf at 0, nan below."""
    if x > 0.0:
        return math.log2(x)
    return -math.inf if x == 0.0 else math.nan


def _log10(x: float) -> float:
    """The logarithm to base 10; -inf at 0, nan below."""
    if x > 0.0:
        return math.log10(x)
    return -math.inf if x == 0.0 else math.nan


def _reciprocal(x: float) -> float:
    """1 / x; infinite at 0."""
    return _divide(1.0, x)


def _arccosh(x: float) -> float:
    """The inverse hyperbolic cosine; nan below 1."""
    return math.acosh(x) if x >= 1.0 else math.nan


def _arctanh(x: float) -> float:
    """The inverse hyperbolic tangent; infinite at -1 and 1, nan outside."""
    if -1.0 < x < 1.0:
        return math.atanh(x)
    return math.copysign(math.inf, x) if abs(x) == 1.0 else math.nan


def _floor(x: float) -> float:
    """The float rounded down."""
    return math.copysign(math.floor(x), x) if math.isfinite(x) else x


def _ceil(x: float) -> float:
    """The float rounded up."""
    return math.copysign(math.ceil(x), x) if math.isfinite(x) else x


def _trunc(x: float) -> float:
    """The float rounded towards 0."""
    return math.copysign(math.trunc(x), x) if math.isfinite(x) else x


def _round(x: float) -> float:
    """The float rounded to an integer, halves to the even one."""
    return math.copysign(round(x), x) if math.isfinite(x) else x
