"""Small arrays of fixed sizes as numbers at ``-O2``: the same results as with arrays."""

from __future__ import annotations

import inspect
import itertools
import math
import pickle
import re
import warnings
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from gradc.compiler import driver
from gradc.compiler.compilation import Compilation, Options
from gradc.compiler.passes import optimise
from gradc.compiler.passes.unroll import unroll
from gradc.compiler.specialise import specialise
from gradc.dsl.ops import Op
from gradc.dsl.shapes import Type
from gradc.dsl.sizes import Size
from gradc.dsl.source import Source
from hypothesis import given

from .helpers import assert_clean, checked, load, single
from .test_operations import (
    CASES,
    ELEMENTWISE,
    ON_PAPER,
    Case,
    extra,
    kinds,
    points,
    required,
    sample,
)
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


@pytest.mark.parametrize("case", [c for c in CASES[::2] if c.op not in ON_PAPER], ids=str)
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
        inputs = [v if np.ndim(v) else np.asarray(v).item() for v in ordered(spec)]
        agree(compilation, fixed(spec.text, 1), inputs)


def agree(compilation: Compilation, other: Compilation, inputs: list[Any]) -> None:
    one, two = load(compilation), load(other)
    kept = [np.copy(v) for v in inputs]
    own = [v for i, v in zip(compilation.interface.inputs, inputs, strict=True)
           if i.name in compilation.graphs.both.gradients]  # fmt: skip
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


# ── Where floating point ends ───────────────────────────────────────────────


@pytest.mark.parametrize("op", [op for op in ELEMENTWISE if op.math], ids=lambda op: op.name)
def test_directly_is_as_with_care(op: Op) -> None:
    """Calls of ``math`` that raise, and those that do not, give the results of IEEE arithmetic."""
    names = [p.name for p in op.operands]
    words = [*names, *(f"{name}={value}" for name, value in required(op).items())]
    text = f"{op.name}({', '.join(words)})"
    case = Case(op.name, text, {n: Type(k) for n, k in zip(names, kinds(op), strict=True)})
    one, other = generated(case, 2), generated(case, 1)
    for point in points(op):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            (out, cache), (wanted, kept) = one.forward(*point), other.forward(*point)
            assert type(out) is type(wanted)
            np.testing.assert_allclose(out, wanted, rtol=1e-13, err_msg=str(point))
            if case.floats and type(out) is float:
                found, gradients = one.backward(cache, 1.5), other.backward(kept, 1.5)
                np.testing.assert_allclose(found, gradients, rtol=1e-13, err_msg=str(point))


FUNCTIONS = [
    "sum(x)", "mean(x)", "max(x)", "min(x)", "prod(x)", "norm(x)", "norm(x)^2", "logsumexp(x)",
    "sum(softmax(x) * [1, 2, 3])", "sum(log_softmax(x) * [1, 2, 3])", "var(x)", "std(x)",
    "sum(cumsum(x))", "sum(cumprod(x))", "sum(sqrt(x))", "sum(log(x))", "sum(1 / x)",
    "sum(exp(x)) / sum(x^2)", "sum(if x > 0 then log(x) else x)", "sum(relu(x) + abs(x))",
    "sum(maximum(x, x[::-1]))", "sum(clip(x, -1, 1))", "x @ x", "sum(outer(x, x))", "sum(x^1.3)",
    "sum(sigmoid(x) + softplus(x) + tanh(x))", "sum(x^0)", "sum(sin(x) % 0.3)",
]  # fmt: skip
ENDS = [0.0, -0.0, 1.0, 800.0, -800.0, 1e200, math.inf, -math.inf, math.nan]


@pytest.mark.parametrize("text", FUNCTIONS)
def test_where_floating_point_ends(text: str) -> None:
    """Infinities, nan, overflows, ties and kinks: as with arrays."""
    program = f"input x: float[3] output f = {text}"
    assert fixed(program, 2).unrolled
    one, other = load(fixed(program, 2)), load(fixed(program, 1))
    for point in itertools.product(ENDS, repeat=3):
        x = np.array(point)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("error")
            found, wanted = one.value_and_grad(x), other.value_and_grad(x)
        np.testing.assert_allclose(found[0], wanted[0], rtol=1e-12, err_msg=str(point))
        np.testing.assert_allclose(found[1].x, wanted[1].x, rtol=1e-12, err_msg=str(point))


# ── The modules ─────────────────────────────────────────────────────────────

HOMEWORK = Path(__file__).parent.parent / "examples" / "homework"
SQUARES = "input x: float[3]\ninput W: float[3, 3]\nnode q = sigmoid(W @ x)\noutput f = norm(q)^2\n"
TEXTS = {
    "squares": SQUARES,
    "scalars": "input x, y: float\noutput f = sin(x) / y\noutput g = x^y\nobjective f\n",
    "rotation": "input angle: float\noutput R = [[cos(angle), -sin(angle)], [sin(angle), cos(angle)]]\n",
    "several": "input x: float[3] > 0\ndata k: int[2]\ndata b: bool\ninput s: float\n"
    "output y = log(x) * s\noutput z = if b then 2 * k else k\n"
    "output f = sum(y^2) / s\nobjective f\n",
    "large": "input A: float[5, 5]\ninput v: float[5]\noutput f = v @ A @ v\n",
    "taken": "input x: float[2]\ninput x_0: float\noutput f = sum(x) * x_0\n",
}


