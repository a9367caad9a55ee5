"""References whose loops are sums: det, gmm, kmeans, llsq, lse."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaln


def det(A: Any, ell: int) -> Any:
    """Expansion along the first row, each minor for itself."""
    return _expand(np.reshape(A, (ell, ell)))


def _expand(M: Any) -> Any:
    if len(M) == 0:
        return 1.0
    total = 0.0
    for j in range(len(M)):
        minor = np.delete(M[1:], j, axis=1)
        total = total + (-1) ** j * M[0, j] * _expand(minor)
    return total


def gmm(alpha: Any, mu: Any, q: Any, l: Any, x: Any, gamma: float, m: int) -> Any:  # noqa: E741
    N, D = x.shape
    K = len(alpha)
    total = -N * (D / 2 * np.log(2 * np.pi) + lse(alpha))
    roots = [_root(q[k], l[k]) for k in range(K)]
    for n in range(N):
        beta = np.array(
            [
                alpha[k] + np.sum(q[k]) - np.sum((roots[k] @ (x[n] - mu[k])) ** 2) / 2
                for k in range(K)
            ]
        )
        total = total + lse(beta)
    nu = D + m + 1
    a = nu / 2
    log_gamma = D * (D - 1) / 4 * np.log(np.pi)
    log_gamma += sum(gammaln(a + (1 - j) / 2) for j in range(1, D + 1))
    prior = K * (nu * D * np.log(gamma / np.sqrt(2)) - log_gamma)
    prior = prior - gamma**2 / 2 * (np.sum(np.exp(q) ** 2) + np.sum(l**2)) + m * np.sum(q)
    return total + prior


def _root(q: Any, l: Any) -> Any:  # noqa: E741
    D = len(q)
    Q = np.diag(np.exp(q)).astype(np.result_type(q, l))
    packed = iter(l)
    for j in range(D):
        for i in range(j + 1, D):
            Q[i, j] = next(packed)
    return Q


def kmeans(points: Any, centroids: Any) -> Any:
    total = 0.0
    for point in points:
        distances = [np.sum((centroid - point) ** 2) for centroid in centroids]
        total = total + min(distances, key=np.real)
    return total


def kmeans_direction(points: Any, centroids: Any) -> Any:
    """Centroids less the means of their points: what Newton's step takes away."""
    distances = np.sum((points[:, None] - centroids) ** 2, axis=2)
    nearest = np.argmin(distances, axis=1)
    return np.array([c - points[nearest == k].mean(0) for k, c in enumerate(centroids)])


def llsq(x: Any, n: int) -> Any:
    total = 0.0
    for i in range(n):
        t = -1 + 2 * i / (n - 1)
        total = total + (np.sign(t) - sum(x[j] * t**j for j in range(len(x)))) ** 2 / 2
    return total


def lse(x: Any) -> Any:
    a = np.max(np.real(x))
    return a + np.log(np.sum(np.exp(x - a)))
