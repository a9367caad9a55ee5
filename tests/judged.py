"""Specifications held against ``naive``: values, gradients, forward mode, second derivatives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from types import ModuleType
from typing import Any
from zlib import crc32

import numpy as np
from gradc.compiler.compilation import Options
from gradc.compiler.evaluate import evaluate
from gradc.dsl import ast
from gradc.dsl.parse import parse
from gradc.dsl.source import Source

from .helpers import checked, fields, module
from .naive import Naive, run

DIRECTIONAL = Options(emit=("jvp", "hvp"))
Arrays = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A specification at given sizes; ``draws`` are values that must not be random."""

    name: str
    text: str
    sizes: Mapping[str, int]
    draws: Mapping[str, Callable[..., Any]] = field(default_factory=dict)

    def __str__(self) -> str:
        shown = " ".join(f"{name}={size}" for name, size in self.sizes.items())
        return f"{self.name} {shown}".strip()

    @cached_property
    def program(self) -> ast.Program:
        return parse(Source(self.text, "spec.grad"))

    @cached_property
    def values(self) -> Arrays:
        rng = np.random.default_rng(crc32(self.text.encode()))
        inputs = [d for d in self.program.declarations if isinstance(d, ast.Input)]
        return {n.id: self._draw(n.id, d, rng) for d in inputs for n in d.names}

    def _draw(self, name: str, d: ast.Input, rng: np.random.Generator) -> Any:
        if name in self.draws:
            return self.draws[name](**self.sizes)
        naive = Naive(self.program, self.sizes)
        shape = tuple(naive.integer(size, naive.top) for size in d.type.shape)
        low, high = (0, 4) if d.type.name.id == "int" else (-1.5, 1.5)
        if isinstance(d.domain, ast.Range):
            low, high = (naive.value(e, naive.top) for e in (d.domain.start, d.domain.stop))
        elif isinstance(d.domain, ast.Bound):
            limit = naive.value(d.domain.limit, naive.top)
            low, high = (limit + 0.3, limit + 2) if ">" in d.domain.operator else (limit - 2, limit)
        if d.type.name.id == "float":
            return rng.uniform(low, high, shape) if shape else float(rng.uniform(low, high))
        if d.type.name.id == "bool":
            return rng.integers(0, 2, shape) > 0 if shape else bool(rng.integers(0, 2))
        return (
            rng.integers(int(low), int(high), shape)
            if shape
            else int(rng.integers(int(low), int(high)))
        )

    @cached_property
    def differentiated(self) -> list[str]:
        inputs = [d for d in self.program.declarations if isinstance(d, ast.Input)]
        return [
            n.id
            for d in inputs
            if d.keyword == "input" and d.type.name.id == "float"
            for n in d.names
        ]

    @cached_property
    def open_sizes(self) -> dict[str, int]:
        """Those that the functions take by keyword."""
        declared = [d for d in self.program.declarations if isinstance(d, ast.Size)]
        return {d.name.id: self.sizes[d.name.id] for d in declared if d.value is None}

    @cached_property
    def outputs(self) -> list[str]:
        found = []
        for d in self.program.declarations:
            if isinstance(d, ast.Node) and d.keyword == "output":
                found += [name.id for name in d.target.names]
            elif isinstance(d, ast.OutputExisting):
                found.append(d.name.id)
        return found

    @cached_property
    def wanted(self) -> Arrays:
        """The value of every name."""
        return run(self.program, self.values, self.sizes)

    @cached_property
    def floats(self) -> list[str]:
        return [n for n in self.outputs if np.asarray(self.wanted[n]).dtype.kind == "f"]

    @cached_property
    def total(self) -> str:
        """The specification with an objective of all outputs that are floats."""
        terms = [f"sum(sin({n}))" if np.ndim(self.wanted[n]) else f"sin({n})" for n in self.floats]
        return f"{self.text}\noutput total_ = {' + '.join(terms)}\nobjective total_\n"

    @cached_property
    def slopes(self) -> dict[str, Arrays]:
        """The derivative of each float output for each input, of shape ``[*input, *output]``."""

        def function(moved: Arrays) -> Arrays:
            found = run(self.program, {**self.values, **moved}, self.sizes)
            return {n: np.asarray(found[n]) for n in self.floats}

        rise = by_differences if "grad(" in self.text else by_complex_step
        return {name: rise(function, name, self.values[name]) for name in self.differentiated}

    def pulled(self, seeds: Arrays) -> Arrays:
        """The gradient of the weighted sum of the outputs."""
        found = {}
        for name, slopes in self.slopes.items():
            shape = np.shape(self.values[name])
            parts = [
                np.sum(s * seeds[n], tuple(range(len(shape), s.ndim))) for n, s in slopes.items()
            ]
            found[name] = sum(parts, np.zeros(shape))
        return found

    def call(self, function: Any, values: Mapping[str, Any] | None = None, **more: Any) -> Any:
        arguments = {**self.values, **(values or {})}
        with np.errstate(all="ignore"):
            return function(*arguments.values(), **self.open_sizes, **more)

    def random(self, names: Any, seed: int) -> Arrays:
        """A random array in the shape of each value, or a number."""
        rng = np.random.default_rng(seed)
        known = {**self.wanted, **self.values}
        return {n: np.asarray(rng.normal(size=np.shape(known[n])))[()] for n in names}


