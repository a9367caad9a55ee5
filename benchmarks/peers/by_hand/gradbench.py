"""By hand: the programs of GradBench that are not in the other files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..formulas import Backend
from ..hand import ht as hand

STEP = 1e-30j


def hello(x: Any) -> Any:
    return x * x, 2 * x


def det(sign: Any, without: Any, A: Any) -> Any:
    S, L = sign.shape
    rows = A.reshape(L, L)[::-1]
    minors, kept = np.zeros(S), []
    minors[0] = 1.0
    for row in rows:
        kept.append(minors)
        minors = np.sum(sign * row * minors[without], axis=1)
    d_minors, d_rows = np.zeros(S), np.empty((L, L))
    d_minors[-1] = 1.0
    for r in reversed(range(L)):
        d_products = d_minors[:, None] * sign
        d_rows[r] = np.sum(d_products * kept[r][without], axis=0)
        d_minors = np.zeros(S)
        np.add.at(d_minors, without, d_products * rows[r])
    return minors[-1], d_rows[::-1].ravel()


def ht(theta: Any, *model: Any) -> Any:
    """One evaluation with a complex step for each column."""
    numpy = Backend(np)
    columns = [np.imag(hand(numpy, theta + STEP * axis, *model)) for axis in np.eye(len(theta))]
    return np.stack(columns, axis=-1) / 1e-30


def kmeans(points: Any, centroids: Any) -> Any:
    distance = np.sum((points[:, None] - centroids) ** 2, axis=2)
    nearest = np.argmin(distance, axis=1)
    d_centroids, counts = np.zeros_like(centroids), np.zeros_like(centroids)
    np.add.at(d_centroids, nearest, 2 * (centroids[nearest] - points))
    np.add.at(counts, nearest, 2.0)
    return d_centroids / counts


def llsq(x: Any, N: int) -> Any:
    t = -1 + 2 * np.arange(N) / (N - 1)
    V = t ** np.arange(len(x))[:, None]
    error = np.sign(t) - x @ V
    return np.sum(error**2) / 2, -V @ error


def lse(x: Any) -> Any:
    top = np.max(x)
    e = np.exp(x - top)
    return top + np.log(np.sum(e)), e / np.sum(e)


def powers(x: Any, S: int) -> Any:
    """Forward, then back through the four stages of each step."""
    h = 2 / S

    def before(y: Any) -> Any:
        return np.concatenate([[1.0], y[:-1]])

    def back(d: Any) -> Any:
        return np.concatenate([(x * d)[1:], [0.0]])

    y, kept = np.zeros(len(x)), []
    for _ in range(S):
        k1 = x * before(y)
        y2 = y + h / 2 * k1
        k2 = x * before(y2)
        y3 = y + h / 2 * k2
        k3 = x * before(y3)
        y4 = y + h * k3
        k4 = x * before(y4)
        kept.append((y, y2, y3, y4))
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    value, d_x, d_y = y[-1], np.zeros(len(x)), np.zeros(len(x))
    d_y[-1] = 1.0
    for y1, y2, y3, y4 in reversed(kept):
        d_k4 = h / 6 * d_y
        d_y4 = back(d_k4)
        d_k3 = h / 3 * d_y + h * d_y4
        d_y3 = back(d_k3)
        d_k2 = h / 3 * d_y + h / 2 * d_y3
        d_y2 = back(d_k2)
        d_k1 = h / 6 * d_y + h / 2 * d_y2
        d_x += d_k1 * before(y1) + d_k2 * before(y2) + d_k3 * before(y3) + d_k4 * before(y4)
        d_y = d_y + d_y4 + d_y3 + d_y2 + back(d_k1)
    return value, d_x


def particle(w: float) -> Any:
    """By the complex step."""

    def landing(w: complex) -> complex:
        x, y, vx, vy, dt = 0j, 8 + 0j, 0.75 + 0j, 0j, 0.1
        while True:
            near = ((x - 10) ** 2 + (y - 10 + w) ** 2) ** -1.5
            far = ((x - 10) ** 2 + y**2) ** -1.5
            ax, ay = (x - 10) * (near + far), (y - 10 + w) * near + y * far
            x, y = x + dt * vx, y + dt * vy
            if y.real <= 0:
                return (x - y / vy * vx) ** 2
            vx, vy = vx + dt * ax, vy + dt * ay

    miss = landing(w + STEP)
    return miss.real, miss.imag / 1e-30


def saddle(x: Any, start: Any) -> Any:
    """The top does not move with ``x``, whose gradient therefore is that of ``x² - y²``."""
    y, rate, good = start, 1e-5, 0
    while True:
        slope = 2 * y
        eta = 2 * rate if good == 10 else rate
        new = y - eta * slope
        if np.linalg.norm(slope) <= 1e-5 or np.linalg.norm(y - new) <= 1e-5:
            return np.sum(x**2) - np.sum(y**2), 2 * x
        if -np.sum(new**2) > -np.sum(y**2):
            y, rate, good = new, eta, 1 if good == 10 else good + 1
        else:
            rate, good = eta / 2, 0


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "hello": hello,
    "det": det,
    "ht": ht,
    "kmeans": kmeans,
    "llsq": llsq,
    "lse": lse,
    "powers": powers,
    "particle": particle,
    "saddle": saddle,
}
