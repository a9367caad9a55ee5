"""Places of the best entries, running sums and products, and the helpers of their rules."""

from __future__ import annotations

from typing import Any

import numpy as np

from .case import special


def median_weights(x: Any) -> Any:
    order = np.argsort(np.argsort(x, -1), -1)
    count = x.shape[-1]
    return (np.abs(order - (count - 1) / 2) < 0.75) / (2 - count % 2)


def recurrence(a: Any, b: Any) -> Any:
    return np.array([b[0], a[1] * b[0] + b[1], a[2] * (a[1] * b[0] + b[1]) + b[2]])


VECTOR, MATRIX, CUBE = "x: float[3]", "x: float[2, 3]", "x: float[2, 3, 4]"
CASES = [
    case
    for name, reference in (("argmax", np.argmax), ("argmin", np.argmin))
    for case in (
        special(f"{name}(x)", reference, VECTOR),
        special(f"{name}(x)", reference, MATRIX),
        special(f"{name}(x)", reference, "x: float"),
        special(f"{name}(x, 0)", lambda x, f=reference: f(x, 0), VECTOR),
        special(f"{name}(x, 0)", lambda x, f=reference: f(x, 0), CUBE),
        special(f"{name}(x, axis=-1)", lambda x, f=reference: f(x, -1), MATRIX),
        special(f"{name}(x, axis=1, keepdims=true)",
                lambda x, f=reference: f(x, 1, keepdims=True), CUBE),
        special(f"{name}(x, keepdims=true)", lambda x, f=reference: f(x, keepdims=True), MATRIX),
        special(f"{name}(x, axis=1)", lambda x, f=reference: f(x, 1), "x: float[0, 3]"),
    )
] + [
    case
    for name, reference in (("cumsum", np.cumsum), ("cumprod", np.cumprod))
    for case in (
        special(f"{name}(x)", reference, VECTOR),
        special(f"{name}(x)", reference, "x: float[1]"),
        special(f"{name}(x)", reference, "x: float[0]"),
        special(f"{name}(x, axis=0)", lambda x, f=reference: f(x, 0), MATRIX),
        special(f"{name}(x, axis=-1)", lambda x, f=reference: f(x, -1), MATRIX),
        special(f"{name}(x, axis=1)", lambda x, f=reference: f(x, 1), CUBE),
        special(f"{name}(x, axis=0)", lambda x, f=reference: f(x, 0), "x: float[0, 3]"),
    )
] + [
    special("running_sum(x, axis=0, step=-1)", lambda x: np.cumsum(x[::-1], 0)[::-1], MATRIX),
    special("running_sum(x, axis=0, step=-1)", lambda x: np.cumsum(x[::-1])[::-1], VECTOR),
    special("running_sum(x, axis=0, step=1)", lambda x: np.cumsum(x, 0), MATRIX),
    special("recurrence(a, b, axis=0, step=1)", recurrence, "a: float[3]", "b: float[3]"),
    special("recurrence(a, b, axis=1, step=-1)",
            lambda a, b: recurrence(a[:, ::-1].T, b[:, ::-1].T)[::-1].T,
            "a: float[2, 3]", "b: float[2, 3]"),
    special("shift(x, axis=0, step=1, fill=1)", lambda x: np.array([1, x[0], x[1]]), VECTOR),
    special("shift(x, axis=1, step=-1, fill=0)",
            lambda x: np.concatenate([x[:, 1:], np.zeros((2, 1))], 1), MATRIX),
    special("median_weights(x)", median_weights, VECTOR),
    special("median_weights(x)", median_weights, "x: float[3, 4]"),
    special("median(x, axis=0)", lambda x: np.median(x, 0), "x: float[4, 3]"),
]  # fmt: skip
