"""Every operation of the table, from its declaration alone: values, gradients, shapes, dtypes."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import scipy.special
from gradc.compiler import driver
from gradc.compiler.interpret import Interpreter
from gradc.compiler.rules import apply_rule, tangent_of
from gradc.dsl.graph import make
from gradc.dsl.intervals import REAL, Interval
from gradc.dsl.lower import lower
from gradc.dsl.ops import OPS, REQUIRED, Op
from gradc.dsl.shapes import Kind, Mismatch, Type
from gradc.dsl.sizes import Size

from .cases import CASES as SPECIAL
from .cases.case import Case
from .helpers import complex_step, differences, gradient_nodes, load, single

INTEGERS_ONLY = {"int_power"}
ELEMENTWISE = [
    op
    for op in OPS.values()
    if op.family in ("elementwise", "pointwise") and op.name not in INTEGERS_ONLY
]
REDUCTIONS = [
    op for op in OPS.values()
    if [p.sort for p in op.parameters][:2] == ["value", "axes"] and op.name[-9:] != "transpose"
    and op.name not in ("expand_dims", "squeeze", "flip", "moveaxis")
]  # fmt: skip


# ── Cases from signatures ───────────────────────────────────────────────────


def shape(*sizes: int) -> tuple[Size, ...]:
    return tuple(Size.of(size) for size in sizes)


def required(op: Op) -> dict[str, Any]:
    """Options that must be given: some small integer."""
    return {p.name: 2 for p in op.parameters if p.sort == "integer" and p.default is REQUIRED}


def kinds(op: Op) -> list[Kind]:
    """The operands as floats, where the operation takes them; else truth values."""
    count = len(op.operands)
    for booleans in (0, 1, count):
        found = [Kind.BOOL] * booleans + [Kind.FLOAT] * (count - booleans)
        try:
            op.infer([Type(kind) for kind in found], required(op))
        except Mismatch:
            continue
        return found
    raise AssertionError(op.name)


SHAPES: dict[int, list[list[tuple[int, ...]]]] = {
    1: [[()], [(3,)], [(2, 3)], [(1,)], [(0,)], [(2, 0)]],
    2: [
        [(), ()], [(3,), (3,)], [(), (3,)], [(3,), ()], [(3,), (2, 3)], [(2, 3), (3,)],
        [(2, 1), (1, 3)], [(1,), (3,)], [(2, 1), (2, 3)], [(1,), (1,)], [(0,), (0,)], [(), (0,)],
        [(1,), ()], [(1, 1), (3,)],
    ],
    3: [
        [(), (), ()], [(3,), (3,), (3,)], [(3,), (), ()], [(), (3,), ()], [(), (), (3,)],
        [(2, 3), (3,), (2, 1)], [(2, 1), (1, 3), (2, 3)], [(), (2, 1), (1, 3)], [(1,), (3,), ()],
        [(0,), (), (0,)], [(3,), (2, 3), ()],
    ],
}  # fmt: skip


def elementwise_cases(op: Op) -> Iterator[Case]:
    names = [p.name for p in op.operands]
    options = required(op)
    words = "".join(f", {name}={value}" for name, value in options.items())
    for shapes in SHAPES[len(names)]:
        operands = {
            name: Type(kind, shape(*sizes))
            for name, kind, sizes in zip(names, kinds(op), shapes, strict=True)
        }
        yield Case(op.name, f"{op.name}({', '.join(names)}{words})", operands, options)


def reduction_cases(op: Op) -> Iterator[Case]:
    kind = Kind.BOOL if op.name in ("any", "all") else Kind.FLOAT
    keeps = (False, True) if any(p.name == "keepdims" for p in op.parameters) else (None,)
    numbers = [(p.name, value) for p in op.parameters if p.sort == "number" for value in (1, 0.5)]
    empty = [(0, 3), (2, 0)]
    for sizes in [(3,), (2, 3), (2, 1, 3), (1,), (1, 1), *empty]:
        rank = len(sizes)
        axes: list[Any] = [None] if op.parameters[1].default is None else []
        for count in range(1, rank + 1):
            axes += itertools.combinations(range(rank), count)
        axes += [(-1,)]
        for axis, keepdims, number in itertools.product(axes, keeps, [None, *numbers]):
            options: dict[str, Any] = {}
            words = "x"
            if axis is not None:
                options["axis"] = axis[0] if len(axis) == 1 else tuple(axis)
                words += f", axis={axis[0] if len(axis) == 1 else list(axis)}"
            if keepdims is not None and keepdims:
                options["keepdims"] = True
                words += ", keepdims=true"
            if number is not None:
                options[number[0]] = number[1]
                words += f", {number[0]}={number[1]}"
            if numpy_has_a_value(op, sizes, options):
                operands = {"x": Type(kind, shape(*sizes))}
                yield Case(op.name, f"{op.name}({words})", operands, options)


def numpy_has_a_value(op: Op, sizes: tuple[int, ...], options: Mapping[str, Any]) -> bool:
    """Whether NumPy takes these options: it raises for the largest of no entries, and warns for
    their mean."""
    reference = getattr(np, op.name, None)
    if reference is None:
        return True
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            reference(np.ones(sizes), **options)
        except (ValueError, RuntimeWarning):
            return False
    return True


GIVEN_ONLY = {op.name for op in OPS.values() if op.given_only}
# Replaced by what they stand for before anything is computed.
EXPANDED = {"grad", "index", "at", "over", "entries"}
# A loop is no single operation: test_scan. What stands around those of numbers: test_small_loops.
LOOPS = {"scan", "to_python", "to_numpy"}


def cases() -> list[Case]:
    found: list[Case] = []
    for op in ELEMENTWISE:
        found += elementwise_cases(op)
    for op in REDUCTIONS:
        found += reduction_cases(op)
    return found + SPECIAL


CASES = cases()
EVERY = pytest.mark.parametrize("case", CASES, ids=str)
# The arithmetic of paper is interpreted only.
ON_PAPER = ("round_on_paper", "given_on_paper")
GENERATED = [case for case in CASES if case.op not in ON_PAPER]
DIFFERENTIABLE = [case for case in GENERATED if case.floats]


def test_every_operation_has_cases() -> None:
    assert {case.op for case in CASES} | GIVEN_ONLY | EXPANDED | LOOPS == set(OPS)


# ── Values to try ───────────────────────────────────────────────────────────


def sample(case: Case, seed: int = 0) -> dict[str, Any]:
    """Numbers well inside the domains, no two of them close to each other."""
    rng = np.random.default_rng(seed)
    shapes = {n: tuple(s.evaluate({"n": 4}) for s in t.shape) for n, t in case.operands.items()}
    total = max(2, sum(math.prod(s) for s in shapes.values()))
    spread = rng.permutation((np.arange(total) + 0.5 + rng.uniform(-0.2, 0.2, total)) / total)
    values: dict[str, Any] = {}
    for name, t in case.operands.items():
        count = math.prod(shapes[name])
        own, spread = spread[:count], spread[count:]
        domain = OPS[case.op].domain.get(name, REAL) if case.op in OPS else REAL
        low, high = limits(domain)
        numbers = np.reshape(low + (high - low) * own, shapes[name])
        if t.kind is Kind.FLOAT:
            values[name] = numbers
        else:
            dtype = bool if t.kind is Kind.BOOL else int
            values[name] = rng.integers(0, 2 if dtype is bool else 5, shapes[name]).astype(dtype)
    return values


def limits(domain: Interval) -> tuple[float, float]:
    low, high = max(domain.low, -2.0), min(domain.high, 2.0)
    return low + 0.05 * (high - low), high - 0.05 * (high - low)


def sizes(values: Mapping[str, Any]) -> dict[str, int]:
    return {"n": 4}


@cache
def generated(case: Case) -> ModuleType:
    return load(driver.compiled(single(case.expression, case.operands, **extra(case))))


NOT_NUMPY = ("index", "result")  # Options of cases that say how to make the node.


def extra(case: Case) -> dict[str, Any]:
    return {name: case.options[name] for name in NOT_NUMPY if name in case.options}


def run(case: Case, values: Mapping[str, Any]) -> Any:
    with np.errstate(all="ignore"):
        return generated(case).forward(*values.values())[0]


def interpreted(case: Case, values: Mapping[str, Any], dtype: Any = np.float64) -> Any:
    graph = lower(single(case.expression, case.operands, **extra(case)).graph)
    (value,) = Interpreter(values, sizes(values), dtype).run([graph.outputs["out"]])
    return value


def assert_close(actual: Any, wanted: Any, tolerance: float, what: str = "") -> None:
    assert np.shape(actual) == np.shape(wanted), what
    np.testing.assert_allclose(actual, wanted, rtol=tolerance, atol=tolerance, err_msg=what)


# ── Values ──────────────────────────────────────────────────────────────────


def second_sinc(x: Any) -> Any:
    """The second derivative of sinc, away from 0."""
    z = np.pi * x
    return np.pi**2 * (2 * (np.sin(z) / z - np.cos(z)) / z**2 - np.sin(z) / z)


REFERENCES: dict[str, Callable[..., Any]] = {
    "peak": lambda x, **options: np.max(x, initial=-np.inf, **options),
    "xlogy": scipy.special.xlogy,
    "sigmoid": scipy.special.expit,
    "relu": lambda x: np.where(x > 0, x, 0.0),
    "softplus": lambda x: np.logaddexp(x, 0.0),
    "norm": lambda x, axis=None, keepdims=False: np.sqrt(np.sum(x**2, axis, keepdims=keepdims)),
    "logsumexp": scipy.special.logsumexp,
    "softmax": lambda x, axis=-1: scipy.special.softmax(x, axis=axis),
    "log_softmax": lambda x, axis=-1: scipy.special.log_softmax(x, axis=axis),
    "as_float": lambda x: x,
    "detach": lambda x: x,
    "alias": lambda x: x,
    "given_on_paper": lambda x, digits=2: x,
    "round_on_paper": lambda x, digits=2: np.sign(x) * np.floor(np.abs(x) * 100 + 0.5) / 100,
    "abs": np.abs,
    "erf": scipy.special.erf,
    "erfc": scipy.special.erfc,
    "lgamma": scipy.special.gammaln,
    "digamma": scipy.special.digamma,
    "polygamma": lambda x, order: scipy.special.polygamma(order, x),
    "sinc_derivative": lambda x, order: second_sinc(x),
    "ptp": lambda x, axis=None, keepdims=False: (
        np.max(x, axis, keepdims=keepdims) - np.min(x, axis, keepdims=keepdims)
    ),
    "varies": lambda x, axis: (
        np.max(x, axis, keepdims=True, initial=-9) > np.min(x, axis, keepdims=True, initial=9)
    ),
}


@EVERY
def test_value(case: Case) -> None:
    values = sample(case)
    out = run(case, values) if case in GENERATED else interpreted(case, values)
    assert_close(out, interpreted(case, values), 1e-13, "against the interpreter")
    reference = case.reference or REFERENCES.get(case.op) or getattr(np, case.op, None)
    empty = any(np.size(v) == 0 for v in values.values())
    if reference is not None and not (empty and case.op in ("logsumexp", "softmax", "log_softmax")):
        with np.errstate(all="ignore"):
            wanted = reference(
                *values.values(), **{k: v for k, v in case.options.items() if k not in NOT_NUMPY}
            )
        assert_close(out, wanted, 1e-13, "against NumPy")


# ── Gradients ───────────────────────────────────────────────────────────────

# Their NumPy texts are analytic, so that the complex step is exact.
ANALYTIC = {
    "add", "subtract", "multiply", "divide", "negative", "power", "square", "exp", "expm1", "log",
    "log1p", "sqrt", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh",
    "sum", "mean", "prod", "prod_others", "matmul", "matvec", "dot", "outer", "getitem",
    "concat", "stack", "array", "transpose", "reshape", "place",
}  # fmt: skip


def backward(case: Case, values: Mapping[str, Any], seed: Any) -> dict[str, Any]:
    module = generated(case)
    with np.errstate(all="ignore"):
        _, cache = module.forward(*values.values())
        return dict(zip(case.floats, module.backward(cache, seed), strict=True))


@pytest.mark.parametrize("case", DIFFERENTIABLE, ids=str)
def test_gradient(case: Case) -> None:
    values = sample(case)
    out = run(case, values)
    if np.asarray(out).dtype.kind != "f":
        return
    seed = np.random.default_rng(1).normal(size=np.shape(out))
    seed = seed if seed.ndim else float(seed)
    found = backward(case, values, seed)
    for name in case.floats:
        assert np.shape(found[name]) == np.shape(values[name])
        gradient = np.asarray(found[name])
        if case.op in ("detach", "hits"):
            assert np.all(found[name] == 0.0)
            continue
        if case.op in ANALYTIC:

            def at(moved: Mapping[str, Any]) -> Any:
                return np.sum(seed * interpreted(case, moved, np.complex128))

            wanted = complex_step(at, values, name)
            assert_close(found[name], wanted, 1e-12, f"gradient of {name}")
            continue
        wanted, error = differences(lambda v: np.sum(seed * run(case, v)), values, name)
        smooth = error < 1e-7 * np.maximum(1.0, np.abs(wanted))
        assert np.sum(~smooth) <= np.size(smooth) // 3, "too many kinks to say anything"
        assert_close(gradient[smooth], wanted[smooth], 1e-8, f"gradient of {name}")


@pytest.mark.parametrize("case", DIFFERENTIABLE, ids=str)
def test_value_and_grad(case: Case) -> None:
    module = generated(case)
    if not hasattr(module, "value_and_grad"):
        return
    values = sample(case, seed=2)
    with np.errstate(all="ignore"):
        value, found = module.value_and_grad(*values.values())
    assert_close(value, run(case, values), 1e-14)
    for name, wanted in backward(case, values, 1.0).items():
        assert_close(found[case.floats.index(name)], wanted, 1e-13)


@pytest.mark.parametrize("case", [c for c in DIFFERENTIABLE if OPS[c.op].rules], ids=str)
def test_second_derivative(case: Case) -> None:
    """The gradient of a gradient, against differences of the gradient."""
    graph = lower(single(case.expression, case.operands, **extra(case)).graph)
    out = graph.outputs["out"]
    values = sample(case)
    if not out.type.is_float or any(np.size(v) == 0 for v in values.values()):
        return
    rng = np.random.default_rng(3)
    (value,) = Interpreter(values, sizes(values)).run([out])
    seed = make("input", (), out.span, {"name": "seed_", "type": out.type})
    given = {**values, "seed_": rng.normal(size=np.shape(value))}
    for name in case.floats:
        (first,) = gradient_nodes(graph, {"out": seed}, [name])
        weights = rng.normal(size=np.shape(values[name]))
        weight = make("input", (), out.span, {"name": "weight_", "type": first.type})
        again = type(graph)(graph.interface, graph.inputs, {"first": first})
        seconds = gradient_nodes(again, {"first": weight}, case.floats)
        interpreter = Interpreter({**given, "weight_": weights}, sizes(values))
        found = interpreter.run(seconds)

        def slope(moved: Mapping[str, Any], first: Any = first, weights: Any = weights) -> Any:
            (gradient,) = Interpreter({**given, **moved}, sizes(values)).run([first])
            return np.sum(weights * gradient)

        for other, second in zip(case.floats, found, strict=True):
            wanted, error = differences(slope, values, other)
            smooth = error < 1e-6 * np.maximum(1.0, np.abs(wanted))
            assert np.sum(~smooth) <= np.size(smooth) // 3
            assert_close(second[smooth], wanted[smooth], 1e-6, f"{name} then {other}")


# ── One rule against the other ──────────────────────────────────────────────


@pytest.mark.parametrize("case", [c for c in CASES if OPS[c.op].shown], ids=str)
def test_shown_slopes(case: Case) -> None:
    """The slope shown on paper is the rule's."""
    node = lower(single(case.expression, case.operands, **extra(case)).graph).outputs["out"]
    if node.op.name != case.op:
        return
    dy = make("input", (), node.span, {"name": "dy_", "type": node.type})
    values = sample(case)
    (y,) = Interpreter(values, {}).run([node])
    seed = np.random.default_rng(4).normal(size=np.shape(y))
    interpreter = Interpreter({**values, "dy_": seed}, {})
    for position, parameter in enumerate(node.op.operands):
        given = {"y": node, "dy": dy}
        rule = apply_rule(node.op.rules[parameter.name], node, position, given)
        shown = node.op.shown.get(parameter.name)
        if shown is None:
            continue
        by_rule, by_paper = interpreter.run([rule, apply_rule(shown, node, position, given)])
        adjoint = node.op.family != "elementwise"
        wanted = by_paper * seed if adjoint else by_paper
        np.testing.assert_allclose(by_rule, wanted, rtol=1e-12)


