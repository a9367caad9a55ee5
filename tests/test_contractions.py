"""Sums of products: the order of their factors, the products of matrices they become, and both
held against the interpreter that goes entry by entry."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gradc.dsl.lowering.pairing import pairing
from gradc.dsl.sizes import Size

from .helpers import module, source_text
from .judged import Case, cases, judge_directions, judge_gradients, judge_values

HEADS = (
    "input x: float[B, T, C] input W: float[C, H, D] input U: float[C, H, D] "
    "node q[b, h, t, d] = sum[c](x[b, t, c] * W[c, h, d]) node k[b, h, t, d] = sum[c](x[b, t, c] * U[c, h, d]) "
    "output y[b, h, t, u] = sum[d](q[b, h, t, d] * k[b, h, u, d]) / sqrt(D)"
)  # fmt: skip
MIXTURE = (
    "input x: float[N, D] input m: float[K, D] input L: float[K, D, D] "
    "output q[n, k] = sum[d]((L[k] @ (x[n] - m[k]))[d]^2)"
)
ROWS: list[Any] = [
    ("heads", HEADS, "B=2 T=2 C=3 H=2 D=2", "B=1 T=1 C=1 H=1 D=1", "B=0 T=2 C=1 H=1 D=1"),
    ("mixture", MIXTURE, "N=3 K=2 D=2", "N=1 K=1 D=1", "N=0 K=2 D=2", "N=2 K=2 D=0"),
    ("batch last", "input A: float[M, K, B] input C: float[K, N, B] output y[i, j, b] = sum[k](A[i, k, b] * C[k, j, b])", "M=2 K=3 N=2 B=2"),
    ("batch between", "input A: float[M, B, K] input C: float[K, B, N] output y[b, j, i] = sum[k](A[i, b, k] * C[k, b, j])", "M=2 K=3 N=2 B=2"),
    ("two batches", "input A: float[P, Q, M, K] input x: float[Q, P, K] output y[q, p, i] = sum[k](A[p, q, i, k] * x[q, p, k])", "P=2 Q=3 M=2 K=2"),
    ("tiny vectors", "input A: float[B, 3, 3] input x: float[B, 3] output y[b] = A[b] @ x[b]", "B=2"),
    ("two summed", "input A: float[M, N, K] input C: float[N, K, P] output y[p, i] = sum[n, k](A[i, n, k] * C[n, k, p])", "M=2 N=2 K=3 P=2"),
    ("two summed apart", "input A: float[N, M, K] input C: float[K, N, P] output y[i, p] = sum[n, k](A[n, i, k] * C[k, n, p])", "M=2 N=2 K=3 P=2"),
    ("outermost summed", "input A: float[N, M, K] input C: float[N, P, K] output y[i, p] = sum[n, k](A[n, i, k] * C[n, p, k])", "M=2 N=3 K=2 P=2"),
    ("all summed", "input A: float[N, M, K] input C: float[K, N, M] output y = sum[n, m, k](A[n, m, k] * C[k, n, m])", "M=2 N=3 K=2"),
    ("columns", "input A: float[N, M] input C: float[N, M] output y[j] = sum[i](A[i, j] * C[i, j])", "M=2 N=3"),
    ("four factors", "input a: float[N] input A: float[N, M] input C: float[M, K] output y[k] = sum[i, j](a[i] * A[i, j] * C[j, k] * a[i])", "M=2 N=3 K=2"),
    ("eight factors", "input a: float[N] input b: float[M] output y = sum[i, j](a[i] * b[j] * a[i] * b[j] * a[i] * b[j] * a[i] * b[j])", "M=2 N=3"),
    ("repeated rows", "input x: float[N, D] input w: float[D] output y[n, d] = x[n, d] * w[d]^2 * 3", "N=3 D=2", "N=1 D=1", "N=0 D=2"),
    ("dense layers", "input X: float[B, T, C] input W: float[C, D] input w: float[D] output y = tanh(X @ W + w) @ w", "B=2 T=2 C=3 D=2", "B=1 T=2 C=1 D=1"),
    ("distances", "input x: float[N, D] input c: float[K, D] output y[n, k] = sum[d]((x[n, d] - c[k, d])^2)", "N=3 K=2 D=2"),
]  # fmt: skip
CASES = cases(ROWS, {})


@pytest.mark.parametrize("case", CASES, ids=str)
def test_products(case: Case) -> None:
    judge_values(case)
    judge_gradients(case)
    judge_directions(case)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_float32_stays(case: Case) -> None:
    values = {name: np.asarray(value, np.float32) for name, value in case.values.items()}
    _, cache = module(case.text).forward(*values.values())
    for gradient in module(case.text).backward(cache, np.ones_like(case.wanted[case.outputs[0]])):
        assert gradient.dtype == np.float32


def test_nothing_is_left_to_the_optimiser_of_einsum() -> None:
    for case in CASES:
        assert "optimize" not in source_text(case.text)


WRITTEN = [
    (ROWS[2][1], "np.transpose(A, (2, 0, 1)) @ np.transpose(C, (2, 0, 1))"),
    (ROWS[6][1], "np.reshape(C, (K * N, P)).T @ np.reshape(A, (M, K * N)).T"),
    (ROWS[8][1], "np.sum(A @ C.mT, axis=0)"),
    (HEADS, "np.reshape(x, (B * T, C)) @ np.reshape(W, (C, D * H))"),
    (HEADS, "q @ k.mT"),
    (MIXTURE, "np.swapaxes(x[:, None] - m, 0, 1) @ L.mT"),
    (ROWS[5][1], 'np.einsum("...ij,...j->...i", A, x)'),
    (ROWS[9][1], "np.dot(np.ravel("),
    (ROWS[10][1], "np.einsum("),
    (ROWS[13][1], "d_w = "),
    (ROWS[15][1], "np.vecdot(difference, difference)"),
]


@pytest.mark.parametrize(("text", "wanted"), WRITTEN)
def test_written_as_products(text: str, wanted: str) -> None:
    flat = (
        " ".join(source_text(text).split())
        .replace("( ", "(")
        .replace("reshape_x @", "np.reshape(x, (B * T, C)) @")
    )
    assert wanted in flat


def test_the_cheapest_order() -> None:
    n, two = Size.of("n"), Size.of(2)
    chain = {"i": two, "j": n, "k": n, "l": n}
    assert pairing(["ij", "jk", "kl"], "il", chain) == ((0, 1), 2)
    assert pairing(["ij", "jk", "kl"], "il", {**chain, "i": n, "l": two}) == (0, (1, 2))
    assert pairing(["i", "ij", "j"], "", {"i": n, "j": n}) == ((0, 1), 2)
    many = pairing(
        ["ab", "bc", "cd", "de", "ef", "fg", "gh"], "ah", {**dict.fromkeys("abcdefgh", n), "h": two}
    )
    assert many == (0, (1, (2, (3, (4, (5, 6))))))


def test_a_product_that_something_else_needs_is_made_once() -> None:
    text = "input x: float[N] input z: float[N] node p = x * z output s = sum(p) output t = p^2"
    assert "s = np.sum(p)" in source_text(text)


@pytest.mark.parametrize("distance", [1e-3, 1e-6])
def test_close_points_far_from_the_origin(distance: float) -> None:
    """Squares of differences are not multiplied out."""
    x = np.array([[1e6, 1e6], [1e6 + distance, 1e6]])
    y, cache = module(ROWS[15][1]).forward(x, x[:1])
    exact = x[1, 0] - x[0, 0]
    assert y[0, 0] == 0 and y[1, 0] == exact**2
    gradient = module(ROWS[15][1]).backward(cache, np.ones((2, 1)))
    assert gradient.x[1, 0] == 2 * exact


def test_one_entry_at_each_place_is_put() -> None:
    """Beside the chosen classes the gradient is 0; what is chosen twice adds up."""
    text = "input z: float[N, C] data k: int[N] in 0..C output y[n] = z[n, k[n]]"
    _, cache = module(text).forward(np.ones((3, 2)), np.array([1, 1, 0]))
    (d_z,) = module(text).backward(cache, np.array([1.0, 2.0, 3.0]))
    assert d_z.tolist() == [[0, 1], [0, 2], [3, 0]]


@pytest.mark.parametrize("width", [None, 0, 1, 4, 9])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, bool])
@pytest.mark.parametrize("indices", [np.array([[0, 2], [2, 2], [0, 3]]), np.array(3)], ids=str)
def test_scatter(indices: Any, width: int | None, axis: int, dtype: type) -> None:
    from gradc.dsl.kernels.gather import _scatter

    rng = np.random.default_rng(0)
    before, after = (2,) * axis, (width,) if width is not None else ()
    x = rng.integers(0, 2, (*before, *indices.shape, *after)).astype(dtype)
    wanted = np.zeros((*before, 5, *after), dtype)
    for place in np.ndindex(indices.shape):
        row = (*(slice(None),) * axis, indices[place])
        wanted[row] += x[(*(slice(None),) * axis, *place)]
    found = _scatter(x, indices, 5, axis)
    assert found.dtype == dtype
    assert np.array_equal(found, wanted)
