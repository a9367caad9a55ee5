"""The largest entry taken out by hand before exponentials: recognised, and its gradient whole."""

from __future__ import annotations

import numpy as np
import pytest

from .helpers import module, source_text

BY_HAND = {
    "a vector": "node a = max(x[0]) node f = a + log(sum(exp(x[0] - a)))",
    "the other way round": "node f = log(sum(exp(x[0] - max(x[0])))) + max(x[0])",
    "each row": "node r[i] = max(x[i]) + log(sum(exp(x[i] - max(x[i])))) node f = sum(r * r)",
    "along an axis": "node a = max(x, axis=0, keepdims=true) "
    "node f = sum((a + log(sum(exp(x - a), axis=0, keepdims=true)))^2)",
    "softmax": "node p[i] = softmax(x[i] - max(x[i])) node f = sum(p * p)",
    "log_softmax": "node p = log_softmax(x - max(x, axis=1, keepdims=true)) node f = sum(p^2)",
}  # fmt: skip
# Other maxima than those of what is combined are differences that count.
OTHERS = {
    "of another array": "node f = max(w) + log(sum(exp(x[0] - max(w))))",
    "of all rows": "node r[i] = max(x) + log(sum(exp(x[i] - max(x)))) node f = sum(r)",
    "along another axis": "node a = max(x, axis=1) node f = sum(a + log(sum(exp(x - a), axis=1)))",
}  # fmt: skip
X = np.random.default_rng(6).normal(size=(3, 3))
W = np.array([0.3, -0.2, 0.1])


def _module(nodes: str) -> str:
    return f"input x: float[n, n] input w: float[n] {nodes} output out = f + sum(w)"


@pytest.mark.parametrize("nodes", [*BY_HAND.values(), *OTHERS.values()], ids=[*BY_HAND, *OTHERS])
def test_the_gradient_is_that_of_the_formula(nodes: str) -> None:
    own = module(_module(nodes))
    _, found = own.value_and_grad(X, W)
    for place in np.ndindex(X.shape):
        step = np.zeros(X.shape)
        step[place] = 1e-6
        slope = (own.forward(X + step, W)[0] - own.forward(X - step, W)[0]) / 2e-6
        np.testing.assert_allclose(found.x[place], slope, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("nodes", BY_HAND.values(), ids=BY_HAND)
def test_the_largest_entry_is_not_taken_out_twice(nodes: str) -> None:
    body = source_text(_module(nodes)).partition("def forward")[2]
    assert "np.max(" not in body


@pytest.mark.parametrize("nodes", OTHERS.values(), ids=OTHERS)
def test_other_maxima_stay(nodes: str) -> None:
    assert "= np.max(" in source_text(_module(nodes)).partition("def forward")[2]


@pytest.mark.parametrize(
    ("nodes", "wanted"),
    [
        ("node a = detach(max(x[0])) node f = a + log(sum(exp(x[0] - a)))", 0.0),
        ("node a = max(x[0]) node f = detach(a) + log(sum(exp(x[0] - a)))", -1.0),
        ("node a = max(x[0]) node f = a + log(sum(exp(x[0] - detach(a))))", 1.0),
    ],
)
def test_a_maximum_held_fast_on_one_side_counts_on_the_other(nodes: str, wanted: float) -> None:
    """``detach`` is about gradients: they cancel where both maxima have one, or neither."""
    _, found = module(_module(nodes)).value_and_grad(X, W)
    shares = np.exp(X[0]) / np.sum(np.exp(X[0]))
    np.testing.assert_allclose(found.x[0], shares + wanted * (X[0] == X[0].max()), rtol=1e-12)


def test_infinite_entries() -> None:
    """Where the formula as written has inf - inf, the value is the exact one."""
    own = module(_module(BY_HAND["a vector"]))
    for row, wanted in (
        ([-np.inf] * 3, -np.inf),
        ([np.inf, 0.0, 1.0], np.inf),
        ([800.0] * 3, 800 + np.log(3)),
    ):
        x = X.copy()
        x[0] = row
        with np.errstate(all="ignore"):
            np.testing.assert_allclose(own.forward(x, 0 * W)[0], wanted)
