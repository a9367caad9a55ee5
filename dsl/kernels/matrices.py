"""Functions of matrices that NumPy lacks, over any number of leading axes."""

from __future__ import annotations

import warnings
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .arrays import _prod_others

Array: TypeAlias = NDArray[Any]


def _solve_triangular(a: Array, b: Array, lower: bool = False) -> Array:
    """Substitution in blocks: x with a @ x = b for one triangle of a."""
    size = a.shape[-1]
    blocks = [slice(i, min(i + 64, size)) for i in range(0, size, 64)]
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    x = np.empty((*batch, *b.shape[-2:]), np.result_type(a, b))
    for block in blocks if lower else blocks[::-1]:
        done = slice(0, block.start) if lower else slice(block.stop, size)
        rest = b[..., block, :] - a[..., block, done] @ x[..., done, :]
        # Factorising an upper triangle does nothing, so that a lower one is turned round.
        if lower:
            corner = np.triu(a[..., block, block][..., ::-1, ::-1])
            x[..., block, :] = np.linalg.solve(corner, rest[..., ::-1, :])[..., ::-1, :]
        else:
            x[..., block, :] = np.linalg.solve(np.triu(a[..., block, block]), rest)
    return x


def _kron(a: Array, b: Array) -> Array:
    """The Kronecker product of matrices."""
    product = a[..., :, None, :, None] * b[..., None, :, None, :]
    *batch, m, p, n, q = product.shape
    result: Array = product.reshape(*batch, m * p, n * q)
    return result


def _half_lower(x: Array) -> Array:
    """The lower triangle, with half the diagonal."""
    result: Array = (np.tril(x) + np.tril(x, -1)) / 2
    return result


def _cofactor(x: Array) -> Array:
    """The matrix of cofactors, by the singular values: exact whatever the rank."""
    u, s, vh = np.linalg.svd(x)
    sign = np.linalg.det(u) * np.linalg.det(vh)
    result: Array = sign[..., None, None] * (u * _prod_others(s)[..., None, :]) @ vh
    return result


def _cofactor_along(x: Array, h: Array) -> Array:
    """The derivative of the cofactors of x along h."""
    u, s, vh = np.linalg.svd(x)
    sign = np.linalg.det(u) * np.linalg.det(vh)
    size = s.shape[-1]
    eye = np.eye(size, dtype=bool)
    # The products of all singular values but two.
    others = _prod_others(np.where(eye, 1, s[..., None, :]))
    others = np.where(eye, 0, others)
    inner = np.swapaxes(u, -1, -2) @ h @ np.swapaxes(vh, -1, -2)
    diagonal = np.diagonal(inner, axis1=-2, axis2=-1)
    trace = (others @ diagonal[..., None])[..., 0]
    middle = np.where(eye, trace[..., None], -others * np.swapaxes(inner, -1, -2))
    result: Array = sign[..., None, None] * (u @ middle @ vh)
    return result


def _logdet(x: Array) -> Any:
    """log(det(x)): -inf for a singular matrix, nan for a negative determinant."""
    sign, size = np.linalg.slogdet(x)
    return np.where(sign < 0, np.nan, size)[()]


def _gaps(x: Array) -> Array:
    """1 / (x[j] - x[i]), 0 on the diagonal, and nan where two are equal."""
    difference = x[..., None, :] - x[..., :, None]
    eye = np.eye(x.shape[-1], dtype=bool)
    ties = (difference == 0) & ~eye
    if np.any(ties):
        text = "repeated eigenvalues or singular values: the gradient of vectors is nan"
        warnings.warn(text, RuntimeWarning, stacklevel=3)
    result: Array = np.where(
        eye, 0, np.where(ties, np.nan, 1 / np.where(difference == 0, 1, difference))
    ).astype(x.dtype, copy=False)
    return result
