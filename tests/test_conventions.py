"""The derivative conventions, row by row, on generated code; second derivatives on the graph."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest

from .helpers import module, second_derivative

INF, NAN = math.inf, math.nan


def value_and_grad(text: str, *inputs: Any) -> tuple[Any, Any]:
    """The objective and its gradients, with every warning an error; ``backward`` agrees."""
    loaded = module(text)
    with warnings.catch_warnings(), np.errstate(divide="raise", over="raise", invalid="raise"):
        warnings.simplefilter("error")
        value, gradients = loaded.value_and_grad(*inputs)
        out, cache = loaded.forward(*inputs)
        again = loaded.backward(cache)
    np.testing.assert_array_equal(out, value)
    for one, other in zip(gradients, again, strict=True):
        np.testing.assert_array_equal(one, other)
        assert np.all(np.isfinite(one) | (np.asarray(one) == one)), "a NaN that nothing explains"
    return value, gradients


def loud(text: str, *inputs: Any) -> tuple[Any, Any]:
    """As above, where infinities are right and NumPy may say so."""
    loaded = module(text)
    with np.errstate(all="ignore"):
        value, gradients = loaded.value_and_grad(*inputs)
        out, cache = loaded.forward(*inputs)
        again = loaded.backward(cache)
    np.testing.assert_array_equal(out, value)
    for one, other in zip(gradients, again, strict=True):
        np.testing.assert_array_equal(one, other)
    return value, gradients


def slopes(expression: str, *points: float, names: str = "x", quiet: bool = True) -> list[float]:
    """The slopes of a function of scalars, by ``math`` and by NumPy, which agree."""
    run = value_and_grad if quiet else loud
    _, by_math = run(f"input {names}: float output out = {expression}", *points)
    text = f"input {names}: float[1] output out = sum({expression})"
    _, by_numpy = run(text, *(np.array([p]) for p in points))
    np.testing.assert_array_equal([float(g) for g in by_math], [float(g[0]) for g in by_numpy])
    return [float(g) for g in by_math]


def seconds(expression: str, *points: float, names: str = "x", wrt: str = "x") -> float:
    text = f"input {names}: float output out = {expression}"
    values = dict(zip(names.split(", "), points, strict=True))
    return float(second_derivative(text, wrt, **values))


# ── Kinks ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("x, slope", [(0.0, 0.0), (-0.0, 0.0), (1.0, 1.0), (-1.0, 0.0)])
def test_relu(x: float, slope: float) -> None:
    assert slopes("relu(x)", x) == [slope]
    assert seconds("relu(x)", x) == 0.0


@pytest.mark.parametrize("x, slope", [(0.0, 0.0), (-0.0, 0.0), (2.0, 1.0), (-2.0, -1.0)])
def test_abs(x: float, slope: float) -> None:
    assert slopes("abs(x)", x) == [slope]


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_maximum_and_minimum_share_at_a_tie(name: str) -> None:
    assert slopes(f"{name}(a, b)", 1.5, 1.5, names="a, b") == [0.5, 0.5]
    assert slopes(f"{name}(a, b)", 0.0, -0.0, names="a, b") == [0.5, 0.5]
    assert slopes(f"{name}(a, b)", INF, INF, names="a, b") == [0.5, 0.5]
    larger = [1.0, 0.0] if name == "maximum" else [0.0, 1.0]
    assert slopes(f"{name}(a, b)", 2.0, 1.0, names="a, b") == larger
    assert slopes(f"{name}(x, x)", 1.0) == [1.0]


def test_sort_is_a_permutation() -> None:
    text = "input x: float[5] output out = sum([1, 2, 4, 8, 16] * sort(x))"
    _, gradients = value_and_grad(text, np.array([3.0, 1.0, 3.0, -2.0, 1.0]))
    np.testing.assert_array_equal(gradients.x, [8.0, 2.0, 16.0, 1.0, 4.0])  # Ties in order.
    (second,) = {
        float(v) for v in second_derivative(text, "x", x=np.array([3.0, 1.0, 3.0, 0.0, 1.0]))
    }
    assert second == 0.0


def test_tied_entries_of_a_pool_share() -> None:
    text = "input x: float[2, 4] output out = sum([[3, 5]] * max_pool2d(x))"
    _, gradients = value_and_grad(text, np.array([[1.0, 1.0, 0.0, 2.0], [1.0, 0.0, -1.0, 1.0]]))
    np.testing.assert_array_equal(gradients.x, [[1, 1, 0, 5], [1, 0, 0, 0]])


def test_the_slope_of_a_trace_is_0_off_the_diagonal_even_where_it_is_infinite() -> None:
    _, gradients = loud("input x: float[2, 2] output out = sqrt(trace(x))", np.zeros((2, 2)))
    np.testing.assert_array_equal(gradients.x, [[INF, 0], [0, INF]])


def test_the_value_of_a_padding_has_no_slope() -> None:
    text = "input x: float[2] output out = sum(pad(x, 1, value=3)^2)"
    value, gradients = value_and_grad(text, np.array([1.0, 2.0]))
    assert value == 23.0
    np.testing.assert_array_equal(gradients.x, [2.0, 4.0])


def test_maximum_with_zero_is_not_relu() -> None:
    assert slopes("maximum(x, 0)", 0.0) == [0.5]
    assert slopes("maximum(0, x)", 0.0) == [0.5]


@pytest.mark.parametrize("name", ["max", "min"])
def test_max_and_min_share_evenly(name: str) -> None:
    text = f"input x: float[n] output out = {name}(x)"
    _, (gradient,) = value_and_grad(text, [1.0, 1.0, 1.0])
    np.testing.assert_allclose(gradient, [1 / 3] * 3)
    sign = 1.0 if name == "max" else -1.0
    _, (gradient,) = value_and_grad(text, sign * np.array([2.0, 1.0, 2.0, 0.0]))
    np.testing.assert_array_equal(gradient, [0.5, 0.0, 0.5, 0.0])
    rows = f"input x: float[2, m] output out = sum({name}(x, axis=1) * [1.0, 2.0])"
    _, (gradient,) = value_and_grad(rows, sign * np.array([[1.0, 1.0], [0.0, 3.0]]))
    np.testing.assert_array_equal(gradient, [[0.5, 0.5], [0.0, 2.0]])
    both = f"input x: float[n, m] output out = {name}(x, axis=[0, 1])"
    _, (gradient,) = value_and_grad(both, sign * np.array([[1.0, 3.0], [3.0, 3.0]]))
    np.testing.assert_allclose(gradient, [[0.0, 1 / 3], [1 / 3, 1 / 3]])


@pytest.mark.parametrize(
    "x, expected",
    [(0.5, [1, 0, 0]), (0.0, [1, 0, 0]), (1.0, [1, 0, 0]), (-0.5, [0, 1, 0]), (1.5, [0, 0, 1])],
)
def test_clip(x: float, expected: list[float]) -> None:
    assert slopes("clip(x, low, high)", x, 0.0, 1.0, names="x, low, high") == expected
    assert slopes("clip(x, 0, 1)", x) == expected[:1]
    assert slopes("clip(x, 0.0, 1.0)", x) == expected[:1]


def test_clip_is_not_rewritten_to_minimum_and_maximum() -> None:
    assert slopes("clip(x, 0, inf)", 0.0) == [1.0]
    assert slopes("maximum(x, 0)", 0.0) == [0.5]
    assert slopes("minimum(maximum(x, 0), 1)", 0.0) == [0.5]


@pytest.mark.parametrize("x", [0.0, -0.0, 1e-300])
def test_sinc_at_zero(x: float) -> None:
    assert abs(slopes("sinc(x)", x)[0]) <= 4 * abs(x)
    assert math.isclose(seconds("sinc(x)", x), -(math.pi**2) / 3, rel_tol=1e-15)


# ── Norms and roots ─────────────────────────────────────────────────────────


def test_norm_at_zero() -> None:
    text = "input x: float[n] output out = norm(x)"
    value, (gradient,) = value_and_grad(text, np.zeros(3))
    assert value == 0.0
    np.testing.assert_array_equal(gradient, np.zeros(3))
    np.testing.assert_array_equal(second_derivative(text, "x", x=np.zeros(3)), np.zeros(3))


@pytest.mark.parametrize("axis", ["axis=0", "axis=1", "axis=1, keepdims=true", "axis=[0, 1]"])
def test_norm_at_zero_over_an_axis(axis: str) -> None:
    text = f"input x: float[n, m] output out = sum(norm(x, {axis}))"
    x = np.array([[0.0, 0.0], [0.0, 2.0]])
    _, (gradient,) = value_and_grad(text, x)
    np.testing.assert_array_equal(gradient, [[0.0, 0.0], [0.0, 1.0]])
    np.testing.assert_array_equal(
        second_derivative(text, "x", x=np.zeros((2, 2))), np.zeros((2, 2))
    )


def test_norm_of_a_scalar_is_abs() -> None:
    assert slopes("norm(x)", 0.0) == [0.0]
    assert slopes("norm(x)", -2.0) == [-1.0]


def test_norm_squared_is_a_sum_of_squares() -> None:
    text = "input x: float[n] output out = norm(x)^2"
    assert "norm" not in module(text).value_and_grad.__code__.co_names
    value, (gradient,) = value_and_grad(text, np.zeros(3))
    assert value == 0.0
    np.testing.assert_array_equal(gradient, np.zeros(3))
    np.testing.assert_array_equal(second_derivative(text, "x", x=np.zeros(3)), np.full(3, 2.0))
    other = "input x: float[n, m] output out = norm(x)^2"
    _, (gradient,) = value_and_grad(other, [[3.0, 4.0]])
    np.testing.assert_array_equal(gradient, [[6.0, 8.0]])


def test_root_of_a_sum_of_squares_at_zero() -> None:
    text = "input x: float[n] output out = sqrt(sum(x^2))"
    with np.errstate(all="ignore"):
        _, (gradient,) = module(text).value_and_grad(np.zeros(3))
    np.testing.assert_array_equal(gradient, np.zeros(3))
    np.testing.assert_array_equal(second_derivative(text, "x", x=np.zeros(3)), np.zeros(3))


def test_sqrt_at_zero() -> None:
    assert slopes("sqrt(x)", 0.0, quiet=False) == [INF]
    assert slopes("0 * sqrt(x)", 0.0, quiet=False) == [0.0]
    assert slopes("sqrt(x)^2", 0.0, quiet=False) == [0.0]
    assert slopes("-sqrt(x)", 0.0, quiet=False) == [-INF]


def test_sqrt_where_nothing_arrives_does_not_warn() -> None:
    assert slopes("0 * sqrt(x)", 0.0) == [0.0]


def test_guard_of_sqrt_tests_the_singular_operand_too() -> None:
    assert seconds("(sqrt(x) - 1)^2", 1.0) == 0.5
    assert math.isclose(seconds("(sqrt(x) - 1)^2", 4.0), 0.0625)


@pytest.mark.parametrize("x", [[0.1] * 3, [0.0] * 3, [-1e30] * 4, [5.0], [INF, INF]])
def test_std_of_constants(x: list[float]) -> None:
    """Exactly 0, also where the mean is not exact: NumPy's std of three 0.1 is 1e-17."""
    text = "input x: float[n] output out = std(x)"
    _, (gradient,) = loud(text, np.array(x))
    np.testing.assert_array_equal(gradient, np.zeros(len(x)))
    np.testing.assert_array_equal(second_derivative(text, "x", x=x), np.zeros(len(x)))


