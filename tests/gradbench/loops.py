"""References of loops in time: lstm, ode, particle, saddle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def lstm(main: Any, extra: Any, state: Any, sequence: Any) -> Any:
    c, b = sequence.shape
    layers = len(main) // 2
    hidden = [state[2 * i] for i in range(layers)]
    cell = [state[2 * i + 1] for i in range(layers)]
    total = 0.0
    for t in range(c - 1):
        x = sequence[t] * extra[0]
        for i in range(layers):
            (wf, wi, wo, wc), (bf, bi, bo, bc) = (np.split(main[2 * i + r], 4) for r in (0, 1))
            forget = sigmoid(x * wf + bf)
            ingate = sigmoid(hidden[i] * wi + bi)
            outgate = sigmoid(x * wo + bo)
            change = np.tanh(hidden[i] * wc + bc)
            cell[i] = cell[i] * forget + ingate * change
            hidden[i] = outgate * np.tanh(cell[i])
            x = hidden[i]
        y = x * extra[1] + extra[2]
        total = total + np.sum(sequence[t + 1] * (y - np.log(2 + np.sum(np.exp(y)))))
    return -total / ((c - 1) * b)


def ode(x: Any, s: int) -> Any:
    def f(y: Any) -> Any:
        return np.array([x[0] if i == 0 else x[i] * y[i - 1] for i in range(len(x))])

    h = 2 / s
    y = np.zeros(len(x), np.asarray(x).dtype)
    for _ in range(s):
        k1 = f(y)
        k2 = f(y + h / 2 * k1)
        k3 = f(y + h / 2 * k2)
        k4 = f(y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return y


def landing(w: Any, steps: int = 100_000) -> Any:
    """Where the particle comes down, squared; infinite if it does not."""
    charges = np.array([[10, 10 - w], [10, 0]])
    x, v, dt = np.array([0.0, 8.0]), np.array([0.75, 0.0]), 0.1
    for _ in range(steps):
        a = sum((x - c) / np.sum((x - c) ** 2) ** 1.5 for c in charges)
        x = x + dt * v
        if np.real(x[1]) <= 0:
            delta = -x[1] / v[1]
            return (x[0] + delta * v[0]) ** 2
        v = v + dt * a
    return np.inf


def descend(f: Callable[[Any], Any], gradient: Callable[[Any], Any], x: Any) -> Any:
    """The descent as the benchmark words it."""
    eta, i, g, fx = 1e-5, 0, gradient(x), f(x)
    while True:
        if size(g) <= 1e-5:
            return x
        if i == 10:
            eta, i = 2 * eta, 0
            continue
        new = x - eta * g
        if size(x - new) <= 1e-5:
            return x
        value = f(new)
        if np.real(value) < np.real(fx):
            x, fx, g, i = new, value, gradient(new), i + 1
        else:
            eta, i = eta / 2, 0


def size(x: Any) -> float:
    return float(np.sqrt(np.sum(np.real(x) ** 2)))


def height(x: Any, y: Any) -> Any:
    return np.sum(x**2) - np.sum(y**2)


def highest(x: Any, start: Any) -> Any:
    """The ``y`` where ``height`` is largest, from the gradient ``2 y`` of ``-height``."""
    return descend(lambda y: -height(x, y), lambda y: 2 * y, start)