@pytest.mark.parametrize("case", [c for c in CASES if OPS[c.op].tangent], ids=str)
def test_tangents(case: Case) -> None:
    """What goes forward and what goes back are transposes of each other."""
    graph = lower(single(case.expression, case.operands, **extra(case)).graph)
    out = graph.outputs["out"]
    found = [out, *(n for n in graph.nodes)]
    node = next((n for n in found if n.op.name == case.op), None)
    if node is None:
        return
    values = sample(case)
    rng = np.random.default_rng(5)
    inner = {f"o{i}_": o for i, o in enumerate(node.operands)}
    tangents: dict[str, Any] = {}
    numbers = dict(values)
    for parameter, operand in zip(node.op.operands, inner.values(), strict=True):
        if operand.type.is_float:
            name = f"d{parameter.name}"
            attributes = {"name": name, "type": operand.type}
            tangents[name] = make("input", (), node.span, attributes)
            (value,) = Interpreter(values, sizes(values)).run([operand])
            numbers[name] = rng.normal(size=np.shape(value))
            if operand.op.name == "symmetric":  # Such an operand moves symmetrically.
                numbers[name] += np.swapaxes(numbers[name], -1, -2)
    (y,) = Interpreter(values, sizes(values)).run([node])
    numbers["dy_"] = rng.normal(size=np.shape(y))
    seed = make("input", (), node.span, {"name": "dy_", "type": node.type})
    text = tangent_of(node)
    if not text:
        return
    moved = apply_rule(text, node, 0, {"y": node, **tangents})
    alone = type(graph)(graph.interface, {**inner}, {"out": node})
    names = [n for n, o in inner.items() if o.type.is_float]
    back = gradient_nodes(alone, {"out": seed}, names)
    (forward, *adjoints) = Interpreter(numbers, sizes(values)).run([moved, *back])
    pairs = zip(tangents, adjoints, strict=True)
    total = sum(np.sum(numbers[name] * adjoint) for name, adjoint in pairs)
    assert_close(np.sum(forward * numbers["dy_"]), total, 1e-12)


