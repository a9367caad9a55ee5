"""Functions with a derivative of their own, and calls with several results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradc.compiler import driver
from gradc.compiler.compilation import Options
from gradc.compiler.testing import run_tests
from gradc.dsl.errors import SpecError
from gradc.dsl.source import Source

from .helpers import checked, load, module, source_text

ALL = Options(emit=("jvp", "hvp", "jacobian", "hessian"))
STRAIGHT = """
def sharp(x) = round(x)
rule sharp(x) -> y unchecked { dx = dy }
input x: float[3]
output f = sum(sharp(x)^2)
"""
# A rule that is the derivative, so that all modes must agree with the function without it.
CUBE = "def cube(v) = v^3\n"
CUBE_RULE = "rule cube(v) -> y { dv = 3 * v^2 * dy }\n"
USE_OF_CUBE = "input x: float[3]\ninput s: float\noutput f = sum(sin(cube(x)) * s) + cube(s)\n"
PAIR = """
def polar(x, y) {
  node r = hypot(x, y)
  return r, arctan2(y, x)
}
"""
PAIR_RULE = """
rule polar(x, y) -> (r, angle) {
  dx = dr * x / r - dangle * y / r^2
  dy = dr * y / r + dangle * x / r^2
}
"""
USE_OF_PAIR = """
input a: float[3]
input b: float[3]
node r, angle = polar(a, b)
output f = sum(r^2 * sin(angle))
"""
X, S = np.array([0.3, -0.7, 1.1]), 0.6
A, B = np.array([0.3, -0.7, 1.1]), np.array([1.2, 0.4, -0.5])


def test_a_rule_replaces_the_derivative() -> None:
    value, gradients = module(STRAIGHT).value_and_grad(np.array([0.7, 1.2, -2.4]))
    assert value == 6.0
    np.testing.assert_array_equal(gradients.x, [2.0, 2.0, -4.0])


@pytest.mark.parametrize(
    ("function", "rule", "use", "arguments"),
    [(CUBE, CUBE_RULE, USE_OF_CUBE, (X, S)), (PAIR, PAIR_RULE, USE_OF_PAIR, (A, B))],
    ids=["one result", "two results"],
)
def test_every_mode_goes_through_a_rule(
    function: str, rule: str, use: str, arguments: tuple[Any, ...]
) -> None:
    """Reverse, forward by the transpose, second order by differentiating the text."""
    derived, ruled = module(function + use, ALL), module(function + rule + use, ALL)
    assert "rule " not in source_text(function + rule + use).split('"""', 2)[2]
    directions = [np.cos(np.arange(np.size(a)) + 1.0).reshape(np.shape(a)) for a in arguments]
    names = list(derived.INPUTS)
    tangents = {f"d{n}": d for n, d in zip(names, directions, strict=True)}
    vectors = {f"v_{n}": d for n, d in zip(names, directions, strict=True)}
    for name, named in (("value_and_grad", {}), ("jvp", tangents), ("hvp", vectors),
                        ("jacobian", {}), ("hessian", {})):  # fmt: skip
        wanted = getattr(derived, name)(*arguments, **named)
        found = getattr(ruled, name)(*arguments, **named)
        for a, b in zip(_flat(found), _flat(wanted), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13, err_msg=name)


def _flat(result: Any) -> list[Any]:
    if isinstance(result, tuple):
        return [leaf for part in result for leaf in _flat(part)]
    return [result]


def test_entries_are_summed_and_broadcast_to_their_parameter() -> None:
    text = """
    def scaled(x: float[N], s, t) = s * x + t * 0
    rule scaled(x, s, t) -> y { dx = sum(dy) * s  ds = dy * x  dt = 7 }
    input x: float[3]
    input s: float
    input t: float[2, 3]
    output f = sum(scaled(x, s, sum(t)))
    """
    _, gradients = module(text).value_and_grad(X, S, np.ones((2, 3)))
    np.testing.assert_allclose(gradients.x, np.full(3, 3 * S))
    np.testing.assert_allclose(gradients.s, np.sum(X))
    np.testing.assert_allclose(gradients.t, np.full((2, 3), 7.0))


