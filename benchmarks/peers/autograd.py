"""Autograd: NumPy recorded while it runs."""

from __future__ import annotations

from typing import Any

import autograd
import autograd.numpy as anp
from autograd.builtins import tuple as boxed_tuple
from autograd.extend import vspace

from ..contest import Contestant
from ..workloads import Arguments, Workload
from .formulas import FORMULAS, Backend, Formula


class Autograd(Backend):
    def stack(self, entries: Any) -> Any:
        return anp.array(entries)

    def grad(self, function: Formula, places: int | tuple[int, ...] = 0) -> Formula:
        slope: Formula = autograd.grad(function, places)
        return slope


def contestants(workload: Workload, arguments: Arguments) -> list[Contestant]:
    formula = FORMULAS[workload.formula]
    backend = Autograd(anp)
    values = tuple(arguments.values())
    places = tuple(list(arguments).index(name) for name in workload.differentiated)

    def function(*given: Any) -> Any:
        return formula(backend, *given)

    if workload.columns:
        call = autograd.jacobian(function, places[0])
    elif workload.wrt:
        call = value_and_grad(function, places)
    else:
        call = function
    return [Contestant("autograd", call, values, traced=True)]


def value_and_grad(function: Formula, places: tuple[int, ...]) -> Formula:
    """By several arguments in one pass."""

    def call(*given: Any) -> Any:
        def of_some(some: Any) -> Any:
            every = list(given)
            for place, value in zip(places, some, strict=True):
                every[place] = value
            return function(*every)

        chosen = boxed_tuple(given[place] for place in places)
        vjp, value = autograd.core.make_vjp(of_some, chosen)
        return value, vjp(vspace(value).ones())

    return call
