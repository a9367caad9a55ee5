"""Gradient descent, and the programs whose outer loop it is: particle and saddle.

The first letter of a mode says how the descent finds its gradient, by forward or by reverse mode;
the second how the specification finds the gradient inside.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np

from .functions import Floats, Function, Functions, floats, load

TOLERANCE = 1e-5
Slope = Callable[[Floats], tuple[float, Floats]]


def descend(function: Slope, x: Floats) -> Floats:
    """Where the way down ends; ``function`` gives its value and its gradient.

    After ten steps in a row that lead down the rate doubles; it halves where a step does not.
    """
    value, slope = function(x)
    rate, good = 1e-5, 0
    while np.linalg.norm(slope) > TOLERANCE:
        if good == 10:
            rate, good = 2 * rate, 0
        new = x - rate * slope
        if np.linalg.norm(x - new) <= TOLERANCE:
            break
        new_value, new_slope = function(new)
        if new_value < value:
            x, value, slope, good = new, new_value, new_slope, good + 1
        else:
            rate, good = rate / 2, 0
    return x


def variants(name: str, run: Callable[..., Any], decode: Callable[[Any], Any]) -> Functions:
    """``rr``, ``rf``, ``fr`` and ``ff`` of a program that has a specification for each mode."""
    inner = {"r": load(name, "jvp"), "f": load(f"{name}_forward", "jvp")}
    return {
        outer + letter: Function(decode, partial(run, model, outer))
        for outer in "rf"
        for letter, model in inner.items()
    }


# ── The particle ────────────────────────────────────────────────────────────


def particle() -> Functions:
    return variants("particle", best_place, lambda given: (float(given["w"]),))


def best_place(model: ModuleType, mode: str, w: float) -> float:
    """The place of the charge from which the particle lands at the origin."""

    def backwards(x: Floats) -> tuple[float, Floats]:
        value, gradients = model.value_and_grad(x[0])
        return value, floats([gradients.w])

    def forwards(x: Floats) -> tuple[float, Floats]:
        value, slope = model.jvp(x[0], dw=1.0)
        return value, floats([slope])

    return float(descend(backwards if mode == "r" else forwards, floats([w]))[0])


# ── The saddle ──────────────────────────────────────────────────────────────


def saddle() -> Functions:
    return variants("saddle", saddle_point, lambda given: (floats(given["start"]),))


def saddle_point(model: ModuleType, mode: str, start: Floats) -> Floats:
    """The ``x`` above which the top is lowest, then that top."""

    def backwards(x: Floats) -> tuple[float, Floats]:
        value, gradients = model.value_and_grad(x, start)
        return value, gradients.x

    def forwards(x: Floats) -> tuple[float, Floats]:
        outputs = [model.jvp(x, start, dx=along) for along in np.eye(2)]
        return outputs[0][0].value, floats([slopes.value for _, slopes in outputs])

    lowest = descend(backwards if mode == "r" else forwards, start)
    outputs, _ = model.forward(lowest, start)
    return np.concatenate([lowest, outputs.top])