def test_a_rule_that_is_not_linear_has_no_forward_mode() -> None:
    text = """
    def clipped(x) = 2 * x
    rule clipped(x) -> y unchecked { dx = clip(dy, -1, 1) }
    input x: float
    output f = clipped(x)^2
    """
    assert module(text).value_and_grad(3.0)[1].x == 1.0
    for emit in ("jvp", "hvp", "hessian"):
        with pytest.raises(SpecError) as error:
            driver.compiled(checked(text), Options(emit=(emit,)))
        assert [d.code for d in error.value.diagnostics] == ["G407"]


def test_a_convention_can_be_overridden() -> None:
    text = """
    def relu_half(x) = relu(x)
    rule relu_half(x) -> y { dx = if x == 0 then dy / 2 else dy * (x > 0) }
    input x: float[3]
    output f = sum(relu_half(x))
    """
    _, gradients = module(text).value_and_grad(np.array([-1.0, 0.0, 2.0]))
    np.testing.assert_array_equal(gradients.x, [0.0, 0.5, 1.0])


def test_a_gradient_in_the_specification_goes_through_a_rule() -> None:
    text = STRAIGHT.replace("output f = ", "node g = ") + "output f = sum(grad(g, x)^2)\n"
    value, gradients = module(text).value_and_grad(np.array([0.7, 1.2, -2.4]))
    assert value == 4.0 + 4.0 + 16.0
    np.testing.assert_array_equal(gradients.x, [8.0, 8.0, -16.0])


def test_a_branch_that_is_not_taken_sends_nothing_through_a_rule() -> None:
    text = """
    def root(x) = sqrt(x)
    rule root(x) -> y { dx = dy / (2 * y) }
    input x: float[3]
    output f = sum(if x > 0 then root(x) else x)
    """
    _, gradients = module(text).value_and_grad(np.array([4.0, 0.0, -1.0]))
    np.testing.assert_array_equal(gradients.x, [0.25, 1.0, 1.0])


def test_a_rule_that_sums_gets_nothing_from_entries_that_do_not_count() -> None:
    text = """
    def roots(x, s) = s * sqrt(x)
    rule roots(x, s) -> y { dx = dy * s / (2 * sqrt(x))  ds = sum(dy * sqrt(x)) }
    input x: float[3]
    input s: float
    output f = sum(if x > 0 then roots(x, s) else x)
    """
    _, gradients = module(text).value_and_grad(np.array([4.0, 0.0, -1.0]), 3.0)
    np.testing.assert_array_equal(gradients.x, [0.75, 1.0, 1.0])
    assert gradients.s == 2.0


def test_sizes_are_fixed_in_a_rule_too() -> None:
    text = """
    def mean_of(x: float[N]) = sum(x) / N
    rule mean_of(x) -> y { dx = dy / N * ones(N) }
    input x: float[N]
    output f = mean_of(x)^2
    """
    fixed = load(driver.compiled(checked(text), Options(sizes=(("N", 3),))))
    for generated in (module(text), fixed):
        np.testing.assert_allclose(generated.value_and_grad(X)[1].x, np.full(3, 2 * X.mean() / 3))


def test_a_rule_comes_with_its_function_from_another_file(tmp_path: Path) -> None:
    (tmp_path / "lib.grad").write_text("def sharp(x) = round(x)\n"
                                       "rule sharp(x) -> y unchecked { dx = 5 * dy }\n")  # fmt: skip
    text = 'use "lib.grad": sharp\ninput x: float\noutput f = sharp(x)\n'
    program = driver.checked(Source(text, "spec.grad", tmp_path / "spec.grad"))
    assert load(driver.compiled(program)).value_and_grad(0.3)[1].x == 5.0


# ── `gradc test` ────────────────────────────────────────────────────────────

EXAMPLE = "example one { given x = [0.3, -0.7, 1.1], s = 0.6 }\n"


