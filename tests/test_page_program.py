"""The arithmetic of a page: its operations are NumPy's, its results those of generated modules."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradc.compiler import driver
from gradc.compiler.evaluate import Evaluation, evaluate
from gradc.compiler.given import from_example
from gradc.compiler.interpret import Interpreter
from gradc.compiler.outline import Outline, outline
from gradc.compiler.page import program as module
from gradc.compiler.page.program import Program, program
from gradc.compiler.picture.model import picture
from gradc.dsl.check import Checked
from gradc.dsl.graph import Node, make
from gradc.dsl.ops import OPS
from gradc.dsl.shapes import Kind, Type
from gradc.dsl.source import Source
from hypothesis import given

from .browser import Engine, engine
from .helpers import checked, fields, load
from .judged import Case
from .test_random_graphs import SIZES, Spec, specs
from .test_random_scans import loops, quick, searches

EXAMPLES = Path(__file__).parent.parent / "examples"
NUMBERS = Path(module.__file__).parent / "numbers.js"
_EVALUATE = ("given.map(([operations, inputs]) => Array.from(Numbers.evaluate(operations, "
             "inputs.map(Number)), (x) => Object.is(x, -0) ? '-0' : String(x)))")  # fmt: skip
SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, -1.5, 2.0, 2.5, -3.0, -2.5, 3.7, -3.7, 1e-9, 12.0, 1e3,
           -1e3, 1e300, math.inf, -math.inf, math.nan)  # fmt: skip
_SPAN = Source("x").span(0, 1)
# What takes whole numbers only.
_INTEGERS = {"int_power"}


Run = Callable[..., list[list[float]]]


@pytest.fixture(scope="module")
def compute() -> Iterator[Engine]:
    with engine() as found:
        yield found


@pytest.fixture(scope="module")
def run(compute: Engine) -> Run:
    """All numbers of some programs, from the interpreter of the page."""

    def numbers(*jobs: tuple[list[Any], list[float]]) -> list[list[float]]:
        given = [[operations, [_text(x) for x in inputs]] for operations, inputs in jobs]
        return [[float(x.replace("Infinity", "inf")) for x in row]
                for row in compute(NUMBERS, _EVALUATE, given)]  # fmt: skip

    return numbers


def _text(value: float) -> str:
    return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(repr(value), repr(value))


def same(actual: Any, expected: Any, tolerance: float = 1e-12) -> Any:
    """Whether numbers agree: to a relative tolerance, and exactly where they are not finite."""
    actual, expected = np.asarray(actual, float), np.asarray(expected, float)
    with np.errstate(invalid="ignore"):
        near = np.abs(actual - expected) <= tolerance * (1e-2 + np.abs(expected))
    return near | (actual == expected) | (np.isnan(actual) & np.isnan(expected))


# ── Operations ──────────────────────────────────────────────────────────────

SCALAR = sorted(name for name, op in OPS.items() if op.operands and not op.variadic
                and (op.math or name in ("round_on_paper", "given_on_paper")))  # fmt: skip


def _operands(name: str) -> Iterator[tuple[float, ...]]:
    op, random = OPS[name], np.random.default_rng(0)
    count = len(op.operands)
    if _kinds(name)[0] is Kind.BOOL and name != "where":
        yield from ((a, b)[:count] for a in (0.0, 1.0) for b in (0.0, 1.0))
        return
    if name in _INTEGERS:
        yield from ((float(a), float(b)) for a in range(-5, 6) for b in range(5))
        return
    for place in np.ndindex((len(SPECIAL),) * min(count, 2)):
        values = [SPECIAL[i] for i in place]
        if name != "power" or values[1] != 0.5:  # NumPy takes the square root.
            yield tuple([*values, 1.5][:count])
    for scale in (0.1, 1.0, 20.0):
        yield from (tuple(row) for row in (scale * random.normal(size=(60, count))).tolist())


def _kinds(name: str) -> list[Kind]:
    op = OPS[name]
    truth = name in ("logical_and", "logical_or", "logical_not", "as_int")
    first = Kind.BOOL if truth or name == "where" else Kind.INT if name in _INTEGERS else Kind.FLOAT
    rest = Kind.FLOAT if name == "where" else first
    return [first, *[rest] * (len(op.operands) - 1)]


def _options(name: str) -> list[dict[str, Any]]:
    if name in ("round_on_paper", "given_on_paper"):
        return [{"digits": digits} for digits in (0, 2, 7)]
    if name in ("polygamma", "sinc_derivative"):
        return [{"order": order} for order in range(5)]
    return [{"natural": False}] if name == "power" else [{}]


@pytest.mark.parametrize("name", SCALAR)
def test_an_operation_computes_what_numpy_does(name: str, run: Run) -> None:
    kinds = _kinds(name)
    jobs, expected = [], []
    for options in _options(name):
        rows = list(_operands(name))
        if name == "where":
            rows = [(float(row[0] > 0), *row[1:]) for row in rows]
        nodes = [
            make("input", (), _SPAN, {"name": str(i), "type": Type(kind)})
            for i, kind in enumerate(kinds)
        ]
        node = make(name, nodes, _SPAN, options)
        constants = [["constant", v] for v in options.values() if name != "power"]
        inputs = [["input", i] for i in range(len(kinds))]
        operations = [*inputs, *constants, [name, *range(len(inputs) + len(constants))]]
        for row in rows:
            jobs.append((operations, list(row)))
            given = {
                str(i): np.asarray(v, (bool, int, float)[k])
                for i, (v, k) in enumerate(zip(row, kinds, strict=True))
            }
            expected.append(float(Interpreter(given, {}).run([node])[0]))
    actual = [row[-1] for row in run(*jobs)]
    close = same(actual, expected, 2e-10 if name in ("polygamma", "sinc_derivative") else 1e-12)
    wrong = [
        (job[1], a, e) for job, a, e, c in zip(jobs, actual, expected, close, strict=True) if not c
    ]
    assert not wrong, wrong[:5]
    signs = np.sign(expected) == 0
    assert np.all(np.signbit(actual)[signs] == np.signbit(expected)[signs]) or name in _SIGNLESS


# NumPy's own choice between two zeros of opposite signs depends on the machine.
_SIGNLESS = {"maximum", "minimum", "clip", "relu", "softplus"}


def test_every_operation_on_numbers_is_known(compute: Engine) -> None:
    names = compute(NUMBERS, "Object.keys(Numbers.OPERATIONS)", None)
    assert set(names) == set(SCALAR)


# ── Programs ────────────────────────────────────────────────────────────────


def program_of(evaluation: Evaluation, spec: Checked) -> tuple[Program | None, dict[str, Node]]:
    """The program of all values and gradients, and the nodes by its keys."""
    items = outline(evaluation.graph, spec.program)
    drawn = picture(items, spec, evaluation)
    tables = (("value", drawn.values), ("gradient", drawn.gradients))
    nodes = {
        f"{word} {id_}": q.node for word, table in tables for id_, q in table.items() if q.node
    }
    return program(evaluation, nodes), nodes


def flat(made: Program, values: dict[str, Any]) -> list[float]:
    """The inputs of a program, one after the other."""
    return [float(x) for name in made.inputs for x in np.ravel(values[name])]


def read(made: Program, numbers: list[float]) -> dict[str, Any]:
    """What a program shows, by key."""
    return {key: np.reshape([numbers[i] for i in place.entries], place.shape)
            for key, place in made.shown.items()}  # fmt: skip


def _specs() -> list[Path]:
    return [
        path for path in sorted(EXAMPLES.rglob("*.grad")) if "example " in path.read_text("utf-8")
    ]


EDITABLE = {
    "attention", "convolution_1d", "convolution_2d", "bundle_adjustment", "hello", "llsq", "lse", "lstm", "ode",
    "ba", "problem1", "problem2", "linear_regression", "logistic_regression", "network", "cube_root", "heat",
    "leapfrog", "nbody", "poisson_network", "rosenbrock", "hmm", "gaussian_mixture", "ba_jacobian",
}  # fmt: skip


@pytest.mark.parametrize("path", _specs(), ids=lambda path: path.stem)
def test_the_examples_compute_what_the_interpreter_and_their_modules_do(
    path: Path, run: Run
) -> None:
    spec = driver.checked(driver.read(path))
    generated = load(driver.compiled(spec))
    for example in spec.examples:
        inputs = from_example(spec, example.name)
        evaluation = evaluate(spec, inputs.values, inputs.sizes, inputs.digits)
        made, _ = program_of(evaluation, spec)
        assert (made is not None) == (path.stem in EDITABLE), path.stem
        if made is None:
            continue
        assert len(made.operations) <= module.NUMBERS
        for seed in range(2):
            values = moved(spec, inputs.values, made, seed)
            given = {name: values[name] for name in made.inputs}
            (numbers,) = run((list(made.operations), flat(made, given)))
            found = read(made, numbers)
            again = evaluate(spec, values, inputs.sizes, inputs.digits)
            _, nodes = program_of(again, spec)
            assert set(nodes) == set(found)
            for key, node in nodes.items():
                expected = again.interpreter.run([node])[0]
                assert np.all(same(found[key], expected, 1e-8)), key
            if inputs.digits is None:
                agrees(generated, values, inputs.sizes, outline(again.graph, spec.program), found)


def moved(spec: Checked, values: Any, made: Program, seed: int) -> dict[str, Any]:
    """The inputs of an example, and a little beside them what somebody may write in the page."""
    random = np.random.default_rng(seed)
    free = set(spec.interface.differentiated) & set(made.inputs)
    return {name: value + 0.01 * seed * random.random(np.shape(value)) if name in free else value
            for name, value in values.items()}  # fmt: skip


def agrees(generated: Any, values: Any, sizes: Any, items: Outline, found: Any) -> None:
    """Whether the page has the outputs and gradients of the generated module."""
    known = inspect.signature(generated.forward).parameters
    open_sizes = {name: value for name, value in sizes.items() if name in known}
    ids = {item.label: item.id for item in items.items if item.is_input or item.operation.name}
    out, _ = generated.forward(**values, **open_sizes)
    for name, value in fields(out, next(iter(generated.OUTPUTS))).items():
        assert np.all(same(found[f"value {ids[name]}"], value, 1e-9)), name
    if hasattr(generated, "value_and_grad"):
        _, slopes = generated.value_and_grad(**values, **open_sizes)
        for name, value in fields(slopes).items():
            here = found.get(f"gradient {ids[name]}", np.zeros(np.shape(value)))
            assert np.all(same(here, value, 1e-8)), name


# ── Random specifications ───────────────────────────────────────────────────


def holds(text: str, values: Any, sizes: Any, run: Run) -> None:
    """Whether a page has the values and gradients of the interpreter."""
    spec = checked(text)
    evaluation = evaluate(spec, values, sizes)
    made, nodes = program_of(evaluation, spec)
    if made is None:
        return
    given = {name: values[name] for name in made.inputs}
    (numbers,) = run((list(made.operations), flat(made, given)))
    for key, value in read(made, numbers).items():
        expected = evaluation.interpreter.run([nodes[key]])[0]
        assert np.all(same(value, expected, 1e-7)), key


@quick
@given(specs())
def test_random_specifications(run: Run, spec: Spec) -> None:
    holds(spec.text, spec.values, SIZES, run)


@quick
@given(loops())
def test_random_loops(run: Run, case: Case) -> None:
    holds(case.text, case.values, case.sizes, run)


@quick
@given(searches())
def test_loops_that_end_early(run: Run, case: Case) -> None:
    holds(case.text, case.values, case.sizes, run)
