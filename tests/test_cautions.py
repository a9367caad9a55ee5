"""Warnings about domains that can be left, and gradients that are always zero."""

from __future__ import annotations

import pytest

from .helpers import checked

INPUTS = """
input x: float[3]
input t: float
data p: float
input s: float[3] > 0
input q: float in 0..1
data k: int
"""

FIRES = [
    "sum(log(x))", "log(t)", "log2(t)", "log10(t)", "log(t^2)", "log(abs(t))", "log(relu(t))",
    "sqrt(t)", "sqrt(t^2 - 1)", "sqrt(relu(t))", "sqrt(sum(abs(x)))", "log1p(t)", "arcsin(t)",
    "arccos(t)", "arctanh(t)", "arccosh(t)", "t^0.5", "t^2.5", "t^q", "log(p) * t", "log(q)",
    "sqrt(q)", "log(1 - t)", "log(t - 1)", "log(sin(t))", "sqrt(sin(t))", "sum(log(s - 1))",
    "if t > 0 then t else log(t)", "if t > 0 then log(t - 1) else t", "if p > 0 then log(t) else t",
    "sum(if x > 0 then log(flip(x)) else x)", "if any(x > 0) then sum(log(x)) else t",
    "if not (t > 0) then log(t) else t", "if t > 0 or p > 0 then log(t) else t",
    "sum(if x >= 0 then log(x) else x)", "arcsin(q)", "log(mean(x))", "log(max(x))",
]  # fmt: skip
QUIET = [
    "sqrt(t^2 + 1)", "log(1 + exp(t))", "sum(log(softmax(x)))", "log(sigmoid(t))", "sqrt(sum(x^2))",
    "norm(x)", "sum(log(s))", "sum(sqrt(s))", "log(q + 1)", "sqrt(mean((x - mean(x))^2) + 1e-5)",
    "log(abs(t) + 1e-9)", "sqrt(abs(t) + 1)", "log(maximum(t, 1e-9))", "log(clip(t, 0.1, 10))",
    "log(norm(x) + 1e-12)", "log(1 + t^2)", "log(cosh(t))", "sqrt(p^2) * t", "if t > 0 then log(t) else t",
    "sum(if x > 0 then log(x) else 0)", "if t > 0 then log(t + 1) else t",
    "if t > 0 and p > 0 then log(t) * log(p) else t", "if 0 < t then sqrt(t) else 0",
    "if t < 0 then log(-t) else t", "if t > 2 then log(t - 1) else t", "t^2", "t^3", "t^-1", "1 / t",
    "t / p", "tan(t)", "if all(x > 0) then sum(log(x)) else t",
    "sum(if x > 0 and t > 0 then log(x) * log(t) else x)", "log(q * 0.5 + 0.25)", "arcsin(0.5 * tanh(t))",
    "arccosh(1.5 + t^2)", "arctanh(q * 0.5)", "sum(s^0.5)", "2^t", "log(sum(exp(x)))",
    "logsumexp(x)", "log(exp(t) + exp(p))", "xlogy(q, q)", "sum(log1p(s))", "log1p(t^2)",
    "sum(logit(0.5 * s))", "sum(layer_norm(x, s, t))", "log(2 * s[0])", "log(s[0] * s[1])",
    "log(s[0] / s[1])", "log(sqrt(s[0]))",
]  # fmt: skip


def warnings(expression: str, code: str) -> list[str]:
    program = checked(f"{INPUTS}output f = {expression}\n")
    return [d.message for d in program.warnings if d.code == code]


@pytest.mark.parametrize("expression", FIRES)
def test_an_operand_that_can_leave_the_domain(expression: str) -> None:
    assert len(warnings(expression, "G501")) == 1


@pytest.mark.parametrize("expression", QUIET)
def test_silence_where_the_specification_makes_it_safe(expression: str) -> None:
    assert warnings(expression, "G501") == []


def test_a_value_without_a_gradient_may_be_at_the_edge() -> None:
    program = checked("data d: float in 0..10\ninput t: float\noutput f = sqrt(d) * t\n")
    assert [w for w in program.warnings if w.code == "G501"] == []


def test_a_warning_is_allowed_where_it_stands() -> None:
    program = checked("input x: float\noutput f = log(x)  # gradc: allow G501\n")
    assert program.warnings == ()


@pytest.mark.parametrize(
    "expression",
    [
        "floor(t)",
        "round(t) + p",
        "sign(t)",
        "(t > 0) * 2.0",
        "if t > 0 then 1.0 else 2.0",
        "ceil(t) * trunc(t)",
    ],
)
def test_a_gradient_that_is_always_zero(expression: str) -> None:
    assert len(warnings(expression, "G508")) == 1


@pytest.mark.parametrize("expression", ["floor(t) * t", "detach(t)", "t", "abs(t)", "relu(t)", "p"])
def test_a_gradient_that_is_not(expression: str) -> None:
    assert warnings(expression, "G508") == []


def test_a_rule_gives_a_derivative() -> None:
    program = checked("""
    def stairs(x) = floor(x)
    rule stairs(x) -> y unchecked { dx = dy }
    input t: float
    output f = stairs(t)
    """)
    assert program.warnings == ()
