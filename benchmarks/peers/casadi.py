"""CasADi: graphs of scalars in its virtual machine, called with buffers of NumPy arrays."""

from __future__ import annotations

from typing import Any

import casadi
import numpy as np

from ..contest import Contestant
from ..workloads import Arguments, Workload
from .formulas import FORMULAS, Backend

SCALARS = {"homework1", "hello", "chain", "ode", "powers"}


class Casadi(Backend):
    def stack(self, entries: Any) -> Any:
        return casadi.vertcat(*entries)


class Numbers:
    """NumPy's names for CasADi's functions."""

    sin, cos, exp = casadi.sin, casadi.cos, casadi.exp

    @staticmethod
    def sum(x: Any) -> Any:
        return casadi.sum1(x)

    @staticmethod
    def concatenate(parts: Any) -> Any:
        return casadi.vertcat(*parts)


def contestants(workload: Workload, arguments: Arguments) -> list[Contestant]:
    small = workload.formula == "homework2" and workload.fixed
    if workload.formula not in SCALARS and not small:
        return []
    symbols = {
        name: value if name in workload.open_sizes else casadi.SX.sym(name, *np.shape(value))
        for name, value in arguments.items()
    }
    value = FORMULAS[workload.formula](Casadi(Numbers), *symbols.values())
    slopes = [casadi.gradient(value, symbols[name]) for name in workload.wrt]
    inputs = {name: s for name, s in symbols.items() if name not in workload.open_sizes}
    function = casadi.Function("f", list(inputs.values()), [value, *slopes])
    run = Buffered(function, [np.shape(arguments[name]) for name in workload.wrt])
    return [Contestant("casadi", run, tuple(arguments[name] for name in inputs))]


class Buffered:
    """A function that reads and writes fixed memory; matrices lie there column after column."""

    def __init__(self, function: Any, shapes: list[Any]) -> None:
        self.function, self.shapes = function, shapes
        self.buffer, self.trigger = function.buffer()
        self.given: list[Any] = [
            np.zeros(function.size_in(i)[::-1]) for i in range(function.n_in())
        ]
        self.results: list[Any] = [
            np.zeros(function.size_out(i)[::-1]) for i in range(function.n_out())
        ]
        for i, array in enumerate(self.given):
            self.buffer.set_arg(i, memoryview(array))
        for i, array in enumerate(self.results):
            self.buffer.set_res(i, memoryview(array))

    def __call__(self, *arguments: Any) -> Any:
        for array, value in zip(self.given, arguments, strict=True):
            array[:] = value.T if np.ndim(value) else value
        self.trigger()
        slopes = [
            array.T.reshape(shape).copy()
            for array, shape in zip(self.results[1:], self.shapes, strict=True)
        ]
        return float(self.results[0][0, 0]), *slopes
