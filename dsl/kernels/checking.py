"""Gradients held against differences: for ``gradc test``, and for modules that check themselves.

Central differences with Richardson extrapolation (L. F. Richardson, 1911):
``(4 D(h/2) - D(h)) / 3`` has an error of order h⁴, and its distance to ``D(h/2)`` estimates that
error. Where the slopes on the two sides stay apart as h shrinks, the point is a kink; there, and
at the edge of a domain, nothing is compared. What depends on the kind of values is in
``array_entries`` and, under the same names, in ``scalar_entries``.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from .array_entries import (
    _entry,
    _epsilon,
    _inner,
    _largest,
    _moved,
    _ones_like,
    _places,
    _random_like,
    _unit,
)


class _Row(NamedTuple):
    """A derivative with respect to one input, and its worst entry."""

    function: str
    name: str
    shape: str
    compared: int
    zeros: int
    kinks: int
    error: float
    place: str
    found: float
    against: str
    wanted: float
    holds: bool


def _slope(
    at: Callable[[float], float], size: float, noise: float, epsilon: float
) -> tuple[float, float, float] | None:
    """The derivative at 0, an estimate of its error, and how much it changes within a step; None
    at a kink or an edge."""
    step = epsilon**0.2 * max(size, 0.1)
    middle = at(0.0)
    best, least, change = 0.0, math.inf, 0.0
    gaps = []
    for _ in range(4):
        a, b, c, d = (at(s * step) for s in (-1.0, -0.5, 0.5, 1.0))
        wide, narrow = (d - a) / (2.0 * step), (c - b) / step
        slope = (4.0 * narrow - wide) / 3.0
        # A fourth difference is all noise where the function is smooth.
        rough = abs(a - 4.0 * b + 6.0 * middle - 4.0 * c + d) / 8.0
        error = 0.1 * abs(slope - narrow) + (noise + rough) / step
        if error < least:
            best, least = slope, error
        if math.isfinite(error):
            gap = abs(a - 2.0 * middle + d)
            change = max(change, gap / step)
            gaps.append((gap - 30.0 * noise) / step)
        step *= epsilon**0.0625
    if not gaps:
        return None
    kink = gaps[-1] > 0.3 * gaps[0] > 0.0 and gaps[-1] > epsilon**0.25 * abs(best)
    return None if kink and len(gaps) > 1 else (best, least, change)


def _row(
    function: str,
    name: str,
    gradient: Any,
    entries: list[tuple[tuple[int, ...] | None, float, float, float]],
    kinks: int,
    against: str,
    nearby: float = 0.0,
) -> _Row:
    """What two ways say of some entries (or of a random direction, whose place is None).

    ``nearby`` is how large derivatives are a step away: at a minimum all are 0, and what is left
    of them is the rounding of much larger numbers.
    """
    epsilon = _epsilon(gradient)
    scale = epsilon**0.2 * max(_largest(gradient), nearby)
    tolerance = epsilon**0.4
    worst, place, found, wanted = -1.0, "", 0.0, 0.0
    for at, a, b, uncertainty in entries:
        size = max(abs(a), abs(b), scale, 1e-300) + 10.0 * uncertainty / tolerance
        error = 0.0 if a == b else abs(a - b) / size
        # A direction says less than an entry.
        if not error <= worst and (at is not None or worst <= tolerance):
            worst, found, wanted = math.inf if math.isnan(error) else error, a, b
            place = " along a random direction" if at is None else str([*at])
    zeros = sum(a == b == 0.0 for _, a, b, _ in entries)
    place = "" if place == "[]" else place
    shape = str(getattr(gradient, "shape", ()))
    return _Row(
        function,
        name,
        shape,
        len(entries),
        zeros,
        kinks,
        worst,
        place,
        found,
        against,
        wanted,
        worst <= tolerance,
    )


def _compare(
    function: str,
    name: str,
    value: Callable[[dict[str, Any]], tuple[float, float]],
    point: dict[str, Any],
    gradient: Any,
    rng: Any,
) -> _Row:
    """The gradient of a value, which comes with its size, against differences."""
    x = point[name]
    epsilon = _epsilon(gradient)
    noise = epsilon * value(point)[1]
    entries: list[tuple[tuple[int, ...] | None, float, float, float]] = []
    places = _places(x, rng)
    nearby = 0.0
    for place in places:

        def at(step: float, place: tuple[int, ...] = place) -> float:
            try:
                return value({**point, name: _moved(x, place, step)})[0]
            except ValueError:
                return math.nan  # outside the domain of the input

        found = _entry(gradient, place)
        slope = _slope(at, abs(_entry(x, place)), noise, epsilon)
        # An infinite slope is one that differences do not settle on.
        steep = slope and math.isinf(found) and slope[1] > 0.005 * abs(slope[0])
        if slope and not steep:
            entries.append((place, found, *slope[:2]))
            nearby = max(nearby, slope[2])
    kinks = len(places) - len(entries)
    against = "differences give"
    return _row(function, name, gradient, entries, kinks, against, nearby)


def _arriving(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    seeds: dict[str, str],
    point: dict[str, Any],
    rng: Any,
) -> list[tuple[str, str, Any, Any]]:
    """For each output its parameter of ``backward``, random numbers for it, the gradients."""
    out, cache = forward(**point)
    found = []
    for output, parameter in seeds.items():
        dout = _random_like(_output(out, output), rng)
        arriving = {**dict.fromkeys(seeds.values(), 0.0), parameter: dout}
        found.append((output, parameter, dout, backward(cache, **arriving)))
    return found


def _output(out: Any, name: str) -> Any:
    """One of several outputs, or the only one."""
    return getattr(out, name) if isinstance(out, tuple) else out


def _check_backward(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    seeds: dict[str, str],
    point: dict[str, Any],
    rng: Any,
) -> list[_Row]:
    """Each output alone, with random numbers arriving at it."""
    rows = []
    for output, parameter, dout, gradients in _arriving(
        forward, backward, seeds, point, rng
    ):

        def value(
            inputs: dict[str, Any], output: str = output, dout: Any = dout
        ) -> tuple[float, float]:
            return _inner(dout, _output(forward(**inputs)[0], output))

        function = "backward" if len(seeds) == 1 else f"backward {parameter}"
        for name, gradient in gradients._asdict().items():
            rows.append(_compare(function, name, value, point, gradient, rng))
    return rows


def _check_value_and_grad(
    forward: Callable[..., Any],
    value_and_grad: Callable[..., Any],
    objective: str,
    point: dict[str, Any],
    rng: Any,
) -> list[_Row]:
    """The gradients of the objective that ``forward`` computes."""

    def value(inputs: dict[str, Any]) -> tuple[float, float]:
        found = _output(forward(**inputs)[0], objective)
        return _inner(_ones_like(found), found)

    gradients = value_and_grad(**point)[1]._asdict()
    return [
        _compare("value_and_grad", name, value, point, gradient, rng)
        for name, gradient in gradients.items()
    ]


def _check_jvp(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    jvp: Callable[..., Any],
    seeds: dict[str, str],
    directions: dict[str, str],
    point: dict[str, Any],
    rng: Any,
) -> list[_Row]:
    """``dout * jvp(v) == backward(dout) * v`` along unit vectors and a random direction."""
    rows = []
    for output, parameter, dout, gradients in _arriving(
        forward, backward, seeds, point, rng
    ):
        out_size = _inner(dout, _output(forward(**point)[0], output))[1]
        function = "jvp" if len(seeds) == 1 else f"jvp {parameter}"
        for name, direction in directions.items():
            x, gradient = point[name], getattr(gradients, name)
            pairs: list[tuple[tuple[int, ...] | None, float, float, float]] = []
            for place in (*_places(x, rng), None):
                v = _random_like(x, rng) if place is None else _unit(x, place)
                tangent = _output(jvp(**point, **{direction: v})[1], output)
                a, a_size = _inner(dout, tangent)
                b, b_size = _inner(gradient, v)
                # A derivative that cancels is as uncertain as the output over the input.
                size = a_size + b_size + out_size / (_largest(x) or 1.0)
                pairs.append((place, a, b, size))
            rows.append(_beside(function, name, gradient, pairs))
    return rows


def _beside(
    function: str,
    name: str,
    gradient: Any,
    pairs: list[tuple[tuple[int, ...] | None, float, float, float]],
) -> _Row:
    """What another function and ``backward`` say, with the size of what they add up."""
    epsilon = _epsilon(gradient)
    finite = [pair for pair in pairs if math.isfinite(pair[2])]
    entries = [(place, a, b, epsilon * size) for place, a, b, size in finite]
    kinks = len(pairs) - len(entries)
    return _row(function, name, gradient, entries, kinks, "backward gives")


def _check_hvp(
    value_and_grad: Callable[..., Any],
    hvp: Callable[..., Any],
    directions: dict[str, str],
    point: dict[str, Any],
    rng: Any,
) -> list[_Row]:
    """The Hessian times a random direction, against differences of the gradient."""
    v = {name: _random_like(point[name], rng) for name in directions}
    products = hvp(**point, **{directions[name]: along for name, along in v.items()})
    return _check_products("hvp", value_and_grad, v, products._asdict(), point, rng)


def _check_products(
    function: str,
    value_and_grad: Callable[..., Any],
    v: dict[str, Any],
    products: dict[str, Any],
    point: dict[str, Any],
    rng: Any,
) -> list[_Row]:
    """The derivatives of the gradient along v, against differences."""

    def value(inputs: dict[str, Any]) -> tuple[float, float]:
        out, gradients = value_and_grad(**inputs)
        parts = [_inner(getattr(gradients, name), along) for name, along in v.items()]
        size = _largest(out) + sum(size for _, size in parts)
        return sum(part for part, _ in parts), size

    return [
        _compare(function, name, value, point, product, rng)
        for name, product in products.items()
    ]


def _report(rows: list[_Row]) -> int:
    """Prints a line for each row, what is wrong, and a sentence; the exit status."""
    head = (
        "function",
        "input",
        "shape",
        "compared",
        "at kinks",
        "worst error",
        "place",
    )
    table = [head]
    for row in rows:
        error = f"{row.error:.1e}" if row.compared else "-"
        counts = str(row.compared), str(row.kinks)
        table.append(
            (row.function, row.name, row.shape, *counts, error, row.place.strip())
        )
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for line in table:
        cells = zip(line, widths, strict=True)
        print("  ".join(f"{cell:<{width}}" for cell, width in cells).rstrip())
    wrong = [row for row in rows if not row.holds]
    for row in wrong:
        print(
            f"WRONG {row.function}: {row.name}{row.place} is {row.found:.9g}, "
            f"{row.against} {row.wanted:.9g}"
        )
    compared, zeros, kinks = (
        sum(counts) for counts in zip(*(row[3:6] for row in rows), strict=True)
    )
    skipped = (
        f" {kinks} at kinks or edges of domains were not compared." if kinks else ""
    )
    if wrong:
        print(f"{len(wrong)} of {len(rows)} lines are wrong.{skipped}")
    elif not compared:
        print(f"Nothing was compared.{skipped}")
    else:
        plain = f", {zeros} of them as 0" if zeros else ""
        print(f"All of the {compared} entries compared agree{plain}.{skipped}")
    return 3 if wrong else 0


def _command_line(check: Callable[[], int], doc: str | None) -> int:
    """Runs ``--check``, or says what there is; the exit status."""
    program, *arguments = sys.argv
    if arguments == ["--check"]:
        return check()
    usage = f"usage: python {program} --check"
    if arguments:
        print(usage, file=sys.stderr)
        return 2
    print(f"{doc}\n\n{usage}    compares the gradients with differences")
    return 0
