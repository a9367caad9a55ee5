"""``-O2``: large arrays in blocks, with the same values and gradients."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from gradc.compiler import driver
from gradc.compiler.compilation import Options
from gradc.compiler.interpret import Interpreter
from gradc.compiler.passes import optimise
from gradc.compiler.passes.blocks import blocks
from gradc.dsl.graph import Graph

from .helpers import checked, load, module
from .judged import Case, cases, same, same_functions
from .test_indices import GATHERS, PLACES, PRODUCTS

PLAIN, FAST = Options(emit=("jvp", "hvp")), Options(emit=("jvp", "hvp"), level=2)
MLP = "data X: float[B, D] data y: int[B] in 0..C input W1: float[D, H] input b1: float[H] input W2: float[H, C] input b2: float[C] node h = relu(X @ W1 + b1) node z = h @ W2 + b2 output f = mean[n](logsumexp(z[n]) - z[n, y[n]])"
SPECS: list[Any] = [
    ("elementwise", "input x: float[n] output f = sum(exp(-x^2) * sin(3 * x) + tanh(x) * log1p(x^2))", "n=7", "n=1", "n=0"),
    ("homework 2", "input x: float[n] input W: float[n, n] node m = W @ x node q = sigmoid(m) output f = norm(q)^2", "n=5", "n=1"),
    ("logistic regression", "data X: float[N, D] data y: float[N] input w: float[D] input b: float node z[n] = sum[d](X[n, d] * w[d]) + b output f = mean(softplus(z) - y * z)", "N=7 D=2", "N=1 D=3"),
    ("mixture", "data x: float[N, D] input alpha: float[K] input mu: float[K, D] input L: float[K, D, D] node q[n, k] = sum[d]((L[k] @ (x[n] - mu[k]))[d]^2) output f = sum[n](logsumexp[k](alpha[k] - 0.5 * q[n, k]))", "N=5 D=2 K=3"),
    ("network", MLP, "B=5 D=4 H=3 C=2"),
    ("two sums, one after the other", "input x: float[n] node m = mean(x) output f = sum((x - m)^2 * exp(x)) / sum(exp(x))", "n=7"),
    ("softmax of all", "input x: float[n] input w: float[n] output f = dot(softmax(x * w), x^2 + w)", "n=6"),
    ("columns", "input A: float[M, N] input b: float[N] output f = sum(tanh(sum(A, axis=0) * b)^2 + exp(b) * sin(b))", "M=3 N=5"),
    ("outer", "input x: float[M] input y: float[N] output f = sum(sin(outer(x, y)) * outer(exp(x), y^2))", "M=3 N=5"),
    ("squared distances", "input x: float[N, D] input c: float[K, D] output f = sum[n](min[k](sum[d]((x[n, d] - c[k, d])^2)))", "N=5 K=3 D=2"),
    ("attention", "input Q: float[T, D] input K: float[S, D] input V: float[S, D] node a[t] = softmax(K @ Q[t]) output f = sum[t, d](sum[s](a[t, s] * V[s, d])^2)", "T=5 S=3 D=2"),
    ("branches", "input x: float[n] input y: float[n] output f = sum(if x > y then sqrt(x - y) * exp(x) else log1p(y - x) * sin(y))", "n=9"),
    ("truth and integers", "input x: float[n] data k: int[n] data b: bool[n] output f = sum((if b then x * k else sin(x)) / (1 + k^2))", "n=7"),
    ("gathered rows", "input E: float[V, D] data ids: int[N] in 0..V input w: float[D] output f = sum[n](sin(dot(E[ids[n]], w))^2 * exp(-dot(E[ids[n]], w)))", "V=3 D=2 N=7"),
    ("scaled products", "data x: float[N, D] input c: float[K, D] input s: float > 1 node z = (x * s) @ c.T / 3 output f = sum[n](logsumexp(z[n] @ c / s + sum((x @ c.T / 2)[n])))", "N=5 D=2 K=3", "N=1 D=1 K=1"),
    ("covariance", "input x: float[N, D] node m = mean(x, axis=0) node c = x - m output f = sum((c.T @ c / N)^2)", "N=6 D=3"),
    ("rows joined", "input x: float[N, 2] input w: float[N] node y[i] = concat(x[i] * w[i], [w[i], 1], sin(x[i])) output f = sum[i](dot(y[i], y[i]) * exp(-w[i]^2))", "N=7"),
    ("a stack of matrices", "input A: float[B, N, N] input b: float[B, N] output f = sum[i](norm(tanh(A[i] @ b[i]) * exp(b[i]))^2)", "B=5 N=2"),
]  # fmt: skip
CASES = cases([*SPECS, *PRODUCTS, *PLACES, *GATHERS], {})
CASES = [case for case in CASES if case.differentiated]
EACH = pytest.mark.parametrize("case", CASES, ids=str)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Blocks of a few entries, so that there are several of them and a shorter one at the end."""
    monkeypatch.setattr("gradc.compiler.passes.blocks._room", lambda machine: 12)
    monkeypatch.setattr("gradc.compiler.passes.blocks._TALL", 2)
    yield


def graphs(case: Case) -> Iterator[tuple[Graph, Graph]]:
    compilation = driver.compiled(checked(case.total), PLAIN)
    for graph in (compilation.graphs.at_once, compilation.graphs.jvp, compilation.graphs.hvp):
        assert graph is not None
        yield graph, blocks(optimise(graph))


def same_values(case: Case, plain: Graph, changed: Graph) -> None:
    """What the interpreter makes of both."""
    seeds = case.random(case.differentiated, 3)
    given = dict(case.values)
    given |= {str(node.attributes["name"]): seeds[n] for n, node in plain.seeds.items()
              if n in seeds}  # fmt: skip
    roots = [[*g.outputs.values(), *g.gradients.values()] for g in (plain, changed)]
    wanted, found = (Interpreter(given, case.sizes).run(r) for r in roots)
    for one, other in zip(found, wanted, strict=True):
        same(one, other, "value", 1e-12)


