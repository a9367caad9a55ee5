"""PyTensor: a graph of tensors, optimised and compiled by its own rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt

from ..contest import Contestant
from ..workloads import Arguments, Workload
from .formulas import FORMULAS, Backend

FITTING = {
    "homework1",
    "homework2",
    "elementwise",
    "hello",
    "lse",
    "network",
    "logistic",
}


class Tensors:
    """NumPy's names for PyTensor's functions."""

    amax = staticmethod(pt.max)

    def __getattr__(self, name: str) -> Any:
        return getattr(pt, name)


class Pytensor(Backend):
    def softplus(self, z: Any) -> Any:
        return pt.softplus(z)


def contestants(workload: Workload, arguments: Arguments) -> list[Contestant]:
    if workload.formula not in FITTING:
        return []
    symbols = {
        name: value if name in workload.static else variable(name, value, workload.dtype)
        for name, value in arguments.items()
    }
    value = FORMULAS[workload.formula](Pytensor(Tensors()), *symbols.values())
    wrt = [symbols[name] for name in workload.wrt]
    inputs = {name: s for name, s in symbols.items() if name not in workload.static}
    function = pytensor.function(list(inputs.values()), [value, *pytensor.grad(value, wrt)])
    return [Contestant("pytensor", function, tuple(arguments[name] for name in inputs))]


def variable(name: str, value: Any, dtype: str) -> Any:
    return pt.TensorType(dtype, shape=np.shape(value))(name)
