"""The gradients of a generated module against differences of its own functions: what a module
with ``--emit check`` does by itself, by the same code."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from ..dsl.graph import Interface
from ..dsl.kernels.checking import _check_backward, _check_value_and_grad, _compare, _Row

Comparison = _Row


def compare(
    function: Callable[[Mapping[str, Any]], float],
    inputs: Mapping[str, Any],
    gradients: Mapping[str, Any],
    seed: int = 0,
) -> list[Comparison]:
    """A comparison for each gradient of a function of all inputs."""
    rng = np.random.default_rng(seed)

    def value(moved: dict[str, Any]) -> tuple[float, float]:
        found = function(moved)
        return found, abs(found)

    return [
        _compare("gradient", name, value, dict(inputs), np.asarray(gradient, float), rng)
        for name, gradient in gradients.items()
    ]


def check_module(
    module: ModuleType,
    interface: Interface,
    floats: Sequence[str],
    positional: Sequence[Any],
    named: Mapping[str, Any],
) -> tuple[list[Comparison], list[Comparison]]:
    """``backward`` and, if there is an objective, ``value_and_grad``; ``floats`` are outputs."""
    parameters = list(inspect.signature(module.forward).parameters)
    point = {**dict(zip(parameters, positional, strict=False)), **named}
    fields = interface.outputs
    if len(fields) > 1:
        fields = module.Outputs._fields
    written = dict(zip(interface.outputs, fields, strict=True))
    arriving = list(inspect.signature(module.backward).parameters)[1:]
    seeds = {written[name]: seed for name, seed in zip(floats, arriving, strict=True)}
    rng = np.random.default_rng(0)
    with np.errstate(all="ignore"):
        rows = _check_backward(module.forward, module.backward, seeds, point, rng)
        if interface.objective is None:
            return rows, []
        objective = written[interface.objective]
        at_once = _check_value_and_grad(
            module.forward, module.value_and_grad, objective, point, rng
        )
    return rows, at_once