def test_std_of_constants_along_an_axis() -> None:
    x = np.array([[0.1, 0.1, 0.1], [1.0, 2.0, 3.0]])
    exact = np.array([-1.0, 0.0, 1.0]) / (3.0 * np.sqrt(2.0 / 3.0))
    for options in ("axis=1", "axis=-1, keepdims=true"):
        text = f"input x: float[n, m] output out = sum(std(x, {options}))"
        _, (gradient,) = value_and_grad(text, x)
        np.testing.assert_array_equal(gradient[0], np.zeros(3))
        np.testing.assert_allclose(gradient[1], exact, rtol=1e-14)
    scalar, (gradient,) = value_and_grad("input x: float output out = std(x) + var(x)", 0.1)
    assert (scalar, gradient) == (0.0, 0.0)


def test_std_so_small_that_its_square_is_0() -> None:
    _, (gradient,) = value_and_grad("input x: float[n] output out = std(x)", [1e-200, 2e-200])
    np.testing.assert_array_equal(gradient, [0.0, 0.0])


def test_std_in_a_branch_not_taken() -> None:
    text = """
    input x: float[n, m]
    output out = sum(if x[:, 0] > 0 then std(log(x), axis=1) else 0)
    """
    _, (gradient,) = value_and_grad(text, np.array([[1.0, 2.0], [-1.0, 0.0]]))
    np.testing.assert_allclose(gradient[0], [-0.5, 0.25])
    np.testing.assert_array_equal(gradient[1], [0.0, 0.0])


