"""Special functions of one number: inf and NaN, never an error."""

from __future__ import annotations

import math


def _lgamma(x: float) -> float:
    """log(|gamma(x)|); inf at the poles 0, -1, -2, ... and where it overflows."""
    try:
        return math.lgamma(x)
    except (ValueError, OverflowError):
        return math.inf


def _polygamma(x: float, order: int) -> float:
    """The derivatives of digamma, which is that of order 0.

    At 0 infinite, the sign being that of the zero; at negative integers inf for odd orders, nan
    for even ones, where the limits from both sides differ.
    """
    if x == 0.0:
        return math.inf if order % 2 else -math.copysign(math.inf, x)
    z = 1.0 - x if x < 0.0 else x
    total = 0.0
    try:
        # Where z is small, the recurrence: one term of the defining sum at a time.
        while z < 10.0 + 2.0 * order:
            total += (1.0 / z) ** (order + 1)
            z += 1.0
    except OverflowError:
        return math.inf if order % 2 else -math.inf
    total *= math.factorial(order)
    # Then the asymptotic series, whose coefficients are made of Bernoulli's numbers.
    t = 1.0 / z
    total += math.factorial(order) / 2.0 * t ** (order + 1)
    total += math.factorial(order - 1) * t**order if order else -math.log(z)
    power = t**order
    bernoulli = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)
    for j, number in enumerate(bernoulli, start=1):
        power *= t**2
        ratio = math.factorial(2 * j + order - 1) / math.factorial(2 * j)
        total += number * ratio * power
    if not x < 0.0:
        return total if order % 2 else -total
    # Reflection takes a slope of cot(pi x), a polynomial of the cotangent.
    part = x - round(x) if math.isfinite(x) else math.nan
    if part == 0.0:
        return math.inf if order % 2 else math.nan
    slope = [0.0, 1.0]
    for _ in range(order):
        terms = [k * a for k, a in enumerate(slope)][1:]
        slope = [-a - b for a, b in zip([*terms, 0, 0], [0, 0, *terms], strict=True)]
    cotangent = 1.0 / math.tan(math.pi * part)
    reflected = slope[-1]
    for a in slope[-2::-1]:
        reflected = reflected * cotangent + a
    return -total - math.pi ** (order + 1) * reflected


def _sinc(x: float) -> float:
    """sin(pi x) / (pi x), and 1 at 0."""
    z = math.pi * x
    if math.isinf(z):
        return math.nan
    return math.sin(z) / z if z != 0.0 else 1.0


def _sinc_derivative(x: float, order: int) -> float:
    """A derivative of sin(pi x) / (pi x), accurate also near 0.

    With f(z) = sin(z) / z and its n-th derivative f_n, z f_n = sin(z + n pi / 2) - n f_(n-1);
    near 0 that cancels, and the power series is summed.
    """
    z = math.pi * x
    if abs(z) < 1.0 + order / 3.0:
        series = 0.0
        for m in range(20 + 2 * order + order % 2, -1, -2):
            series = 1.0 / (m + order + 1) - z**2 / ((m + 1) * (m + 2)) * series
        sign = -1.0 if (order + 1) // 2 % 2 else 1.0
        return math.pi**order * (sign * z ** (order % 2) * series)
    if not math.isfinite(x):
        return math.nan
    half = x / 2.0
    turn = 2.0 * math.pi * (half - round(half))
    sine, cosine = math.sin(turn), math.cos(turn)
    waves = (sine, cosine, -sine, -cosine)
    result = sine / z
    for n in range(1, order + 1):
        result = (waves[n % 4] - n * result) / z
    return math.pi**order * result