# ── Types ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("case", DIFFERENTIABLE, ids=str)
def test_float32_stays(case: Case) -> None:
    module = generated(case)
    if "import numpy" not in driver.python(
        driver.compiled(single(case.expression, case.operands, **extra(case)))
    ):
        return
    values = sample(case)
    exact = run(case, values)
    small = {n: v.astype(np.float32) if n in case.floats else v for n, v in values.items()}
    with np.errstate(all="ignore"):
        out, cache = module.forward(*small.values())
        if np.asarray(exact).dtype.kind != "f":
            assert np.asarray(out).dtype == np.asarray(exact).dtype
            return
        assert out.dtype == np.float32
        gradients = module.backward(cache, np.ones(np.shape(out)) if np.ndim(out) else 1.0)
    if case.op != "floor_divide":
        np.testing.assert_allclose(out, exact, rtol=2e-5, atol=2e-5)
    for name, gradient in zip(case.floats, gradients, strict=True):
        assert gradient.dtype == np.float32, name
        assert np.shape(gradient) == np.shape(values[name])


@pytest.mark.parametrize("which", ["first", "last", "all"])
@pytest.mark.parametrize("kind", [Kind.INT, Kind.BOOL], ids=str)
@pytest.mark.parametrize("case", DIFFERENTIABLE, ids=str)
def test_other_kinds(case: Case, kind: Kind, which: str) -> None:
    """Integers or truth values for some operands, float32 for the others."""
    names = list(case.operands)
    chosen = {"first": names[:1], "last": names[-1:], "all": names}[which]
    if (which == "last" and len(names) == 1) or "out" in case.operands:
        return
    types = {n: Type(kind, t.shape) if n in chosen else t for n, t in case.operands.items()}
    try:
        program = single(case.expression, types, **extra(case))
    except AssertionError:
        return  # The operation takes no such operand.
    if case.op == "gaps" and kind is Kind.BOOL:
        return  # Two of three truth values are equal.
    declared = program.graph.outputs["out"].type
    other = Case(case.op, case.expression, types, case.options, case.reference)
    rng = np.random.default_rng(7)
    values = sample(case)
    dtype: Any = bool if kind is Kind.BOOL else np.int64
    for name in values:
        domain = OPS[case.op].domain.get(name, REAL)
        if name in chosen:
            low = 1 if domain.low >= 0.0 else 0
            values[name] = rng.integers(low, 2, np.shape(values[name])).astype(dtype)
            if domain.high < math.inf:
                values[name] = np.zeros(np.shape(values[name]), dtype)
            if OPS[case.op].of_floats:
                values[name] = regular(np.shape(values[name])).astype(dtype)
        else:
            own: Any = LETTERS[str(types[name].kind)[0]][1]
            values[name] = values[name].astype(own)
    with np.errstate(all="ignore"):
        out, cache = generated(other).forward(*values.values())
    scalar = not isinstance(out, (np.ndarray, np.generic))
    precision = np.float32 if other.floats and not scalar else np.float64
    wanted = {Kind.FLOAT: precision, Kind.INT: np.int64, Kind.BOOL: np.bool_}[declared.kind]
    assert np.asarray(out).dtype == wanted
    exact = {
        n: np.asarray(v, float) if np.asarray(v).dtype == np.float32 else v
        for n, v in values.items()
    }
    tolerance = 1e-5 if other.floats else 1e-13
    assert_close(out, interpreted(other, exact), tolerance, "against the interpreter")
    as_numbers = {n: np.asarray(v, float) if n in chosen else v for n, v in exact.items()}
    if declared.kind is not Kind.BOOL and case.op not in ("norm",):
        assert_close(out, interpreted(case, as_numbers), tolerance, "against floats")
    if declared.kind is Kind.FLOAT and other.floats:
        gradients = generated(other).backward(
            cache, np.ones(np.shape(out)) if np.ndim(out) else 1.0
        )
        for name, gradient in zip(other.floats, gradients, strict=True):
            assert scalar or gradient.dtype == np.float32
            assert np.shape(gradient) == np.shape(values[name])


