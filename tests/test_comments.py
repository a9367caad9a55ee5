"""The comments above gradients: true in the words of the specification, or left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from gradc.compiler import driver
from gradc.compiler.paper import on_paper
from gradc.compiler.rules import rule_tree

from .helpers import source_text

EXAMPLES = Path(__file__).parent.parent / "examples"
NESTED = "input x: float\nnode f = x^3\nnode slope = grad(f, x)\noutput y = slope^2\n"
MATRIX = "input A: float[N, M]\ninput x: float[N]\noutput f = sum(A @ A.T) + sum(A.T @ x)\n"
BROADCAST = "input X: float[N, M]\ninput s: float[N]\noutput f = sum[i, j](X[i, j] / s[i] * X[j, i])\nsize M = 3\nsize N = 3\n"


def comments(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip().startswith("# ")]


def test_gradients_of_gradients_are_not_said_to_be_the_function() -> None:
    written = comments(source_text(NESTED))
    assert any("dslope = dy * 2 * slope" in line for line in written)
    assert any("f = x^3" in line for line in written)
    assert not any("d(x^3)" in line or "(x^3)" in line for line in written)


def test_a_matrix_is_not_transposed_twice() -> None:
    written = "\n".join(comments(source_text(MATRIX)))
    assert "dA = d(A @ A.T) A," in written
    assert "ᵀᵀ" not in written and "untranspose" not in written


@pytest.mark.parametrize(("rule", "written"), [
    ("a.T @ dy", "A dy"), ("b.T", "Bᵀ"), ("outer(b, b).T", "(B Bᵀ)ᵀ"), ("c.T", "C"),
])  # fmt: skip
def test_transposes_on_paper(rule: str, written: str) -> None:
    names = {"a": "Aᵀ", "b": "B", "c": "(Cᵀ)"}
    assert on_paper(rule_tree(rule), names) == written


def test_broadcast_values_have_their_own_names() -> None:
    written = "\n".join(comments(source_text(BROADCAST)))
    assert "ds = d(X[i, j] / s[i]) *" in written and "(X[i, j] / s[i]) / s" in written


@pytest.mark.parametrize("name", ["numerics/cube_root", "physics/nbody", "physics/poisson_network",
                                  "sequences/kalman_filter", "numerics/kepler"])  # fmt: skip
def test_rules_in_examples(name: str) -> None:
    spec = EXAMPLES / f"{name}.grad"
    text = driver.python(driver.compiled(driver.checked(driver.read(spec))))
    for line in comments(text):
        rule = re.search(r"(?:\):  |#   )(.*)", line)
        for equation in rule[1].split(",  ") if rule else ():
            left, _, right = equation.partition(" = ")
            assert not right.startswith(f"{left} "), line
            assert left != right and "ᵀᵀ" not in right and "untranspose" not in right, line
