"""Matrices at the points where derivatives are delicate: the rows of docs/derivatives.md by name."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from gradc.compiler.compilation import Options

from .helpers import differences, module, source_text

DET = "input A: float[3, 3]\noutput f = det(A)\n"
A = np.array([[2.0, 0.3, 0.1], [0.5, 1.0, -0.4], [0.2, 0.8, 3.0]])
SECOND = Options(emit=("hvp", "jvp"))


def gradient(text: str, matrix: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, cache = module(text).forward(matrix)
        return module(text).backward(cache)[0]


def numerical(text: str, matrix: Any) -> Any:
    wanted, error = differences(lambda v: module(text).forward(v["A"])[0], {"A": matrix}, "A")
    assert np.max(error) < 1e-6
    return wanted


def symmetric(x: Any) -> Any:
    return (x + x.T) / 2


# ── det ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("rank", [0, 1, 2, 3])
def test_gradient_of_det_is_exact_whatever_the_rank(rank: int) -> None:
    singular = A[:, :rank] @ A[:rank, :]
    by_minors = np.array([[(-1) ** (i + j) * np.linalg.det(np.delete(np.delete(singular, i, 0), j, 1))
                           for j in range(3)] for i in range(3)])  # fmt: skip
    np.testing.assert_allclose(gradient(DET, singular), by_minors, atol=1e-14)


@pytest.mark.parametrize("rank", [0, 1, 2, 3])
def test_second_derivative_of_det_is_exact_whatever_the_rank(rank: int) -> None:
    singular = A[:, :rank] @ A[:rank, :]
    direction = np.cos(np.arange(9.0)).reshape(3, 3)
    found = module(DET, SECOND).hvp(singular, v_A=direction).A
    step = 1e-4
    up, down = (gradient(DET, singular + s * direction) for s in (step, -step))
    np.testing.assert_allclose(found, (up - down) / (2 * step), atol=1e-7)


def test_third_derivative_of_det_at_a_regular_matrix() -> None:
    text = "input A: float[3, 3]\nnode y = det(A)\noutput f = sum(grad(y, A)^2)\n"
    direction = np.cos(np.arange(9.0)).reshape(3, 3)
    step = 1e-5
    found = module(text, SECOND).hvp(A, v_A=direction).A
    up, down = (gradient(text, A + s * direction) for s in (step, -step))
    np.testing.assert_allclose(found, (up - down) / (2 * step), atol=1e-7)


def test_det_of_a_batch_with_a_singular_matrix() -> None:
    text = "input A: float[2, 3, 3]\noutput f = sum(det(A))\n"
    singular = A[:, :2] @ A[:2, :]
    both = gradient(text, np.stack([A, singular]))
    np.testing.assert_allclose(both[0], gradient(DET, A), rtol=1e-12)
    np.testing.assert_allclose(both[1], gradient(DET, singular), rtol=1e-12)


# ── Functions of the symmetric part ─────────────────────────────────────────


@pytest.mark.parametrize(
    "expression",
    ["sum(cholesky(A)^3)", "sum(eigvalsh(A)^3)", "sum(cholesky(A + 0 * A) * [[1, 2, 3]])"],
)
def test_gradients_are_of_the_symmetric_part(expression: str) -> None:
    """NumPy reads one triangle; gradc differentiates the function of ``(A + A.T) / 2``."""
    text = f"input A: float[3, 3]\noutput f = {expression}\n"
    matrix = A @ A.T + 0.1 * np.triu(A)  # not symmetric
    found = gradient(text, matrix)
    np.testing.assert_allclose(found, found.T, rtol=1e-12)
    np.testing.assert_allclose(found, numerical(text, matrix), rtol=1e-7, atol=1e-8)


def test_symmetrisation_is_dropped_where_symmetry_is_proved() -> None:
    proved = "input B: float[3, 4]\ninput s: float\noutput f = sum(cholesky({}))\n"
    for matrix in (
        "B @ B.T + eye(3)",
        "2 * (B @ B.T) + s * eye(3)",
        "B @ B.T / s + outer([1, 2, 3], [1, 2, 3])",
    ):
        text = proved.format(matrix)
        source = source_text(text)
        forward = source[source.index("def forward") : source.index("def backward")]
        assert ".T) / 2" not in forward, matrix
    assert ".T) / 2" in source_text(proved.format("(B @ B.T) * [[1, 2, 3]] + eye(3)"))


# ── Repeated eigenvalues and singular values ────────────────────────────────


def test_symmetric_functions_of_repeated_eigenvalues() -> None:
    text = "input A: float[3, 3]\nnode w, V = eigh(A)\noutput f = sum(w^3)\n"
    found = gradient(text, np.eye(3) * 2.0)
    np.testing.assert_allclose(found, 12.0 * np.eye(3), atol=1e-12)


def test_symmetric_functions_of_repeated_singular_values() -> None:
    text = "input A: float[3, 3]\noutput f = sum(svdvals(A)^2)\n"
    np.testing.assert_allclose(gradient(text, np.eye(3) * 2.0), 4.0 * np.eye(3), atol=1e-12)


@pytest.mark.parametrize(
    "nodes",
    ["node w, V = eigh(A)\noutput f = sum(V^3)", "node U, S, Vh = svd(A)\noutput f = sum(U^3)"],
)
def test_vectors_of_repeated_values_have_nan_and_a_warning(nodes: str) -> None:
    generated = module(f"input A: float[3, 3]\n{nodes}\n")
    _, cache = generated.forward(np.eye(3))
    with pytest.warns(RuntimeWarning, match="repeated eigenvalues or singular values"):
        (found,) = generated.backward(cache)
    assert np.all(np.isnan(found))


def test_singular_values_of_a_square_matrix_that_is_singular() -> None:
    text = (
        "input A: float[3, 3]\nnode U, S, Vh = svd(A)\noutput f = sum(U[:, 0]^4) + sum(Vh[0]^4)\n"
    )
    matrix = A[:, :2] @ A[:2, :]
    np.testing.assert_allclose(gradient(text, matrix), numerical(text, matrix), atol=1e-7)


# ── Branches ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "expression",
    ["sum(solve(A, b))", "sum(inv(A))", "logdet(A)", "sum(cholesky(A))",
     "sum(solve_triangular(A, b))", "sum(solve(A, outer(b, b)))"],
)  # fmt: skip
def test_no_exception_from_a_branch_that_is_not_taken(expression: str) -> None:
    text = f"""
    input A: float[3, 3]
    input b: float[3]
    input t: float
    output f = if t > 0 then {expression} else t * sum(b)
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value, gradients = module(text).value_and_grad(np.zeros((3, 3)), np.ones(3), -1.0)
    assert value == -3.0
    assert np.all(gradients.A == 0.0)
    np.testing.assert_array_equal(gradients.b, np.full(3, -1.0))
    taken, _ = module(text).value_and_grad(A @ A.T, np.ones(3), 1.0)
    assert np.isfinite(taken)


