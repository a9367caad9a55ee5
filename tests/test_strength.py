"""Cheaper functions at ``-O2``: the same values, also at the edges, and what is shared is made once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gradc.compiler import driver
from gradc.compiler.compilation import Options
from gradc.compiler.passes import optimise
from gradc.compiler.passes.strength import strength
from hypothesis import given

from .helpers import checked, fields, module
from .test_random_graphs import Spec, assert_same, differentiated, quick, results, specs

EDGES = [
    -np.inf,
    -800.0,
    -40.0,
    -1.5,
    -1e-9,
    -0.0,
    0.0,
    1e-9,
    0.7,
    2.0,
    40.0,
    800.0,
    np.inf,
    np.nan,
]
POWERS = [-2, -1, -0.5, 0.5, 1.5, 2, 3, 4, 5, 7, 8, 9]
PAIRS = {
    "softplus and sigmoid": "sum(softplus(z) * w)",
    "logsumexp and softmax": "logsumexp(z)",
    "of rows": "sum(logsumexp(outer(z, w), axis=-1))",
}
SHARED: dict[str, Any] = {
    # The argument is itself made cheaper: `/ 2` becomes `* 0.5`.
    "after a quotient": ("output f = logsumexp(x / 2)", ["_logsumexp(", "_softmax("]),
    "after a power": ("output f = sum(softplus(x^3))", ["_softplus(", "_sigmoid("]),
    "of what was shared": ("output f = logsumexp(softplus(x))", ["_logsumexp(", "_softplus("]),
}


@quick
@given(specs())
@pytest.mark.parametrize("fast_math", [False, True])
def test_the_pass_keeps_values(fast_math: bool, spec: Spec) -> None:
    graph, inputs = differentiated(spec)
    graph = optimise(graph)
    assert_same(results(strength(graph, fast_math=fast_math), inputs), results(graph, inputs), 1e-9)


@pytest.mark.parametrize("exponent", POWERS)
def test_powers_at_the_edges(exponent: float) -> None:
    text = f"input x: float[n] output y = x^({exponent})"
    x = np.array(EDGES)
    with np.errstate(all="ignore"):
        found, _ = module(text, Options(level=2)).forward(x)
        wanted = np.power(x, float(exponent))
    # The square root of -inf is nan, as on paper; the power 1/2 of IEEE 754 is inf there.
    judged = (x != -np.inf) | (exponent == round(exponent))
    np.testing.assert_allclose(found[judged], wanted[judged], rtol=4e-15)


@pytest.mark.parametrize("text", PAIRS.values(), ids=PAIRS)
def test_pairs_at_the_edges(text: str) -> None:
    program = f"input x: float[n] data w: float[n] node z = x / 4 output f = {text}"
    plain, fast = module(program, Options()), module(program, Options(level=2))
    w = np.linspace(0.5, 1.5, 3)
    for x in ([0.3, -2.0, 5.0], [3000.0, 0.0, -3000.0], [-np.inf, 0.0, 1.0], [-3000.0] * 3):
        with np.errstate(all="ignore"):
            found = fast.value_and_grad(np.array(x), w)
            wanted = plain.value_and_grad(np.array(x), w)
        np.testing.assert_allclose(found[0], wanted[0], rtol=1e-14)
        np.testing.assert_allclose(found[1].x, wanted[1].x, rtol=1e-13, atol=1e-300)


@pytest.mark.parametrize(("text", "kernels"), SHARED.values(), ids=SHARED)
def test_functions_are_shared_where_their_argument_changed(text: str, kernels: list[str]) -> None:
    program = checked(f"input x: float[n] {text}")
    for level, there in ((1, True), (2, False)):
        written = driver.python(driver.compiled(program, Options(level=level)))
        at_once = written.partition("def value_and_grad")[2]
        assert all((kernel in at_once) == there for kernel in kernels)


def test_a_tangent_for_sine_and_cosine() -> None:
    """Only where it is asked for; the errors that the documentation states."""
    text = "input x: float[n] output f = sum(sin(x))"
    assert "np.tan(" not in driver.python(driver.compiled(checked(text), Options(level=2)))
    fast = module(text, Options(level=2, fast_math=True))
    x = np.linspace(-20.0, 20.0, 10_001)
    value, gradients = fast.value_and_grad(x)
    assert abs(value - np.sum(np.sin(x))) < 1e-9
    np.testing.assert_allclose(fields(gradients)["x"], np.cos(x), rtol=2e-14, atol=1e-15)