# ── Powers ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("n, first, second", [
    (0, 0.0, 0.0), (1, 1.0, 0.0), (2, 0.0, 2.0), (3, 0.0, 0.0), (4, 0.0, 0.0),
])  # fmt: skip
def test_integer_powers_at_zero(n: int, first: float, second: float) -> None:
    assert slopes(f"x^{n}", 0.0) == [first]
    assert seconds(f"x^{n}", 0.0) == second
    assert slopes(f"x^{n}", -1.0) == [n * (-1.0) ** (n - 1)]


def test_integer_powers_of_negative_numbers() -> None:
    assert slopes("x^3", -2.0) == [12.0]
    assert seconds("x^3", -2.0) == -12.0
    assert slopes("x^-1", -2.0) == [-0.25]
    assert slopes("x^-2", 0.0, quiet=False) == [-INF]
    assert slopes("2^-1 * x", 3.0) == [0.5]


@pytest.mark.parametrize("y, slope", [(2.0, 0.0), (0.5, 0.0), (0.0, 0.0), (-1.0, -INF)])
def test_power_of_zero_by_its_exponent(y: float, slope: float) -> None:
    assert slopes("x^p", 0.0, y, names="x, p", quiet=False)[1] == slope


def test_power_of_zero_by_its_base() -> None:
    assert slopes("x^p", 0.0, 0.0, names="x, p", quiet=False)[0] == 0.0
    assert slopes("x^p", 0.0, 1.0, names="x, p", quiet=False)[0] == 1.0
    assert slopes("x^p", 0.0, 3.0, names="x, p", quiet=False)[0] == 0.0