def test_some_matrices_of_a_batch_are_not_taken() -> None:
    text = """
    input A: float[2, 3, 3]
    data good: bool[2]
    output f = sum(if good then logdet(A) else zeros(2))
    """
    batch = np.stack([A @ A.T, np.zeros((3, 3))])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value, gradients = module(text).value_and_grad(batch, np.array([True, False]))
    np.testing.assert_allclose(value, np.linalg.slogdet(A @ A.T)[1])
    np.testing.assert_allclose(gradients.A[0], np.linalg.inv(A @ A.T), rtol=1e-10)
    assert np.all(gradients.A[1] == 0.0)


def test_wide_and_tall_factors_agree_with_numpy() -> None:
    for shape in ((3, 5), (5, 3)):
        text = f"input A: float[{shape[0]}, {shape[1]}]\nnode Q, R = qr(A)\noutput P = Q @ R\n"
        matrix = np.sin(np.arange(15.0)).reshape(shape)
        value, _ = module(text).forward(matrix)
        np.testing.assert_allclose(value, matrix, atol=1e-13)


def test_sizes_of_a_factorisation_are_checked_on_entry() -> None:
    text = "input A: float[M, N]\nnode Q, R = qr(A)\noutput f = sum(R^2)\n"
    module(text).forward(np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"qr\(A\) needs N <= M"):
        module(text).forward(np.ones((2, 3)))


def test_determinants_do_not_overflow() -> None:
    text = "input A: float[N, N]\nnode s, l = slogdet(A)\noutput f = l + logdet(A)\n"
    big = np.eye(200) * 1e10
    value, gradients = module(text).value_and_grad(big)
    np.testing.assert_allclose(value, 2 * 200 * np.log(1e10))
    np.testing.assert_allclose(gradients.A, 2e-10 * np.eye(200))


def test_logdet_of_a_negative_determinant_is_nan() -> None:
    text = "input A: float[2, 2]\noutput f = logdet(A)\n"
    assert np.isnan(module(text).forward(np.diag([1.0, -1.0]))[0])
    assert module(text).forward(np.zeros((2, 2)))[0] == -np.inf
