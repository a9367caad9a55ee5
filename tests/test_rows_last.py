"""``-O2``: the rows of a block last, with the same values and gradients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from gradc.compiler import driver
from gradc.compiler.compilation import Options
from gradc.compiler.passes import optimise, rows_last
from gradc.compiler.passes.blocks import blocks
from gradc.compiler.passes.log import recorded
from hypothesis import given
from hypothesis import strategies as st

from .helpers import checked, load, module
from .judged import Case, same
from .test_blocks import CASES, FAST, MLP, graphs, same_values, small_blocks
from .test_random_graphs import quick

__all__ = ["small_blocks"]
MIXTURE = """data x: float[N, D] input alpha: float[K] input mu: float[K, D] input Q: float[K, D, D]
node distance[n, k] = sum((Q[k] @ (x[n] - mu[k]))^2)
output f = sum[n](logsumexp[k](alpha[k] - distance[n, k] / 2))
"""
# What is done with a matrix whose rows are those of a block, each column of it a number a row.
STEPS = [
    "tanh({}[n] * w)", "{}[n] - max({}[n])", "softmax({}[n])", "log_softmax({}[n])",
    "M @ {}[n]", "{}[n] @ M + w", "{}[n] * sum({}[n] * w)", "{}[n] / (1 + norm({}[n]))",
    "where({}[n] > min({}[n]), {}[n], sin(w))", "(M * outer({}[n], {}[n])) @ w",
    "sum(exp(-abs(outer({}[n], w) - M)), axis=0)", "[dot({}[n], w)] + {}[n] * x[n]",
    "reshape(reshape({}[n], [1, D]) + M, [D * D])[0:D]", "flip({}[n]) - logsumexp({}[n])",
]  # fmt: skip


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(rows_last, "_pays", lambda step, rows: True)
    yield


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_pass_keeps_values(case: Case, always: None) -> None:
    for plain, _ in graphs(case):
        same_values(case, plain, optimise(blocks(optimise(plain))))


@quick
@given(st.lists(st.sampled_from(STEPS), min_size=1, max_size=5), st.integers(0, 5),
       st.integers(1, 3), st.integers(0, 2**31))  # fmt: skip
def test_random_rows(steps: list[str], N: int, D: int, seed: int) -> None:
    lines = ["data x: float[N, D]", "input w: float[D]", "input M: float[D, D]", "node a0 = x"]
    lines += [f"node a{i + 1}[n] = {step.replace('{}', f'a{i}')}" for i, step in enumerate(steps)]
    text = "\n".join([*lines, f"output f = sum(a{len(steps)}^2) + sum(w)"])
    rng = np.random.default_rng(seed)
    values = {"x": rng.normal(size=(N, D)), "w": rng.normal(size=D), "M": rng.normal(size=(D, D))}
    plain = module(text, Options())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows_last, "_pays", lambda step, rows: True)
        patch.setattr("gradc.compiler.passes.blocks._room", lambda machine: 12)
        patch.setattr("gradc.compiler.passes.blocks._TALL", 2)
        turned = load(driver.compiled(checked(text), FAST))
    wanted, found = plain.value_and_grad(**values), turned.value_and_grad(**values)
    same(found[0], wanted[0], "value", 1e-11)
    for name, gradient in found[1]._asdict().items():
        same(gradient, getattr(wanted[1], name), name, 1e-10)


def rewrites(text: str) -> Any:
    with recorded() as found:
        driver.compiled(checked(text), Options(level=2))
    return [entry for entry in found if entry.by == "rows_last"]


def test_it_pays_where_rows_are_short() -> None:
    assert rewrites(MIXTURE)
    written = driver.python(driver.compiled(checked(MIXTURE), Options(level=2)))
    assert "np.asfortranarray(x[part]).T - mu[:, :, None]" in written


def test_columns_stay_where_rows_are_long() -> None:
    """Nothing is combined row by row: entries are as good in any order."""
    assert not rewrites("data X: float[N, D] data t: float[N] input w: float[D] output f = sum(softplus(X @ w) - t * (X @ w))")  # fmt: skip
    assert not rewrites(MLP)  # Products of matrices are the work.
    assert not rewrites("input x: float[N, D] output f = sum(exp(sin(x) * tanh(x)) / (1 + x^2))")