def test_power_of_zero_does_not_warn_where_it_is_regular() -> None:
    assert slopes("x^p", 0.0, 2.0, names="x, p") == [0.0, 0.0]


# ── Products ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("x, expected", [
    ([2.0, 0.0, 3.0], [0.0, 6.0, 0.0]), ([0.0, 0.0, 3.0], [0.0, 0.0, 0.0]), ([5.0], [1.0]),
    ([0.0], [1.0]), ([], []), ([1.0, -2.0, 4.0], [-8.0, 4.0, -2.0]),
])  # fmt: skip
def test_prod(x: list[float], expected: list[float]) -> None:
    _, (gradient,) = value_and_grad("input x: float[n] output out = prod(x)", np.array(x))
    np.testing.assert_array_equal(gradient, expected)


def test_prod_over_axes() -> None:
    x = np.array([[2.0, 0.0], [0.0, 4.0]])
    _, (gradient,) = value_and_grad("input x: float[n, m] output out = sum(prod(x, axis=0))", x)
    np.testing.assert_array_equal(gradient, [[0.0, 4.0], [2.0, 0.0]])
    _, (gradient,) = value_and_grad("input x: float[n, m] output out = prod(x)", x)
    np.testing.assert_array_equal(gradient, np.zeros((2, 2)))


def test_second_derivative_of_prod_with_zeros() -> None:
    text = "input x: float[n] output out = prod(x)"
    # The gradient is the product of the others; the sum of its own gradient, that of pairs.
    np.testing.assert_array_equal(second_derivative(text, "x", x=[0.0, 0.0, 3.0]), [3.0, 3.0, 0.0])
    np.testing.assert_array_equal(second_derivative(text, "x", x=[0.0, 2.0, 3.0]), [5.0, 3.0, 2.0])
    np.testing.assert_array_equal(second_derivative(text, "x", x=[0.0, 0.0, 0.0]), np.zeros(3))


@pytest.mark.parametrize(
    "x, expected",
    [
        ([2.0, 3.0, 4.0], [1 + 3 + 12, 2 + 8, 6]),
        ([2.0, 0.0, 4.0], [1, 2 + 8, 0]),
        ([0.0, 3.0, 0.0], [1 + 3, 0, 0]),
        ([0.0, 0.0, 4.0], [1, 0, 0]),
        ([0.0, 0.0, 0.0], [1, 0, 0]),
    ],
)
def test_cumprod_with_zeros(x: list[float], expected: list[float]) -> None:
    _, (gradient,) = value_and_grad("input x: float[n] output out = sum(cumprod(x))", np.array(x))
    np.testing.assert_array_equal(gradient, expected)
    rows = "input x: float[2, m] output out = sum(cumprod(x, axis=1) * [[1.0], [2.0]])"
    _, (gradient,) = value_and_grad(rows, np.array([x, x]))
    np.testing.assert_array_equal(gradient, [expected, 2 * np.array(expected)])


def test_higher_derivatives_of_cumprod_with_zeros() -> None:
    text = "input x: float[n] output out = sum(cumprod(x))"
    # The gradient of a + ab + abc is [1 + b + bc, a + ac, ab]; its entries' sum is differentiated.
    for x in ([0.0, 0.0, 0.0], [0.0, 3.0, 0.0], [2.0, 0.0, 5.0], [2.0, 3.0, 5.0]):
        a, b, c = x
        wanted = [1 + c + b, 1 + c + a, b + a]
        np.testing.assert_array_equal(second_derivative(text, "x", x=x), wanted)
    third = """
    data x: float[n]
    node s = sum(cumprod(x))
    node g = grad(s, x)
    node h = grad(sum(g), x)
    output out = grad(sum(h), x)
    """
    out, _ = module(third).forward(np.zeros(3))
    np.testing.assert_array_equal(out, [2.0, 2.0, 2.0])


