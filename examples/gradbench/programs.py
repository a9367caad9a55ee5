"""The programs by name. Names on the wire that are no names of the language have others here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np

from . import ba, descent, ht
from .functions import Function, Functions, Input, floats, load


def hello() -> Functions:
    model = load("hello")
    return {
        "square": Function(lambda x: (float(x),), lambda x: model.forward(x)[0]),
        "double": Function(lambda x: (float(x),), lambda x: model.value_and_grad(x)[1].x),
    }


def det() -> Functions:
    model = load("det")

    def decode(given: Input) -> tuple[Any, ...]:
        return (*subsets(int(given["ell"])), floats(given["A"]))

    return {
        "primal": Function(decode, lambda *inputs: model.forward(*inputs)[0]),
        "gradient": Function(decode, lambda *inputs: model.value_and_grad(*inputs)[1].A),
    }


@cache
def subsets(count: int) -> tuple[Any, Any]:
    """Of all sets of columns, as bits: the sign of each column in it, and the set without it."""
    column = np.arange(count)
    inside = np.arange(2**count)[:, None] >> column & 1
    before = np.cumsum(inside, axis=1) - inside
    sets = np.arange(2**count)[:, None] - (1 << column)
    return inside * (1 - 2 * (before % 2)), np.where(inside, sets, 0)


def gmm() -> Functions:
    model = load("gmm")

    def decode(given: Input) -> tuple[Any, ...]:
        data = floats(given["x"]), float(given["gamma"]), int(given["m"])
        return (*data, *(floats(given[name]) for name in ("alpha", "mu", "q", "l")))

    def encode(gradients: Any) -> Any:
        return {name: gradient.tolist() for name, gradient in gradients._asdict().items()}

    return {
        "objective": Function(decode, lambda *inputs: model.forward(*inputs)[0]),
        "jacobian": Function(decode, lambda *inputs: model.value_and_grad(*inputs)[1], encode),
    }


def kmeans() -> Functions:
    cost, direction = load("kmeans"), load("kmeans_direction")

    def decode(given: Input) -> tuple[Any, ...]:
        return floats(given["points"]), floats(given["centroids"])

    return {
        "cost": Function(decode, lambda *inputs: cost.forward(*inputs)[0]),
        "dir": Function(decode, lambda *inputs: direction.forward(*inputs)[0]),
    }


def llsq() -> Functions:
    model = load("llsq")

    def decode(given: Input) -> tuple[Any, ...]:
        return floats(given["x"]), int(given["n"])

    return {
        "primal": Function(decode, lambda x, n: model.forward(x, N=n)[0]),
        "gradient": Function(decode, lambda x, n: model.value_and_grad(x, N=n)[1].x),
    }


def lse() -> Functions:
    model = load("lse")

    def decode(given: Input) -> tuple[Any, ...]:
        return (floats(given["x"]),)

    return {
        "primal": Function(decode, lambda x: model.forward(x)[0]),
        "gradient": Function(decode, lambda x: model.value_and_grad(x)[1].x),
    }


def lstm() -> Functions:
    model = load("lstm")

    def decode(given: Input) -> tuple[Any, ...]:
        names = ("main_params", "extra_params", "state", "sequence")
        return tuple(floats(given[name]) for name in names)

    def jacobian(*inputs: Any) -> Any:
        _, gradients = model.value_and_grad(*inputs)
        return np.concatenate([gradients.main.ravel(), gradients.extra.ravel()])

    return {
        "objective": Function(decode, lambda *inputs: model.forward(*inputs)[0]),
        "jacobian": Function(decode, jacobian),
    }


def ode() -> Functions:
    model = load("ode")

    def decode(given: Input) -> tuple[Any, ...]:
        return floats(given["x"]), int(given["s"])

    return {
        "primal": Function(decode, lambda x, s: model.forward(x, S=s)[0].y),
        "gradient": Function(decode, lambda x, s: model.value_and_grad(x, S=s)[1].x),
    }


PROGRAMS: Mapping[str, Callable[[], Functions]] = {
    "hello": hello,
    "det": det,
    "gmm": gmm,
    "ba": ba.functions,
    "ht": ht.functions,
    "kmeans": kmeans,
    "llsq": llsq,
    "lse": lse,
    "lstm": lstm,
    "ode": ode,
    "particle": descent.particle,
    "saddle": descent.saddle,
}
