"""Whole Jacobians and Hessians, all directions at once: against one direction after the other."""

from __future__ import annotations

import re
import tracemalloc
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from gradc.compiler import directions, driver
from gradc.compiler.compilation import Options, block_of
from gradc.compiler.differentiate import with_tangents
from gradc.compiler.directions import by_columns, by_rows
from gradc.compiler.interpret import Interpreter
from gradc.dsl.graph import Graph, make
from gradc.dsl.lower import lower
from gradc.dsl.ops import OPS
from hypothesis import given

from .cases.case import Case
from .helpers import checked, gradient_nodes, load, module, single
from .judged import Case as Judged
from .judged import same
from .test_batch import CASES
from .test_examples import module as example_module
from .test_examples import program
from .test_operations import DIFFERENTIABLE, extra, sample, sizes
from .test_options import SPECS, first
from .test_random_graphs import SIZES, Spec, quick, specs
from .test_random_library import spec_of
from .test_random_scans import entries, loops, searches

BOTH = ("jacobian", "hessian")
_PER_OPERATION = 8


@pytest.fixture(params=["at once", "in blocks"])
def way(request: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """``in blocks``, loops do a few directions at a time, however little memory all need."""
    if request.param == "in blocks":
        force_blocks(monkeypatch)
    return str(request.param)


def force_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directions, "_FEW", 0)
    monkeypatch.setattr(directions, "_ROOM", 60)


# ── Operations ──────────────────────────────────────────────────────────────


def chosen() -> Iterator[Case]:
    """Some cases of each operation; those that act by entry are all alike."""
    counts: Counter[str] = Counter()
    for case in DIFFERENTIABLE:
        by_entry = OPS[case.op].family in ("elementwise", "pointwise") if case.op in OPS else False
        counts[case.op] += 1
        if counts[case.op] <= (2 if by_entry else _PER_OPERATION):
            yield case


def units(value: Any) -> Iterator[Any]:
    """Arrays like a value, each with a single 1."""
    for row in np.eye(np.size(value)):
        yield row.reshape(np.shape(value))


def columns_one_by_one(graph: Graph, case: Case, values: Mapping[str, Any], name: str) -> Any:
    """The derivatives of ``out`` with respect to an input, along one unit after the other."""
    along = with_tangents(graph, [name])
    (node,) = (node for key, node in along.outputs.items() if key not in graph.outputs)
    found = [
        Interpreter({**values, f"d{name}": unit}, sizes(values)).run([node])[0]
        for unit in units(values[name])
    ]
    shape = tuple(size.evaluate(sizes(values)) for size in node.type.shape)
    return np.reshape(found, (np.size(values[name]), *shape)), shape


@pytest.mark.parametrize("case", list(chosen()), ids=str)
def test_every_operation(case: Case, way: str) -> None:
    """First derivatives against those along one unit after the other, forward mode against reverse
    mode, and both for the gradient."""
    graph = lower(single(case.expression, case.operands, **extra(case)).graph)
    out = graph.outputs["out"]
    if not out.type.is_float:
        return
    values = sample(case)
    wide = by_columns(graph, graph.outputs, case.floats, lambda g: g)
    tall = by_rows(graph, ["out"], case.floats, lambda g: g)
    run = Interpreter(values, sizes(values)).run
    for name in case.floats:
        wanted, shape = columns_one_by_one(graph, case, values, name)
        wanted = np.moveaxis(wanted, 0, -1).reshape(shape + np.shape(values[name]))
        for made in (wide, tall):
            (found,) = run([made.outputs[block_of("out", name)]])
            assert np.shape(found) == np.shape(wanted)
            np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)
    # Of the gradient, which has the operations that go back.
    seed = make("input", (), out.span, {"name": "seed_", "type": out.type})
    back = dict(zip(case.floats, gradient_nodes(graph, {"out": seed}, case.floats), strict=True))
    gradient = lower(Graph(graph.interface, graph.inputs, back))
    wide = by_columns(gradient, gradient.outputs, case.floats, lambda g: g)
    tall = by_rows(gradient, case.floats, case.floats, lambda g: g)
    (value,) = run([out])
    weights = np.random.default_rng(3).normal(size=np.shape(value))
    run = Interpreter({**values, "seed_": weights}, sizes(values)).run
    names = list(wide.outputs)
    for name, a, b in zip(
        names, run(wide.outputs.values()), run([tall.outputs[n] for n in names]), strict=True
    ):
        scale = max(1.0, np.max(np.abs(a), initial=0.0))
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9 * scale, err_msg=name)


# ── Specifications ──────────────────────────────────────────────────────────