def test_running_sums_in_branches_not_taken() -> None:
    """What comes after does not count for what comes before."""
    for name in ("cumsum", "cumprod"):
        text = f"""
        data i: float[n]
        input x: float[n]
        output out = sum(if i < 2 then {name}(log(x)) else 0)
        """
        _, (gradient,) = value_and_grad(text, np.arange(4.0), np.array([2.0, 4.0, 0.0, -1.0]))
        log = np.log([2.0, 4.0])
        first = [2.0, 1.0] if name == "cumsum" else [1 + log[1], log[0]]
        np.testing.assert_allclose(gradient, [first[0] / 2, first[1] / 4, 0.0, 0.0])


# ── Order ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "x, expected",
    [
        ([3.0, 1.0, 2.0], [0, 0, 1]),
        ([1.0, 1.0, 1.0], [0, 1, 0]),
        ([2.0, 1.0, 4.0, 3.0], [0.5, 0, 0, 0.5]),
        ([2.0, 2.0, 2.0, 2.0], [0, 0.5, 0.5, 0]),
        ([3.0, 1.0, 1.0, 3.0], [0.5, 0, 0.5, 0]),
        ([7.0], [1]),
    ],
)
def test_median_ties_by_order(x: list[float], expected: list[float]) -> None:
    _, (gradient,) = value_and_grad("input x: float[n] output out = median(x)", np.array(x))
    np.testing.assert_array_equal(gradient, expected)
    _, (gradient,) = value_and_grad(
        "input x: float[n, m] output out = sum(median(x, axis=0))", np.array([x, x]).T
    )
    np.testing.assert_array_equal(gradient, np.array([expected, expected]).T)


def test_ptp_of_constants() -> None:
    _, (gradient,) = value_and_grad("input x: float[n] output out = ptp(x)", np.ones(4))
    np.testing.assert_array_equal(gradient, np.zeros(4))


def test_the_first_of_several_best() -> None:
    text = "data x: float[n, m] output a = argmax(x) output b = argmin(x, axis=1)"
    out, _ = module(text).forward([[1.0, 3.0, 1.0], [0.0, 3.0, 0.0]])
    assert out.a == 1
    np.testing.assert_array_equal(out.b, [0, 0])


# ── Exponentials ────────────────────────────────────────────────────────────


def test_logsumexp_of_minus_infinities() -> None:
    text = "input x: float[n] output out = logsumexp(x)"
    value, (gradient,) = value_and_grad(text, np.full(3, -INF))
    assert value == -INF
    np.testing.assert_array_equal(gradient, np.zeros(3))
    value, (gradient,) = value_and_grad(text, np.array([-INF, 1.0]))
    assert value == 1.0
    np.testing.assert_array_equal(gradient, [0.0, 1.0])


def test_softmax_of_minus_infinities() -> None:
    text = "input x: float[n] input w: float[n] output out = sum(w * softmax(x))"
    value, gradients = value_and_grad(text, np.full(3, -INF), np.arange(3.0))
    assert value == 0.0
    np.testing.assert_array_equal(gradients.x, np.zeros(3))
    np.testing.assert_array_equal(gradients.w, np.zeros(3))


def test_log_softmax_of_minus_infinities() -> None:
    text = "input x: float[n] output out = log_softmax(x)"
    out, cache = module(text).forward(np.full(3, -INF))
    np.testing.assert_array_equal(out, np.full(3, -INF))
    # As x - logsumexp(x), whose second term has the gradient 0 there.
    (gradient,) = module(text).backward(cache, np.ones(3))
    np.testing.assert_array_equal(gradient, np.ones(3))


@pytest.mark.parametrize("x", [1000.0, -1000.0, 0.0, 40.0])
def test_stable_functions(x: float) -> None:
    assert 0.0 <= slopes("softplus(x)", x)[0] <= 1.0
    assert 0.0 <= slopes("sigmoid(x)", x)[0] <= 0.25
    assert 0.0 <= slopes("tanh(x)", x)[0] <= 1.0
    text = "input x: float[2] output out = logsumexp(x)"
    _, (gradient,) = value_and_grad(text, np.array([x, x]))
    np.testing.assert_array_equal(gradient, [0.5, 0.5])


# ── Branches ────────────────────────────────────────────────────────────────