# ── Derivatives of what is naive ────────────────────────────────────────────


def by_complex_step(function: Callable[[Arrays], Arrays], name: str, point: Any) -> Arrays:
    step = 1e-30

    def slope(place: tuple[int, ...]) -> Arrays:
        moved = np.array(point, complex)
        moved[place] += 1j * step
        return {n: np.imag(v) / step for n, v in function({name: moved[()]}).items()}

    return stacked(slope, np.shape(point), function({}))


def by_differences(function: Callable[[Arrays], Arrays], name: str, point: Any) -> Arrays:
    def slope(place: tuple[int, ...]) -> Arrays:
        def at(step: float) -> Arrays:
            moved = np.array(point, float)
            moved[place] += step
            return function({name: moved[()]})

        return extrapolated(at)

    return stacked(slope, np.shape(point), function({}))


def extrapolated(at: Callable[[float], Arrays], step: float = 2e-3) -> Arrays:
    """The slope at 0 by central differences, to the fourth order."""
    far, near = (
        {n: (up - down) / (2 * h) for (n, up), down in zip(at(h).items(), at(-h).values(), strict=True)}
        for h in (step, step / 2)
    )  # fmt: skip
    return {n: (4 * near[n] - far[n]) / 3 for n in near}


def stacked(
    slope: Callable[[tuple[int, ...]], Arrays], shape: tuple[int, ...], like: Arrays
) -> Arrays:
    found = {n: np.zeros((*shape, *np.shape(v))) for n, v in like.items()}
    for place in np.ndindex(shape):
        for name, value in slope(place).items():
            found[name][place] = value
    return found


# ── Comparisons ─────────────────────────────────────────────────────────────


def same(found: Any, wanted: Any, name: str, tolerance: float = 1e-9) -> None:
    """Same shape and kind, and equal up to a share of the largest entry."""
    found, wanted = np.asarray(found), np.asarray(wanted)
    assert found.shape == wanted.shape, name
    scale = max(1.0, float(np.max(np.abs(wanted), initial=0.0)))
    np.testing.assert_allclose(
        found.astype(float),
        wanted.astype(float),
        rtol=tolerance,
        atol=tolerance * scale,
        err_msg=name,
    )


def same_functions(
    case: Case, found: ModuleType, wanted: ModuleType, tolerance: float = 1e-12
) -> None:
    """Two modules of ``case.total`` agree: values to a tolerance, what is differentiated once to
    ten times, and twice to a hundred times of that."""
    value, gradients = case.call(wanted.value_and_grad)
    other, others = case.call(found.value_and_grad)
    same(other, value, "value", tolerance)
    for name, gradient in gradients._asdict().items():
        same(getattr(others, name), gradient, name, 10 * tolerance)
    along = case.random(case.differentiated, 7)
    tangents = {f"d{name}": v for name, v in along.items()}
    moved = [case.call(m.jvp, **tangents)[1].total_ for m in (found, wanted)]
    same(*moved, "jvp", 10 * tolerance)
    directions = {f"v_{name}": v for name, v in along.items()}
    second = [case.call(m.hvp, **directions) for m in (found, wanted)]
    for name in case.differentiated:
        same(getattr(second[0], name), getattr(second[1], name), f"hvp {name}", 100 * tolerance)


