"""Numba: loops over numbers, forward and backward by hand."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from ..contest import Contestant
from ..workloads import Arguments, Workload


@numba.njit
def homework1(x1: Any, w1: Any, x2: Any, w2: Any) -> Any:
    a, b = x1 * w1, x2 * w2
    s = math.sin(a)
    f = 1 / (2 + s * s + math.cos(b))
    d_a, d_b = -f * f * 2 * s * math.cos(a), f * f * math.sin(b)
    return f, d_a * w1, d_a * x1, d_b * w2, d_b * x2


@numba.njit
def homework2(x: Any, W: Any) -> Any:
    n = len(x)
    d_x, d_W, f = np.zeros(n), np.empty((n, n)), 0.0
    for i in range(n):
        m = 0.0
        for j in range(n):
            m += W[i, j] * x[j]
        q = 1 / (1 + math.exp(-m))
        f += q * q
        d_m = 2 * q * q * (1 - q)
        for j in range(n):
            d_x[j] += d_m * W[i, j]
            d_W[i, j] = d_m * x[j]
    return f, d_x, d_W


@numba.njit
def elementwise(x: Any) -> Any:
    f, d_x = 0.0, np.empty_like(x)
    for i in range(len(x)):
        v = x[i]
        e, t, u = math.exp(-v * v), math.tanh(v), math.log1p(v * v)
        s, c = math.sin(3 * v), math.cos(3 * v)
        f += e * s + t * u
        d_x[i] = e * (3 * c - 2 * v * s) + (1 - t * t) * u + t * 2 * v / (1 + v * v)
    return f, d_x


@numba.njit
def hello(x: Any) -> Any:
    return x * x, 2 * x


@numba.njit
def chain(q: Any, p: Any, h: Any, g: Any, steps: Any) -> Any:
    places, speeds = np.empty(steps), np.empty(steps)
    for i in range(steps):
        speeds[i] = p
        q += h * p
        places[i] = q
        p -= g * math.sin(q)
    d_q, d_p, d_h, d_g = 2 * q, 2 * p, 0.0, 0.0
    for i in range(steps - 1, -1, -1):
        d_g -= d_p * math.sin(places[i])
        d_q -= d_p * g * math.cos(places[i])
        d_h += d_q * speeds[i]
        d_p += d_q * h
    return q * q + p * p, d_q, d_p, d_h, d_g


@numba.njit
def lse(x: Any) -> Any:
    top = np.max(x)
    total, d_x = 0.0, np.empty_like(x)
    for i in range(len(x)):
        d_x[i] = math.exp(x[i] - top)
        total += d_x[i]
    for i in range(len(x)):
        d_x[i] /= total
    return top + math.log(total), d_x


FUNCTIONS = {
    "homework1": homework1,
    "homework2": homework2,
    "elementwise": elementwise,
    "hello": hello,
    "chain": chain,
    "lse": lse,
}


def contestants(workload: Workload, arguments: Arguments) -> list[Contestant]:
    function = FUNCTIONS.get(workload.formula)
    return [Contestant("numba", function, tuple(arguments.values()))] if function else []
