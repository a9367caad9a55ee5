"""Formulas that are recognised through names: the names keep their gradients."""

from __future__ import annotations

import math

import numpy as np
import pytest
from gradc.compiler.evaluate import evaluate
from gradc.compiler.testing import run_tests

from .helpers import checked, module

X = np.array([0.5, 1.0, 2.0])
ASKED = [
    ("node e = exp(x[0]) node p = log(1 + e)", "grad(p, e)", 1 / (1 + math.exp(0.5))),
    ("node q = 1 + x[0] node p = log(q)", "grad(p, q)", 1 / 1.5),
    ("node q = exp(x[0]) node p = q - 1 + q^2", "grad(p, q)", 1 + 2 * math.exp(0.5)),
    ("node q = norm(x) node p = q^2", "grad(p, q)", 2 * math.sqrt(5.25)),
    ("node q = x^2 node p = sqrt(sum(q))", "grad(p, q)[1]", 0.5 / math.sqrt(5.25)),
    ("node q = exp(x) node p = log(sum(q))", "grad(p, q)[1]", 1 / float(np.sum(np.exp(X)))),
    ("node q = softmax(x) node p = log(q)", "grad(p[1], q)[1]", float(np.sum(np.exp(X))) / math.e),
    ("node q = x^2 node r = x^2 node p = sqrt(q[0] * q[0] + r[0] * r[0])", "grad(p, r)[0]", math.sqrt(0.5)),
    ("def f(t) = grad(log(1 + t), t) node p = f(exp(x[0]))", "p", 1 / (1 + math.exp(0.5))),
    ("node q = exp(x[0]) node p = log(1 + q)", 'grad(p, q, mode="forward")', 1 / (1 + math.exp(0.5))),
]  # fmt: skip


@pytest.mark.parametrize("nodes, asked, wanted", ASKED)
def test_a_gradient_that_is_asked_for(nodes: str, asked: str, wanted: float) -> None:
    text = f"input x: float[3] {nodes} output out = {asked}"
    value, (gradient,) = module(text).value_and_grad(X)
    assert math.isclose(value, wanted, rel_tol=1e-12)
    for place, found in enumerate(gradient):
        step = 1e-6 * np.eye(3)[place]
        up, down = (float(module(text).forward(X + s)[0]) for s in (step, -step))
        assert math.isclose(found, (up - down) / 2e-6, rel_tol=1e-7, abs_tol=1e-8)


@pytest.mark.parametrize("nodes, asked, wanted", [row for row in ASKED if row[1][:5] == "grad("])
def test_a_gradient_that_an_example_expects(nodes: str, asked: str, wanted: float) -> None:
    objective, name = asked.removeprefix("grad(").partition(")")[0].split(", ")[:2]
    if objective != "p" or "mode" in asked:
        return
    text = f"input x: float[3] {nodes} output out = p example one {{ given x = [0.5, 1, 2] }}"
    found = np.ravel(evaluate(checked(text), {"x": X}, {}).gradients[name])
    assert np.any(np.isclose(found, wanted, rtol=1e-12))


def test_an_example_expects_the_gradient_of_a_name() -> None:
    text = """
    input x: float
    node e = exp(x)
    output p = log(1 + e)
    example near { given x = 0.5 expect e = 1.649, grad(e) = 0.3775, grad(x) = 0.6225 }
    example far { given x = 1000 expect p = 1000, grad(x) = 1, grad(e) = 0 }
    """
    results = list(run_tests(checked(text), "here"))
    assert all(result.passed for result in results), results


def test_a_name_that_nothing_needs_any_more_has_its_value() -> None:
    """It was left with a gradient in it that nobody had taken."""
    text = """
    input x: float
    node g = grad(x^2, x)
    node s = sigmoid(g)
    output p = log(s)
    example one { given x = 0.5 expect g = 1, s = 0.731, p = -0.313 }
    """
    results = list(run_tests(checked(text), "here"))
    assert all(result.passed for result in results), results
