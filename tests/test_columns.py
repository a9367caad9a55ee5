"""Rows of a few fixed entries as an array for each entry: the same values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gradc.compiler import driver
from gradc.compiler.compilation import Options
from gradc.compiler.passes import columns, optimise
from gradc.dsl.kernels.arrays import _cross
from hypothesis import given
from hypothesis import strategies as st

from .helpers import checked, module
from .judged import Case, cases, same_functions
from .test_random_graphs import (
    Spec,
    Writer,
    assert_same,
    differentiated,
    quick,
    results,
    specs,
)

PLAIN, FAST = Options(emit=("jvp", "hvp")), Options(emit=("jvp", "hvp"), level=2)
POINTS = """
input table: float[n, 3]
input w: float[m]
data which: int[m] in 0..n
node p[i] = table[which[i]]
node q[i] = w[i] * p[i] + cross(p[i], sin(p[i])) / norm(p[i])
output f = sum[i](w[i] * dot(q[i], cross(q[i], p[i] / w[i])) + q[i, 0] * p[i, 2])
"""


SHAPES: list[Any] = [
    ("points", POINTS, "n=4 m=6", "n=1 m=1", "n=2 m=0"),
    ("pairs", "input x: float[N, 3] input m: float[N] node e[i, j] = (if i < j then m[i] * m[j] / norm(x[i] - x[j]) else 0) output f = sum(e)", "N=4", "N=1", "N=0"),
    ("matrices", "input A: float[N, 2, 2] input x: float[N, 2] input B: float[2, 2] node y[i] = tanh(A[i] @ B) @ x[i] + x[i] * sum(x[i]) output f = sum(y^2) output y", "N=5", "N=1"),
    ("two axes lead", "input x: float[M, N, 3] input w: float[M] node y[i, j] = w[i] * x[i, j] / (1 + norm(x[i, j])) output f = sum(y^2, axis=[0, 2]) output g = max(y, axis=1) output h = sum(y[1:] - y[:-1])", "M=3 N=4", "M=1 N=2"),
    ("means", "input x: float[N, 3] input w: float[N] node c = mean(x, axis=0) node d[i] = w[i] * (x[i] - c) / (1 + dot(x[i] - c, x[i] - c)) output f = norm(d)^2 + sum(max(d, axis=1))", "N=5", "N=1"),
    ("seeds", "input x: float[N, 2] input w: float[N] def e(x, w) = [sin(x[0]) * x[1] * w, exp(x[0] * w)] def slopes(x: float[2], w: float) { node y = e(x, w) return [grad(y[0], x), grad(y[1], x)] } output J[i] = slopes(x[i], w[i])", "N=5", "N=1"),
    ("joined", "input x: float[N, 2] input w: float[N] node y[i] = concat(x[i] * w[i], [w[i], 1], x[i] / (2 + w[i]), [0]) output f = sum[i](softmax(y[i])[2] + logsumexp(y[i]) + dot(y[i], y[i])) output y", "N=4", "N=1"),
    ("branches", "input x: float[N, 2] input w: float[N] output f = sum[i](if w[i] > 0 then sum(sqrt(w[i]) * x[i] + log(w[i]) * x[i]^2) else sum(x[i] * w[i]))", "N=6"),
    ("whole numbers", "input x: float[N, 3] data k: int[N, 3] data b: bool[N] output f = sum[i](sum(k[i] * x[i] * w[i]) + (if b[i] then x[i, 0] else dot(x[i], x[i])) * sum(k[i])) input w: float[N]", "N=5"),
    ("norms of whole numbers", "input x: float[N] data k: int[N, 3] output f = sum[i](x[i] * (norm(10^9 * k[i]) + mean(k[i]) + logsumexp(k[i])))", "N=6"),
    ("truth values added up", "input x: float[N] data b: bool[N, 3] data c: bool[N, 3] output f = sum[i](x[i] * (sum(b[i]) + mean(b[i]) + dot(b[i], c[i]) + sum(b[i] * c[i] + b[i])))", "N=6"),
    ("in a loop", "input x: float[N, 3] input h: float scan t in 0..4 { state p = x next p[i] = p[i] - h * p[i] / (1 + dot(p[i], p[i])) + cross(p[i], x[i]) } output f = sum(sin(p))", "N=4"),
]  # fmt: skip
ROWS = [("n", "3"), ("n", "2"), ("m", "n", "2"), ("n", "2", "2"), ("n", "1", "3"), ("1", "n", "2"),
        ("n",), ("3",), ()]  # fmt: skip
EACH = pytest.mark.parametrize("case", cases(SHAPES, {}), ids=str)


def text_of(spec: str) -> str:
    return driver.python(driver.compiled(checked(spec), Options(level=2)))


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that can be computed by entry is."""
    monkeypatch.setattr(columns._Columns, "pays", lambda *_: True)


