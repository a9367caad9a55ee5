"""The examples against the same mathematics in NumPy and SciPy: values, gradients, curvature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from gradc.compiler import driver
from gradc.compiler.compilation import Options
from gradc.compiler.evaluate import evaluate, given_values
from gradc.dsl.check import Checked
from gradc.dsl.examples import Example

from . import references
from .helpers import fields, load
from .judged import by_complex_step, extrapolated

FOLDER = Path(__file__).parent.parent / "examples"
# Without a reference here: functions for others, numbers done on paper, what has its own tests.
APART = ("layers", "homework/", "gradbench/")
NAMES = sorted(
    path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.rglob("*.grad")
)
JUDGED = [name for name in NAMES if not name.startswith(APART)]
CURVED = Options(emit=("hvp",))
SECOND_ORDER = [
    "arrays/attention", "geometry/bundle_adjustment", "numerics/kepler", "physics/leapfrog",
    "physics/nbody", "physics/poisson_network", "sequences/kalman_filter", "sequences/lstm",
    "statistics/gaussian_mixture", "statistics/gaussian_process",
]  # fmt: skip


@cache
def program(name: str) -> Checked:
    return driver.checked(driver.read(FOLDER / f"{name}.grad"))


@cache
def module(name: str, options: Options) -> ModuleType:
    return load(driver.compiled(program(name), options))


@dataclass(frozen=True)
class At:
    """An example file at the values of one of its examples."""

    name: str
    example: Example

    def __post_init__(self) -> None:
        assert set(self.values) == {i.name for i in program(self.name).interface.inputs}

    @property
    def values(self) -> dict[str, Any]:
        given = given_values(self.example)
        return {i.name: given[i.name] for i in program(self.name).interface.inputs}

    @property
    def sizes(self) -> dict[str, int]:
        """Those that the functions take by keyword."""
        return {n: self.example.sizes[n] for n in program(self.name).interface.open_sizes}

    @property
    def differentiated(self) -> list[str]:
        return list(program(self.name).interface.differentiated)

    def reference(self, **moved: Any) -> dict[str, Any]:
        function: Callable[..., Any] = getattr(references, Path(self.name).name)
        return dict(function(**{**self.values, **moved}, **self.sizes))

    def call(self, function: Any, **more: Any) -> Any:
        return function(*self.values.values(), **self.sizes, **more)

    def slope(self, **moved: Any) -> dict[str, Any]:
        """The gradient of the reference, by the complex step."""
        objective = program(self.name).interface.objective
        values = {**self.values, **moved}

        def function(step: dict[str, Any]) -> dict[str, Any]:
            return {"": self.reference(**{**moved, **step})[objective or ""]}

        return {n: by_complex_step(function, n, values[n])[""] for n in self.differentiated}


def places(name: str) -> list[At]:
    return [At(name, example) for example in program(name).examples]


def same(found: Any, wanted: Any, name: str, tolerance: float = 1e-8) -> None:
    """Equal up to a share of the largest entry."""
    scale = float(np.max(np.abs(wanted), initial=1e-6))
    assert np.shape(found) == np.shape(wanted), name
    np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance * scale, err_msg=name)


def test_every_example_has_a_reference() -> None:
    assert [n for n in JUDGED if not hasattr(references, Path(n).name)] == []


@pytest.mark.parametrize("name", JUDGED)
def test_values(name: str) -> None:
    generated = module(name, Options())
    for at in places(name):
        wanted = at.reference()
        out, _ = at.call(generated.forward)
        found = fields(out, program(name).interface.outputs[0])
        assert set(found) <= set(wanted), "an output is not judged"
        interpreted = evaluate(program(name), at.values, at.example.sizes).values
        for judged in (found, interpreted):
            for n in judged.keys() & wanted.keys():
                same(judged[n], np.real(wanted[n]), f"{n} of {at.example.name}")


@pytest.mark.parametrize("name", JUDGED)
def test_gradients(name: str) -> None:
    generated = module(name, Options())
    objective = program(name).interface.objective
    for at in places(name):
        value, at_once = at.call(generated.value_and_grad)
        same(value, np.real(at.reference()[objective or ""]), "value")
        _, kept = at.call(generated.forward)
        for n, wanted in at.slope().items():
            same(at_once._asdict()[n], wanted, f"{n} of {at.example.name}")
            same(generated.backward(kept)._asdict()[n], wanted, f"{n} of {at.example.name}")


@pytest.mark.parametrize("level", [1, 2])
@pytest.mark.parametrize("name", JUDGED)
def test_sizes_fixed(name: str, level: int) -> None:
    """``--size``: the same results with numbers for all sizes."""
    at = At(name, program(name).examples[-1])
    interface = program(name).interface
    known = [n for n in at.example.sizes if n in (*interface.sizes, *interface.open_sizes)]
    sizes = tuple((n, at.example.sizes[n]) for n in known)
    fixed = module(name, Options(sizes=sizes, level=level)).value_and_grad(*at.values.values())
    value, gradients = at.call(module(name, Options()).value_and_grad)
    same(fixed[0], value, "value", 1e-12)
    for n, wanted in gradients._asdict().items():
        same(fixed[1]._asdict()[n], wanted, n)


@pytest.mark.parametrize("name", SECOND_ORDER)
def test_second_order(name: str) -> None:
    """The curvature along a line, at the last example of each file, which is the general one."""
    at = At(name, program(name).examples[-1])
    rng = np.random.default_rng(4)
    along = {n: np.asarray(rng.normal(size=np.shape(at.values[n])))[()] for n in at.differentiated}

    def gradient(step: float) -> dict[str, Any]:
        return at.slope(**{n: at.values[n] + step * along[n] for n in at.differentiated})

    found = at.call(module(name, CURVED).hvp, **{f"v_{n}": v for n, v in along.items()})._asdict()
    for n, wanted in extrapolated(gradient, 1e-3).items():
        same(found[n], wanted, n, 1e-7)


SCIPY = ["gaussian", "statistics/gaussian_mixture", "statistics/gaussian_process"]


@pytest.mark.parametrize("name", SCIPY)
def test_scipy_agrees(name: str) -> None:
    judge = getattr(references, f"{Path(name).name}_by_scipy")
    for at in places(name):
        value, _ = at.call(module(name, Options()).value_and_grad)
        assert value == pytest.approx(judge(**at.values), rel=1e-10)
