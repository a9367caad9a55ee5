"""The examples in NumPy and SciPy, written by hand from the mathematics, for ``test_examples``.

Each function takes the inputs of its example by name and returns values by the names that they
have there. What is an ``input`` may be complex: all of them are analytic, so that the complex step
gives the gradient. Where SciPy has the whole thing, it is another judge of the value.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import scipy.optimize
import scipy.signal
import scipy.stats

Values: TypeAlias = dict[str, Any]
Reference: TypeAlias = Callable[..., Values]


def logsumexp(x: Any, axis: int = -1) -> Any:
    """SciPy's is not analytic in all versions."""
    top = np.max(x.real, axis=axis, keepdims=True)
    return np.log(np.sum(np.exp(x - top), axis=axis)) + np.squeeze(top, axis)


def log_softmax(x: Any, axis: int = -1) -> Any:
    return x - np.expand_dims(logsumexp(x, axis), axis)


def sigmoid(x: Any) -> Any:
    return (1 + np.tanh(x / 2)) / 2


def length(x: Any, axis: int = -1) -> Any:
    return np.sqrt(np.sum(x**2, axis=axis))


def mean_square(x: Any) -> Any:
    return np.mean(x**2)


# ── Regression, and a valley ────────────────────────────────────────────────


def linear_regression(X: Any, y: Any, w: Any, b: Any) -> Values:
    return {"loss": mean_square(X @ w + b - y)}


def logistic_regression(X: Any, t: Any, penalty: Any, w: Any, b: Any) -> Values:
    z = X @ w + b
    both = logsumexp(np.stack([0 * z, z]), axis=0)
    return {"p": np.exp(z - both), "loss": np.mean(both - t * z) + penalty * np.sum(w**2)}


