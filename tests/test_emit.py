"""What ``--emit`` adds, against differences of the functions that are always there."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from gradc.compiler import driver
from gradc.compiler.compilation import EXTRAS, Options
from gradc.dsl.source import Source

from .helpers import assert_clean, load

GOLDEN = Path(__file__).parent / "golden"
ALL = Options(emit=EXTRAS)
VECTORS = "input x: float[n]\ninput W: float[n, n]\nnode q = sigmoid(W @ x)\noutput f = norm(q)^2 + sum(exp(x))\n"
WIDE = "input x: float[2]\noutput y = outer(x, [1.0, 2.0, 3.0]) * x[0]\noutput z = x\n"
TALL = "input a: float[N]\ninput b: float\noutput y = [sum(a^3) * b, dot(a, a)]\n"
SCALARS = "input a, b: float\noutput f = a * sin(b) + a^3 / b\n"
BRANCH = "input x: float[N]\ninput s: float\nnode y = if x > 0 then log(x) * s^2 else x^3\noutput f = sum(y) * exp(s)\n"
NAMED = (
    "input forward, out, cache, unit: float\noutput f = forward * out^2 * cache + unit^2 * out\n"
)
SPECS = {"vectors": VECTORS, "wide": WIDE, "tall": TALL, "scalars": SCALARS, "branch": BRANCH,
         "named": NAMED}  # fmt: skip
POINTS: dict[str, tuple[Any, ...]] = {
    "vectors": (np.array([0.3, -0.7]), np.array([[1.0, 0.5], [-0.2, 0.8]])),
    "wide": (np.array([0.4, 1.1]),),
    "tall": (np.array([0.4, 1.1, -0.6]), 1.7),
    "scalars": (1.2, 0.7),
    "branch": (np.array([0.5, -0.5, 2.0]), 0.6),
    "named": (1.1, 1.2, 1.3, 1.4),
}


def text(name: str) -> str:
    return driver.python(
        driver.compiled(driver.checked(Source(SPECS[name], f"{name}.grad")), ALL_OF[name])
    )


ALL_OF = {n: ALL if " f = " in s else Options(emit=("jvp", "jacobian")) for n, s in SPECS.items()}
MODULES: dict[str, ModuleType] = {}


def module(name: str) -> ModuleType:
    if name not in MODULES:
        program = driver.checked(Source(SPECS[name], f"{name}.grad"))
        MODULES[name] = load(driver.compiled(program, ALL_OF[name]))
    return MODULES[name]


def difference(function: Any, point: tuple[Any, ...], position: int, move: Any) -> Any:
    """The central difference of a function of all inputs along a move of one."""
    h = 1e-6
    ends = []
    for sign in (1.0, -1.0):
        moved = list(point)
        moved[position] = np.asarray(point[position]) + sign * h * np.asarray(move)
        ends.append(function(*moved))
    return [(np.asarray(a) - np.asarray(b)) / (2 * h) for a, b in zip(*ends, strict=True)]


def flat(result: Any) -> tuple[Any, ...]:
    return tuple(result) if isinstance(result, tuple) else (result,)


@pytest.mark.parametrize("name", SPECS)
def test_jvp(name: str) -> None:
    rng = np.random.default_rng(0)
    compiled, point = module(name), POINTS[name]
    for position, field in enumerate(compiled.Gradients._fields):
        move = rng.normal(size=np.shape(point[position]))
        move = move if np.ndim(move) else float(move)
        wanted = difference(lambda *a: flat(compiled.forward(*a)[0]), point, position, move)
        value, found = compiled.jvp(*point, **{f"d{field}": move})
        for a, b in zip(flat(found), wanted, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-8)
        for a, b in zip(flat(value), flat(compiled.forward(*point)[0]), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", [n for n in SPECS if ALL_OF[n] is ALL])
def test_hvp_and_hessian(name: str) -> None:
    rng = np.random.default_rng(0)
    compiled, point = module(name), POINTS[name]
    fields = compiled.Gradients._fields
    hessian = compiled.hessian(*point)
    for position, field in enumerate(fields):
        move = rng.normal(size=np.shape(point[position]))
        move = move if np.ndim(move) else float(move)
        wanted = difference(lambda *a: compiled.value_and_grad(*a)[1], point, position, move)
        found = compiled.hvp(*point, **{f"v_{field}": move})
        for first, a, b in zip(fields, found, wanted, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)
            block = getattr(getattr(hessian, first), field)
            assert np.shape(block) == np.shape(point[fields.index(first)]) + np.shape(
                point[position]
            )
            np.testing.assert_allclose(
                np.tensordot(block, move, np.ndim(move)), a, rtol=1e-9, atol=1e-12
            )


@pytest.mark.parametrize("name", SPECS)
def test_jacobian(name: str) -> None:
    compiled, point = module(name), POINTS[name]
    jacobian = compiled.jacobian(*point)
    outputs = flat(compiled.forward(*point)[0])
    assert ("in forward mode" in compiled.jacobian.__doc__) == (name == "wide")
    rng = np.random.default_rng(0)
    for position, field in enumerate(compiled.Gradients._fields):
        move = rng.normal(size=np.shape(point[position]))
        wanted = flat(
            compiled.jvp(*point, **{f"d{field}": move if np.ndim(move) else float(move)})[1]
        )
        for output, row, b in zip(outputs, jacobian, wanted, strict=True):
            block = getattr(row, field)
            assert np.shape(block) == np.shape(output) + np.shape(point[position])
            np.testing.assert_allclose(
                np.tensordot(block, move, np.ndim(move)), b, rtol=1e-9, atol=1e-12
            )


def test_empty_inputs_have_empty_jacobians() -> None:
    compiled = module("tall")
    jacobian = compiled.jacobian(np.zeros(0), 1.0)
    assert jacobian.y.a.shape == (2, 0) and jacobian.y.b.shape == (2,)


def test_linters_have_nothing_to_say(tmp_path: Path) -> None:
    for name in SPECS:
        (tmp_path / f"emit_{name}.py").write_text(text(name), encoding="utf-8")
    assert_clean(tmp_path)


def test_wrong_requests() -> None:
    program = driver.checked(Source(VECTORS))
    with pytest.raises(driver.UsageError, match="there is no `jpv`"):
        driver.compiled(program, Options(emit=("jpv",)))
    with pytest.raises(driver.UsageError, match="no objective"):
        driver.compiled(driver.checked(Source(TALL)), Options(emit=("hvp",)))