def regular(shape: tuple[int, ...]) -> Any:
    """Integers that differ, a regular matrix even as truth values."""
    numbers = np.reshape(np.arange(math.prod(shape)), shape) % 7
    if len(shape) > 1 and shape[-1] == shape[-2]:
        numbers = np.tril(numbers + 1) + 5 * np.eye(shape[-1], dtype=int)
    return numbers


MIXED = [
    op for op in ELEMENTWISE
    if len(op.operands) > 1 and kinds(op) == [Kind.FLOAT] * len(op.operands)
] + [OPS["where"]]  # fmt: skip
LETTERS = {"f": (Kind.FLOAT, np.float32), "i": (Kind.INT, np.int64), "b": (Kind.BOOL, np.bool_)}


@pytest.mark.parametrize(
    "shapes", [((3,), (3,), (3,)), ((), (3,), ()), ((3,), (), (2, 1))], ids=str
)
@pytest.mark.parametrize("letters", ["".join(p) for p in itertools.product("fib", repeat=3)])
@pytest.mark.parametrize("op", MIXED, ids=lambda op: op.name)
def test_mixed_kinds(op: Op, letters: str, shapes: Sequence[tuple[int, ...]]) -> None:
    """Integers and truth values beside float32: the declared type, and the values of NumPy."""
    names = [p.name for p in op.operands]
    if len(names) == 2 and letters[2] != "f":
        return
    letters = letters[: len(names)]
    if op.name == "where":
        letters = "b" + letters[1:]
    rng = np.random.default_rng(6)
    operands: dict[str, Type] = {}
    values: dict[str, Any] = {}
    for name, letter, sizes_ in zip(names, letters, shapes, strict=False):
        kind, dtype = LETTERS[letter]
        operands[name] = Type(kind, shape(*sizes_))
        low = 1 if name in op.domain else 0
        numbers: Any = rng.integers(low, 2 if letter == "b" else 4, sizes_)
        if letter == "f":
            numbers = numbers + rng.uniform(0.1, 0.9, sizes_)
        values[name] = np.asarray(numbers, dtype)
    case = Case(op.name, f"{op.name}({', '.join(names)})", operands)
    out, cache = generated(case).forward(*values.values())
    declared = single(case.expression, operands).graph.outputs["out"].type
    precision = np.float32 if "f" in letters else np.float64
    wanted_dtype = {Kind.FLOAT: precision, Kind.INT: np.int64, Kind.BOOL: np.bool_}[declared.kind]
    assert out.dtype == wanted_dtype
    reference = REFERENCES.get(op.name) or getattr(np, op.name)
    wide = [
        np.asarray(v, float) if op.name != "where" or n != "condition" else v
        for n, v in values.items()
    ]
    with np.errstate(all="ignore"):
        wanted = reference(*wide)
    np.testing.assert_allclose(np.asarray(out, float), np.asarray(wanted, float), rtol=1e-5)
    if declared.kind is Kind.FLOAT and case.floats:
        gradients = generated(case).backward(cache, np.ones(np.shape(out)))
        assert all(gradient.dtype == np.float32 for gradient in gradients)
    assert_close(interpreted(case, values), wanted, 1e-6, "the interpreter")