def network(x: Any, target: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Values:
    z = x @ W1 + b1
    logits = np.where(z.real > 0, z, 0) @ W2 + b2
    return {"loss": -np.sum(target * log_softmax(logits)) / len(x)}


def rosenbrock(x: Any) -> Values:
    pairs = itertools.pairwise(x)
    return {"f": sum(100 * (b - a**2) ** 2 + (1 - a) ** 2 for a, b in pairs)}


# ── Sequences ───────────────────────────────────────────────────────────────


def lstm(x: Any, y: Any, W: Any, U: Any, b: Any, v: Any) -> Values:
    h = c = np.zeros(len(v))
    states = []
    for row in x:
        enter, keep, out, candidate = np.split(W @ row + U @ h + b, 4)
        c = sigmoid(keep) * c + sigmoid(enter) * np.tanh(candidate)
        h = sigmoid(out) * np.tanh(c)
        states.append(h)
    hs = np.array(states)
    return {"hs": hs, "prediction": hs @ v, "loss": mean_square(hs @ v - y)}


def kalman_filter(y: Any, F: Any, H: Any, q: Any, r: Any, m0: Any, p0: Any) -> Values:
    """Without a filter: all observations are one Gaussian vector."""
    mean, covariance = _observations(len(y), F, H, q @ q.T, r @ r.T, m0, p0 @ p0.T)
    e = y.ravel() - mean
    return {
        "loss": (
            e @ np.linalg.solve(covariance, e)
            + np.log(np.linalg.det(covariance))
            + len(e) * np.log(2 * np.pi)
        )
        / 2
    }


def _observations(steps: int, F: Any, H: Any, Q: Any, R: Any, m: Any, P: Any) -> tuple[Any, Any]:
    """The mean and covariance of all observations, one after the other in one vector."""
    means, blocks = [], np.zeros((steps, len(H), steps, len(H)), complex)
    for t in range(steps):
        means.append(H @ m)
        ahead = P
        for later in range(t, steps):
            blocks[later, :, t] = H @ ahead @ H.T
            blocks[t, :, later] = blocks[later, :, t].T
            ahead = F @ ahead
        blocks[t, :, t] += R
        m, P = F @ m, F @ P @ F.T + Q
    return np.concatenate(means), np.reshape(blocks, (steps * len(H), -1))


def hmm(symbol: Any, first: Any, move: Any, show: Any) -> Values:
    """In probabilities, over all sequences of states."""
    start, turn, emitted = (np.exp(log_softmax(x)) for x in (first, move, show))
    total: Any = 0.0
    for states in np.ndindex(*[len(first)] * len(symbol)):
        p = start[states[0]] * np.prod(emitted[list(states), symbol])
        total = total + p * np.prod(turn[list(states[:-1]), list(states[1:])])
    return {"nll": -np.log(total)}


# ── Physics ─────────────────────────────────────────────────────────────────


def heat(measured: Any, r: Any, u0: Any, k: Any) -> Values:
    """By powers of the matrix of one step."""
    n = len(u0)
    one_step = np.eye(n, dtype=complex)
    for i in range(n - 1):
        edge = np.zeros(n)
        edge[i], edge[i + 1] = 1.0, -1.0
        one_step -= r * k[i] * np.outer(edge, edge)
    history = [np.linalg.matrix_power(one_step, t + 1) @ u0 for t in range(len(measured))]
    return {"history": np.array(history), "misfit": np.sum((np.array(history) - measured) ** 2) / 2}


def nbody(measured: Any, x: Any, m: Any) -> Values:
    """By Newton's law of force."""
    energy, force = 0.0, np.zeros(x.shape, complex)
    for i in range(len(x)):
        for j in range(i):
            away = x[j] - x[i]
            pull = m[i] * m[j] * away / length(away) ** 3
            force[i] += pull
            force[j] -= pull
            energy = energy - m[i] * m[j] / length(away)
    acceleration = force / m[:, None]
    misfit = np.sum((acceleration - measured) ** 2)
    return {"energy": energy, "acceleration": acceleration, "misfit": misfit}


def leapfrog(sun: Any, goal: Any, dt: Any, x0: Any, v0: Any, mass: Any, T: int) -> Values:
    def force(x: Any) -> Any:
        away = sun - x
        return (mass / length(away) ** 3) @ away

    x, v, path = x0, v0, []
    for _ in range(T):
        half = v + dt / 2 * force(x)
        x = x + dt * half
        v = half + dt / 2 * force(x)
        path.append(x)
    return {
        "path": np.array(path),
        "x": x,
        "miss": np.sum((x - goal) ** 2),
        "energy": v @ v / 2 - np.sum(mass / length(x - sun)),
    }


def poisson_network(x: Any, f: Any, w1: Any, b1: Any, W2: Any, b2: Any, w3: Any) -> Values:
    """Derivatives by x carried along by hand: value, first and second."""

    def tanh(z: Any, dz: Any, ddz: Any) -> tuple[Any, Any, Any]:
        y = np.tanh(z)
        slope = 1 - y**2
        return y, slope * dz, slope * ddz - 2 * y * slope * dz**2

    def network(point: Any) -> tuple[Any, Any, Any]:
        first = tanh(w1 * point + b1, w1, 0 * w1)
        value, slope, curve = (W2 @ part for part in first)
        second = tanh(value + b2, slope, curve)
        return w3 @ second[0], w3 @ second[1], w3 @ second[2]

    residual = np.array([network(point)[2] for point in x]) + f
    ends = network(0.0)[0] ** 2 + network(1.0)[0] ** 2
    return {"residual": residual, "loss": mean_square(residual) + ends}


# ── Statistics ──────────────────────────────────────────────────────────────


def gaussian(x: Any, m: Any, A: Any) -> Values:
    covariance = A @ A.T + np.eye(len(m))
    residual = (x - m).T
    fit = np.sum(residual * np.linalg.solve(covariance, residual))
    return {"f": -(fit + len(x) * np.log(np.linalg.det(2 * np.pi * covariance))) / 2}


def gaussian_by_scipy(x: Any, m: Any, A: Any) -> float:
    judge = scipy.stats.multivariate_normal(m, A @ A.T + np.eye(len(m)))
    return float(np.sum(judge.logpdf(x)))


def gaussian_process(x: Any, y: Any, log_scale: Any, log_length: Any, log_noise: Any) -> Values:
    near = sum(((c[:, None] - c) / np.exp(s)) ** 2 for c, s in zip(x.T, log_length, strict=True))
    covariance = np.exp(2 * log_scale - near / 2) + np.diag(len(y) * [np.exp(2 * log_noise)])
    fit = y @ np.linalg.solve(covariance, y)
    return {"nll": (fit + np.log(np.linalg.det(2 * np.pi * covariance))) / 2}


def gaussian_process_by_scipy(**inputs: Any) -> float:
    x, y = inputs["x"] / np.exp(inputs["log_length"]), inputs["y"]
    near = np.sum((x[:, None] - x) ** 2, axis=-1)
    covariance = np.exp(2 * inputs["log_scale"] - near / 2)
    covariance += np.exp(2 * inputs["log_noise"]) * np.eye(len(y))
    return -float(scipy.stats.multivariate_normal(np.zeros(len(y)), covariance).logpdf(y))


def gaussian_mixture(x: Any, a: Any, mu: Any, d: Any, l: Any) -> Values:  # noqa: E741
    nll: Any = 0.0
    for row in x:
        log_p = []
        for k in range(len(a)):
            root = np.diag(np.exp(d[k])).astype(complex)
            root[np.tril_indices(len(row), -1)] = l[k]
            z = root @ (row - mu[k])
            log_p.append(np.log(np.linalg.det(root)) - z @ z / 2)
        nll = nll - logsumexp(log_softmax(a) + np.array(log_p))
    return {"nll": nll + x.size * np.log(2 * np.pi) / 2}


def gaussian_mixture_by_scipy(**inputs: Any) -> float:
    density: Any = 0.0
    weights = np.exp(inputs["a"]) / np.sum(np.exp(inputs["a"]))
    for weight, mu, d, below in zip(weights, inputs["mu"], inputs["d"], inputs["l"], strict=True):
        root = np.diag(np.exp(d))
        root[np.tril_indices(len(d), -1)] = below
        covariance = np.linalg.inv(root.T @ root)
        density = density + weight * scipy.stats.multivariate_normal(mu, covariance).pdf(
            inputs["x"]
        )
    return -float(np.sum(np.log(density)))


# ── Arrays ──────────────────────────────────────────────────────────────────


def convolution_1d(measured: Any, x: Any, w: Any) -> Values:
    y = np.convolve(x, w[::-1], mode="valid")
    return {"y": y, "loss": mean_square(y - measured)}


def convolution_2d(image: Any, target: Any, w: Any, b: Any) -> Values:
    maps = [
        shift + sum(scipy.signal.convolve2d(c, k[::-1, ::-1], "valid") for c, k in zip(image, filter_, strict=True))
        for filter_, shift in zip(w, b, strict=True)
    ]  # fmt: skip
    y = np.array(maps)
    feature = np.mean(np.where(y.real > 0, y, 0), axis=(1, 2))
    return {"y": y, "feature": feature, "loss": np.sum((feature - target) ** 2)}


def attention(x: Any, target: Any, Wq: Any, Wk: Any, Wv: Any) -> Values:
    rows = []
    for t in range(len(x)):
        seen = x[: t + 1]
        weight = np.exp(log_softmax((seen @ Wk) @ (x[t] @ Wq) / np.sqrt(Wq.shape[1])))
        rows.append(weight @ (seen @ Wv))
    y = np.array(rows)
    return {"y": y, "loss": mean_square(y - target)}


# ── Geometry ────────────────────────────────────────────────────────────────


def bundle_adjustment(
    cam: Any, pt: Any, seen: Any, rotation: Any, place: Any, lens: Any, X: Any
) -> Values:
    """A rotation is the exponential of a matrix, by its series."""
    errors = []
    for c, p, where in zip(cam, pt, seen, strict=True):
        x = X[p] - place[c]
        term, turned = x, x
        for n in range(1, 40):
            term = np.cross(rotation[c], term) / n
            turned = turned + term
        u = turned[:2] / turned[2]
        r2 = u @ u
        f, k1, k2 = lens[c]
        errors.append(f * (1 + k1 * r2 + k2 * r2**2) * u - where)
    error = np.array(errors)
    return {"error": error, "cost": np.sum(error**2) / 2}


# ── Numerics ────────────────────────────────────────────────────────────────


def cube_root(a: Any) -> Values:
    return {"root": a ** (1 / 3)}


def kepler(M: Any, observed: Any, a: Any, e: Any) -> Values:
    """By bisection, and one step of Newton's method in complex numbers, which is exact there."""

    def anomaly(mean: float) -> Any:
        flat = np.real(e)
        E = scipy.optimize.brentq(
            lambda E: E - flat * np.sin(E) - mean, mean - 1, mean + 1, xtol=1e-15, rtol=1e-15
        )
        return E - (E - e * np.sin(E) - mean) / (1 - flat * np.cos(E))

    E = np.array([anomaly(mean) for mean in M])
    r = a * (1 - e * np.cos(E))
    return {"E": E, "r": r, "misfit": np.sum((r - observed) ** 2)}
