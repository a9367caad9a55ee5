"""The workloads with loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy


def chain(b: Any, q: Any, p: Any, h: Any, g: Any, steps: int) -> Any:
    def step(state: Any, _: Any) -> Any:
        q, p = state
        q = q + h * p
        return (q, p - g * b.np.sin(q)), None

    (q, p), _ = b.scan(step, (q, p), None, steps)
    return q**2 + p**2


def ode(b: Any, start: Any, s: Any, r: Any, bias: Any, S: int) -> Any:
    h = 2 / S

    def flow(y: Any) -> Any:
        u, v, w = y[0], y[1], y[2]
        return b.stack([s * (v - u), u * (r - w) - v, u * v - bias * w])

    def step(y: Any, _: Any) -> Any:
        return y + h * flow(y + h / 2 * flow(y)), None

    y, _ = b.scan(step, start, None, S)
    return b.np.sum(y**2)


def lstm(b: Any, main: Any, extra: Any, memory: Any, sequence: Any) -> Any:
    np = b.np
    (T, B), L = sequence.shape, main.shape[0] // 2
    W, bias = main[0::2].reshape(L, 4, B), main[1::2].reshape(L, 4, B)

    def sigmoid(x: Any) -> Any:
        return 1 / (1 + np.exp(-x))

    def step(state: Any, row: Any) -> Any:
        said, kept, x = [], [], row * extra[0]
        for i in range(L):
            before, cell = state[0][i], state[1][i]
            forget = sigmoid(x * W[i, 0] + bias[i, 0])
            enter = sigmoid(before * W[i, 1] + bias[i, 1])
            leave = sigmoid(x * W[i, 2] + bias[i, 2])
            change = np.tanh(before * W[i, 3] + bias[i, 3])
            kept.append(cell * forget + enter * change)
            x = leave * np.tanh(kept[i])
            said.append(x)
        return (said, kept), x

    state = [memory[2 * i] for i in range(L)], [memory[2 * i + 1] for i in range(L)]
    _, top = b.scan(step, state, sequence, T - 1)
    y = top * extra[1] + extra[2]
    log_p = y - np.log(2 + np.sum(np.exp(y), axis=1))[:, None]
    return -np.sum(sequence[1:] * log_p) / ((T - 1) * B)


def powers(b: Any, x: Any, S: int) -> Any:
    np, h = b.np, 2 / S

    def f(y: Any) -> Any:
        return x * np.concatenate([numpy.ones(1), y[:-1]])

    def step(y: Any, _: Any) -> Any:
        k1 = f(y)
        k2 = f(y + h / 2 * k1)
        k3 = f(y + h / 2 * k2)
        k4 = f(y + h * k3)
        return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4), None

    y, _ = b.scan(step, b.constant(numpy.zeros(x.shape[0])), None, S)
    return y[-1]


def particle(b: Any, w: Any) -> Any:
    np, dt = b.np, 0.1

    def potential(x: Any, y: Any) -> Any:
        near = (x - 10) ** 2 + (y - 10 + w) ** 2
        return 1 / np.sqrt(near) + 1 / np.sqrt((x - 10) ** 2 + y**2)

    def step(state: Any) -> Any:
        x, y, vx, vy = state
        by_x, by_y = b.grad(potential, (0, 1))(x, y)
        x, y = x + dt * vx, y + dt * vy
        return (
            x,
            y,
            np.where(y > 0, vx - dt * by_x, vx),
            np.where(y > 0, vy - dt * by_y, vy),
        )

    x, y, vx, vy = b.until(lambda state: state[1] <= 0, step, (0.0 * w, 8.0 + 0 * w, 0.75, 0.0))
    return (x - y / vy * vx) ** 2


def saddle(b: Any, x: Any, start: Any) -> Any:
    np = b.np

    def f(y: Any) -> Any:
        return np.sum(x**2) - np.sum(y**2)

    def size(v: Any) -> Any:
        return np.sqrt(np.sum(v**2))

    def step(state: Any) -> Any:
        y, rate, good, _ = state
        slope = -b.grad(f)(y)
        eta = np.where(good == 10, 2 * rate, rate)
        new = y - eta * slope
        stop = (size(slope) <= 1e-5) | (size(y - new) <= 1e-5)
        better = f(new) > f(y)
        again = np.where(good == 10, 1, good + 1)
        return (
            np.where(better & ~stop, new, y),
            np.where(better, eta, eta / 2),
            np.where(better, again, 0),
            stop,
        )

    y, *_ = b.until(lambda state: state[3], step, (start, 1e-5, 0, False))
    return f(y)


FORMULAS: dict[str, Callable[..., Any]] = {
    "chain": chain,
    "ode": ode,
    "lstm": lstm,
    "powers": powers,
    "particle": particle,
    "saddle": saddle,
}
