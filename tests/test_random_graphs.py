"""Random specifications: the generated code, the passes and the derivatives agree on all of them.

``GRADC_EXAMPLES=2000 pytest tests/test_random_graphs.py`` looks further than the default.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pytest
from gradc.compiler import driver
from gradc.compiler.differentiate import seed_nodes, with_gradients
from gradc.compiler.evaluate import evaluate
from gradc.compiler.interpret import Interpreter
from gradc.compiler.passes import PASSES, Pass, finish, optimise
from gradc.dsl.format import format_program
from gradc.dsl.graph import Graph, constant, make
from gradc.dsl.lower import lower
from gradc.dsl.parse import parse
from gradc.dsl.source import Source
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .helpers import checked, differences, gradient_nodes, load

SIZES = {"n": 3, "m": 2}
EXAMPLES = int(os.environ.get("GRADC_EXAMPLES", "50"))
Shape: TypeAlias = tuple[str, ...]
quick = settings(
    max_examples=EXAMPLES,
    derandomize="GRADC_EXAMPLES" not in os.environ,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    database=None,
)


def length(size: str) -> int:
    return int(eval(size, {}, dict(SIZES)))


@dataclass
class Spec:
    """A specification's text, and values for its inputs."""

    text: str
    values: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"Spec({self.text!r}, {dict(self.values)!r})"


# ── Specifications ──────────────────────────────────────────────────────────

SMOOTH = [
    "sin({})", "cos({})", "tanh({})", "sigmoid({})", "softplus({})", "arctan({})", "-{}",
    "({})^2", "({})^3", "exp(tanh({}))", "log(1.5 + ({})^2)", "sqrt(1.25 + ({})^2)",
    "log1p(({})^2)", "expm1(sin({}))", "1 / (1.5 + ({})^2)", "(2 + sin({}))^1.5", "detach({})",
    "2 * {} - 1", "({}) / 3", "arcsin(0.9 * tanh({}))", "sinh(sin({}))", "cosh(tanh({}))",
]  # fmt: skip
KINKED = ["relu({})", "abs({})", "clip({}, -0.7, 0.7)", "maximum({}, 0.3)", "minimum(0.2, {})"]
BINARY = [
    "{} + {}", "{} - {}", "{} * {}", "{} * {}", "({}) / (1.5 + ({})^2)", "maximum({}, {})",
    "minimum({}, {})", "(1.2 + ({})^2)^tanh({})", "({}) % (2.3 + ({})^2)",
]  # fmt: skip
REDUCTIONS = ["sum", "mean", "max", "min", "norm", "logsumexp", "prod"]
REARRANGEMENTS = [
    "flip({}, axis={axis})", "roll({}, 1, axis={axis})", "roll({}, -2, axis={axis})",
    "sort({}, axis={axis})", "take({}, arange({size}), axis={axis})",
    "take({}, 0 * arange({size}), axis={axis})", "take({}, {size} - 1 - arange({size}), axis={axis})",
    "take_along_axis({0}, argsort({0}, axis={axis}), axis={axis})",
    "mean(stack({0}, flip({0}), axis=0), axis=0)", "swapaxes(swapaxes({}, 0, -1), 0, -1)",
    "reshape(ravel({0}), [-1]) @ ravel(ones_like({0})) * {0}",
]  # fmt: skip
COMPARISONS = ["<", "<=", ">", ">=", "!="]