BRANCHES = [
    ("if x > 0 then log(x) else 0", -1.0, 0.0),
    ("if x > 0 then log(x) else 0", 0.0, 0.0),
    ("if x > 0 then log(x) else 2 * x", -1.0, 2.0),
    ("if x > 0 then 1 / x else 3 * x", 0.0, 3.0),
    ("if x > 0 then sqrt(x) else x", 0.0, 1.0),
    ("if x > 0 then sqrt(x) else x", -4.0, 1.0),
    ("if x < 100 then x else exp(x)", 1.0, 1.0),
    ("if x >= 100 then x else exp(x)", 1000.0, 1.0),
    ("if x >= 100 then x else exp(exp(x))", 1000.0, 1.0),
    ("if x != 0 then x^-2 else x", 0.0, 1.0),
    ("if x > 0 then x^0.5 else -x", -1.0, -1.0),
    ("if x > 0 then x^0.5 else -x", 0.0, -1.0),
    ("if x > 0 then log(x) * x else x^2", 0.0, 0.0),
    ("if x > -1 and x < 1 then arcsin(x) else x", 2.0, 1.0),
    ("if x > 0 then (if x > 1 then log(x - 1) else sqrt(1 - x)) else x", -3.0, 1.0),
    ("if x > 0 then (if x > 1 then log(x - 1) else x) else 1 / x", 0.5, 1.0),
    ("if x > 0 then (if x > 1 then log(x - 1) else x) else log(-x)", 0.5, 1.0),
    ("if x > 0 then (if x > 1 then log(x - 1) else 5 * x) else log(-x)", 1.0, 5.0),
    ("(if x > 0 then log(x) else 0) + (if x > 0 then 0 else x)", -1.0, 1.0),
    ("(if x > 0 then log(x) else 0) * (if x > 0 then sqrt(x) else 1) + x", -1.0, 1.0),
    ("2 * (if x > 0 then 3 * log(x) + 1 / x else x)", 0.0, 2.0),
    ("if x > 0 then x / (x - x) else 7 * x", -1.0, 7.0),
    ("if x > 0 then tan(x) else x % 0 * 0 + x", 1.0, 1.0 + math.tan(1.0) ** 2),
    ("if x > 0 then log(x) else if x < -1 then log(-1 - x) else 4 * x", -0.5, 4.0),
    ("exp(if x > 0 then log(log(x)) else x)", 0.0, 1.0),
    ("if true then x else log(x)", -1.0, 1.0),
    ("if x == x then x else log(-1 * x^2)", 1.0, 1.0),
]


@pytest.mark.parametrize("expression, x, slope", BRANCHES)
def test_branch_not_taken(expression: str, x: float, slope: float) -> None:
    """It contributes 0, raises nothing and warns of nothing, in scalar and in array modules."""
    (found,) = slopes(expression, x)
    assert math.isclose(found, slope, rel_tol=1e-15)


@pytest.mark.parametrize("expression, x, slope", BRANCHES)
def test_branch_not_taken_beside_taken_ones(expression: str, x: float, slope: float) -> None:
    """In an array, other entries take the other branch."""
    text = f"input x: float[n] output out = sum({expression})"
    others = np.array([x, 0.75, x, 1.5])
    _, (gradient,) = loud(text, others)
    assert math.isclose(gradient[0], slope, rel_tol=1e-15)
    assert math.isclose(gradient[2], slope, rel_tol=1e-15)


@pytest.mark.parametrize("expression, x, slope", BRANCHES)
def test_branch_not_taken_in_an_array_of_functions(expression: str, x: float, slope: float) -> None:
    """The same inside a function, its argument an expression."""
    body = (
        expression.replace("exp(", "EXP(")
        .replace("x", "t")
        .replace("EtP(", "exp(")
        .replace("EXP(", "exp(")
    )
    body = body.replace("etp(", "exp(")
    text = f"def f(t) = {body} input x: float[n] output out = sum(f(1 * x))"
    _, (gradient,) = value_and_grad(text, np.array([x]))
    assert math.isclose(gradient[0], slope, rel_tol=1e-15)


@pytest.mark.parametrize("expression, x, slope", BRANCHES)
def test_second_derivative_through_branches(expression: str, x: float, slope: float) -> None:
    del slope
    assert np.isfinite(seconds(expression, x))


def test_functions_inlined_in_branches() -> None:
    text = """
    def root(t) { node r = sqrt(t) return r * log(t) }
    def safe(t) = if t > 0 then root(t) else 0
    input x: float[n]
    output out = sum(safe(x) + x)
    """
    value, (gradient,) = value_and_grad(text, np.array([-1.0, 0.0]))
    assert value == -1.0
    np.testing.assert_array_equal(gradient, [1.0, 1.0])
    scalar = text.replace("float[n]", "float").replace("sum(safe(x) + x)", "safe(x) + x")
    assert value_and_grad(scalar, -1.0) == (-1.0, (1.0,))


