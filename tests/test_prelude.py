"""The functions written in the language: values by formulas, gradients by complex step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special
from gradc.dsl.library import prelude

from .helpers import module

X = np.array([[-2.3, -0.4, 0.7], [1.9, 0.2, -1.1]])


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def expm1(x: Any) -> Any:
    return np.exp(x) - 1


def positive(x: Any) -> Any:
    return np.real(x) > 0


def standardised(x: Any, axis: int) -> Any:
    centred = x - x.mean(axis=axis, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=axis, keepdims=True) + 1e-5)


def log_softmax(x: Any) -> Any:
    return x - np.log(np.sum(np.exp(x), axis=-1, keepdims=True))


def huber(x: Any) -> Any:
    size = np.where(positive(x - 0.1), x - 0.1, 0.1 - x)
    return np.mean(np.where(np.real(size) <= 1, 0.5 * size**2, size - 0.5))


FORMULAS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "mse": ("mse(x, 0.5)", lambda x: np.mean((x - 0.5) ** 2)),
    "huber": ("huber(x, 0.1)", huber),
    "cross_entropy_onehot": (
        "cross_entropy_onehot(x, [[1, 0, 0], [0, 0.5, 0.5]])",
        lambda x: -np.mean(np.sum([[1, 0, 0], [0, 0.5, 0.5]] * log_softmax(x), axis=-1)),
    ),
    "leaky_relu": ("leaky_relu(x, slope=0.1)", lambda x: np.where(positive(x), x, 0.1 * x)),
    "elu": ("elu(x)", lambda x: np.where(positive(x), x, expm1(x))),
    "selu": (
        "selu(x)",
        lambda x: 1.0507009873554805 * np.where(positive(x), x, 1.6732632423543772 * expm1(x)),
    ),
    "silu": ("silu(x)", lambda x: x * sigmoid(x)),
    "gelu": ("gelu(x)", lambda x: 0.5 * x * scipy.special.erfc(-x / np.sqrt(2))),
    "mish": ("mish(x)", lambda x: x * np.tanh(np.log(1 + np.exp(x)))),
    "softsign": ("softsign(x)", lambda x: x / (1 + np.where(positive(x), x, -x))),
    "hard_tanh": (
        "hard_tanh(x)",
        lambda x: np.where(np.abs(np.real(x)) <= 1, x, np.sign(np.real(x))),
    ),
    "logit": ("logit(sigmoid(x))", lambda x: x),
    "layer_norm": ("layer_norm(x, 2, 0.5)", lambda x: 2 * standardised(x, -1) + 0.5),
    "batch_norm": ("batch_norm(x, [2, 1, 3], 0.5)", lambda x: standardised(x, 0) * [2, 1, 3] + 0.5),
    "batch_norm2d": (
        "reshape(batch_norm2d(reshape(x, [1, 2, 1, 3]), [2, 3], [0.5, 1]), [2, 3])",
        lambda x: standardised(x, 1) * [[2], [3]] + [[0.5], [1]],
    ),
    "dropout": (
        "dropout(x, [[1, 0, 1], [0, 0, 1]], 0.25)",
        lambda x: x * [[1, 0, 1], [0, 0, 1]] / 0.75,
    ),
    "cross_entropy": (
        "cross_entropy(x, 0 * arange(2) + [2, 0])",
        lambda x: -np.mean(log_softmax(x)[[0, 1], [2, 0]]),
    ),
    "embedding": ("embedding(x, arange(2))", lambda x: x),
    "conv1d": (
        "conv1d(expand_dims(x, 0), [[[1, 2], [3, 4]]], padding=1)[0, 0, :3]",
        lambda x: np.stack(
            [
                x[0, 0] * 2 + x[1, 0] * 4,
                x[0, 0] + x[0, 1] * 2 + x[1, 0] * 3 + x[1, 1] * 4,
                x[0, 1] + x[0, 2] * 2 + x[1, 1] * 3 + x[1, 2] * 4,
            ]
        ),
    ),
    "conv2d": (
        "conv2d(reshape(x, [1, 1, 2, 3]), [[[[1, 2]]], [[[-3, 0]]]])[0, 0, :, :1]",
        lambda x: x[:, :1] + 2 * x[:, 1:2],
    ),
    "max_pool2d": ("max_pool2d(x)", lambda x: x[1:, :1]),
    "avg_pool2d": ("avg_pool2d(x)", lambda x: np.mean(x[:, :2])),
}


def test_every_function_has_a_formula() -> None:
    assert set(FORMULAS) == set(prelude())


@pytest.mark.parametrize("name", FORMULAS)
def test_values_and_gradients(name: str) -> None:
    expression, formula = FORMULAS[name]
    weights = np.array([[1.0, -2.0, 0.5], [0.3, 1.5, -0.7]])
    text = f"input x: float[2, 3]\ndata w: float[2, 3]\noutput f = sum(w * {expression})\n"
    value, gradients = module(text).value_and_grad(X, weights)
    assert value == pytest.approx(np.sum(weights * formula(X)), rel=1e-12)
    for place in np.ndindex(X.shape):
        moved = X.astype(complex)
        moved[place] += 1e-30j
        slope = np.imag(np.sum(weights * formula(moved))) / 1e-30
        assert gradients.x[place] == pytest.approx(slope, rel=1e-10, abs=1e-12)
