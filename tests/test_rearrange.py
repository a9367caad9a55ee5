"""Gathers that are out of range, proved indices, convolutions against SciPy, and guards."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.signal import correlate

from .helpers import complex_step, module, second_derivative, source_text

RNG = np.random.default_rng(8)

# ── Indices ─────────────────────────────────────────────────────────────────

TAKEN = "input x: float[N, 2] data k: int[M] output f = sum(take(x, k)^2)"
ALONG = "input x: float[2, N] data k: int[2, M] output f = sum(take_along_axis(x, k)^2)"


@pytest.mark.parametrize("wrong", [-1, 3, 100])
def test_an_index_outside_is_an_error(wrong: int) -> None:
    x = np.ones((3, 2))
    with pytest.raises(IndexError, match=rf"index {wrong} is not in 0\.\.3"):
        module(TAKEN).forward(x, [0, wrong])
    with pytest.raises(IndexError, match=rf"index {wrong} is not in 0\.\.3"):
        module(ALONG).forward(x.T, [[0, 1], [2, wrong]])


@pytest.mark.parametrize(
    "declared, expression, text",
    [
        ("data k: int[M] in 0..N", "take(x, k)", "np.take(x, k)"),
        ("data k: int[M]", "take(x, k)", "_take(x, k)"),
        ("data k: int[M] in -1..N", "take(x, k)", "_take(x, k)"),
        ("data k: int[M] in 0..N", "take(x, k + 1)", "np.take(x, total)"),
        ("data k: int[M] in 0..N", "take(x, k - 1)", "_take(x, difference)"),
        ("data k: int[M]", "take(x, argsort(x))", "np.take("),
        ("data k: int[M] in 0..N", "take_along_axis(x, k)", "np.take_along_axis(x, k"),
    ],
)
def test_a_check_is_left_out_where_it_is_proved(declared: str, expression: str, text: str) -> None:
    source = source_text(f"input x: float[N] {declared} output f = sum({expression})")
    assert text in source
    assert ("def _take" in source) == text.startswith("_take")


def test_too_large_an_index_is_an_error_without_a_check_of_ours() -> None:
    text = "input x: float[N] data k: int[M] in 0..9 output f = sum(take(x, k))"
    with pytest.raises(IndexError):
        module(text).forward(np.ones(3), [0, 5])


def test_repeated_indices_add_up() -> None:
    value, gradients = module(TAKEN).value_and_grad(np.ones((3, 2), np.float32), [2, 0, 2, 2])
    assert value == 8.0
    np.testing.assert_array_equal(gradients.x, [[2, 2], [0, 0], [6, 6]])
    assert gradients.x.dtype == np.float32


def test_no_result_shares_memory_with_an_input() -> None:
    text = """input x: float[3, 3]
    output a = flip(x) output b = windows(x, 2) output c = diagonal(x) output d = swapaxes(x, 0, 1)
    output e = ravel(x) output f = full([2], x[0, 0]) output g = pad(x, 0) output h = take(x, 0)"""
    x = np.arange(9.0).reshape(3, 3)
    outputs, _ = module(text).forward(x)
    for name, value in outputs._asdict().items():
        before = value.copy()
        assert not np.shares_memory(value, x), name
        value[...] = -1.0
        assert np.all(x >= 0.0) and not np.array_equal(value, before), name


# ── Windows ─────────────────────────────────────────────────────────────────


def correlated(x: Any, kernel: Any, stride: int, padding: int) -> Any:
    """The correlation by SciPy, one image, channel and kernel after the other."""
    axes = x.ndim - 2
    x = np.pad(x, [(0, 0), (0, 0), *[(padding, padding)] * axes])
    steps = (slice(None, None, stride),) * axes
    return np.array([
        [sum(correlate(c, np.conj(k), "valid", "direct") for c, k in zip(image, filters, strict=True))[steps]
         for filters in kernel]
        for image in x
    ])  # fmt: skip


SHAPES_1D = [((2, 3, 7), (4, 3, 3)), ((1, 1, 5), (1, 1, 5)), ((3, 2, 4), (2, 2, 1))]
SHAPES_2D = [
    ((2, 3, 6, 5), (4, 3, 3, 2)),
    ((1, 1, 3, 3), (2, 1, 3, 3)),
    ((2, 1, 4, 7), (1, 1, 1, 2)),
]


@pytest.mark.parametrize("open_sizes", [False, True])
@pytest.mark.parametrize("stride, padding", [(1, 0), (1, 2), (2, 0), (3, 1)])
@pytest.mark.parametrize("of, kernel", SHAPES_1D + SHAPES_2D)
def test_convolutions(
    of: tuple[int, ...], kernel: tuple[int, ...], stride: int, padding: int, open_sizes: bool
) -> None:
    name = f"conv{len(of) - 2}d"
    sizes = [", ".join(map(str, of)), ", ".join(map(str, kernel))]
    if open_sizes:
        sizes = ["N, C, H, W", "O, C, R, S"] if len(of) == 4 else ["N, C, H", "O, C, R"]
    text = f"""input x: float[{sizes[0]}] input k: float[{sizes[1]}]
    output y = {name}(x, k, stride={stride}, padding={padding})
    output f = sum(y^3)
    objective f"""
    x, k = RNG.normal(size=of), RNG.normal(size=kernel)
    outputs, _ = module(text).forward(x, k)
    wanted = correlated(x, k, stride, padding)
    np.testing.assert_allclose(outputs.y, wanted, rtol=1e-12, atol=1e-12)
    _, gradients = module(text).value_and_grad(x, k)

    def total(values: Any) -> Any:
        return np.sum(correlated(values["x"], values["k"], stride, padding) ** 3)

    for wrt in ("x", "k"):
        wanted = complex_step(total, {"x": x, "k": k}, wrt)
        np.testing.assert_allclose(getattr(gradients, wrt), wanted, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("window, stride", [(2, 2), (3, 1), (2, 3), (1, 1)])
@pytest.mark.parametrize("name, function", [("max", np.max), ("avg", np.mean)])
def test_pools(name: str, function: Any, window: int, stride: int) -> None:
    text = f"""input x: float[N, C, H, W]
    output y = {name}_pool2d(x, window={window}, stride={stride}) output f = sum(y^2) objective f"""
    x = RNG.permutation(2 * 5 * 6).reshape(1, 2, 5, 6) / 7.0
    rows, columns = (range(0, n - window + 1, stride) for n in x.shape[-2:])
    outputs, _ = module(text).forward(x)
    _, gradients = module(text).value_and_grad(x)
    backwards = np.zeros_like(x)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            part = np.s_[..., row : row + window, column : column + window]
            best = function(x[part], axis=(-2, -1), keepdims=True)
            np.testing.assert_allclose(outputs.y[..., i, j], best[..., 0, 0], rtol=1e-14)
            share = x[part] == best if name == "max" else 1 / window**2
            backwards[part] += 2 * best * share
    np.testing.assert_allclose(gradients.x, backwards, rtol=1e-13, atol=1e-14)


def test_a_window_larger_than_the_array() -> None:
    with pytest.raises(ValueError, match="window"):
        module("input x: float[N] output f = sum(windows(x, 3))").forward(np.ones(2))


# ── Branches that are not taken ─────────────────────────────────────────────

BRANCHES = [
    "take(log(x), [1, 0, 2, 3])", "take_along_axis(log(x), [1, 0, 2, 2])", "tile(log(x), 2)[:4]",
    "repeat(log(x), 2)[:4]", "pad(log(x), 1)[:4]", "roll(log(x), 1)", "flip(log(x))",
    "ravel(windows(log(x), 2, step=2))", "diagonal(diag(log(x)))", "sort(log(x))",
    "sum(triu(expand_dims(log(x), 0)), axis=0)",
]  # fmt: skip


@pytest.mark.parametrize("expression", BRANCHES)
def test_a_branch_that_is_not_taken_sends_nothing_back(expression: str) -> None:
    """Where the condition is false the logarithm is -inf, its slope infinite."""
    text = f"""input x: float[4] data c: bool[4] output f = sum(if c then {expression} else x)"""
    x = np.array([1.0, 2.0, 3.0, 0.0])
    chosen = np.array([True, True, True, True])
    finite = module(text).value_and_grad(np.array([1.0, 2.0, 3.0, 4.0]), chosen)[1].x
    assert np.all(np.isfinite(finite))
    with np.errstate(all="ignore"):
        none = module(text).value_and_grad(x, ~chosen)[1].x
    np.testing.assert_array_equal(none, np.ones(4))


def test_the_gather_of_a_branch_adds_only_what_counts() -> None:
    text = """input x: float[2] data c: bool[3]
    output f = sum(if c then log(take(x, [1, 0, 1])) else 0)"""
    with np.errstate(all="ignore"):
        _, gradients = module(text).value_and_grad([2.0, 0.0], [False, True, False])
    np.testing.assert_array_equal(gradients.x, [0.5, 0.0])


@pytest.mark.parametrize(
    "expression",
    [
        "sum(if k >= 0 then take(x, k) else 0)",
        "sum(if k >= 0 and k < 3 then exp(take(x, k)) * 2 else x * 0 + 1)",
        "sum(if s > 0 then take(x, k) else x)",
        "sum(if k < 0 then x else take_along_axis(x, k))",
        "sum(if expand_dims(k, 1) < 0 then 1 else take(outer(x, x), k))",
        "sum(if k < 0 then 0 else sum(take(outer(x, x), k), axis=1))",
        "sum(if k < 0 then 0 else if take(x, argsort(x)) > 2 then take(x, k) else take(x^2, k))",
    ],
)
def test_an_index_in_a_branch_that_is_not_taken_is_no_error(expression: str) -> None:
    text = f"input x: float[N] data k: int[N] data s: float output f = {expression}"
    x = [1.0, 2.0, 3.0]
    for k, s in (([0, 2, 1], 1.0), ([-1, -7, -2], -1.0), ([0, -1, -1], -1.0)):
        value, gradients = module(text).value_and_grad(x, k, s)
        assert np.isfinite(value) and np.all(np.isfinite(gradients.x))
    if "< 3" not in expression:
        with pytest.raises(IndexError):
            module(text).forward(x, [7, 0, 0], 1.0)


def test_an_index_that_counts_in_some_branch_is_checked() -> None:
    text = """input x: float[N] data k: int[N] data c: bool[N] node t = take(x, k)
    output f = sum(if c then t else 0) + sum(t)"""
    with pytest.raises(IndexError):
        module(text).forward([1.0, 2.0], [0, 5], [True, False])


def test_take_and_its_adjoint_to_second_order() -> None:
    found = second_derivative(
        "input x: float[3] output f = sum(take(x, [0, 2, 0])^3)", "x", x=[1.0, 2.0, 3.0]
    )
    np.testing.assert_allclose(found, [12.0, 0.0, 18.0])


def test_a_gather_in_a_branch_has_the_values_and_slopes_of_a_loop() -> None:
    text = "input x: float[N] data k: int[M] output f = sum(if k >= 0 then exp(take(x, k)) else 1)"
    x, k = np.array([0.5, 1.0, -1.0]), np.array([2, -1, 0, 2, -9])
    value, gradients = module(text).value_and_grad(x, k)
    assert value == pytest.approx(sum(np.exp(x[i]) if i >= 0 else 1 for i in k))
    wanted = [np.exp(0.5), 0, 2 * np.exp(-1)]
    np.testing.assert_allclose(gradients.x, wanted, rtol=1e-14)