def test_scalar_condition_on_arrays() -> None:
    text = """
    input x: float[n]
    data flag: bool
    output out = if flag then sum(log(x)) else sum(x)
    """
    value, (gradient,) = value_and_grad(text, np.array([-1.0, 0.0]), False)
    assert value == -1.0
    np.testing.assert_array_equal(gradient, [1.0, 1.0])


def test_scalar_condition_on_a_product_of_matrices() -> None:
    text = """
    input W: float[n, n]
    input x: float[n]
    data flag: bool
    output out = if flag then sum(W @ log(x)) else sum(x)
    """
    _, gradients = value_and_grad(text, np.full((2, 2), 2.0), np.array([0.0, -1.0]), False)
    np.testing.assert_array_equal(gradients.x, [1.0, 1.0])
    np.testing.assert_array_equal(gradients.W, np.zeros((2, 2)))


ARRAY_BRANCHES = [
    "if m > 0 then W @ log(x) else 0",
    "if m > 0 then W @ (1 / x) else m",
    "if m > 0 then sqrt(x) * log(x) else 0",
    "if m > 0 then sum(log(x)) else 0",
    "if m > 0 then sum(W * log(x), axis=1) else 0",
    "if m > 0 then norm(W / x, axis=1) else 0",
    "if m > 0 then max(W / x, axis=1) else 0",
    "if m > 0 then prod(W / x, axis=1) else 0",
    "if m > 0 then logsumexp(W / x, axis=1) else 0",
    "if m > 0 then mean(W * log(x), axis=1) else 0",
    "if m > 0 then softmax(1 / x) else 0",
    "if m > 0 then log_softmax(1 / x) else 0",
    "if m > 0 then concat(log(x[1:]), log(x[:1])) else 0",
    "if m > 0 then log(x)[::-1] else 0",
    "if m > 0 then (W / x).T[0] else 0",
    "if m > 0 then reshape(log(x), [2, 2])[0, 0] else 0",
    "if m > 0 then stack(log(x), 1 / x)[0] else 0",
    "if m > 0 then dot(log(x), 1 / x) else 0",
    "if m > 0 then outer(log(x), 1 / x)[0] else 0",
    "if m > 0 then log(x) @ W else 0",
    "if m > 0 then norm(1 / x)^2 else 0",
    "if m > 0 then [log(x[0]), 1 / x[1], 2, sqrt(x[2])] else 0",
    "if m > 0 then expand_dims(log(x), 0)[0] else 0",
]


@pytest.mark.parametrize("expression", ARRAY_BRANCHES)
def test_array_branch_that_no_entry_takes(expression: str) -> None:
    text = f"""
    input W: float[4, 4]
    input x: float[4]
    data m: float[4]
    output out = sum({expression}) + sum(x)
    """
    x = np.array([0.0, -1.0, 0.0, -2.0])
    _, gradients = value_and_grad(text, np.ones((4, 4)), x, np.zeros(4))
    np.testing.assert_array_equal(gradients.x, np.ones(4))
    np.testing.assert_array_equal(gradients.W, np.zeros((4, 4)))


ROWWISE = [
    "sum(log(A), axis=1)", "mean(log(A), axis=1)", "max(1 / A, axis=1)", "min(log(A), axis=1)",
    "norm(1 / A, axis=1)", "logsumexp(log(A), axis=1)", "prod(log(A), axis=1)",
    "sum(softmax(log(A)) * A, axis=1)", "sum(log_softmax(log(A)) * A, axis=1)",
    "log(A)[:, 0]", "log(A) @ v", "(A^-1) @ v", "sum(log(A) @ B, axis=1)", "sum(log(A).T, axis=0)",
    "squeeze(log(A)[:, 0:1])", "sum(concat(log(A), A, axis=1), axis=1)",
    "sum(stack(log(A), A), axis=[0, 2])",
]  # fmt: skip


@pytest.mark.parametrize("expression", ROWWISE)
def test_rows_that_are_not_taken(expression: str) -> None:
    """Where an operation mixes entries of a row, a row that is not taken stays out of it."""
    text = f"""
    input A: float[3, 2]
    data v: float[2]
    data B: float[2, 2]
    data m: bool[3]
    output out = sum(if m then {expression} else 0)
    """
    v, b = np.array([1.0, 2.0]), np.array([[1.0, 2.0], [3.0, -1.0]])
    good = np.array([[1.0, 2.0], [1.0, 1.5], [3.0, 1.0]])
    bad = good.copy()
    bad[1] = [0.0, -1.0]
    taken = np.array([True, False, True])
    _, wanted = value_and_grad(text, good, v, b, taken)
    _, found = value_and_grad(text, bad, v, b, taken)
    np.testing.assert_array_equal(wanted.A[1], [0.0, 0.0])
    np.testing.assert_array_equal(found.A, wanted.A)


