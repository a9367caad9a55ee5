"""Gradients against numerical derivatives of the generated module's own functions.

Central differences with Richardson extrapolation (L. F. Richardson, 1911):
``(4 D(h/2) - D(h)) / 3`` has an error of order h⁴, and its distance to ``D(h/2)`` estimates that
error. Where the slopes on the two sides stay apart as h shrinks, the point is a kink; there, and
at the edge of a domain, nothing is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

_MOST_ENTRIES = 64
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Comparison:
    """One input: how many entries were compared, how many lie at kinks, and the worst."""

    name: str
    compared: int
    kinks: int
    worst: float
    place: tuple[int, ...]
    analytic: float
    numeric: float

    @property
    def holds(self) -> bool:
        return self.worst <= 1.0


def compare(
    function: Callable[[Mapping[str, Any]], float],
    inputs: Mapping[str, Any],
    gradients: Mapping[str, Any],
    seed: int = 0,
) -> list[Comparison]:
    """A comparison for each gradient; ``worst`` is the error in units of what is tolerated.

    Of a large input, a random choice of entries is compared.
    """
    rng = np.random.default_rng(seed)
    return [_input(function, inputs, n, np.asarray(g, float), rng) for n, g in gradients.items()]


def _input(
    function: Callable[[Mapping[str, Any]], float],
    inputs: Mapping[str, Any],
    name: str,
    gradient: Any,
    rng: np.random.Generator,
) -> Comparison:
    point = np.array(inputs[name], float)
    places = list(np.ndindex(point.shape))
    if len(places) > _MOST_ENTRIES:
        places = [places[i] for i in rng.choice(len(places), _MOST_ENTRIES, replace=False)]
    worst, where, numeric_at = -1.0, (), 0.0
    kinks = 0
    scale = float(np.max(np.abs(gradient), initial=0.0))
    for place in places:

        def at(step: float, place: tuple[int, ...] = place) -> float:
            moved = point.copy()
            moved[place] += step
            try:
                return float(function({**inputs, name: moved}))
            except ValueError:
                return np.nan  # outside the domain of the input

        numeric, error = _derivative(at, abs(float(point[place])))
        if numeric is None:
            kinks += 1
            continue
        allowed = TOLERANCE * max(abs(numeric), 1e-3 * scale, 1e-8) + 10.0 * error
        off = abs(float(gradient[place]) - numeric) / allowed
        if not off <= worst:
            worst, where, numeric_at = (off if off == off else np.inf), place, numeric
    analytic = float(gradient[where]) if worst >= 0 else 0.0
    return Comparison(name, len(places) - kinks, kinks, worst, where, analytic, numeric_at)


def _derivative(at: Callable[[float], float], size: float) -> tuple[float | None, float]:
    """The derivative at 0 and an estimate of its error; no derivative at a kink."""
    step = 1e-3 * max(size, 0.1)
    middle = at(0.0)
    best, best_error = 0.0, np.inf
    gaps = []
    for _ in range(4):
        values = {s: at(s * step) for s in (-1.0, -0.5, 0.5, 1.0)}
        wide = (values[1.0] - values[-1.0]) / (2.0 * step)
        narrow = (values[0.5] - values[-0.5]) / step
        extrapolated = (4.0 * narrow - wide) / 3.0
        rounding = 4e-16 * max(map(abs, values.values())) / step
        error = abs(extrapolated - narrow) * 0.1 + rounding
        if not np.isfinite(error):
            return None, 0.0
        if error < best_error:
            best, best_error = extrapolated, error
        right, left = (values[1.0] - middle) / step, (middle - values[-1.0]) / step
        gaps.append(abs(right - left) - 4.0 * rounding)
        step *= 0.1
    if gaps[-1] > 0.3 * gaps[0] > 0.0 and gaps[-1] > 1e-4 * max(1.0, abs(best)):
        return None, 0.0
    if not np.isfinite(best):
        return None, 0.0
    return best, best_error