def text_of(name: str, **options: Any) -> str:
    return driver.python(driver.compiled(checked(TEXTS[name]), Options(level=2, **options)))


def test_linters_have_nothing_to_say(tmp_path: Path) -> None:
    for name in TEXTS:
        emit = ("all",) if name != "several" else ()
        (tmp_path / f"{name}.py").write_text(text_of(name, emit=emit), encoding="utf-8")
    assert_clean(tmp_path)


def test_the_homework_reads_as_written_out() -> None:
    program = checked((HOMEWORK / "problem2.grad").read_text("utf-8"))
    text = driver.python(driver.compiled(program, Options(level=2, sizes=(("n", 3),))))
    for line in (
        "    x_0, x_1, x_2 = x.tolist()",
        "        m_0 = W_0_0 * x_0 + W_0_1 * x_1 + W_0_2 * x_2  # line 6",
        "        q_0 = 1.0 / (1.0 + math.exp(-m_0))  # line 7",
        "        # x is used more than once: its gradients add up.",
        "        d_W_2_1 = d_m_2 * x_1",
        "    d_x = np.array([d_x_0, d_x_1, d_x_2], dtype)",
    ):
        assert line in text.splitlines()


def test_names_of_the_user_win() -> None:
    module = load(driver.compiled(checked(TEXTS["taken"]), Options(level=2)))
    value, gradients = module.value_and_grad([1.0, 2.0], 3.0)
    assert value == 9.0 and gradients.x_0 == 3.0 and gradients.x.tolist() == [3.0, 3.0]
    assert "x_0_, x_1 = x.tolist()" in text_of("taken")


def test_arguments_are_as_with_arrays() -> None:
    """Lists, other precisions, wrong shapes, numbers outside domains, several calls."""
    squares = load(driver.compiled(checked(SQUARES), Options(level=2)))
    value, gradients = squares.value_and_grad([1, 2, 3], np.eye(3, dtype=int).tolist())
    assert type(value) is np.float64 and gradients.W.dtype == np.float64
    small = squares.value_and_grad(np.ones(3, np.float32), np.eye(3, dtype=np.float32))
    assert type(small[0]) is np.float32 and small[1].W.dtype == np.float32
    for x, words in ((np.ones(4), "x: expected float[3], got shape (4,)"),
                     (np.ones(3, complex), "x: expected float32 or float64"),
                     (np.ones((3, 1)), "got shape (3, 1)")):  # fmt: skip
        with pytest.raises(ValueError, match=re.escape(words)):
            squares.forward(x, np.eye(3))
    big_endian = np.arange(3.0).astype(">f8")
    close(squares.forward(big_endian, np.eye(3))[0], squares.forward(np.arange(3.0), np.eye(3))[0])
    rotation = load(driver.compiled(checked(TEXTS["rotation"]), Options(level=2)))
    for kind, dtype in ((float, "float64"), (np.float64, "float64"), (np.float32, "float32")):
        assert rotation.forward(kind(0.5))[0].dtype == dtype
    with pytest.raises(ValueError, match=re.escape("angle: expected float, got shape (1,)")):
        rotation.forward([0.5])
    several = load(driver.compiled(checked(TEXTS["several"]), Options(level=2)))
    with pytest.raises(ValueError, match="x: expected values > 0"):
        several.forward(np.zeros(3), [1, 2], True, 1.0)
    pickle.dumps(several.forward(np.ones(3), [1, 2], True, 1.0)[0].f)


def test_what_stays() -> None:
    """Open sizes, operations without an expansion, and what would not pay."""
    level = Options(level=2)
    for text in (
        "input x: float[n] output f = sum(sin(x))",
        "input A: float[2, 2] output f = det(A)",
        "input x: float[3] data k: int output f = take(x, k)",
        "input x: float[1000] output f = sum(sin(x))",
        "input x: float[3] scan t in 0..3 { state h = 0.0 next h = h + x[t] } output f = h",
    ):
        assert not driver.compiled(checked(text), level).unrolled, text


def test_the_stage_is_shown() -> None:
    source = Source((HOMEWORK / "problem2.grad").read_text("utf-8"), "problem2.grad")
    stages = {s.name: s.text for s in driver.stages(source, Options(level=2, sizes=(("n", 3),)))}
    assert "x_0: float = getitem(x, index=[0])" in stages["passes"]
    assert "gradient x = " in stages["passes"]


def test_check_computes_what_examples_give(capsys: pytest.CaptureFixture[str]) -> None:
    """The helpers of such a module take numbers; an example may apply functions to arrays."""
    program = (
        "input x: float[3] input s: float output f = s * sum(sigmoid(x)^2)\n"
        "example a { given x = sigmoid([1.0, 2.0, 0.5]), s = sigmoid(0.5) }"
    )
    options = Options(level=2, emit=("check",))
    compilation = driver.compiled(checked(program), options)
    assert compilation.unrolled
    module = load(compilation)
    assert module.check() == 0
    assert "All of the" in capsys.readouterr().out
