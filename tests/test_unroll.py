"""Small arrays of fixed sizes as numbers at ``-O2``: the same results as with arrays."""

from __future__ import annotations

import inspect
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from gradc.compiler import driver
from gradc.compiler.compilation import Compilation, Options
from gradc.compiler.passes import optimise
from gradc.compiler.passes.unroll import unroll
from gradc.compiler.specialise import specialise
from gradc.dsl.sizes import Size
from hypothesis import given

from .helpers import checked, load, single
from .test_operations import CASES, ON_PAPER, Case, extra, sample
from .test_random_graphs import (
    SIZES,
    Spec,
    _into,
    assert_same,
    differentiated,
    ordered,
    quick,
    results,
    specs,
)


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it does not pay."""
    monkeypatch.setattr("gradc.compiler.passes.unroll.NODES_PER_OPERATION", 1000)


FIXED = (("n", 4),)


@cache
def compiled(case: Case, level: int) -> Compilation:
    program = single(case.expression, case.operands, **extra(case))
    interface = program.graph.interface
    sizes = tuple((n, v) for n, v in FIXED if n in (*interface.sizes, *interface.open_sizes))
    emit = ("jvp",) if case.floats and program.graph.outputs["out"].type.is_float else ()
    return driver.compiled(program, Options(sizes=sizes, level=level, emit=emit))


@cache
def generated(case: Case, level: int) -> ModuleType:
    return load(compiled(case, level))


def close(found: Any, wanted: Any, tolerance: float = 1e-12) -> None:
    if isinstance(wanted, tuple):
        for one, other in zip(found, wanted, strict=True):
            close(one, other, tolerance)
        return
    assert np.shape(found) == np.shape(wanted)
    assert np.asarray(found).dtype == np.asarray(wanted).dtype
    scale = tolerance * max(1.0, np.max(np.abs(wanted), initial=0.0, where=np.isfinite(wanted)))
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=scale)


# ── Operations ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize("case", [c for c in CASES if c.op not in ON_PAPER], ids=str)
def test_operations(case: Case) -> None:
    """Values, gradients and tangents, in both precisions."""
    if 0 in [size.constant for t in case.operands.values() for size in t.shape]:
        return
    if not compiled(case, 2).unrolled:
        return
    for dtype, tolerance in ((np.float64, 1e-12), (np.float32, 3e-5)):
        given_ = [np.asarray(v) for v in sample(case).values()]
        values = [v.astype(dtype) if v.dtype.kind == "f" else v for v in given_]
        with np.errstate(all="ignore"):
            _compare(case, values, tolerance)


def _compare(case: Case, values: list[Any], tolerance: float) -> None:
    one, other = generated(case, 2), generated(case, 1)
    (out, cache), (wanted, kept) = one.forward(*values), other.forward(*values)
    assert np.asarray(out).dtype == np.asarray(wanted).dtype
    np.testing.assert_allclose(out, wanted, rtol=tolerance, atol=tolerance)
    if np.asarray(out).dtype.kind != "f" or not case.floats:
        return
    seed: Any = np.random.default_rng(1).normal(size=np.shape(out))
    seed = seed if seed.ndim else float(seed)
    close(one.backward(cache, seed), other.backward(kept, seed), tolerance)
    named = [n for n in inspect.signature(one.jvp).parameters if n not in case.operands]
    floats = [v for n, v in sample(case).items() if n in case.floats]
    directions = dict(zip(named, map(np.ones_like, floats), strict=True))
    close(one.jvp(*values, **directions)[1], other.jvp(*values, **directions)[1], tolerance)


# ── Random specifications ───────────────────────────────────────────────────


def fixed(text: str, level: int) -> Compilation:
    """A specification with numbers for its sizes."""
    program = checked(text)
    interface = program.graph.interface
    known = (*interface.sizes, *interface.open_sizes)
    sizes = tuple((n, v) for n, v in SIZES.items() if n in known)
    return driver.compiled(program, Options(sizes=sizes, level=level, emit=("jvp", "hvp")))


def moved(function: Any, inputs: list[Any], differentiated: list[Any]) -> Any:
    """A result along a direction in which all inputs move."""
    names = list(inspect.signature(function).parameters)[len(inputs) :]
    rng = np.random.default_rng(3)
    along = {n: rng.normal(size=np.shape(v)) for n, v in zip(names, differentiated, strict=True)}
    return function(*inputs, **{n: v if v.ndim else float(v) for n, v in along.items()})


@quick
@given(specs())
def test_the_pass_keeps_values(spec: Spec) -> None:
    graph, inputs = differentiated(spec)
    whole = specialise(graph, {n: Size.of(v) for n, v in SIZES.items()})
    wanted = results(whole, inputs)
    apart = unroll(optimise(whole))
    assert_same(results(apart, inputs), wanted, 1e-10)
    assert_same(results(optimise(apart), inputs), wanted, 1e-10)
    for before, after in zip(
        (*whole.outputs.values(), *whole.gradients.values()),
        (*apart.outputs.values(), *apart.gradients.values()),
        strict=True,
    ):
        assert before.type == after.type


@quick
@given(specs())
def test_modules_agree(spec: Spec) -> None:
    compilation = fixed(spec.text, 2)
    if compilation.unrolled:
        agree(compilation, fixed(spec.text, 1), ordered(spec))


def agree(compilation: Compilation, other: Compilation, inputs: list[Any]) -> None:
    one, two = load(compilation), load(other)
    kept = [np.copy(v) for v in inputs]
    own = [v for i, v in zip(compilation.interface.inputs, inputs, strict=True)
           if i.name in compilation.both.gradients]  # fmt: skip
    with np.errstate(all="ignore"):
        (out, cache), (wanted, beside) = one.forward(*inputs), two.forward(*inputs)
        close(out, wanted, 1e-9)
        close(one.backward(cache), two.backward(beside), 1e-9)
        np.testing.assert_equal(one.backward(cache), one.backward(cache))
        value, gradients = one.value_and_grad(*inputs)
        close((value, gradients), two.value_and_grad(*inputs), 1e-9)
        _, into = one.value_and_grad(*inputs, **_into(one, gradients))
        np.testing.assert_equal(into, gradients)
        close(moved(one.jvp, inputs, own), moved(two.jvp, inputs, own), 1e-9)
        close(moved(one.hvp, inputs, own), moved(two.hvp, inputs, own), 1e-8)
    for before, after in zip(kept, inputs, strict=True):
        np.testing.assert_array_equal(before, after)