def test_named_node_used_in_a_branch_only() -> None:
    text = """
    input x: float[n]
    node l = log(x)
    node r = 1 / l
    output out = sum(if x > 0 then l * r else x)
    """
    value, (gradient,) = value_and_grad(text, np.array([-1.0, 0.0, -3.0]))
    assert value == -4.0
    np.testing.assert_array_equal(gradient, np.ones(3))


def test_nan_in_data_of_the_branch_not_taken() -> None:
    text = """
    input w: float
    data t: float[n]
    output out = sum(if t == t then (t - w)^2 else 0)
    """
    value, (gradient,) = value_and_grad(text, 1.0, np.array([2.0, NAN, 4.0]))
    assert value == 10.0
    assert gradient == -8.0


def test_two_branches_share_what_they_compute() -> None:
    text = """
    input x: float[n]
    node s = sqrt(x)
    output out = sum(if x > 1 then s else if x > 0 then 2 * s else x)
    """
    _, (gradient,) = value_and_grad(text, np.array([4.0, 0.25, -1.0, 0.0]))
    np.testing.assert_array_equal(gradient, [0.25, 2.0, 1.0, 1.0])


def test_logarithm_of_a_probability() -> None:
    text = "input p: float[n] output out = -sum(if p > 0 then p * log(p) else 0)"
    value, (gradient,) = value_and_grad(text, np.array([0.5, 0.5, 0.0]))
    assert math.isclose(value, math.log(2.0))
    np.testing.assert_allclose(gradient, [math.log(2.0) - 1.0, math.log(2.0) - 1.0, 0.0])


# ── What nothing reaches ────────────────────────────────────────────────────


def test_input_that_does_not_reach_the_objective() -> None:
    text = "input x: float[n] input z: float[n, 2] output out = sum(x)"
    _, gradients = value_and_grad(text, np.ones(3), np.ones((3, 2)))
    np.testing.assert_array_equal(gradients.z, np.zeros((3, 2)))


@pytest.mark.parametrize("expression", ["sign(x)", "x // 2.0", "detach(x)", "detach(x)^2 * 3"])
def test_no_gradient(expression: str) -> None:
    assert slopes(expression, 3.0) == [0.0]


def test_detach_stops_one_path_only() -> None:
    assert slopes("x * detach(x)", 3.0) == [3.0]
    assert slopes("x^2 * detach(x)", 3.0) == [18.0]


# ── Not built yet ───────────────────────────────────────────────────────────


@pytest.mark.parametrize("expression, x, value, slope", [
    ("log(1 + exp(x))", 1000.0, 1000.0, 1.0),
    ("1 / (1 + exp(-x))", -1000.0, 0.0, 0.0),
    ("log(sigmoid(x))", -1000.0, -1000.0, 1.0),
    ("exp(x) - 1", 1e-12, math.expm1(1e-12), math.exp(1e-12)),
    ("log(1 + x)", 1e-17, 1e-17, 1.0),
    ("sqrt(x^2 + x^2)", 1e200, math.sqrt(2.0) * 1e200, math.sqrt(2.0)),
])  # fmt: skip
def test_stable_rewrites(expression: str, x: float, value: float, slope: float) -> None:
    found, gradients = loud(f"input x: float output out = {expression}", x)
    assert math.isclose(found, value, rel_tol=1e-15)
    assert math.isclose(gradients.x, slope, rel_tol=1e-12)


@pytest.mark.parametrize("expression", ["log(sum(exp(x)))", "sum(x * log(softmax(x)))"])
def test_stable_rewrites_of_arrays(expression: str) -> None:
    text = f"input x: float[n] output out = {expression}"
    found, gradients = loud(text, np.array([1000.0, 0.0]))
    assert np.isfinite(found)
    assert np.all(np.isfinite(gradients.x))


@pytest.mark.parametrize("axis", ["", ", axis=0", ", axis=1, keepdims=true"])
def test_the_root_of_a_sum_of_squares_is_a_norm(axis: str) -> None:
    found, gradients = loud(
        f"input x: float[2, 3] output out = sum(sqrt(sum(x^2{axis})))", np.zeros((2, 3))
    )
    assert found == 0.0 and not gradients.x.any()


def test_the_square_of_a_named_norm_is_exact_at_zero() -> None:
    found, gradients = loud("input x: float[n] node r = norm(x) output out = r^2", np.zeros(3))
    assert found == 0.0 and not gradients.x.any()