# ── Scalars by `math` ───────────────────────────────────────────────────────

EDGES = [
    0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 2.5, 1e-8, -1e-8, math.inf, -math.inf,
    math.nan, 1e308, -1e308, 1e-308, 5e-324, 17.0, 40.0, -40.0, 709.0, -709.0, 709.9, -709.9,
    710.6, -710.6, 746.0, -746.0, 1e16, -1e16, math.pi, 1e200, -1e200,
]  # fmt: skip
FEWER = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -3.0, math.inf, -math.inf, math.nan, 1e308, -1e308, 1e-308,
         1025.0]  # fmt: skip
# IEEE 754 leaves open which zero these give.
ZEROS_OPEN = {"maximum", "minimum", "clip", "relu", "remainder"}


def points(op: Op) -> list[tuple[float, ...]]:
    count = len(op.operands)
    if op.name == "where":
        return [(c, a, b) for c in (True, False) for a in FEWER for b in FEWER]
    if kinds(op)[0] is Kind.BOOL:
        return list(itertools.product([True, False], repeat=count))
    return list(
        itertools.product(EDGES if count == 1 else FEWER[: 13 - 3 * (count == 3)], repeat=count)
    )


@pytest.mark.parametrize("op", [op for op in ELEMENTWISE if op.math], ids=lambda op: op.name)
def test_math_agrees_with_numpy(op: Op) -> None:
    """IEEE results without exceptions: the scalar module gives what the array module gives."""
    names = [p.name for p in op.operands]
    words = [*names, *(f"{name}={value}" for name, value in required(op).items())]
    text = f"{op.name}({', '.join(words)})"
    found_kinds = kinds(op)
    scalars = Case(op.name, text, {n: Type(k) for n, k in zip(names, found_kinds, strict=True)})
    arrays = Case(
        op.name, text, {n: Type(k, shape(1)) for n, k in zip(names, found_kinds, strict=True)}
    )
    value: Any
    for point in points(op):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            value, cache = generated(scalars).forward(*point)
            single_kind = lower(single(text, scalars.operands).graph).outputs["out"].type.kind
            wanted_type = {Kind.FLOAT: float, Kind.INT: int, Kind.BOOL: bool}[single_kind]
            assert type(value).__name__ == wanted_type.__name__, point
            gradients: Any = ()
            if scalars.floats and single_kind is Kind.FLOAT:
                gradients = generated(scalars).backward(cache, 1.5)
        columns = {n: np.array([v]) for n, v in zip(names, point, strict=True)}
        wanted = run(arrays, columns)
        _same(value, wanted[0], op, f"value at {point}")
        if gradients:
            expected = backward(arrays, columns, np.array([1.5]))
            for name, gradient in zip(scalars.floats, gradients, strict=True):
                assert type(gradient) is float
                _same(float(gradient), expected[name][0], op, f"slope of {name} at {point}")


def _same(actual: float, wanted: float, op: Op, where: str) -> None:
    np.testing.assert_allclose(actual, wanted, rtol=1e-13, atol=0.0, err_msg=f"{op.name}: {where}")
    if actual == 0.0 and op.name not in ZEROS_OPEN and where.startswith("value"):
        assert math.copysign(1.0, actual) == math.copysign(1.0, wanted), f"{op.name}: {where}"
