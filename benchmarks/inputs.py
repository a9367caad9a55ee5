"""Arguments of the workloads, drawn from a generator, in the order of the specifications."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

Arguments = dict[str, Any]


def homework1(rng: Generator) -> Arguments:
    return {"x1": 1.1, "w1": 0.7, "x2": -0.4, "w2": 1.3}


def homework2(rng: Generator, n: int) -> Arguments:
    return {"x": rng.normal(size=n), "W": rng.normal(size=(n, n)) / np.sqrt(n)}


def elementwise(rng: Generator, N: int) -> Arguments:
    return {"x": rng.normal(size=N)}


def network(rng: Generator, N: int, D: int, H: int, C: int) -> Arguments:
    return {
        "x": rng.normal(size=(N, D)),
        "target": np.eye(C)[rng.integers(C, size=N)],
        "W1": rng.normal(size=(D, H)) / np.sqrt(D),
        "b1": rng.normal(size=H),
        "W2": rng.normal(size=(H, C)) / np.sqrt(H),
        "b2": rng.normal(size=C),
    }


def gmm(rng: Generator, D: int, K: int, N: int) -> Arguments:
    return {
        "x": rng.normal(size=(N, D)),
        "gamma": 1.0,
        "m": 0,
        "alpha": rng.normal(size=K),
        "mu": rng.normal(size=(K, D)),
        "q": 0.1 * rng.normal(size=(K, D)),
        "l": 0.1 * rng.normal(size=(K, D * (D - 1) // 2)),
    }


def lstm(rng: Generator, L: int, B: int, T: int) -> Arguments:
    return {
        "main": rng.normal(size=(2 * L, 4 * B)),
        "extra": rng.normal(size=(3, B)),
        "memory": rng.normal(size=(2 * L, B)),
        "sequence": rng.normal(size=(T, B)),
    }


def bundle(rng: Generator, P: int, N: int, M: int) -> Arguments:
    cameras = 0.2 * rng.normal(size=(N, 11))
    cameras[:, 5] -= 5.0
    cameras[:, 6] += 1.5
    return {
        "cameras": cameras,
        "points": rng.normal(size=(M, 3)),
        "weights": rng.uniform(0.5, 1.5, size=P),
        "camera": np.arange(P) % N,
        "point": rng.integers(M, size=P),
        "feature": rng.normal(size=(P, 2)),
    }


def logistic(rng: Generator, N: int, D: int) -> Arguments:
    return {
        "X": rng.normal(size=(N, D)),
        "t": rng.integers(2, size=N).astype(float),
        "w": rng.normal(size=D) / np.sqrt(D),
        "b": 0.3,
    }


def chain(rng: Generator, steps: int) -> Arguments:
    return {"q0": 0.5, "p0": 0.3, "h": 0.01, "g": 0.02, "steps": steps}


def attention(rng: Generator, T: int, D: int, E: int) -> Arguments:
    arguments = {"x": rng.normal(size=(T, D)), "target": rng.normal(size=(T, E))}
    return arguments | {
        name: rng.normal(size=(D, E)) / np.sqrt(D) for name in ("Wq", "Wk", "Wv")
    }  # fmt: skip


def convolution(rng: Generator, C: int, W: int, F: int, R: int) -> Arguments:
    return {
        "image": rng.normal(size=(C, W, W)),
        "target": rng.normal(size=F),
        "w": rng.normal(size=(F, C, R, R)),
        "b": rng.normal(size=F),
    }


def ode(rng: Generator, S: int) -> Arguments:
    return {"start": np.array([1.0, 2.0, 20.0]), "s": 10.0, "r": 28.0, "b": 8 / 3, "S": S}


def hello(rng: Generator) -> Arguments:
    return {"x": 3.0}


def det(rng: Generator, L: int) -> Arguments:
    """Of all sets of columns, as bits: the sign of each column in it, and the set without it."""
    column = np.arange(L)
    inside = np.arange(2**L)[:, None] >> column & 1
    before = np.cumsum(inside, axis=1) - inside
    sets = np.arange(2**L)[:, None] - (1 << column)
    return {
        "sign": inside * (1 - 2 * (before % 2)),
        "without": np.where(inside, sets, 0),
        "A": rng.normal(size=L * L),
    }


def ht(rng: Generator, B: int, V: int, C: int) -> Arguments:
    base = rng.normal(size=(V, 4))
    base[:, 3] = 1.0
    weights = rng.uniform(size=(V, B))
    chains = np.maximum(np.arange(B) - 1, -1)
    chains[6::4] = 0  # after the first, each finger begins at the root
    return {
        "theta": rng.normal(size=26),
        "parents": chains,
        "relatives": np.eye(4) + 0.1 * rng.normal(size=(B, 4, 4)),
        "inverses": np.eye(4) + 0.1 * rng.normal(size=(B, 4, 4)),
        "base": base,
        "weights": weights / weights.sum(axis=1, keepdims=True),
        "correspondences": rng.integers(V, size=C),
        "points": rng.normal(size=(C, 3)),
    }


def kmeans(rng: Generator, N: int, D: int, K: int) -> Arguments:
    points = rng.normal(size=(N, D))
    return {"points": points, "centroids": points[:K] + 0.01}


def llsq(rng: Generator, M: int, N: int) -> Arguments:
    return {"x": rng.normal(size=M), "N": N}


def lse(rng: Generator, N: int) -> Arguments:
    return {"x": rng.normal(size=N)}


def powers(rng: Generator, N: int, S: int) -> Arguments:
    return {"x": rng.uniform(0.5, 1.5, size=N), "S": S}


def particle(rng: Generator) -> Arguments:
    return {"w": 0.1}


def saddle(rng: Generator) -> Arguments:
    return {"x": np.array([1.0, 2.0]), "start": np.array([1.0, 1.0])}