def functions_of(text: str) -> tuple[str, ...]:
    graph = driver.differentiable(checked(text), Options())
    return tuple(name for name in BOTH if not driver.missing(name, graph))


def judge(text: str, values: Mapping[str, Any], lengths: Mapping[str, int], level: int) -> None:
    """A module of a level against the loops over directions of ``-O0``."""
    emit = functions_of(text)
    slow = module(text, Options(level=0, emit=emit))
    # Not cached: what is patched counts.
    fast = load(driver.compiled(checked(text), Options(level=level, emit=emit)))
    interface = checked(text).interface
    arguments = [values[i.name] for i in interface.inputs]
    open_sizes = {name: lengths[name] for name in interface.open_sizes}
    for name in emit:
        with np.errstate(all="ignore"):
            found, wanted = (getattr(m, name)(*arguments, **open_sizes) for m in (fast, slow))
        same_blocks(found, wanted, f"{name} -O{level}")


def same_blocks(found: Any, wanted: Any, what: str, tolerance: float = 1e-9) -> None:
    """All blocks alike. What is no number along one direction may be one among all of them, where
    what is 0 is not multiplied."""
    assert type(found)._fields == type(wanted)._fields
    for row, wanted_row in zip(found, wanted, strict=True):
        for name, block, b in zip(row._fields, row, wanted_row, strict=True):
            assert np.shape(block) == np.shape(b), (what, name)
            finite = np.isfinite(b)
            assert np.all(np.isfinite(block)[finite]), (what, name)
            scale = max(1.0, np.max(np.abs(b), where=finite, initial=0.0))
            np.testing.assert_allclose(
                np.where(finite, block, 0), np.where(finite, b, 0), rtol=tolerance,
                atol=tolerance * scale, err_msg=f"{what} {name}",
            )  # fmt: skip


@pytest.mark.parametrize("case", CASES[::2], ids=str)
def test_specifications(case: Judged, way: str) -> None:
    """Against the loops, and the Jacobian against complex steps of what is naive."""
    if not case.floats:
        return
    judge(case.total, case.values, case.sizes, 2)
    made = load(driver.compiled(checked(case.text), Options(level=2, emit=("jacobian",))))
    tolerance = 1e-6 if "grad(" in case.text else 1e-9
    found = case.call(made.jacobian)
    for name, output in product(case.differentiated, case.floats):
        slope, rank = case.slopes[name][output], np.ndim(case.values[name])
        wanted = np.moveaxis(slope, range(rank), range(-rank, 0)) if rank else slope
        same(getattr(getattr(found, output), name), wanted, f"{output} {name}", tolerance)


@pytest.mark.parametrize("seed", range(20))
def test_library(seed: int, way: str) -> None:
    spec = spec_of(seed)
    judge(spec.text, spec.values, SIZES, 1 + seed % 2)


@quick
@given(specs())
def test_random_graphs(spec: Spec) -> None:
    judge(spec.text, spec.values, SIZES, 2)


@quick
@given(loops())
def test_random_loops(case: Judged) -> None:
    judge(case.total, case.values, case.sizes, 2)


@quick
@given(searches())
def test_random_searches(case: Judged) -> None:
    judge(case.total, case.values, case.sizes, 1)


@quick
@given(entries())
def test_random_entries(case: Judged) -> None:
    judge(case.total, case.values, case.sizes, 1)


LAYER = """input x: float[n]
input W: float[m, n]
node rows = tanh(W @ x)
output y = rows * rows[0:m]
output f = sum(exp(y))
objective f
"""


@pytest.mark.parametrize("level", [1, 2])
@pytest.mark.parametrize("lengths", [(0, 2), (2, 0), (0, 0), (1, 1), (1, 3), (3, 1)], ids=str)
def test_none_or_one(lengths: tuple[int, int], level: int, way: str) -> None:
    n, m = lengths
    rng = np.random.default_rng(0)
    values = {"x": rng.normal(size=n), "W": rng.normal(size=(m, n))}
    judge(LAYER, values, {"n": n, "m": m}, level)


def test_only_some_inputs_and_a_batch() -> None:
    rng = np.random.default_rng(0)
    x, W = rng.normal(size=(2, 3)), rng.normal(size=(4, 3))
    options = Options(level=2, emit=BOTH, wrt=("x",), batch=("x",))
    fast, slow = (module(LAYER, replace(options, level=level)) for level in (2, 0))
    assert fast.Jacobian._fields == ("y", "f") and fast.JacobianRow._fields == ("x",)
    for name in BOTH:
        same_blocks(getattr(fast, name)(x, W), getattr(slow, name)(x, W), name)