def test_a_right_rule_passes() -> None:
    results = list(run_tests(checked(CUBE + CUBE_RULE + USE_OF_CUBE + EXAMPLE), "here"))
    assert all(result.passed for result in results)
    assert sum("rule cube" in result.name for result in results) == 2


def test_a_wrong_rule_fails() -> None:
    wrong = CUBE_RULE.replace("3 * v^2", "3 * v")
    results = list(run_tests(checked(CUBE + wrong + USE_OF_CUBE + EXAMPLE), "here"))
    failed = [result for result in results if not result.passed and "rule" in result.name]
    assert failed and all(detail.startswith("d(v)") for r in failed for detail in r.details)


def test_an_unchecked_rule_is_not_compared() -> None:
    text = STRAIGHT + "example one { given x = [0.7, 1.2, -2.4] }\n"
    results = list(run_tests(checked(text), "here"))
    assert all(result.passed for result in results)
    assert any("unchecked rule: sharp" in result.name for result in results)


def test_a_wrong_rule_for_one_of_two_results_fails() -> None:
    wrong = PAIR_RULE.replace("dangle * y", "2 * dangle * y")
    example = "example one { given a = [0.3, -0.7, 1.1], b = [1.2, 0.4, -0.5] }\n"
    results = list(run_tests(checked(PAIR + wrong + USE_OF_PAIR + example), "here"))
    rules = [result.passed for result in results if "rule polar" in result.name]
    assert sorted(rules) == [False, True]


# ── Several results ─────────────────────────────────────────────────────────


def test_results_of_one_call_are_computed_once() -> None:
    text = """
    input A: float[3, 3]
    node w, V = eigh(A)
    output f = sum(w^2) + sum(V[:, 0]^4)
    """
    source = source_text(text)
    assert "w, V = np.linalg.eigh(" in source
    assert source.count("np.linalg.eigh(") == 2  # forward, and value_and_grad


def test_one_result_alone_is_computed_alone() -> None:
    text = "input A: float[3, 3]\nnode w, V = eigh(A)\noutput f = w\n"
    source = source_text(text)
    assert "np.linalg.eigh(" in source  # Its gradient needs the vectors.
    data = source_text("data A: float[3, 3]\nnode w, V = eigh(A)\noutput f = w\n")
    assert "np.linalg.eigvalsh(" in data


def test_a_function_may_have_several_results() -> None:
    text = """
    def moments(x: float[N]) {
      node m = sum(x) / N
      return m, sum((x - m)^2) / N
    }
    input x: float[N]
    node m, v = moments(x)
    output f = m * v
    """
    value, _ = module(text).value_and_grad(X)
    np.testing.assert_allclose(value, X.mean() * X.var())


def test_one_result_inside_a_long_statement() -> None:
    """It is taken out of the statement it was meant to stand in."""
    source = source_text("""
    data d: int[3]
    data A: float[3, 3]
    input x: float
    node v = stack(relu(d), arcsinh(d), eigvalsh(0.3 * tanh(A) + eye(3) * linspace(1, 4, 3)))
    output f = x * sum(sin(v))
    """)
    assert "np.linalg.eigvalsh(" in source


def test_a_rule_may_take_a_gradient() -> None:
    text = """
    def f(x) = x^3
    rule f(x) -> y { dx = dy * grad(sum(x^3), x) }
    input t: float[2]
    output g = sum(f(t) * sin(f(t)))
    """
    plain = text.replace("rule f(x) -> y { dx = dy * grad(sum(x^3), x) }", "")
    t = np.array([0.5, -1.2])
    for name in ("value_and_grad", "hessian"):
        found, wanted = (getattr(module(each, ALL), name)(t) for each in (text, plain))
        for a, b in zip(_flat(found), _flat(wanted), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)


def test_all_is_what_there_can_be() -> None:
    text = "input A: float[3, 3]\noutput Q, R = qr(A)\n"
    generated = load(driver.compiled(checked(text), Options(emit=("all",))))
    assert hasattr(generated, "jacobian") and not hasattr(generated, "hessian")
