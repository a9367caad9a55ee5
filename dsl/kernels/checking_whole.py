"""Whole Jacobians and Hessians held against gradients and differences, as ``checking`` does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .array_entries import (
    _entry,
    _inner,
    _largest,
    _places,
    _random_like,
    _through,
)
from .checking import _arriving, _beside, _check_products, _output, _Row


def _check_jacobian(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    jacobian: Callable[..., Any],
    seeds: dict[str, str],
    point: dict[str, Any],
    rng: Any,
) -> list[_Row]:
    """Random numbers for each output times its derivatives, against ``backward``."""
    whole = jacobian(**point)
    rows = []
    for output, _, dout, gradients in _arriving(forward, backward, seeds, point, rng):
        function = "jacobian" if len(seeds) == 1 else f"jacobian {output}"
        out_size = _inner(dout, _output(forward(**point)[0], output))[1]
        blocks = getattr(whole, output)._asdict()
        for name, gradient in gradients._asdict().items():
            sent = _through(dout, blocks[name])
            # A derivative that cancels is as uncertain as the output over the input.
            size = _largest(gradient) + out_size / (_largest(point[name]) or 1.0)
            pairs: list[tuple[tuple[int, ...] | None, float, float, float]] = []
            for place in _places(gradient, rng):
                pair = _entry(sent, place), _entry(gradient, place)
                pairs.append((place, *pair, size))
            rows.append(_beside(function, name, gradient, pairs))
    return rows


def _check_hessian(
    value_and_grad: Callable[..., Any],
    hessian: Callable[..., Any],
    point: dict[str, Any],
    rng: Any,
) -> list[_Row]:
    """The Hessian times a random direction, against differences of the gradient."""
    whole = hessian(**point)._asdict()
    v = {name: _random_like(point[name], rng) for name in whole}
    products = {
        name: sum(_through(v[other], getattr(whole[other], name)) for other in whole)
        for name in whole
    }
    return _check_products("hessian", value_and_grad, v, products, point, rng)
