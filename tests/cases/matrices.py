"""Functions of matrices: alone, of several together, wide, tall and empty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg

from .case import Case, special

SQUARE, STACK = "x: float[3, 3]", "x: float[2, 3, 3]"
TALL, WIDE = "x: float[4, 3]", "x: float[3, 4]"
SPD = "x @ x.T + 2 * eye(3)"


def spd(x: Any) -> Any:
    return x @ np.swapaxes(x, -1, -2) + 2 * np.eye(3)


def triangular(lower: bool) -> Callable[[Any, Any], Any]:
    return lambda a, b: scipy.linalg.solve_triangular(a, b, lower=lower)


def result(name: str, call: str, position: int, reference: Any, *operands: str) -> Case:
    """One result of a call that has several."""
    return special(f"{name}:{call}", lambda *v: reference(*v)[position], *operands, result=position)


def symmetric(x: Any) -> Any:
    return (x + np.swapaxes(x, -1, -2)) / 2


CASES = [
    special("inv(x)", np.linalg.inv, SQUARE),
    special("inv(x)", np.linalg.inv, STACK),
    special("inv(x)", np.linalg.inv, "x: float[1, 1]"),
    special("inv(x)", np.linalg.inv, "x: float[0, 0]"),
    special("solve(a, b)", np.linalg.solve, "a: float[3, 3]", "b: float[3, 2]"),
    special("solve(a, b)", np.linalg.solve, "a: float[2, 3, 3]", "b: float[3, 2]"),
    special("solve(a, b)", np.linalg.solve, "a: float[3, 3]", "b: float[2, 3, 2]"),
    special("solve_vector:solve(a, b)", np.linalg.solve, "a: float[3, 3]", "b: float[3]"),
    special("solve_vector:solve(a, b)", np.linalg.solve, "a: float[2, 3, 3]", "b: float[3]"),
    special("solve_vector(a, b)", lambda a, b: np.linalg.solve(a, b[..., None])[..., 0],
            "a: float[3, 3]", "b: float[2, 3]"),
    special("solve_triangular(a, b)", triangular(False), "a: float[3, 3]", "b: float[3, 2]"),
    special("solve_triangular(a, b, lower=true)", triangular(True), "a: float[3, 3]", "b: float[3]"),
    special("solve_triangular(a, b, lower=true)", None, "a: float[2, 3, 3]", "b: float[3, 2]"),
    special("solve_triangular(a, b)", None, "a: float[3, 3]", "b: float[2, 3, 1]"),
    special("pinv(x)", np.linalg.pinv, TALL),
    special("pinv(x)", np.linalg.pinv, WIDE),
    special("pinv(x)", np.linalg.pinv, STACK),
    special("matrix_power(x, 3)", lambda x: np.linalg.matrix_power(x, 3), SQUARE),
    special("matrix_power(x, 0)", lambda x: np.linalg.matrix_power(x, 0), SQUARE),
    special("matrix_power(x, -2)", lambda x: np.linalg.matrix_power(x, -2), SQUARE),
    special("matrix_power(x, 5)", lambda x: np.linalg.matrix_power(x, 5), STACK),
    special("det(x)", np.linalg.det, SQUARE),
    special("det(x)", np.linalg.det, STACK),
    special("det(x)", np.linalg.det, "x: float[1, 1]"),
    special("det(x)", np.linalg.det, "x: float[0, 0]"),
    special("cofactor(x)", lambda x: np.linalg.det(x) * np.linalg.inv(x).T, SQUARE),
    special("cofactor(x)", None, STACK),
    special("cofactor_along(x, h)", None, SQUARE, "h: float[3, 3]"),
    special("cofactor_along(x, h)", None, STACK, "h: float[3, 3]"),
    special(f"logdet:logdet({SPD})", lambda x: np.linalg.slogdet(spd(x))[1], SQUARE),
    special(f"logdet:logdet({SPD})", lambda x: np.linalg.slogdet(spd(x))[1], STACK),
    result("slogdet", "slogdet(x)", 0, np.linalg.slogdet, SQUARE),
    result("slogdet", "slogdet(x)", 1, np.linalg.slogdet, SQUARE),
    result("slogdet", "slogdet(x)", 1, np.linalg.slogdet, STACK),
    special("symmetric(x)", symmetric, SQUARE),
    special("symmetric(x)", symmetric, STACK),
    special("triangle(x, lower=true)", np.tril, SQUARE),
    special("triangle(x, lower=false)", np.triu, STACK),
    special("half_lower(x)", lambda x: (np.tril(x) + np.tril(x, -1)) / 2, SQUARE),
    special("half_lower(x)", None, STACK),
    special("eye_like:x * eye_like(x)", lambda x: x * np.eye(3), SQUARE),
    special("eye_like:x * eye_like(x)", lambda x: x * np.eye(3), STACK),
    special(f"cholesky:cholesky({SPD})", lambda x: np.linalg.cholesky(spd(x)), SQUARE),
    special(f"cholesky:cholesky({SPD})", lambda x: np.linalg.cholesky(spd(x)), STACK),
    special("cholesky:cholesky(x + 9 * eye(3))",
            lambda x: np.linalg.cholesky(symmetric(x) + 9 * np.eye(3)), SQUARE),
    *[result("qr", "qr(x)", i, np.linalg.qr, shape)
      for i in (0, 1) for shape in (SQUARE, STACK, TALL, WIDE, "x: float[1, 1]")],
    *[result("eigh", "eigh(x)", i, lambda x: np.linalg.eigh(symmetric(x)), shape)
      for i in (0, 1) for shape in (SQUARE, STACK, "x: float[1, 1]")],
    special("eigvalsh(x)", lambda x: np.linalg.eigvalsh(symmetric(x)), SQUARE),
    special("eigvalsh(x)", lambda x: np.linalg.eigvalsh(symmetric(x)), STACK),
    special("gaps(x)", None, "x: float[3]"),
    special("gaps(x)", None, "x: float[2, 3]"),
    *[result("svd", "svd(x)", i, lambda x: np.linalg.svd(x, full_matrices=False), shape)
      for i in (0, 1, 2) for shape in (SQUARE, STACK, TALL, WIDE)],
    special("svdvals(x)", np.linalg.svdvals, TALL),
    special("svdvals(x)", np.linalg.svdvals, WIDE),
]  # fmt: skip