def judge_values(case: Case) -> None:
    """The outputs of the module, and every node of the graph as it is interpreted."""
    outputs = (
        case.call(module(case.text).forward)[0]
        if case.floats
        else case.call(module(case.text).forward)
    )
    found = fields(outputs, case.outputs[0])
    for name in case.outputs:
        same(found[name], case.wanted[name], name)
        kinds = {np.asarray(v).dtype.kind for v in (found[name], case.wanted[name])}
        assert len(kinds) == 1 or np.size(found[name]) == 0, (name, kinds)
    interpreted = evaluate(checked(case.text), case.values, case.sizes).values
    for name in case.wanted.keys() & interpreted.keys():
        same(interpreted[name], case.wanted[name], name)


def judge_gradients(case: Case) -> None:
    """``backward`` from random weights, and ``value_and_grad`` of an objective."""
    tolerance = 1e-6 if "grad(" in case.text else 1e-9
    generated = module(case.text)
    seeds = case.random(case.floats, 5)
    _, arriving = case.call(generated.forward)
    gradients = generated.backward(arriving, **keywords(case.floats, seeds))._asdict()
    for name, wanted in case.pulled(seeds).items():
        same(gradients[name], wanted, f"backward {name}", tolerance)
    value, at_once = case.call(module(case.total, DIRECTIONAL).value_and_grad)
    same(value, sum(np.sum(np.sin(case.wanted[n])) for n in case.floats), "value")
    slopes = {n: np.cos(case.wanted[n]) for n in case.floats}
    for name, wanted in case.pulled(slopes).items():
        same(at_once._asdict()[name], wanted, f"value_and_grad {name}", tolerance)


def keywords(outputs: list[str], seeds: Arrays) -> Arrays:
    if len(outputs) == 1:
        return {"dout": seeds[outputs[0]]}
    return {f"d{name}": seed for name, seed in seeds.items()}


def judge_directions(case: Case) -> None:
    """Forward mode against reverse mode; ``hvp`` against differences of the gradient."""
    generated = module(case.total, DIRECTIONAL)
    along = case.random(case.differentiated, 7)
    _, at_once = case.call(generated.value_and_grad)
    _, moved = case.call(generated.jvp, **{f"d{n}": v for n, v in along.items()})
    slope = fields(moved, "total_")["total_"]
    same(slope, dot(at_once._asdict(), along), "jvp")
    _tangents(case, generated, fields(moved), along)
    second = case.call(generated.hvp, **{f"v_{n}": v for n, v in along.items()})._asdict()
    for name, wanted in extrapolated(
        lambda step: _gradient_at(case, generated, along, step)
    ).items():
        same(second[name], wanted, f"hvp {name}", 1e-6)


def _tangents(case: Case, generated: ModuleType, tangents: Arrays, along: Arrays) -> None:
    """The dot-product test of every output."""
    seeds = case.random(case.floats, 9)
    _, arriving = case.call(generated.forward)
    given = {**{f"d{n}": s for n, s in seeds.items()}, "dtotal_": 0.0}
    gradients = generated.backward(arriving, **given)._asdict()
    same(sum(np.sum(seeds[n] * tangents[n]) for n in case.floats), dot(gradients, along), "jvp")


def _gradient_at(case: Case, generated: ModuleType, along: Arrays, step: float) -> Arrays:
    moved = {n: case.values[n] + step * along[n] for n in case.differentiated}
    _, gradients = case.call(generated.value_and_grad, moved)
    return dict(gradients._asdict())


def dot(gradients: Arrays, along: Arrays) -> float:
    return float(sum(np.sum(gradients[name] * along[name]) for name in along))


# ── Tables ──────────────────────────────────────────────────────────────────


@cache
def sizes(text: str) -> dict[str, int]:
    """``N=3 K=2`` as a dictionary."""
    return {n: int(v) for n, _, v in (part.partition("=") for part in text.split())}


def cases(rows: list[Any], draws: Mapping[str, Mapping[str, Any]]) -> list[Case]:
    """Rows of a name, a text and sizes as ``N=3 K=2``, each of which is a case."""
    return [
        Case(name, text, sizes(given), draws.get(name, {}))
        for name, text, *places in rows
        for given in (places or [""])
    ]
