"""By hand: the homework, elementary functions, a chain and an equation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np


def homework1(x1: Any, w1: Any, x2: Any, w2: Any) -> Any:
    a = x1 * w1
    b = x2 * w2
    s = np.sin(a)
    e = 2 + s**2 + np.cos(b)
    d_e = -1 / e**2
    d_a = d_e * 2 * s * np.cos(a)
    d_b = -d_e * np.sin(b)
    return 1 / e, d_a * w1, d_a * x1, d_b * w2, d_b * x2


def homework2(x: Any, W: Any) -> Any:
    q = 1 / (1 + np.exp(-(W @ x)))
    d_m = 2 * q * q * (1 - q)
    return np.sum(q**2), W.T @ d_m, np.outer(d_m, x)


def elementwise(x: Any) -> Any:
    e = np.exp(-(x**2))
    s = np.sin(3 * x)
    t = np.tanh(x)
    u = np.log1p(x**2)
    f = np.sum(e * s + t * u)
    d_x = -2 * x * e * s + 3 * e * np.cos(3 * x) + (1 - t**2) * u + t * 2 * x / (1 + x**2)
    return f, d_x


def chain(q: Any, p: Any, h: Any, g: Any, steps: int) -> Any:
    places, speeds = [q], [p]
    for _ in range(steps):
        q = q + h * p
        p = p - g * math.sin(q)
        places.append(q)
        speeds.append(p)
    f = q**2 + p**2
    d_q, d_p, d_h, d_g = 2 * q, 2 * p, 0.0, 0.0
    for i in reversed(range(steps)):
        q, p = places[i + 1], speeds[i]
        d_g -= d_p * math.sin(q)
        d_q -= d_p * g * math.cos(q)
        d_h += d_q * p
        d_p += d_q * h
    return f, d_q, d_p, d_h, d_g


def flow(y: Any, s: Any, r: Any, b: Any) -> Any:
    return np.array([s * (y[1] - y[0]), y[0] * (r - y[2]) - y[1], y[0] * y[1] - b * y[2]])


def flow_back(y: Any, s: Any, r: Any, b: Any, d: Any) -> Any:
    """The derivatives by the place and by the three constants."""
    d_y = np.array([
        -s * d[0] + (r - y[2]) * d[1] + y[1] * d[2],
        s * d[0] - d[1] + y[0] * d[2],
        -y[0] * d[1] - b * d[2],
    ])  # fmt: skip
    return d_y, np.array([(y[1] - y[0]) * d[0], y[0] * d[1], -y[2] * d[2]])


def ode(start: Any, s: Any, r: Any, b: Any, S: int) -> Any:
    h = 2 / S
    y, kept = start, []
    for _ in range(S):
        middle = y + h / 2 * flow(y, s, r, b)
        kept.append((y, middle))
        y = y + h * flow(middle, s, r, b)
    f, d_y, d_constants = np.sum(y**2), 2 * y, np.zeros(3)
    for y, middle in reversed(kept):
        d_middle, late = flow_back(middle, s, r, b, h * d_y)
        d_early, early = flow_back(y, s, r, b, h / 2 * d_middle)
        d_y = d_y + d_middle + d_early
        d_constants += early + late
    return f, d_y, *d_constants


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "homework1": homework1,
    "homework2": homework2,
    "elementwise": elementwise,
    "chain": chain,
    "ode": ode,
}