@dataclass
class Writer:
    """Draws expressions of a wanted kind and shape over the names declared so far."""

    draw: Any
    lines: list[str] = field(default_factory=list)
    names: dict[str, tuple[str, Shape]] = field(default_factory=dict)
    functions: dict[str, int] = field(default_factory=dict)

    def pick(self, options: list[Any]) -> Any:
        return options[self.draw(st.integers(0, len(options) - 1))]

    def chance(self, percent: int) -> bool:
        return bool(self.draw(st.integers(0, 99)) < percent)

    def size(self) -> str:
        return str(self.pick(["n", "m", "2", "3", "1", "n"]))

    def shape(self) -> Shape:
        return tuple(self.size() for _ in range(self.pick([0, 0, 1, 1, 1, 2, 2])))

    def declare(self, keyword: str, kind: str, shape: Shape) -> str:
        name = f"{keyword[0]}{len(self.names)}"
        written = f"{kind}[{', '.join(shape)}]" if shape else kind
        self.lines.append(f"{keyword} {name}: {written}")
        self.names[name] = (kind, shape)
        return name

    def node(self, text: str, kind: str, shape: Shape) -> str:
        name = f"v{len(self.names)}"
        self.lines.append(f"node {name} = {text}")
        self.names[name] = (kind, shape)
        return name

    # Expressions, all of which may stand in parentheses.

    def leaf(self, kind: str, shape: Shape) -> str:
        kinds = {"float": ("float", "int", "bool"), "bool": ("bool",)}[kind]
        known = [n for n, (k, s) in self.names.items() if s == shape and k in kinds]
        floats = [n for n in known if self.names[n][0] == kind]
        if floats and not self.chance(20):
            return str(self.pick(floats))
        if known and self.chance(70):
            return str(self.pick(known))
        if not shape and kind == "float" and self.chance(50):
            return str(self.pick(["0.5", "2", "1.25", "pi", "3", "0.0"]))
        keyword = "input" if kind == "float" and self.chance(80) else "data"
        if kind == "float" and self.chance(15):
            return self.declare("data", "int", shape)
        return self.declare(keyword, kind, shape)

    def narrower(self, shape: Shape) -> Shape:
        """A shape that broadcasts to this one."""
        cut = shape[self.draw(st.integers(0, len(shape))) :] if self.chance(50) else shape
        return tuple("1" if self.chance(20) else size for size in cut)

    def condition(self, shape: Shape, depth: int) -> str:
        if depth <= 0 or self.chance(20):
            return self.leaf("bool", shape)
        match self.draw(st.integers(0, 4)):
            case 0:
                return f"not ({self.condition(shape, depth - 1)})"
            case 1:
                word = self.pick(["and", "or"])
                left = self.condition(shape, depth - 1)
                return f"({left}) {word} ({self.condition(self.narrower(shape), depth - 1)})"
            case _:
                left, right = self.value(shape, depth - 1), self.value((), depth - 1)
                return f"({left}) {self.pick(COMPARISONS)} ({right})"

    def value(self, shape: Shape, depth: int) -> str:
        """A float expression of this shape."""
        if depth <= 0:
            return self.leaf("float", shape)
        options = list(self.forms(shape, depth))
        return str(self.pick(options)())

    def forms(self, shape: Shape, depth: int) -> Iterator[Any]:
        inner = depth - 1

        def unary() -> str:
            form = self.pick(KINKED if self.chance(25) else SMOOTH)
            return str(form).format(f"({self.value(shape, inner)})")

        def binary() -> str:
            shapes = [shape, self.narrower(shape)]
            if self.chance(50):
                shapes.reverse()
            parts = [f"({self.value(s, inner)})" for s in shapes]
            return str(self.pick(BINARY)).format(*parts)

        def branch() -> str:
            condition = self.condition(self.narrower(shape), inner)
            yes, no = self.value(shape, inner), self.value(self.narrower(shape), inner)
            if self.chance(50):
                yes, no = no, yes
            return f"(if {condition} then {yes} else {no})"

        def guarded() -> str:
            x = self.leaf("float", shape)
            form = self.pick(["log({0})", "sqrt({0})", "1 / {0}", "{0}^1.5", "{0}^-1"])
            other = self.value(self.narrower(shape), inner)
            return f"(if {x} > 0.05 then {form.format(x)} else {other})"

        def reduction() -> str:
            at = self.draw(st.integers(0, len(shape)))
            wide = (*shape[:at], self.size(), *shape[at:])
            name, body = self.pick(REDUCTIONS), self.value(wide, inner)
            axis = at if self.chance(50) else at - len(wide)
            return f"{name}({body}, axis={axis})"

        def kept() -> str:
            at = self.pick([i for i, size in enumerate(shape) if size == "1"])
            wide = (*shape[:at], self.size(), *shape[at + 1 :])
            return f"{self.pick(REDUCTIONS)}({self.value(wide, inner)}, axis={at}, keepdims=true)"

        def total() -> str:
            wide = tuple(self.size() for _ in range(self.pick([1, 2])))
            return f"{self.pick(REDUCTIONS[:6])}({self.value(wide, inner)})"

        def norm_squared() -> str:
            return f"norm({self.value((self.size(), self.size()), inner)})^2"

        def dot() -> str:
            size = (self.size(),)
            word = self.pick(["dot({}, {})", "({}) @ ({})"])
            return str(word).format(self.value(size, inner), self.value(size, inner))

        def matvec() -> str:
            size = self.size()
            left, right = self.value((*shape, size), inner), self.value((size,), inner)
            if self.chance(30):
                return f"({right}) @ ({left}).T"
            return f"({left}) @ ({right})"

        def matmul() -> str:
            size = self.size()
            left, right = self.value((shape[0], size), inner), self.value((size, shape[1]), inner)
            return f"({left}) @ ({right})"

        def outer() -> str:
            return f"outer({self.value(shape[:1], inner)}, {self.value(shape[1:], inner)})"

        def transposed() -> str:
            swapped = self.value(shape[::-1], inner)
            return f"({swapped}).T" if self.chance(70) else f"transpose({swapped}, axes=[1, 0])"

        def reversed_() -> str:
            at = self.draw(st.integers(0, len(shape) - 1))
            return f"({self.value(shape, inner)})[{':, ' * at}::-1]"

        def softmax() -> str:
            name = self.pick(["softmax", "log_softmax"])
            axis = self.draw(st.integers(-len(shape), len(shape) - 1))
            return f"{name}({self.value(shape, inner)}, axis={axis})"

        def shifted() -> str:
            wide = (f"{shape[0]}+1", *shape[1:])
            cut = self.pick(["1:", ":-1", f":{shape[0]}"])
            return f"({self.leaf('float', wide)})[{cut}]"

        def entry() -> str:
            at = self.draw(st.integers(0, len(shape)))
            wide = (*shape[:at], self.pick(["2", "3"]), *shape[at:])
            place = self.pick(["0", "1", "-1"])
            index = (
                f"{':, ' * at}{place}" if self.chance(70) or at < len(shape) else f"..., {place}"
            )
            return f"({self.value(wide, inner)})[{index}]"

        def literal() -> str:
            items = [self.value(shape[1:], inner) for _ in range(int(shape[0]))]
            if self.chance(30):
                return f"stack({', '.join(items)})"
            return f"[{', '.join(items)}]"

        def joined() -> str:
            count = int(shape[0])
            first = self.draw(st.integers(1, count - 1))
            parts = [self.value((str(k), *shape[1:]), inner) for k in (first, count - first)]
            return f"concat({', '.join(parts)}, axis={self.pick(['0', str(-len(shape))])})"

        def reshaped() -> str:
            merged = "*".join(f"({size})" for size in shape) or "1"
            return f"reshape({self.value((merged,), 0)}, [{', '.join(shape)}])"

        def rearranged() -> str:
            at = self.draw(st.integers(0, len(shape) - 1))
            form = self.pick(REARRANGEMENTS)
            return str(form).format(f"({self.value(shape, inner)})", axis=at, size=shape[at])

        def windows() -> str:
            rank = len(shape)
            wide = self.value((*shape[:-1], f"{shape[-1]}+1"), 0)
            padded = f"pad({self.value(shape, inner)}, [{'[0, 0], ' * (rank - 1)}[0, 1]])"
            kind = self.pick(["sum", "mean", "max"])
            part = f"windows({self.pick([wide, padded])}, 2)"
            return f"{kind}({part}, axis=-1)"

        def triangle() -> str:
            return f"{self.pick(['triu', 'tril'])}({self.value(shape, inner)}, {self.pick([0, 1, -1])})"

        def diagonal() -> str:
            form = self.pick(
                ["diagonal(diag({}) * 2)", "sum(diag({}), axis=0)", "diag(outer({0}, {0}))"]
            )
            return str(form).format(f"({self.value(shape, inner)})")

        def expanded() -> str:
            at = self.pick([i for i, size in enumerate(shape) if size == "1"])
            rest = (*shape[:at], *shape[at + 1 :])
            return f"expand_dims({self.value(rest, inner)}, {at})"

        def broadcast() -> str:
            return f"broadcast_to({self.value(self.narrower(shape), inner)}, [{', '.join(shape)}])"

        def function() -> str:
            name = self.pick(list(self.functions))
            parts = [self.value(shape, inner)]
            parts += [self.value(self.narrower(shape), inner)] * (self.functions[name] - 1)
            return f"{name}({', '.join(parts)})"

        def sized() -> str:
            return f"({self.value(shape, inner)}) * {self.pick(['n', 'm', 'n * m', '(n + 1)'])} / 4"

        yield from [unary, unary, binary, binary, branch, guarded, reduction, sized, entry]
        if self.functions:
            yield from [function, function]
        if not shape:
            yield from [total, norm_squared, dot]
            return
        yield from [
            softmax,
            reversed_,
            shifted,
            broadcast,
            reshaped,
            rearranged,
            rearranged,
            windows,
        ]
        if "1" in shape:
            yield from [kept, expanded]
        if shape[0].isdigit():
            yield literal
            if int(shape[0]) > 1:
                yield joined
        if len(shape) == 1:
            yield from [matvec, diagonal]
        if len(shape) == 2:
            yield from [matmul, outer, transposed, triangle]

    def function(self) -> None:
        """A function of the file, with a condition and names of its own."""
        name = f"f{len(self.functions)}"
        count = self.pick([1, 2])
        forms = [self.pick(SMOOTH), self.pick(SMOOTH + KINKED)]
        first, second = str(forms[0]).format("t"), str(forms[1]).format("t" if count < 2 else "u")
        parameters = "t" if count < 2 else "t, u"
        other = "t" if count < 2 else "u"
        body = self.pick([
            f"= {first} * {second}",
            f"{{ node q = {first} return q + q * {second} }}",
            f"= if t > 0.1 then log(t) * {second} else {first} + 0 * {other}",
            f"{{ node q = if {other} < t then {first} else {second} return q^2 - t }}",
        ])  # fmt: skip
        self.lines.append(f"def {name}({parameters}) {body}")
        self.functions[name] = count


