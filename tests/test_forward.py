"""Forward mode against reverse mode: the dot-product test, on specifications and random graphs."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradc.compiler import driver
from gradc.compiler.compilation import Options
from gradc.compiler.evaluate import given_values
from gradc.compiler.forward import tangents
from gradc.compiler.interpret import Interpreter
from gradc.compiler.nested import expand
from gradc.compiler.reverse import gradients
from gradc.dsl.graph import make
from gradc.dsl.lower import lower

from .helpers import checked, load

ROOT = Path(__file__).parent.parent
EXAMPLES = [p for p in sorted((ROOT / "examples").rglob("*.grad")) if p.stem != "layers"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_forward_agrees_with_reverse_on_examples(path: Path) -> None:
    program = driver.checked(driver.read(path))
    rng = np.random.default_rng(0)
    for example in program.examples:
        graph = expand(lower(program.graph))
        wrt = {n: graph.inputs[n] for n in program.interface.differentiated}
        moves = {n: make("input", (), v.span, {"name": f"d{n}", "type": v.type})
                 for n, v in wrt.items()}  # fmt: skip
        outputs = {n: v for n, v in graph.outputs.items() if v.type.is_float}
        seeds = {n: make("input", (), v.span, {"name": f"s{n}", "type": v.type})
                 for n, v in outputs.items()}  # fmt: skip
        found = tangents(outputs.values(), {wrt[n]: moves[n] for n in wrt})
        back = gradients(graph, seeds, wrt.values()).gradients
        values = given_values(example)
        shapes = {n: np.shape(values[n]) for n in wrt}
        directions = {f"d{n}": rng.normal(size=shapes[n]) for n in wrt}
        primal = Interpreter(values, example.sizes)
        arriving = {f"s{n}": rng.normal(size=np.shape(primal.run([v])[0]))
                    for n, v in outputs.items()}  # fmt: skip
        every = Interpreter({**values, **directions, **arriving}, example.sizes)
        forward = sum(
            np.sum(arriving[f"s{n}"] * every.run([found[v]])[0])
            for n, v in outputs.items() if v in found
        )  # fmt: skip
        reverse = sum(
            np.sum(directions[f"d{n}"] * every.run([back[v]])[0])
            for n, v in wrt.items() if v in back
        )  # fmt: skip
        assert forward == pytest.approx(reverse, rel=1e-10, abs=1e-12)


STILL = [
    ("data k: int[2] input x: float[2] output out = concat(k, x)", ([5, 6], [1.0, 2.0]), [0, 0, 1, 1]),
    ("data k: int[2] input x: float[2] output out = stack(k, x)", ([5, 6], [1.0, 2.0]), [[0, 0], [1, 1]]),
    ("data k: int input x: float output out = [k, x, 7]", (5, 1.0), [0, 1, 0]),
    ("data b: bool[2] input x: float[2] output out = concat(b, x, b)", ([True, True], [1.0, 2.0]), [0, 0, 1, 1, 0, 0]),
    ("data b: bool[2] input x: float[2] output out = if b then x else b", ([True, False], [1.0, 2.0]), [1, 0]),
    ("data k: int[2] input x: float[2] output out = if k > 5 then k else x", ([5, 6], [1.0, 2.0]), [1, 0]),
]  # fmt: skip


@pytest.mark.parametrize("text, values, wanted", STILL, ids=[row[0] for row in STILL])
def test_integers_and_truth_values_do_not_move(text: str, values: Any, wanted: Any) -> None:
    """They stood in the tangent as they are: the derivative of [x, 7] was [1, 7]."""
    compiled = driver.compiled(checked(text), Options(emit=("jvp",)))
    arrays = [np.asarray(v) if np.ndim(v) else v for v in values]
    _, tangent = load(compiled).jvp(*arrays, dx=np.ones(np.shape(values[1])))
    np.testing.assert_array_equal(tangent, wanted)


def test_second_derivatives_with_numbers_in_an_array() -> None:
    text = "input t: float output out = sum(([[cos(t), -sin(t), 0], [sin(t), cos(t), 0], [0, 0, 1]] @ [1, 2, 3])^3)"
    generated = load(driver.compiled(checked(text), Options(emit=("hvp",))))
    step = 1e-5
    up, down = (generated.value_and_grad(0.4 + s)[1].t for s in (step, -step))
    np.testing.assert_allclose(generated.hvp(0.4, v_t=1.0).t, (up - down) / (2 * step), rtol=1e-8)


def test_eigenvalues_in_a_branch_that_is_not_taken() -> None:
    """What stood for the matrix was the identity, whose eigenvalues repeat: a warning."""
    text = (
        "data b: bool input x: float[3, 3] output out = if b then sum(x^2) else sum(eigvalsh(x)^3)"
    )
    generated = load(driver.compiled(checked(text), Options(emit=("hvp",))))
    found = generated.hvp(True, np.diag([1.0, 2.0, 3.0]), v_x=np.ones((3, 3))).x
    np.testing.assert_array_equal(found, np.full((3, 3), 2.0))


def test_singular_vectors_in_a_branch_that_is_not_taken() -> None:
    text = "input x: float[3, 4] node U, s, V = svd(x) output out = if norm(x) == 0 then sum(x^2) else sum(V^4)"
    generated = load(driver.compiled(checked(text)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, gradients = generated.value_and_grad(np.zeros((3, 4)))
    np.testing.assert_array_equal(gradients.x, np.zeros((3, 4)))


def test_what_does_not_move_has_no_terms() -> None:
    """The matrix is given: a zero tangent of it times an infinite solution would be nan."""
    text = "data A: float[N, N]\ninput b: float[N]\noutput x = solve(A, b)\n"
    compilation = driver.compiled(checked(text), Options(emit=("jvp",)))
    _, tangent = load(compilation).jvp(np.eye(2), [np.inf, 1.0], db=[0.0, 1.0])
    np.testing.assert_array_equal(tangent, [0.0, 1.0])
    assert "zeros" not in driver.python(compilation).partition("def jvp")[2]
