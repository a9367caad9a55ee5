"""Special functions against SciPy and mpmath, at points where formulas lose digits."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.special
from gradc.dsl.kernels import special, special_scalars

from .helpers import assert_clean, module, second_derivative, source_text

RNG = np.random.default_rng(0)
TINY = 10.0 ** np.arange(-300, 0, 23.0)
ROOT = 1.4616321449683622  # of digamma


def values(expression: str, points: Any) -> Any:
    """An expression at points by NumPy, which agrees with `math` on numbers."""
    text = f"data x: float[n] output out = {expression}"
    found, _ = module(text).forward(np.asarray(points))
    scalar = module(f"data x: float output out = {expression}")
    one_by_one = [scalar.forward(float(p))[0] for p in np.asarray(points)]
    np.testing.assert_allclose(one_by_one, found, rtol=5e-14, atol=5e-14)
    return found


@pytest.mark.parametrize("name", ["erf", "erfc"])
def test_error_functions(name: str) -> None:
    points = np.array([0.0, -0.0, 1e-300, 1e-9, 0.3, -0.5, 1.0, 5.5, 26.0, -26.0, 40.0, -40.0])
    exact = [float(getattr(mpmath, name)(mpmath.mpf(p))) for p in points]
    np.testing.assert_allclose(values(name + "(x)", points), exact, rtol=1e-15, atol=1e-320)
    np.testing.assert_array_equal(
        values(f"{name}(x)", [math.inf, -math.inf, math.nan]),
        getattr(scipy.special, name)([math.inf, -math.inf, math.nan]),
    )


def test_gelu_is_accurate_in_the_tail() -> None:
    text = "input x: float output out = gelu(x)"
    for point in (-30.0, -12.0, -8.0, -1.0, 0.0, 3.0):
        with mpmath.workdps(40):
            x = mpmath.mpf(point)
            exact = float(x * mpmath.ncdf(x))
            slope = float(mpmath.ncdf(x) + x * mpmath.npdf(x))
        value, (gradient,) = module(text).value_and_grad(point)
        # What rounding the argument by a bit does to exp(-x^2 / 2).
        digits = 1e-15 * (5 + point**2)
        assert value == pytest.approx(exact, rel=digits, abs=1e-320)
        assert gradient == pytest.approx(slope, rel=digits, abs=1e-320)


@pytest.mark.parametrize("points", [
    TINY, -TINY, RNG.uniform(0.0, 4.0, 50), RNG.uniform(-8.0, 0.0, 50), 10.0 ** np.arange(1.0, 300, 20),
    [ROOT, -0.5040830082644554, 2.0 + 1e-12, 1.0 - 1e-12, -2.4570247382208006],
], ids=["tiny", "minus tiny", "small", "negative", "huge", "roots"])  # fmt: skip
def test_lgamma_and_digamma(points: Any) -> None:
    with mpmath.workdps(40):
        exact = [float(mpmath.loggamma(mpmath.mpf(float(p))).real) for p in points]
        slopes = [float(mpmath.digamma(mpmath.mpf(float(p)))) for p in points]
    np.testing.assert_allclose(values("lgamma(x)", points), exact, rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(values("digamma(x)", points), slopes, rtol=1e-14, atol=3e-15)
    _, (gradient,) = module("input x: float[n] output out = sum(lgamma(x))").value_and_grad(points)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-14, atol=3e-15)


def test_poles() -> None:
    poles = np.array([0.0, -0.0, -1.0, -2.0, -1e20])
    np.testing.assert_array_equal(values("lgamma(x)", poles), scipy.special.gammaln(poles))
    np.testing.assert_array_equal(values("digamma(x)", poles), scipy.special.digamma(poles))
    np.testing.assert_array_equal(special._polygamma(poles, 1), [math.inf] * 5)
    edges = [math.inf, -math.inf, math.nan]
    np.testing.assert_array_equal(values("lgamma(x)", edges), [math.inf, math.inf, math.nan])
    np.testing.assert_array_equal(values("digamma(x)", edges), [math.inf, math.nan, math.nan])


@pytest.mark.parametrize("order", range(1, 9))
def test_polygamma(order: int) -> None:
    points = np.array(
        [1e-5, 0.1, 0.5, 1.0, ROOT, 3.7, 12.0, 31.0, 1e3, 1e8, -0.1, -0.75, -7.3, -30.9]
    )
    with mpmath.workdps(60):
        exact = [float(mpmath.psi(order, mpmath.mpf(float(p)))) for p in points]
    # A reflected value is a difference; its terms are of the size of the nearest pole's.
    near = np.where(points < 0, np.pi ** (order + 1) * math.factorial(order), 0)
    found = special._polygamma(points, order)
    assert np.all(np.abs(found - exact) <= 2e-14 * np.abs(exact) + 1e-15 * near)
    one_by_one = [special_scalars._polygamma(float(p), order) for p in points]
    assert np.all(np.abs(one_by_one - found) <= 1e-14 * np.abs(exact) + 1e-15 * near)


def sinc_derivative(x: float, order: int) -> float:
    """By the power series, in as many digits as it takes."""
    with mpmath.workdps(60 + 2 * int(abs(x))):
        z = mpmath.pi * mpmath.mpf(x)
        terms = (
            (-1) ** ((m + order) // 2) * z**m / (mpmath.factorial(m) * (m + order + 1))
            for m in range(order % 2, int(9 * abs(x)) + 80, 2)
        )
        return float(mpmath.pi**order * mpmath.fsum(terms))


@pytest.mark.parametrize("order", range(1, 11))
def test_sinc(order: int) -> None:
    """Every order to some digits of its largest value, which it takes near 0."""
    edge = (1 + order / 3) / math.pi
    points = np.array([0.0, 1e-300, 1e-9, -1e-3, 0.1, 0.999 * edge, 1.001 * edge, -1.0, 2.5, 30.25])
    exact = np.array([sinc_derivative(float(p), order) for p in points])
    largest = math.pi**order / (order + 1)
    found = special._sinc_derivative(points, order)
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-14 * largest)
    one_by_one = [special_scalars._sinc_derivative(float(p), order) for p in points]
    np.testing.assert_allclose(one_by_one, exact, rtol=0, atol=1e-14 * largest)
    assert special._sinc_derivative(np.float32(0.3), order).dtype == np.float32


def test_gradients_of_gradients() -> None:
    """To the fourth derivative, written in the language."""
    nested = "node g = grad(e, x) node h = grad(sum(g), x) node k = grad(sum(h), x) output out = grad(sum(k), x)"
    x = np.array([0.3, 1.7, 6.0])
    for name, exact in (
        ("lgamma", scipy.special.polygamma(3, x)),
        ("sinc", np.array([sinc_derivative(float(v), 4) for v in x])),
        ("erf", 2 / np.sqrt(np.pi) * (12 * x - 8 * x**3) * np.exp(-(x**2))),
    ):
        text = f"data x: float[n] node e = sum({name}(x)) {nested}"
        found, _ = module(text).forward(x)
        np.testing.assert_allclose(found, exact, rtol=1e-12, atol=1e-14)
    trigamma = second_derivative("input x: float[n] output out = sum(lgamma(x))", "x", x=x)
    np.testing.assert_allclose(trigamma, scipy.special.polygamma(1, x), rtol=1e-14)


@pytest.mark.parametrize("name", ["isfinite", "isnan", "isinf"])
def test_whether_a_float_is_a_number(name: str) -> None:
    points = [0.0, 1e308, math.inf, -math.inf, math.nan]
    function: Callable[[Any], Any] = getattr(np, name)
    found = values(f"if {name}(x) then 1.0 else 0.0", points)
    np.testing.assert_array_equal(found, function(points))


SPECIFICATIONS = {
    "arrays": """
        input x: float[n, m] > 0
        input v: float[n] > 0
        node a = sinc(x) + erf(x) + erfc(x) + lgamma(x) + digamma(x) + gelu(x)
        node b = var(x, axis=0, correction=1) + std(x, axis=0) + ptp(x, axis=0) + median(x, axis=0)
        node c = cumsum(x, axis=0) + cumprod(x, axis=-1) + batch_norm(x, 2, 1)
        node e = cumsum(v) + cumprod(v) + dropout(v, v > 1, 0.5) + std(v) + ptp(v) + median(v)
        output k = argmax(x, axis=0)
        output l = argmin(v, keepdims=true)
        output f = isfinite(x) and not isnan(x) and not isinf(x)
        output total = sum(a) + sum(b) + sum(c) + sum(e)
        objective total
    """,
    "numbers": """
        input x, z: float
        output f = isfinite(x) and not isnan(x) and not isinf(x)
        output total = sinc(x) + erf(x) + erfc(x) + lgamma(x) + digamma(z) + gelu(x) + std(x) + ptp(z)
        objective total
    """,
}


@pytest.mark.parametrize("name", SPECIFICATIONS)
def test_generated_code_is_clean(name: str, tmp_path: Path) -> None:
    """Formatted, typed, and silent on ordinary inputs."""
    text = SPECIFICATIONS[name]
    path = tmp_path / "generated.py"
    path.write_text(source_text(text), encoding="utf-8")
    assert_clean(tmp_path)
    with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
        warnings.simplefilter("error")
        inputs: Any = (RNG.uniform(0.5, 2.0, (4, 3)), RNG.uniform(0.5, 2.0, 4))
        result = module(text).value_and_grad(*(inputs if name == "arrays" else (0.7, 1.3)))
    assert np.isfinite(result[0])
