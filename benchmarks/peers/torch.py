"""PyTorch: as it runs line by line, and where that takes long enough, compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

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
    "attention",
    "convolution",
    "gmm",
}
COMPILED = {"elementwise", "network", "logistic", "attention", "gmm"}


class Torch(Backend):
    def constant(self, array: Any) -> Any:
        return torch.from_numpy(array)

    def softplus(self, z: Any) -> Any:
        return torch.nn.functional.softplus(z)


def contestants(workload: Workload, arguments: Arguments) -> list[Contestant]:
    if workload.formula not in FITTING:
        return []
    backend, formula = Torch(torch), FORMULAS[workload.formula]

    def function(*given: Any) -> Any:
        return formula(backend, *given)

    values = tuple(arguments.values())
    found = [Contestant("torch", differentiated(workload, arguments, function), values)]
    if workload.formula in COMPILED:
        torch._dynamo.reset()
        fast = differentiated(workload, arguments, torch.compile(function, dynamic=False))
        found.append(Contestant("torch-compile", fast, values))
    return found


def differentiated(workload: Workload, arguments: Arguments, function: Any) -> Any:
    """Takes NumPy arrays, which tensors share, and returns some."""
    places = [list(arguments).index(name) for name in workload.wrt]

    def run(*given: Any) -> Any:
        tensors = [tensor(value) for value in given]
        wrt = [tensors[place].requires_grad_() for place in places]
        value = function(*tensors)
        slopes = torch.autograd.grad(value, wrt)
        return value.detach().numpy(), *(slope.numpy() for slope in slopes)

    return run


def tensor(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value)
    return torch.tensor(value, dtype=torch.float64) if isinstance(value, float) else value