@st.composite
def specs(draw: Any, depth: int = 3, nodes: int = 3) -> Spec:
    writer = Writer(draw)
    for _ in range(draw(st.integers(0, 2))):
        writer.function()
    for size in ("n", "m"):
        writer.declare("input", "float", (size,))
    for _ in range(draw(st.integers(1, nodes))):
        shape = writer.shape()
        writer.node(writer.value(shape, draw(st.integers(1, depth))), "float", shape)
    last = [n for n in writer.names if n.startswith("v")]
    terms = [f"sum(sin({n}))" if writer.names[n][1] else n for n in last]
    extra = writer.value((), 2)
    writer.lines.append(f"output out = {' + '.join(terms)} + 0.5 * ({extra})")
    for name in last[:1]:
        if writer.chance(50):
            writer.lines += [f"output also = 2 * {name}", "objective out"]
    if writer.chance(30):
        writer.lines += [f"output {last[-1]}", "objective out"][
            : 1 + ("objective out" not in writer.lines)
        ]
    seed = draw(st.integers(0, 2**16))
    return Spec("\n".join(writer.lines) + "\n", values(writer, seed))


def values(writer: Writer, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    found: dict[str, Any] = {}
    for name, (kind, shape) in writer.names.items():
        if name.startswith("v"):
            continue
        lengths = tuple(length(size) for size in shape)
        if kind == "bool":
            found[name] = rng.integers(0, 2, lengths).astype(bool)
        elif kind == "int":
            found[name] = rng.integers(-2, 4, lengths)
        else:
            found[name] = rng.uniform(-1.5, 1.5, lengths)
    return found


def ordered(spec: Spec) -> list[Any]:
    """The values in the order of the function's parameters."""
    return [spec.values[i.name] for i in checked(spec.text).interface.inputs]


def sizes_of(spec: Spec) -> dict[str, int]:
    interface = checked(spec.text).interface
    return {name: SIZES[name] for name in interface.sizes}


def differentiated(spec: Spec) -> tuple[Graph, dict[str, Any]]:
    """The graph with gradients of all outputs before any pass, and values with seeds."""
    graph = lower(checked(spec.text).graph)
    floats = {n: f"d_{n}_" for n, node in graph.outputs.items() if node.type.is_float}
    both = with_gradients(graph, seed_nodes(graph, floats), graph.interface.differentiated)
    rng = np.random.default_rng(11)
    seeds = {}
    for name, seed in floats.items():
        lengths = [s.evaluate(SIZES) for s in graph.outputs[name].type.shape]
        seeds[seed] = rng.normal(size=lengths)
    return both, {**spec.values, **seeds}


def results(graph: Graph, inputs: Mapping[str, Any]) -> dict[str, Any]:
    named = {**graph.outputs, **{f"grad({n})": node for n, node in graph.gradients.items()}}
    return dict(zip(named, Interpreter(inputs, SIZES).run(named.values()), strict=True))


def assert_same(
    found: Mapping[str, Any], wanted: Mapping[str, Any], tolerance: float = 1e-9
) -> None:
    assert found.keys() == wanted.keys()
    scale = max([1.0, *(np.max(np.abs(v), initial=0.0) for v in wanted.values())])
    if not np.isfinite(scale):
        scale = 1.0
    for name, value in found.items():
        assert np.shape(value) == np.shape(wanted[name]), name
        np.testing.assert_allclose(
            np.asarray(value, float), np.asarray(wanted[name], float),
            rtol=tolerance, atol=tolerance * scale, err_msg=name,
        )  # fmt: skip


# ── Found once ──────────────────────────────────────────────────────────────

FOUND = [
    # -(a // b) was written -a // b, in the slope of a remainder.
    "input x, z: float output out = x % (0.3 + z^2)",
    "input x, z: float data v: float[2] output out = x % (0.3 + z^2) + sum(v)",
    "input x: float output out = -(x // 0.3) * x - -(x % 0.3)",
    # Gradients that are one number everywhere; a sum of everything.
    "input x: float[n] output out = sum(x)",
    "input x: float[n, m] output out = mean(x) + 3 * max(sum(x, axis=0))",
    # Numbers that need a function of `math`, in modules of arrays.
    "input x: float[n] output out = sum(x) * (1 / 3) + exp(2) * sigmoid(0.5) + 2^-1 * x[0]",
    # Truth values in arithmetic.
    "data b: bool data c: bool[n] input x: float output out = x * (b + b) + sum(c + c) + b^2",
    "data b: bool data k: int input x: float output out = if b then k + x else maximum(k, b)",
    "data b: bool input x: float[n] output also = if b then b else 2 output out = sum(x) objective out",
    "data k: int[n] input x: float output out = x * norm(k)^2 + sqrt(sum(k^2)) + sum(abs(k)^-1)",
    # Numbers of Python have no subscripts.
    "input x: float[n] output out = sum(stack(expand_dims(2, 0)) * x[0]) + sum(expand_dims(1.5, 0))",
    "input x: float[n] output out = sum(x) + sum(sin(stack(0.5, 0.25)))",
    # Batches of products.
    "input a: float[2, n, 3] input b: float[3] output out = sum(sin(a @ b))",
    "input a: float[n] input b: float[2, n, 3] output out = sum(sin(a @ b))",
    "input a: float[2, 3] input b: float[4, 3, n] output out = sum(sin(a @ b))",
    # Results that were part of an input, or of the cache.
    "input x: float[1, 1] output also = squeeze(x) output out = 2 * x[0, 0] objective out",
    "input x: float[n] output also = logsumexp(x) output out = also^2 objective out",
    "input x: float[n] output also = x[:] output out = sum(x) objective out",
    "input x: float[n, m] output also = x.T output other = x output out = sum(x) objective out",
    "input x: float input z: float[n] output also = x output out = sum(z) objective out",
    # Names that the generated code uses itself.
    "input dtype: float[n] input np: float output out = sum(dtype / np) + 2.0",
    # The gradient that arrives at `out` was taken for the input `dout`.
    "input cache: float[n] input dout: float output out = sum(cache) * dout",
    "input x, dout, ddout: float output out = x * dout output also = ddout^2 * x objective out",
    # Constants alone.
    "input x: float[n] input z: float output out = 2.0",
    "input x: float output out = pi",
]


@pytest.mark.parametrize("text", FOUND)
def test_found_once(text: str) -> None:
    for check in (
        test_generated_code_is_the_graph, test_seeds_of_all_outputs, test_gradient_is_the_slope,
        test_float32_everywhere, test_all_passes_keep_values, test_gradient_of_a_gradient, test_formatting_keeps_the_tree,
    ):  # fmt: skip
        inner: Any = check
        inner.hypothesis.inner_test(Spec(text, sampled(text)))


def sampled(text: str) -> dict[str, Any]:
    rng = np.random.default_rng(17)
    found: dict[str, Any] = {}
    for i in checked(text).interface.inputs:
        lengths = tuple(s.evaluate(SIZES) for s in i.type.shape)
        draws = (rng.integers(0, 2, lengths) > 0, rng.integers(1, 4, lengths),
                 rng.uniform(0.2, 1.5, lengths))  # fmt: skip
        found[i.name] = draws[i.type.kind]
    return found


# ── Properties ──────────────────────────────────────────────────────────────


@quick
@given(specs())
def test_generated_code_is_the_graph(spec: Spec) -> None:
    """Values and gradients of every function of the module, and what they leave alone."""
    program = checked(spec.text)
    module = load(driver.compiled(program))
    exact = evaluate(program, spec.values, sizes_of(spec))
    given_, kept = ordered(spec), [np.copy(v) for v in ordered(spec)]
    wrt = program.interface.differentiated
    with np.errstate(all="ignore"):
        out, cache = module.forward(*given_)
        gradients = module.backward(cache)
        held = [np.copy(g) for g in gradients]
        again = module.backward(cache)
        value, at_once = module.value_and_grad(*given_)
        reused, into = module.value_and_grad(*given_, **_into(module, at_once))
    names = program.interface.outputs
    outputs = dict(zip(names, out if len(names) > 1 else (out,), strict=True))
    assert_same(outputs, {n: exact.values[n] for n in names})
    wanted = {n: exact.gradients[n] for n in wrt}
    for found in (gradients, again, at_once, into):
        assert_same(dict(zip(wrt, found, strict=True)), wanted)
    assert_same(
        {"out": value, "reused": reused}, dict.fromkeys(("out", "reused"), exact.values["out"])
    )
    for one, other, third in zip(gradients, again, held, strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(one, third)
    for before, after in zip(kept, given_, strict=True):
        np.testing.assert_array_equal(before, after)
    _assert_apart([*outputs.values()], [*gradients], [*again], [*at_once], [*given_, *cache])
    for result in (*outputs.values(), *gradients, *at_once):
        assert not isinstance(result, np.ndarray) or (result.ndim and result.flags.writeable)


def _into(module: Any, like: Any) -> dict[str, Any]:
    """Arrays for ``value_and_grad`` to write into, where it takes them."""
    if not any(isinstance(g, np.ndarray) for g in like):
        return {}
    arrays = [np.full(np.shape(g), np.nan) for g in like]
    return {"out": module.Gradients(*arrays)}


def _assert_apart(*groups: list[Any]) -> None:
    """No result shares memory with another, an input or the cache (the last group)."""
    *made, taken = groups
    results = [a for group in made for a in group if isinstance(a, np.ndarray)]
    for position, one in enumerate(results):
        others = [*results[position + 1 :], *(t for t in taken if isinstance(t, np.ndarray))]
        assert not any(np.shares_memory(one, other) for other in others)


@quick
@given(specs())
def test_seeds_of_all_outputs(spec: Spec) -> None:
    """``backward`` with an arriving gradient for each output."""
    graph, inputs = differentiated(spec)
    module = load(driver.compiled(checked(spec.text)))
    wanted = results(graph, inputs)
    seeds = [inputs[f"d_{n}_"] for n in graph.outputs if f"d_{n}_" in inputs]
    # By position in the signature: a name that an input has already is another here.
    names = list(inspect.signature(module.backward).parameters)[1:]
    keywords = {
        n: seed if np.ndim(seed) else float(seed) for n, seed in zip(names, seeds, strict=True)
    }
    with np.errstate(all="ignore"):
        _, cache = module.forward(*ordered(spec))
        gradients = module.backward(cache, **keywords)
    found = {f"grad({n})": g for n, g in zip(graph.gradients, gradients, strict=True)}
    assert_same(found, {n: v for n, v in wanted.items() if n in found})


@quick
@given(specs())
def test_float32_everywhere(spec: Spec) -> None:
    program = checked(spec.text)
    module = load(driver.compiled(program))
    small = [v.astype(np.float32) if np.asarray(v).dtype.kind == "f" else v for v in ordered(spec)]
    with np.errstate(all="ignore"):
        out, cache = module.forward(*small)
        gradients = module.backward(cache)
        value, at_once = module.value_and_grad(*small)
    if type(value) is float:
        return  # A module of scalars computes in float64.
    outputs = out if isinstance(out, tuple) else (out,)
    for result, node in zip(outputs, program.graph.outputs.values(), strict=True):
        assert np.asarray(result).dtype == (np.bool_, np.int64, np.float32)[node.type.kind]
    for result in (*gradients, value, *at_once):
        assert result.dtype == np.float32


@quick
@given(specs())
def test_gradient_is_the_slope(spec: Spec) -> None:
    """Against differences, where the function is smooth."""
    program = checked(spec.text)
    module = load(driver.compiled(program))
    wrt = program.interface.differentiated
    order = [i.name for i in program.interface.inputs]

    def objective(moved: Mapping[str, Any]) -> float:
        with np.errstate(all="ignore"):
            return float(module.value_and_grad(*(moved[n] for n in order))[0])

    with np.errstate(all="ignore"):
        value, gradients = module.value_and_grad(*ordered(spec))
    if "detach" in spec.text or not np.isfinite(value):
        return
    scale = max([1.0, abs(float(value)), *(np.max(np.abs(g), initial=0.0) for g in gradients)])
    for name, gradient in zip(wrt, gradients, strict=True):
        numeric, error = differences(objective, spec.values, name, step=1e-3)
        smooth = np.asarray(error < 1e-7 * scale)
        found, wanted = np.asarray(gradient)[smooth], numeric[smooth]
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6 * scale, err_msg=name)


@pytest.mark.parametrize("name, run", PASSES.items(), ids=list(PASSES))
def test_each_pass_keeps_values(name: str, run: Pass) -> None:
    @quick
    @given(specs())
    def keeps(spec: Spec) -> None:
        graph, inputs = differentiated(spec)
        assert_same(results(run(graph), inputs), results(graph, inputs), 1e-10)

    keeps()


@quick
@given(specs())
def test_all_passes_keep_values(spec: Spec) -> None:
    graph, inputs = differentiated(spec)
    written = checked(spec.text).graph
    for name, node in written.outputs.items():
        assert graph.outputs[name].type == node.type
    wanted = results(graph, inputs)
    optimised = optimise(graph)
    assert_same(results(optimised, inputs), wanted, 1e-10)
    assert_same(results(finish(optimised, arrays=True), inputs), wanted, 1e-10)
    assert optimise(optimised).nodes == optimised.nodes
    for before, after in zip(
        (*graph.outputs.values(), *graph.gradients.values()),
        (*optimised.outputs.values(), *optimised.gradients.values()),
        strict=True,
    ):
        assert before.type == after.type


@quick
@given(specs(depth=2, nodes=2))
def test_gradient_of_a_gradient(spec: Spec) -> None:
    """Reverse mode over reverse mode, against differences of the gradient."""
    graph = lower(checked(spec.text).graph)
    if "detach" in spec.text:
        return
    wrt = graph.interface.differentiated
    out = graph.outputs["out"]
    firsts = gradient_nodes(graph, {"out": constant(1.0, out.span)}, wrt)
    rng = np.random.default_rng(5)
    inputs = dict(spec.values)
    seeds = {}
    for name, first in zip(wrt, firsts, strict=True):
        attributes = {"name": f"w_{name}", "type": first.type}
        seeds[f"g_{name}"] = make("input", (), out.span, attributes)
        inputs[f"w_{name}"] = rng.normal(size=[s.evaluate(SIZES) for s in first.type.shape])
    outputs = {f"g_{n}": g for n, g in zip(wrt, firsts, strict=True)}
    again = Graph(graph.interface, graph.inputs, outputs)
    found = Interpreter(inputs, SIZES).run(gradient_nodes(again, seeds, wrt))

    def slope(moved: Mapping[str, Any]) -> float:
        slopes = Interpreter({**inputs, **moved}, SIZES).run(firsts)
        return float(sum(np.sum(inputs[f"w_{n}"] * s) for n, s in zip(wrt, slopes, strict=True)))

    scale = max([1.0, *(np.max(np.abs(f), initial=0.0) for f in found)])
    if not np.isfinite(slope({})):
        return
    for name, second in zip(wrt, found, strict=True):
        numeric, error = differences(slope, spec.values, name, step=1e-3)
        smooth = np.asarray(error < 1e-6 * scale)
        np.testing.assert_allclose(
            np.asarray(second)[smooth], numeric[smooth], rtol=1e-5, atol=1e-5 * scale, err_msg=name
        )


@quick
@given(specs(depth=4))
def test_formatting_keeps_the_tree(spec: Spec) -> None:
    tree = parse(Source(spec.text))
    text = format_program(tree)
    again = parse(Source(text))
    assert again.declarations == tree.declarations
    assert format_program(again) == text
