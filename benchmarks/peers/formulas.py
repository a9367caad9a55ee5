"""The workloads as functions, for peers that differentiate them.

``Backend`` is what a peer has: functions named as NumPy's, loops, gradients. Each formula returns
the value of which gradients are wanted, or the outputs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy

from . import hand, recurrent

Formula = Callable[..., Any]


class Backend:
    """Loops in Python, as in a peer that records what it executes."""

    def __init__(self, np: Any) -> None:
        self.np = np

    def constant(self, array: Any) -> Any:
        return array

    def stack(self, entries: Sequence[Any]) -> Any:
        return self.np.stack(entries)

    def softplus(self, z: Any) -> Any:
        return self.np.logaddexp(0.0, z)

    def grad(self, function: Formula, places: int | tuple[int, ...] = 0) -> Formula:
        raise NotImplementedError

    def scan(self, step: Formula, state: Any, rows: Any, steps: int) -> tuple[Any, Any]:
        """The last state, and the stack of the second results; ``rows`` may be ``None``."""
        emitted = []
        for i in range(steps):
            state, out = step(state, None if rows is None else rows[i])
            emitted.append(out)
        return state, None if emitted[0] is None else self.stack(emitted)

    def until(self, done: Formula, step: Formula, state: Any) -> Any:
        """The state after steps until ``done``, at least one."""
        while True:
            state = step(state)
            if done(state):
                return state


def logsumexp(np: Any, z: Any, axis: int) -> Any:
    """Keeps the axis."""
    top = np.amax(z, axis=axis, keepdims=True)
    return top + np.log(np.sum(np.exp(z - top), axis=axis, keepdims=True))


# ── Small ones ──────────────────────────────────────────────────────────────


def homework1(b: Backend, x1: Any, w1: Any, x2: Any, w2: Any) -> Any:
    return 1 / (2 + b.np.sin(x1 * w1) ** 2 + b.np.cos(x2 * w2))


def homework2(b: Backend, x: Any, W: Any) -> Any:
    return b.np.sum((1 / (1 + b.np.exp(-(W @ x)))) ** 2)


def elementwise(b: Backend, x: Any) -> Any:
    np = b.np
    return np.sum(np.exp(-(x**2)) * np.sin(3 * x) + np.tanh(x) * np.log1p(x**2))


def hello(b: Backend, x: Any) -> Any:
    return x * x


def lse(b: Backend, x: Any) -> Any:
    top = b.np.amax(x)
    return top + b.np.log(b.np.sum(b.np.exp(x - top)))


def llsq(b: Backend, x: Any, N: int) -> Any:
    np = b.np
    t = -1 + 2 * np.arange(N) / (N - 1)
    V = t ** np.arange(x.shape[0])[:, None]
    return np.sum((np.sign(t) - x @ V) ** 2) / 2


def det(b: Backend, sign: Any, without: Any, A: Any) -> Any:
    S, L = sign.shape
    rows = A.reshape(L, L)
    minors = b.constant((numpy.arange(S) == 0).astype(float))
    for r in range(L):
        minors = b.np.sum(sign * rows[L - 1 - r] * minors[without], axis=1)
    return minors[S - 1]


# ── Layers ──────────────────────────────────────────────────────────────────


def network(b: Backend, x: Any, target: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    np = b.np
    a = x @ W1 + b1
    logits = np.where(a > 0, a, 0.0) @ W2 + b2
    return -np.sum(target * (logits - logsumexp(np, logits, 1))) / x.shape[0]


def logistic(b: Backend, X: Any, t: Any, w: Any, bias: Any) -> Any:
    z = X @ w + bias
    return b.np.sum(b.softplus(z) - t * z) / X.shape[0] + 0.01 * b.np.sum(w**2)


def attention(b: Backend, x: Any, target: Any, Wq: Any, Wk: Any, Wv: Any) -> Any:
    np, T = b.np, x.shape[0]
    q, k, v = x @ Wq, x @ Wk, x @ Wv
    seen = b.constant(numpy.tril(numpy.ones((T, T), bool)))
    score = np.where(seen, q @ k.T / math.sqrt(q.shape[1]), -math.inf)
    weight = np.exp(score - logsumexp(np, score, 1))
    return np.sum((weight @ v - target) ** 2) / (T * target.shape[1])


def convolution(b: Backend, image: Any, target: Any, w: Any, bias: Any) -> Any:
    np, R = b.np, w.shape[2]
    width = image.shape[1] - R + 1
    y = bias[:, None, None]
    for r in range(R):
        for s in range(R):
            part = image[:, r : r + width, s : s + width]
            y = y + np.einsum("fc,cij->fij", w[:, :, r, s], part)
    feature = np.sum(np.where(y > 0, y, 0.0), axis=(1, 2)) / width**2
    return np.sum((feature - target) ** 2)


# ── Models ──────────────────────────────────────────────────────────────────


def gmm(b: Backend, x: Any, gamma: Any, m: int, alpha: Any, mu: Any, q: Any, l: Any) -> Any:  # noqa: E741
    np = b.np
    (N, D), K = x.shape, alpha.shape[0]
    column, row = numpy.triu_indices(D, 1)
    place = numpy.zeros((len(row), D * D))
    place[numpy.arange(len(row)), row * D + column] = 1.0
    lower = (l @ b.constant(place)).reshape(K, D, D)
    Q = lower + np.exp(q)[:, :, None] * b.constant(numpy.eye(D))
    y = np.einsum("kij,nkj->nki", Q, x[:, None] - mu)
    log_weights = alpha - logsumexp(np, alpha, 0)
    log_p = log_weights + np.sum(q, axis=1) - np.sum(y**2, axis=2) / 2
    nu = D + m + 1
    log_gamma = D * (D - 1) / 4 * math.log(math.pi)
    log_gamma += sum(math.lgamma((nu + 1 - j) / 2) for j in range(1, D + 1))
    scale = K * (nu * D * np.log(gamma / math.sqrt(2)) - log_gamma)
    penalty = gamma**2 / 2 * (np.sum(np.exp(q) ** 2) + np.sum(l**2))
    likelihood = np.sum(logsumexp(np, log_p, 1)) - N * D / 2 * math.log(2 * math.pi)
    return likelihood + scale - penalty + m * np.sum(q)


def bundle(
    b: Backend, cameras: Any, points: Any, weights: Any, camera: Any, point: Any, feature: Any
) -> Any:
    np = b.np

    def errors(c: Any, X: Any, w: Any) -> Any:
        r, v = c[:, :3], X - c[:, 3:6]
        angle = np.sqrt(np.sum(r**2, axis=1))[:, None]
        k = r / angle
        along = np.sum(k * v, axis=1)[:, None] * k
        cos, sin = np.cos(angle), np.sin(angle)
        turned = cos * v + sin * np.cross(k, v) + (1 - cos) * along
        p = turned[:, :2] / turned[:, 2:]
        r2 = np.sum(p**2, axis=1)[:, None]
        distortion = 1 + c[:, 9:10] * r2 + c[:, 10:11] * r2**2
        return w[:, None] * (c[:, 6:7] * distortion * p + c[:, 7:9] - feature)

    given = (cameras[camera], points[point], weights)
    rows = []
    for k in range(2):
        by = b.grad(lambda *given, k=k: np.sum(errors(*given)[:, k]), (0, 1, 2))(*given)
        rows.append(np.concatenate([by[0], by[1], by[2][:, None]], axis=1))
    return errors(*given), np.stack(rows, axis=1)


def ba(b: Backend, *arguments: Any) -> Any:
    return bundle(b, *arguments)[1], -2 * arguments[2]


def kmeans(b: Backend, points: Any, centroids: Any) -> Any:
    np = b.np

    def cost(centroids: Any) -> Any:
        distance = np.sum(centroids**2, axis=1) - 2 * points @ centroids.T
        nearest = np.argmin(distance, axis=1)
        return np.sum((points - centroids[nearest]) ** 2)

    slope = b.grad(cost)
    return slope(centroids) / b.grad(lambda c: np.sum(slope(c)))(centroids)


FORMULAS: dict[str, Formula] = {
    "homework1": homework1,
    "homework2": homework2,
    "elementwise": elementwise,
    "hello": hello,
    "lse": lse,
    "llsq": llsq,
    "det": det,
    "network": network,
    "logistic": logistic,
    "attention": attention,
    "convolution": convolution,
    "gmm": gmm,
    "bundle": bundle,
    "ba": ba,
    "kmeans": kmeans,
    "ht": hand.ht,
    **recurrent.FORMULAS,
}
