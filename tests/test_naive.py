"""The interpreter that judges indices and scans, against NumPy written by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gradc.dsl.parse import parse
from gradc.dsl.source import Source

from .helpers import complex_step
from .naive import run

rng = np.random.default_rng(3)
A, B = rng.normal(size=(3, 4)), rng.normal(size=(4, 3))
S = rng.normal(size=(3, 3)) + 3 * np.eye(3)
x, z = rng.normal(size=4), rng.normal(size=4)
ids = np.array([2, 0, 2, 1, 1])
VALUES = {"A": A, "B": B, "S": S, "x": x, "z": z, "ids": ids}
SIZES = {"M": 3, "N": 4, "T": 5}
HEAD = "input A: float[M, N] input B: float[N, M] input S: float[M, M] input x, z: float[N] data ids: int[T] in 0..M "


def evaluated(text: str, **values: Any) -> dict[str, Any]:
    return run(parse(Source(HEAD + text)), {**VALUES, **values}, SIZES)


ROWS = [
    ("node y[i] = sum[j](A[i, j] * x[j])", A @ x),
    ("node y[i, k] = sum[j](A[i, j] * B[j, k])", A @ B),
    ("node y = sum[i](S[i, i])", np.trace(S)),
    ("node y[i, j] = A[j, i]", A.T),
    ("node y[i, j] = x[i] * z[j]", np.outer(x, z)),
    ("node y[i] = A[i]", A),
    ("node y[i] = x * sum(A[i])", x * A.sum(1)[:, None]),
    ("node y[i in 1..N-1] = x[i-1] - 2*x[i] + x[i+1]", np.diff(x, 2)),
    ("node y[i in 0..N] = if i > 0 then x[i-1] else 7", np.r_[7, x[:-1]]),
    ("node y[i in 0..N//2] = x[2*i + 1]", x[1::2]),
    ("node y[i in 0..N] = x[N - 1 - i]", x[::-1]),
    ("node y[i in 0..N] = x[(i + 1) % N]", np.roll(x, -1)),
    ("node y[t] = B[ids[t]]", B[ids]),
    ("node y = sum[t](A[ids[t], ids[t]])", A[ids, ids].sum()),
    ("node y[i] = x[i] * i", x * np.arange(4)),
    ("node y[i] = A[i, 1:3]", A[:, 1:3]),
    ("node y[i in 0..N-2] = x[i:i+3]", np.array([x[:3], x[1:]])),
    ("node y = sum[i, j](A[i, j]^2)", np.sum(A**2)),
    ("node y = max[i](x[i])", x.max()),
    ("node y = min[i](x[i])", x.min()),
    ("node y = prod[i](x[i])", x.prod()),
    ("node y = mean[i](A[i])", A.mean(0)),
    ("node y = logsumexp[i](A[i])", np.log(np.exp(A).sum(0))),
    ("node y = any[i](x[i] > 0)", (x > 0).any()),
    ("node y = all[i](x[i] > 0)", (x > 0).all()),
    ("node y = sum[i](x[i] > 0)", (x > 0).sum()),
    ("node y[i in 0..N] = sum[j](if j < i then x[j] else 0)", np.r_[0, np.cumsum(x)[:-1]]),
    ("node y[i] = [x[i], i]", np.stack([x, np.arange(4)], 1)),
    ("node y[i] = grad(sum(x^3), x)[i]", 3 * x**2),
    ("def f(a) = grad(sum(a^3), a) node y[i] = f(A[i])", 3 * A**2),
    ("def f(a) = grad(sum(grad(sum(a^4), a)^2), a) node y = f(x)", 96 * x**5),
    ("node y[i] = solve(S, A.T[0:3, 0:3][i])", np.linalg.solve(S, A.T[:3, :3].T).T),
    ("node y[i] = softmax(S[i])", np.exp(S) / np.exp(S).sum(1, keepdims=True)),
    ("node u = x^2 def f(a) { node b = 2 * a return b + 1 } node y[i] = f(u[i])", 2 * x**2 + 1),
    ("def f(a) { return a + 1, 2 * a } node p, y = f(x)", 2 * x),
    ("def f(a) { return a + 1, 2 * a } node p, y[i] = f(x[i])", 2 * x),
    ("node y[i] = x[..., i]", x), ("node y[i] = A[..., i]", A.T), ("node y[i] = A[i, -1]", A[:, -1]),
    ("node y[i, j in 0..2] = A[i, j] // 1", A[:, :2] // 1),
    ("node y = (if x > 0 then sqrt(x) else -x)", np.where(x > 0, np.sqrt(np.abs(x)), -x)),
    ("node y = true + true", 2), ("node y = 2^3 // 3 % 2", 0), ("node y = 2^-1", 0.5),
    ("node y[i in 0..0] = A[i]", np.zeros((0, 4))), ("node y = sum[i in 2..2](A[i])", np.zeros(4)),
    ("node y = silu(x)", x / (1 + np.exp(-x))),
    # Scans
    ("scan t in 0..N { state s = 0 next s = s + x[t] emit y = next s }", np.cumsum(x)),
    ("scan t in 0..N { state y = 0 next y = y + x[t] }", x.sum()),
    ("scan t in 1..N { emit y = x[t] - x[t-1] }", np.diff(x)),
    ("scan t in 0..0 { state s = x emit y = s }", np.zeros((0, 4))),
    ("scan t in 0..0 { state y = x next y = A[t] }", x),
    ("scan t in 0..3 { state a = 0 state b = 1 next a = b next b = a + b emit y = [a, b] }", [[0, 1], [1, 1], [1, 2]]),
    ("scan t in 0..3 { state a = 1 state b = 1 next a = a + 1 next b = b * next a emit y = next b }", [2, 6, 24]),
    ("scan t in 0..6 { emit y: float = if t > 1 then y[t-1] + y[t-2] else 1 }", [1, 1, 2, 3, 5, 8]),
    ("scan t in 2..6 { emit y: float = if t > 3 then y[t-3] + y[t-4] else 1 }", [1, 1, 2, 3]),
    ("scan t in 0..4 { emit y: float = 1 + sum[s](if s < t then y[s] else 0) }", [1, 2, 4, 8]),
    ("scan t in 0..9 until next y > 20 { state y = 1 next y = 2 * y }", 32),
    ("scan t in 0..M { scan s in 0..N { state r = 0 next r = r + A[t, s] } emit y = r }", A.sum(1)),
    ("scan t in 0..T { emit y[j] = B[j, ids[t]] }", B[:, ids].T),
    ("scan t in 0..N { state w = x node g = grad(sum(w^3), w) next w = w - 0.1 * g emit y = g[t] }", None),
    ("scan t in 0..3 { state b = false state y = 0 next b = not b next y = if b then y + 1 else y }", 1),
    ("scan t in 0..3 { state s = x next s = sin(s) } node y = s * 2", 2 * np.sin(np.sin(np.sin(x)))),
    ("scan t in 0..3 { state s = 0.3 next s = s^2 + x[t] } node y = grad(s, x)[2]", 1.0),
]  # fmt: skip


@pytest.mark.parametrize("text, wanted", ROWS, ids=[row[0] for row in ROWS])
def test_values(text: str, wanted: Any) -> None:
    found = evaluated(text)["y"]
    if wanted is not None:
        assert np.shape(found) == np.shape(wanted)
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)


def test_gradient_inside_a_step() -> None:
    w, wanted = x.copy(), []
    for t in range(4):
        g = 3 * w**2
        wanted.append(g[t])
        w = w - 0.1 * g
    text = next(row[0] for row in ROWS if "0.1 * g" in row[0])
    np.testing.assert_allclose(evaluated(text)["y"], wanted)


@pytest.mark.parametrize(
    "text",
    ["node y[i in 0..N] = x[i - 1]", "node y = x[0:9]", "node y[i] = x[i] * S[i, 0]",
     "node y[i in 0..N] = x[i:i+2]", "node y[i] = i",
     "scan t in 0..4 { emit y: float = if t > 0 then y[t] else 1 }"],
)  # fmt: skip
def test_errors(text: str) -> None:
    with pytest.raises((IndexError, ValueError)):
        evaluated(text)


COMPLEX = [
    ("node y = sum[i](x[i]^3)", 3 * x**2),
    ("node y = sum[i](abs(x[i]) * x[i])", 2 * np.abs(x)),
    ("node y = max[i](x[i]) + norm(x)", (x == x.max()) + x / np.sqrt(x @ x)),
    ("node y = logsumexp[i](x[i]) + sum(softmax(x))", np.exp(x) / np.exp(x).sum()),
    ("node y = maximum(x[0], 9) + minimum(x[1], 9) + relu(x[2]) * 0", [0, 1, 0, 0]),
    ("scan t in 0..N { state y = 0 next y = 0.5 * y + x[t] }", [0.125, 0.25, 0.5, 1]),
    ("scan t in 0..N { emit s: float = if t > 0 then s[t-1] * 2 + x[t] else x[t] } node y = s[-1]", [8, 4, 2, 1]),
    ("node y = prod[i](x[i]) + x[0] % 2 + (x[1] * 3) // 1", x.prod() / x + [1, 0, 0, 0]),
]  # fmt: skip


@pytest.mark.parametrize("text, wanted", COMPLEX, ids=[row[0] for row in COMPLEX])
def test_complex_step(text: str, wanted: Any) -> None:
    found = complex_step(lambda moved: evaluated(text, **moved)["y"], VALUES, "x")
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-14)
