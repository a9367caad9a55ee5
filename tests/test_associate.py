"""Products of matrices and vectors in the order that costs least."""

from __future__ import annotations

from typing import Any

import pytest

from .helpers import source_text
from .judged import Case, cases, judge_gradients, judge_values

TEXTS: list[Any] = [
    ("product times a vector", "input A: float[M, K] input B: float[K, N] input v: float[N] output y = (A @ B) @ v", "M=2 K=3 N=4"),
    ("three matrices", "input A: float[M, K] input B: float[K, L] input C: float[L, N] input v: float[N] output y = (A @ B @ C) @ v", "M=2 K=3 L=2 N=4"),
    ("vector times a product", "input A: float[M, K] input B: float[K, N] input u: float[M] output y = u @ (A @ B)", "M=2 K=3 N=4"),
    ("outer times a vector", "input a: float[M] input b: float[N] input v: float[N] output y = outer(a, b) @ v", "M=2 N=3"),
    ("outer transposed", "input a: float[M] input b: float[N] input u: float[M] output y = outer(a, b).T @ u + b", "M=2 N=3"),
    ("outer times a matrix", "input a: float[M] input b: float[K] input B: float[K, N] output y = outer(a, b) @ B", "M=2 K=3 N=4"),
    ("matrix times outer", "input A: float[M, K] input a: float[K] input b: float[N] output y = A @ outer(a, b)", "M=2 K=3 N=4"),
]  # fmt: skip
NEEDED: list[Any] = [
    ("needed as a matrix", "input A: float[N, N] input B: float[N, N] input v: float[N] node C = A @ B output y = C @ v + sum(C)", "N=3"),
    ("used twice", "input A: float[N, N] input B: float[N, N] input v: float[N] output y = (A @ B) @ v * trace(A @ B)", "N=2"),
]  # fmt: skip


@pytest.mark.parametrize("case", cases([*TEXTS, *NEEDED], {}), ids=str)
def test_values_and_gradients(case: Case) -> None:
    judge_values(case)
    judge_gradients(case)


@pytest.mark.parametrize("case", cases(TEXTS[:5], {}), ids=str)
def test_no_product_of_matrices_is_left_in_forward(case: Case) -> None:
    forward = source_text(case.text).partition("def forward")[2].partition("def backward")[0]
    assert "np.outer" not in forward
    assert "A @ B" not in forward or "A @ (B" in forward