@EACH
def test_same_values_and_gradients(case: Case, always: None) -> None:
    plain, fast = module(case.total, PLAIN), module.__wrapped__(case.total, FAST)
    same_functions(case, fast, plain)


@EACH
def test_values_that_are_not_finite_are_the_same(case: Case, always: None) -> None:
    """Zeros of a seed are multiplied by what is there, as they are in arrays."""
    plain, fast = module(case.text), module.__wrapped__(case.text, Options(level=2))
    special = [np.inf, -np.inf, np.nan, 0.0, -0.0, 1e300]
    for name in case.differentiated:
        given = np.array(case.values[name], float)
        given.flat[: len(special)] = special[: given.size]
        wanted, found = (case.call(m.forward, {name: given})[0] for m in (plain, fast))
        single = len(case.outputs) == 1
        for one, other in zip(
            [wanted] if single else wanted, [found] if single else found, strict=True
        ):
            np.testing.assert_allclose(other, one, rtol=1e-11)


def test_single_precision_is_kept(always: None) -> None:
    random = np.random.default_rng(2)
    table, w = (random.normal(size=s).astype(np.float32) for s in ((5, 3), 40))
    given = table, w, random.integers(0, 5, 40)
    value, slopes = module.__wrapped__(POINTS, Options(level=2)).value_and_grad(*given)
    wanted, other = module(POINTS).value_and_grad(*given)
    assert value.dtype == slopes.table.dtype == slopes.w.dtype == np.float32
    np.testing.assert_allclose(value, wanted, rtol=1e-5)
    np.testing.assert_allclose(slopes.table, other.table, rtol=1e-4, atol=1e-4)


def test_entries_have_names_of_their_own() -> None:
    text = text_of(POINTS)
    assert "q_0 = w * p_0 + " in text and "d_q_0" in text
    assert "_cross(" not in text and "np.vecdot(" not in text


@pytest.mark.parametrize("declared", ["float[n, k]", "float[n, 40]"])
def test_long_rows_stay(declared: str) -> None:
    text = POINTS.replace("float[n, 3]", declared).replace("cross(p[i], sin(p[i]))", "sin(p[i])")
    text = text.replace("cross(q[i], p[i] / w[i])", "p[i] / w[i]").replace("q[i, 0] * p[i, 2]", "0")
    assert "np.stack" not in text_of(text)


def test_little_is_left_as_it_is() -> None:
    assert "y = 2 * x" in text_of("input x: float[n, 3] node y = 2 * x output y")


@st.composite
def rows(draw: Any) -> Spec:
    """Arrays with few last axes of fixed lengths, and what broadcasts to them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Writer, "shape", lambda writer: writer.pick(ROWS))
        return draw(specs())


@quick
@given(st.one_of(rows(), specs()))
def test_the_pass_keeps_values(spec: Spec) -> None:
    graph, inputs = differentiated(spec)
    graph = optimise(graph)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns._Columns, "pays", lambda *_: True)
        apart = columns.columns(graph)
    wanted = results(graph, inputs)
    assert_same(results(apart, inputs), wanted, 1e-10)
    assert_same(results(optimise(apart), inputs), wanted, 1e-10)


@pytest.mark.parametrize(
    "shapes", [((3,), (3,)), ((7, 3), (3,)), ((4, 5, 3), (5, 3)), ((0, 3), (0, 3))]
)
def test_the_kernel_of_cross(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    random = np.random.default_rng(4)
    a, b = (random.normal(size=shape) for shape in shapes)
    np.testing.assert_array_equal(_cross(a, b), np.cross(a, b))
    np.testing.assert_array_equal(_cross(np.asfortranarray(a), b), np.cross(a, b))