def test_memory_is_that_of_some_directions() -> None:
    """Between the input and the result lies a matrix of 2 MB along each of 64 directions."""
    text = "input x: float[n]\ndata a: float[k, n]\nnode h = a @ x\noutput y = sum(sin(outer(h, h)), axis=0)[0:100]\n"
    made = module(text, Options(level=2, emit=("jacobian",)))
    rng = np.random.default_rng(0)
    x, a = rng.normal(size=64), rng.normal(size=(512, 64))
    tracemalloc.start()
    try:
        made.jacobian(x, a)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 32e6


def test_nothing_else_is_written() -> None:
    """A Jacobian that is whole needs no ``jvp``; one of loops does."""
    whole, loops = (module(LAYER, Options(level=level, emit=BOTH)) for level in (1, 0))
    assert not hasattr(whole, "jvp") and not hasattr(whole, "hvp")
    assert hasattr(loops, "hvp")


# ── Examples ────────────────────────────────────────────────────────────────

WAYS = {
    "O1": Options(level=1),
    "O2": Options(level=2),
    "O2 threads, checkpoint": Options(level=2, threads=2, checkpoint=True),
    "O2 float32": Options(level=2, dtype="float32"),
}


def emitting(name: str, options: Options) -> Options:
    graph = driver.differentiable(program(name), options)
    return replace(options, emit=tuple(n for n in BOTH if not driver.missing(n, graph)))


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("option", WAYS)
def test_examples(name: str, option: str) -> None:
    at, options = first(name), emitting(name, WAYS[option])
    slow = example_module(name, emitting(name, Options(level=0)))
    fast = example_module(name, options)
    for function in options.emit:
        with np.errstate(all="ignore"):
            found, wanted = (at.call(getattr(m, function)) for m in (fast, slow))
        tolerance = 5e-3 if options.dtype else 1e-8
        same_blocks(found, wanted, function, tolerance)
        for block in (b for row in found for b in row if options.dtype):
            assert np.asarray(block).dtype == np.float32 or isinstance(block, float)


@pytest.mark.parametrize("name", ["network", "gaussian", "physics/nbody", "gradbench/ht"])
def test_examples_in_blocks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    force_blocks(monkeypatch)
    at, emit = first(name), emitting(name, Options(level=2))
    fast = load(driver.compiled(program(name), emit))
    slow = example_module(name, emitting(name, Options(level=0)))
    for function in emit.emit:
        same_blocks(at.call(getattr(fast, function)), at.call(getattr(slow, function)), function)


# ── Products with the identity ──────────────────────────────────────────────

FOLDED = {
    "layer": ("input x: float[n] data W: float[m, n] output y = sigmoid(W @ x)", {"x": (3,), "W": (5, 3)}),
    "two layers": ("input x: float[n] data W: float[n, n] data V: float[n, n] output y = V @ tanh(W @ x / 2)", {"x": (3,), "W": (3, 3), "V": (3, 3)}),
    "matrix": ("input W: float[m, n] data x: float[n] output y = -(exp(W) @ x)", {"W": (2, 3), "x": (3,)}),
    "terms": ("input x: float[n] data W: float[n, n] output y = W @ (sin(x) * x - x^2)", {"x": (3,), "W": (3, 3)}),
    "pairs": ("input x: float[n] data p: float[n] node d[i, j] = (x[i] - p[j])^2 output y[j] = sum[i](exp(-d[i, j]) / p[j])", {"x": (3,), "p": (3,)}),
    "curvature": ("data X: float[N, n] input w: float[n] output f = sum(softplus(X @ w))", {"X": (5, 3), "w": (3,)}),
}  # fmt: skip
KEPT = {"matrix"}  # The identity is part of what comes out.


@pytest.mark.parametrize("name", FOLDED)
def test_products_with_the_identity(name: str) -> None:
    """None is multiplied, and what is computed is the same."""
    text, shapes = FOLDED[name]
    text = "\n".join(re.split(r" (?=input|data|node|output)", text)) + "\n"
    rng = np.random.default_rng(0)
    values = {n: rng.uniform(0.5, 1.5, shape) for n, shape in shapes.items()}
    judge(text, values, {}, 2)
    function = "hessian" if name == "curvature" else "jacobian"
    code = driver.python(driver.compiled(checked(text), Options(level=2, emit=(function,))))
    assert ("np.eye" in code) == (name in KEPT)


def test_infinities_stay_where_they_are() -> None:
    """A column of the matrix that is infinite makes no others nan, as a product would."""
    text = "input x: float[n]\ndata W: float[m, n]\noutput y = W @ x\n"
    W = np.array([[1.0, np.inf], [2.0, 3.0], [4.0, 5.0]])
    found = module(text, Options(level=2, emit=("jacobian",))).jacobian(np.ones(2), W)
    np.testing.assert_array_equal(found.y.x, W)