@EACH
def test_the_pass_keeps_values(case: Case) -> None:
    for plain, blocked in graphs(case):
        same_values(case, plain, blocked)


@EACH
def test_same_values_and_gradients(case: Case) -> None:
    plain, fast = module(case.total, PLAIN), load(driver.compiled(checked(case.total), FAST))
    same_functions(case, fast, plain)


@pytest.mark.parametrize("case", cases(SPECS, {}), ids=str)
def test_threads_change_nothing(case: Case) -> None:
    made = [load(driver.compiled(checked(case.text), Options(level=2, threads=n))) for n in (1, 3)]
    first, second = (case.call(m.value_and_grad) for m in made)
    assert np.array_equal(first[0], second[0])
    for one, other in zip(first[1], second[1], strict=True):
        assert np.array_equal(one, other)
    wanted = case.call(module(case.text).value_and_grad)
    same(second[0], wanted[0], "value", 1e-12)
    for name, gradient in second[1]._asdict().items():
        same(gradient, getattr(wanted[1], name), name, 1e-11)


NEAREST = "data x: float[N, D] data c: float[K, D] node apart[n, k] = dot(c[k], c[k]) - 2 * x[n] @ c[k] output near = argmin(apart, axis=1) output d[n] = sum((x[n] - c[near[n]])^2) + argmax(x[n])"


@pytest.mark.parametrize("sizes", [(7, 2, 3), (1, 1, 1), (0, 2, 3)])
def test_values_alone_are_computed_in_blocks(sizes: tuple[int, int, int]) -> None:
    N, D, K = sizes
    rng = np.random.default_rng(5)
    x, c = rng.normal(size=(N, D)), rng.normal(size=(K, D))
    fast = driver.compiled(checked(NEAREST), Options(level=2))
    assert "2 * c.T" in driver.python(fast).partition("for start in")[0]
    found, wanted = (m.forward(x, c)[0] for m in (load(fast), module(NEAREST)))
    assert np.array_equal(found.near, wanted.near)
    same(found.d, wanted.d, "d", 1e-12)


def test_blocks_are_not_scaled() -> None:
    text = "data x: float[N, D] input c: float[D, K] output f = sum(sin(tanh(x @ c / 3)))"
    written = driver.python(driver.compiled(checked(text), Options(level=2)))
    before, _, step = written.partition("for start in")
    assert "ratio = c / 3" in before and "@ ratio" in step


def test_branches_do_not_warn_on_threads() -> None:
    """The setting of warnings belongs to a thread: what is set around a loop holds in its blocks."""
    text = "input x: float[n] input c: float output f = if c > 0 then sum(sqrt(x) * log(x) * sin(x) + 1 / x) else c"
    generated = module(text, Options(level=2, threads=2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value, found = generated.value_and_grad(np.linspace(-1.0, 1.0, 70_001), -1.0)
    assert value == -1.0 and found.c == 1.0 and not np.any(found.x)


def test_what_only_branches_in_blocks_use_does_not_warn() -> None:
    """It is computed before the loop over blocks, which has the branches."""
    root = "(if y > 0.05 then sqrt(y) else y)"
    text = f"input y: float[n, n] output f = sum(sin(log1p(2) % (2.3 + (reshape(ravel({root}), [-1]) @ ravel(ones_like({root})) * {root})^2)))"
    generated = load(driver.compiled(checked(text), Options(level=2)))
    assert "part = slice(" in driver.python(driver.compiled(checked(text), Options(level=2)))
    with np.errstate(all="raise"):
        _, found = generated.value_and_grad(np.linspace(-1.0, 1.0, 9).reshape(3, 3))
    assert np.all(np.isfinite(found.y))


def test_many_sums_on_threads() -> None:
    """What a block returns may need several lines."""
    names = [f"a_rather_long_name_{i}" for i in range(6)]
    total = " + ".join(f"{n} * sin({n} * x)" for n in names)
    text = (
        f"input x: float[n] {' '.join(f'input {n}: float' for n in names)} output f = sum({total})"
    )
    made = [module(text, options) for options in (Options(), Options(level=2, threads=2))]
    arguments = [np.linspace(0.0, 1.0, 50), *np.linspace(0.5, 1.5, 6)]
    wanted, found = (m.value_and_grad(*arguments) for m in made)
    assert found[0] == pytest.approx(wanted[0], rel=1e-12)
    for one, two in zip(found[1], wanted[1], strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-12)


def test_the_specs_above_have_blocks() -> None:
    for case in cases(SPECS, {}):
        text = driver.python(driver.compiled(checked(case.text), FAST))
        assert "part = slice(" in text, case.name


def test_a_matrix_that_is_a_result_is_written_at_once() -> None:
    """``d_W`` row by row would cost a copy of each, and save no more than reading ``W`` again."""
    text = driver.python(driver.compiled(checked(SPECS[1][1]), Options(level=2)))
    assert "d_W = np.outer(d_m, x)" in text and "part = slice(" not in text


def test_large_arrays_are_never_copied_whole() -> None:
    """The working memory is that of a block: temporaries of -O1 are as large as x."""
    import tracemalloc

    text, peaks = SPECS[0][1], []
    x = np.linspace(-2.0, 2.0, 400_000)
    for options in (Options(), Options(level=2)):
        generated = load(driver.compiled(checked(text), options))
        tracemalloc.start()
        generated.value_and_grad(x)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[0] > 4 * x.nbytes and peaks[1] < 1.2 * x.nbytes
