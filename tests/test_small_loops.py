"""Loops of few numbers at ``-O2``: the same values in Python's numbers, whatever stands around them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from gradc.compiler import driver
from gradc.compiler.compilation import Options
from gradc.compiler.interpret import Interpreter
from gradc.compiler.passes import optimise, unconverted
from gradc.compiler.passes.small_loops import small_loops
from gradc.dsl.graph import Graph
from gradc.dsl.loops import with_steps

from .helpers import checked, fields, module
from .judged import Case
from .test_scan import CASES

FAST = Options(level=2)
LORENZ = """size S
input start: float[3]
input s, r, b: float
scan step in 0..S {
  state y = start
  next y = y + 0.01 * [s * (y[1] - y[0]), y[0] * (r - y[2]) - y[1], y[0] * y[1] - b * y[2]]
  emit path = next y
}
output f = sum(path[-1]^2)
"""
MIXED = """input x: float[T]
input w: float
scan t in 0..T {
  state h = 0.0
  next h = sigmoid(w * h + x[t])
  emit hs = next h
}
output f = sum(softplus(hs) * sigmoid(x))
"""
ALONE = """input x: float
scan k in 0..60 until abs(next r - r) < 1e-14 {
  state r = 1.0
  next r = (r + x / r) / 2
}
output y = r
"""


def text_of(text: str, options: Options = FAST) -> str:
    return driver.python(driver.compiled(checked(text), options))


def loops_of_numbers(graph: Graph) -> int:
    loops = {node.attributes["loop"] for node in with_steps(graph.nodes) if node.op.name == "scan"}
    return sum(loop.numbers for loop in loops)


def differentiated(case: Case) -> Graph:
    """The outputs and gradients of a case, optimised."""
    return optimise(driver.compiled(checked(case.text), Options()).graphs.both)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_pass_keeps_values(case: Case) -> None:
    graph = differentiated(case)
    made = small_loops(graph)
    values = {**case.values, **case.random(case.floats, 3)}
    given = {node.attributes["name"]: values[name] for name, node in graph.inputs.items()}
    for name, seed in graph.seeds.items():
        given[seed.attributes["name"]] = values[name]
    for changed in (made, unconverted(made)):
        for wanted, found in zip(
            [*graph.outputs.values(), *graph.gradients.values()],
            [*changed.outputs.values(), *changed.gradients.values()],
            strict=True,
        ):
            assert found.type == wanted.type
            a, b = (Interpreter(given, case.sizes).run([node])[0] for node in (found, wanted))
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


def test_most_loops_of_the_cases_are_of_numbers() -> None:
    made = [loops_of_numbers(small_loops(differentiated(case))) > 0 for case in CASES]
    assert sum(made) > len(CASES) / 3


def test_small_arrays_are_entries_in_the_steps() -> None:
    text = text_of(LORENZ)
    (body,) = text.split("def value_and_grad")[1:]
    steps = body.partition("for step in range(S)")[2].partition("    return")[0]
    assert "next_y_0 = y_0 + 0.01 * " in steps and "kept.append(" in body
    assert not any("np." in line for line in steps.splitlines() if line.startswith(" " * 8))


KEEPING = """size S
input x, y: float
input c: float[S]
scan t in 0..S UNTIL {
  state a = x
  state b = y
  node p = sin(a * b) STEP
  next a = a + 0.1 * exp(p) * b
  next b = b / (1.1 + p * a)
}
output f = a * b + sum(c)
"""


@pytest.mark.parametrize("until", ["", "until next a > 1.9"])
@pytest.mark.parametrize("step", ["", "+ 0.1 * t", "+ c[t]", "+ 0.1 * t * c[t]"])
def test_what_steps_keep_for_the_gradient_is_a_tuple(until: str, step: str) -> None:
    text = KEEPING.replace("UNTIL", until).replace("STEP", step)
    at_once = text_of(text).partition("def value_and_grad")[2]
    assert at_once.count("kept.append(") == 2  # Also with care.
    assert at_once.count("in reversed(kept):") + at_once.count("reversed(kept), strict=True):") == 2
    c = np.linspace(-0.3, 0.4, 9)
    for point in ((0.3, 0.7), (0.0, math.inf), (math.nan, 1.0), (800.0, 0.5), (0.5, -0.0)):
        with np.errstate(all="ignore"):
            found, wanted = (
                module(text, o).value_and_grad(
                    *point,
                    c,
                )
                for o in (FAST, Options())
            )
        np.testing.assert_allclose(found[0], wanted[0], rtol=1e-12)
        for one, other in zip(found[1], wanted[1], strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-14)


def test_a_program_of_numbers_does_without_numpy() -> None:
    text = text_of(ALONE)
    assert "import numpy" not in text and "list[float]" in text


def test_kernels_of_numbers_and_of_arrays_side_by_side() -> None:
    text = text_of(MIXED)
    assert "def _sigmoid(" in text and "def _sigmoid_of_number(" in text
    x = np.array([0.3, -800.0, 2.0, 900.0])
    found, wanted = (module(MIXED, o).value_and_grad(x, 0.7) for o in (FAST, Options()))
    np.testing.assert_allclose(found[0], wanted[0], rtol=1e-14)
    np.testing.assert_allclose(found[1].x, wanted[1].x, rtol=1e-13, atol=1e-300)


@pytest.mark.parametrize("x", [2.0, 0.0, -1.0, math.inf, -math.inf, math.nan, 5e-324])
def test_where_python_would_raise(x: float) -> None:
    """A quotient by zero or an infinity in a step is as in NumPy."""
    text = "input x: float input n: float[K] scan k in 0..4 { state r = 1.0 next r = sqrt(r / x) + log(r) - exp(x * r) } output y = r * sum(n)"
    n = np.ones(2)
    with np.errstate(all="ignore"):
        found, wanted = (module(text, o).value_and_grad(x, n) for o in (FAST, Options()))
        np.testing.assert_allclose(found[0], wanted[0], rtol=1e-13)
        np.testing.assert_allclose(found[1].x, wanted[1].x, rtol=1e-12)


@pytest.mark.parametrize("text", [LORENZ, MIXED], ids=["lorenz", "mixed"])
def test_single_precision_is_handed_on(text: str) -> None:
    generated = module(text, FAST)
    if text is LORENZ:
        given: dict[str, Any] = {"start": np.ones(3), "s": 10.0, "r": 28.0, "b": 8 / 3}
        more: dict[str, Any] = {"S": 20}
    else:
        given, more = {"x": np.linspace(-1, 1, 7), "w": 0.7}, {}
    single = {name: np.asarray(value, np.float32) for name, value in given.items()}
    value, gradients = generated.value_and_grad(**single, **more)
    wanted, exact = generated.value_and_grad(**given, **more)
    assert value.dtype == np.float32
    np.testing.assert_allclose(value, wanted, rtol=1e-5)
    for name, gradient in fields(gradients).items():
        assert gradient.dtype == np.float32, name
        np.testing.assert_allclose(gradient, fields(exact)[name], rtol=2e-4, atol=1e-4)


def test_no_steps_at_all() -> None:
    generated = module(LORENZ.replace("path[-1]", "y"), FAST)
    value, gradients = generated.value_and_grad(np.ones(3), 1.0, 2.0, 3.0, S=0)
    assert value == 3.0 and gradients.start.tolist() == [2.0, 2.0, 2.0] and gradients.s == 0.0


def test_lists_are_counted_as_what_they_take() -> None:
    text = "input x: float scan t in 0..100 { state h = x next h = sin(h) } output f = h"
    assert "# The cache keeps 3200 bytes beyond the inputs" in text_of(text)


def test_the_rewrite_is_told() -> None:
    from gradc.dsl.source import Source

    *_, passes, _ = driver.stages(Source(LORENZ, "lorenz.grad"), FAST)
    assert any(rewrite.by == "small_loops" for rewrite in passes.rewrites)


def test_stacks_that_nothing_needs() -> None:
    text = (
        "input p: float[N] scan t in 0..T { state s = p[0] scan k in 1..3 { state n = 0 next n = n + 1 }"
        " next s = sin(s * p[1]) emit e = n + 1 } size T = 3 output f = s^2"
    )
    value, _ = module(text).value_and_grad(np.array([0.5, 1.5]))
    wanted = 0.5
    for _ in range(3):
        wanted = np.sin(wanted * 1.5)
    assert value == pytest.approx(wanted**2)
