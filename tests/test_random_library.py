"""Random specifications over the whole library: matrix functions on well-conditioned arguments,
factorisations, contractions, functions with rules, gradients inside of specifications.

Reverse mode is held against differences, forward mode against reverse, second derivatives against
differences of gradients. ``GRADC_EXAMPLES=2000 pytest tests/test_random_library.py`` looks further.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from gradc.compiler import driver
from gradc.compiler.compilation import Options
from gradc.compiler.evaluate import evaluate
from gradc.dsl.sizes import Size
from hypothesis import strategies as st

from .helpers import checked, differences, load
from .test_random_graphs import (
    SIZES,
    Shape,
    Spec,
    Writer,
    ordered,
    test_generated_code_is_the_graph,
    values,
)

DIRECTIONAL = Options(emit=("jvp", "hvp"))
SEEDS = pytest.mark.parametrize("seed", range(int(os.environ.get("GRADC_EXAMPLES", "100"))))
generated_code_is_the_graph: Any = test_generated_code_is_the_graph
del test_generated_code_is_the_graph

MORE = [
    "arcsinh({})", "arctan({})", "exp2(sin({}))", "log2(1.5 + ({})^2)", "log10(2 + sin({}))",
    "reciprocal(2 + cos({}))", "arccosh(2 + ({})^2)", "arctanh(0.5 * sin({}))", "silu({})",
    "mish({})", "softsign({})", "elu({})", "selu({})", "huber({}, 0.3)", "leaky_relu({})",
    "cbrt(2 + sin({}))", "logit(sigmoid({}))", "log(1 + exp({}))", "1 / (1 + exp({}))",
    "hard_tanh({})", "arccos(0.9 * tanh({}))", "tan(sin({}))", "erf({})", "erfc({})", "sinc({})",
    "lgamma(1.5 + ({})^2)", "digamma(1.5 + ({})^2)", "gelu({})", "log(exp({}))", "1 - exp({})",
    "exp({0}) / (1 + exp({0}))", "log(sigmoid({}))", "sqrt(({})^2 + 1)",
]  # fmt: skip
PAIRS = [
    "hypot({}, 1 + ({})^2)", "logaddexp({}, {})", "xlogy(1 + ({})^2, 2 + sin({}))",
    "arctan2({}, 2 + cos({}))", "log(exp({}) + exp({}))", "mse({}, {})",
]  # fmt: skip
RULES = [
    ("{}(t) = sin(t) * t", "{}(t) -> y {{ dt = dy * (cos(t) * t + sin(t)) }}", 1),
    ("{}(t) = exp(tanh(t))", "{}(t) -> y {{ dt = dy * y * (1 - tanh(t)^2) }}", 1),
    ("{}(t, u) = t * sin(u)", "{}(t, u) -> y {{ dt = dy * sin(u) du = dy * t * cos(u) }}", 2),
]  # fmt: skip
NAMED = [
    ("exp({})", "1 + {}", "log({})"), ("exp({})", "{} + exp(0.3)", "log({})"), ("sigmoid({})", "1 - {}", "log({})"),
    ("exp(-{})", "1 + {}", "1 / {}"), ("exp({})", "1 + {}", "{1} / {0}"), ("1.5 + {}^2", "log({})", "{1} * {0}"),
    ("({})^2", "{} + 1", "sqrt({})"), ("exp({})", "{} + 1", "({} - 1)"), ("2 + tanh({})", "{} - 1", "log(1 + {})"),
    ("exp({})", "sum({})", "{1} / {0}"), ("1 + ({})^2", "norm({})", "{}^2"), ("exp({})", "sum({})", "log({})"),
]  # fmt: skip


class Library(Writer):
    """Expressions that ``Writer`` does not know; a matrix is named before it is taken apart."""

    def held(self, text: str, shape: Shape) -> str:
        return self.node(text, "float", shape)

    def regular(self, size: str, depth: int) -> str:
        """A square matrix that is diagonally dominant."""
        inner = self.value((size, size), depth)
        return self.held(f"0.4 * sin({inner}) + 2 * eye({size})", (size, size))

    def positive(self, size: str, depth: int) -> str:
        inner = self.held(f"tanh({self.value((size, size), depth)})", (size, size))
        return self.held(f"{inner} @ {inner}.T + 3 * eye({size})", (size, size))

    def apart(self, size: str, depth: int) -> str:
        """A matrix whose symmetric part has distinct eigenvalues."""
        inner = self.value((size, size), depth)
        text = f"0.3 * tanh({inner}) + eye({size}) * linspace(1, 4, {size})"
        return self.held(text, (size, size))

    def both(self, call: str, shapes: list[Shape]) -> list[str]:
        names = []
        for shape in shapes:
            names.append(f"v{len(self.names)}")
            self.names[names[-1]] = ("float", shape)
        self.lines.append(f"node {', '.join(names)} = {call}")
        return names

    def ruled(self) -> None:
        name = f"r{len(self.functions)}"
        body, rule, count = self.pick(RULES)
        self.lines += [f"def {str(body).format(name)}", f"rule {str(rule).format(name)}"]
        self.functions[name] = count

    def forms(self, shape: Shape, depth: int) -> Iterator[Any]:
        inner = depth - 1
        if self.chance(40):
            yield from super().forms(shape, depth)
        yield from self._elementwise(shape, inner)
        yield from self._gradients(shape, inner)
        if not shape:
            yield from self._numbers(inner)
        elif len(shape) == 1:
            yield from self._vectors(shape[0], inner)
        elif len(shape) == 2:
            yield from self._matrices(shape, inner)

    def _elementwise(self, shape: Shape, inner: int) -> Iterator[Any]:
        def unary() -> str:
            form = str(self.pick(MORE))
            if "huber" in form and shape:
                return f"sin({self.value(shape, inner)})"
            return form.format(f"({self.value(shape, inner)})")

        def pair() -> str:
            form = str(self.pick(PAIRS if not shape else PAIRS[:-1]))
            return form.format(
                f"({self.value(shape, inner)})", f"({self.value(self.narrower(shape), inner)})"
            )

        def named() -> str:
            """A formula that is recognised, its parts named and perhaps used once more."""
            first, second, last = self.pick(NAMED)
            x = self.held(self.value(shape, inner), shape)
            e = self.held(str(first).format(x), shape)
            q = self.held(str(second).format(e), () if second[:3] in ("sum", "nor") else shape)
            narrow = self.names[q][1] != shape
            again = (
                f" + {x}"
                if narrow
                else self.pick(["", f" + 0.3 * sin({e})", f" * cos({q})", f" + {x}"])
            )
            return f"({str(last).format(q, e)}{again})"

        def statistic() -> str:
            at = self.draw(st.integers(0, len(shape)))
            wide = (*shape[:at], self.pick(["2", "3", "n"]), *shape[at:])
            name = self.pick(["var", "std", "ptp", "median"])
            return f"{name}({self.value(wide, inner)}, axis={at})"

        def several() -> str:
            axes = [self.size(), self.size()]
            wide = (*shape, *axes)
            if len(wide) > 3:
                return f"mean({self.value((*shape, axes[0]), inner)}, axis=-1)"
            name = self.pick(["sum", "mean", "prod", "norm", "logsumexp", "max", "min"])
            return f"{name}({self.value(wide, 0)}, axis=[-1, {len(shape)}])"

        yield from [unary, pair, several, named, statistic]
        if shape:
            yield from self._moved(shape, inner)

    def _moved(self, shape: Shape, inner: int) -> Iterator[Any]:
        def along() -> str:
            axis = self.draw(st.integers(0, len(shape) - 1))
            name = self.pick(["cumsum({}, axis={})", "cumprod({}, axis={})", "sort({}, axis={})",
                              "flip({}, axis={})", "roll({}, 1, axis={})"])  # fmt: skip
            return str(name).format(self.value(shape, inner), axis)

        def gathered() -> str:
            wide = (self.pick(["2", "3", "n"]), *shape[1:])
            count = shape[0]
            indices = self.pick([f"tile([1, 0], {count})[:{count}]", f"arange({count}) % 2"])
            return f"take({self.value(wide, inner)}, {indices})"

        def padded() -> str:
            if shape[0] not in ("2", "3"):
                return f"tile({self.value(('1', *shape[1:]), inner)}, [{', '.join([shape[0], *'11'][: len(shape)])}])"
            short = (str(int(shape[0]) - 1), *shape[1:])
            widths = ["[1, 0]", *["[0, 0]"] * (len(shape) - 1)]
            return f"pad({self.value(short, inner)}, [{', '.join(widths)}])"

        yield from [along, gathered, padded]

    def _gradients(self, shape: Shape, inner: int) -> Iterator[Any]:
        def gradient() -> str:
            known = [n for n, (k, s) in self.names.items() if s == shape and k == "float"
                     and n[0] in "iv"]  # fmt: skip
            x = self.pick(known) if known else self.declare("input", "float", shape)
            by = self.value(shape, 0)
            word = self.pick(["", ', mode="forward"']) if all(s.isdigit() for s in shape) else ""
            form = str(
                self.pick(
                    ["sin({x}) * {by}", "log(1 + exp({x} + {by}))", "{x}^3", "tanh({x} * {by})"]
                )
            )
            return f"grad(sum({form.format(x=x, by=f'({by})')}), {x}{word})"

        yield gradient

    def _numbers(self, inner: int) -> Iterator[Any]:
        def determinant() -> str:
            size = self.size()
            name = self.pick(["logdet", "det"])
            make = self.pick([self.regular, self.positive])
            return f"{name}({make(size, inner)})"

        def singular() -> str:
            size = self.pick(["2", "3"])
            column, row = self.value((size, "1"), inner), self.value(("1", size), inner)
            return f"det(({column}) @ ({row}))"

        def signed() -> str:
            size = self.size()
            sign, log = self.both(f"slogdet({self.regular(size, inner)})", [(), ()])
            return f"{sign} * {log}"

        def spectrum() -> str:
            size = self.pick(["2", "3"])
            name, power = self.pick([("eigvalsh", 3), ("svdvals", 2)])
            return f"sum({name}({self.apart(size, inner)})^{power}) / 9"

        def full() -> str:
            a, b = self.size(), self.size()
            left, right = self.value((a, b), inner), self.value((b, a), 0)
            return self.pick(
                [f'einsum("ij,ji->", {left}, {right})', f"tensordot({left}, ({right}).T)"]
            )

        yield from [determinant, singular, signed, spectrum, full]

    def _vectors(self, size: str, inner: int) -> Iterator[Any]:
        def solved() -> str:
            return f"solve({self.regular(size, inner)}, {self.value((size,), inner)})"

        def triangular() -> str:
            lower = self.pick(["true", "false"])
            a = self.held(f"cholesky({self.positive(size, inner)})", (size, size))
            a = a if lower == "true" else f"{a}.T"
            return f"solve_triangular({a}, {self.value((size,), inner)}, lower={lower})"

        def eigenvalues() -> str:
            if size not in ("2", "3"):
                return f"vecdot({self.value((size, '2'), inner)}, {self.value(('2',), 0)})"
            return f"eigvalsh({self.apart(size, inner)})"

        def sums() -> str:
            other = self.size()
            left, right = self.value((size, other), inner), self.value((other, size), 0)
            text = self.pick(["ij,ji->i", "ij,jk->i", "ij,jk->k", "ij,jk->i"])
            return f'einsum("{text}", {left}, {right})'

        def traced() -> str:
            return f'einsum("ii->i", {self.value((size, size), inner)})'

        def crossed() -> str:
            if size != "3":
                return (
                    f"tensordot({self.value((size, '2'), inner)}, {self.value(('2',), 0)}, axes=1)"
                )
            return f"cross({self.value(('3',), inner)}, {self.value(('3',), inner)})"

        yield from [solved, triangular, eigenvalues, sums, traced, crossed]

    def _matrices(self, shape: Shape, inner: int) -> Iterator[Any]:
        rows, columns = shape

        def solved() -> str:
            return f"solve({self.regular(rows, inner)}, {self.value(shape, inner)})"

        def contracted() -> str:
            other = self.size()
            left, right = self.value((rows, other), inner), self.value((columns, other), 0)
            return f'einsum("ij,kj->ik", {left}, {right})'

        def three() -> str:
            left, right = self.value((rows, "2", "3"), 0), self.value(("2", columns, "3"), 0)
            return self.pick([f'einsum("iab,akb->ik", {left}, {right})',
                              f"tensordot({left}, {right}, axes=[[1, 2], [0, 2]])"])  # fmt: skip

        def kronecker() -> str:
            left, right = self.value(("1", columns), inner), self.value((rows, "1"), 0)
            return f"kron({left}, {right})"

        def pseudo() -> str:
            if shape != ("3", "2"):
                return f"({self.value(shape, inner)}) ^ 2"
            a = self.held(f"0.4 * sin({self.value(('2', '3'), inner)}) + eye(2, 3)", ("2", "3"))
            return f"pinv({a})"

        yield from [solved, contracted, three, kronecker, pseudo]
        if rows == columns:
            yield from self._squares(rows, inner)
        if rows.isdigit() and columns.isdigit() and rows >= columns:
            yield from self._orthogonal(shape, inner)

    def _squares(self, size: str, inner: int) -> Iterator[Any]:
        square = (size, size)

        def inverse() -> str:
            return self.pick([f"inv({self.regular(size, inner)})", f"matrix_power({self.regular(size, inner)}, -2) * 4",
                              f"matrix_power({self.regular(size, inner)}, 3) / 9",
                              f"inv(stack({self.regular(size, inner)}, {self.positive(size, 0)}))[1]"])  # fmt: skip

        def root() -> str:
            return f"cholesky({self.positive(size, inner)})"

        def function_of() -> str:
            if size not in ("2", "3"):
                return f"({self.value(square, inner)}).T @ eye({size})"
            w, v = self.both(f"eigh({self.apart(size, inner)})", [(size,), square])
            return f"({v} * sin({w})) @ {v}.T"

        def rotated() -> str:
            if size not in ("2", "3"):
                return f"outer({self.value((size,), inner)}, {self.value((size,), 0)})"
            u, s, vh = self.both(f"svd({self.apart(size, inner)})", [square, (size,), square])
            return f"({u} * log({s})) @ {vh}"

        def cut() -> str:
            name = self.pick(
                ["tril({}, k=-1)", "triu({}, k=1)", "trace({}) * eye({})", "diag(diagonal({}))"]
            )
            return str(name).format(self.value(square, inner), size)

        yield from [inverse, root, function_of, rotated, cut]

    def _orthogonal(self, shape: Shape, inner: int) -> Iterator[Any]:
        rows, columns = shape

        def factors() -> str:
            a = self.held(f"0.4 * sin({self.value(shape, inner)}) + eye({rows}, {columns})", shape)
            q, r = self.both(f"qr({a})", [shape, (columns, columns)])
            return self.pick([f"{q} @ sin({r})", q])

        yield factors


def spec_of(seed: int, depth: int = 2, nodes: int = 2) -> Spec:
    """Drawn evenly: Hypothesis stays near what it drew before, and so in a corner of the library."""
    rng = random.Random(seed)

    def draw(strategy: Any) -> int:
        low, high = re.findall(r"-?\d+", repr(strategy))
        return rng.randint(int(low), int(high))

    writer = Library(draw)
    for _ in range(draw(st.integers(0, 2))):
        writer.ruled() if writer.chance(50) else writer.function()
    writer.declare("input", "float", ("n",))
    writer.declare("input", "float", ("m",))
    for _ in range(draw(st.integers(1, nodes))):
        shape = writer.pick([(), ("n",), ("2",), ("3",), ("2", "2"), ("n", "n"), ("3", "3"), ("3", "2"),
                             ("n", "m"), ("2", "3")])  # fmt: skip
        writer.node(writer.value(shape, depth), "float", shape)
    last = list(writer.names)[-1]
    used = [n for n in writer.names if n.startswith("v")][:-1]
    terms = [f"sum(sin({n}))" if writer.names[n][1] else f"sin({n})" for n in [last, *used[-1:]]]
    writer.lines.append(f"output out = {' + '.join(terms)}")
    return Spec("\n".join(writer.lines) + "\n", values(writer, draw(st.integers(0, 2**16))))


# ── Properties ──────────────────────────────────────────────────────────────


@SEEDS
def test_all_modes_agree(seed: int) -> None:
    all_modes_agree(spec_of(seed))


def all_modes_agree(spec: Spec) -> None:
    """Reverse against differences, forward against reverse, second order against differences."""
    program = checked(spec.text)
    module = load(driver.compiled(program, DIRECTIONAL))
    wrt = program.interface.differentiated
    order = [i.name for i in program.interface.inputs]
    rng = np.random.default_rng(3)
    moves = {n: rng.normal(size=np.shape(spec.values[n])) for n in wrt}

    def gradients(moved: Mapping[str, Any]) -> Any:
        with np.errstate(all="ignore"):
            return module.value_and_grad(*(moved[n] for n in order))

    value, found = gradients(spec.values)
    if not np.isfinite(value):
        return
    scale = max([1.0, abs(float(value)), *(np.max(np.abs(g), initial=0.0) for g in found)])
    assert np.isfinite(scale)
    if scale > 1e8:
        return  # The sine of a large number: differences say nothing.
    with np.errstate(all="ignore"):
        out, tangent = module.jvp(*ordered(spec), **{f"d{n}": moves[n] for n in wrt})
        products = module.hvp(*ordered(spec), **{f"v_{n}": moves[n] for n in wrt})
    np.testing.assert_allclose(out, value, rtol=1e-12)
    dotted = sum(np.sum(moves[n] * g) for n, g in zip(wrt, found, strict=True))
    np.testing.assert_allclose(tangent, dotted, rtol=1e-9, atol=1e-10 * scale)
    if "detach" not in spec.text:
        for name, gradient in zip(wrt, found, strict=True):
            numeric, error = differences(lambda v: float(gradients(v)[0]), spec.values, name, 1e-3)
            smooth = np.asarray(error < 1e-8 * scale)
            np.testing.assert_allclose(
                np.asarray(gradient)[smooth],
                numeric[smooth],
                rtol=1e-6,
                atol=1e-7 * scale,
                err_msg=name,
            )
        _second(spec, gradients, wrt, moves, products)


def _second(spec: Spec, gradients: Any, wrt: Any, moves: Any, products: Any) -> None:
    """The products with the Hessian, dotted with a direction, along the line."""
    rng = np.random.default_rng(4)
    others = [rng.normal(size=np.shape(spec.values[n])) for n in wrt]

    def slope(along: Mapping[str, Any]) -> float:
        moved = {n: v + along["t"] * moves[n] if n in moves else v for n, v in spec.values.items()}
        return float(sum(np.sum(o * g) for o, g in zip(others, gradients(moved)[1], strict=True)))

    wanted, error = differences(slope, {"t": 0.0}, "t", 1e-3)
    found = sum(np.sum(o * p) for o, p in zip(others, products, strict=True))
    scale = max([1.0, *(np.max(np.abs(p), initial=0.0) for p in products)])
    if error < 1e-7 * scale:
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6 * scale)


@SEEDS
def test_generated_library_code_is_the_graph(seed: int) -> None:
    generated_code_is_the_graph.hypothesis.inner_test(spec_of(seed))


def test_the_generator_reaches_the_library() -> None:
    """What is drawn in the quick setting names most of the table."""
    whole = "\n".join(spec_of(seed).text for seed in range(100))
    wanted = ["inv(", "solve(", "solve_triangular(", "det(", "logdet(", "svd(", "cholesky(", "eigh(",
              "eigvalsh(", "svd(", "qr(", "einsum(", "tensordot(", "kron(", "grad(", "rule ",
              "matrix_power(", "cumprod(", "take(", "median(", "if "]  # fmt: skip
    assert [word for word in wanted if word not in whole] == []
    assert Size.of("n").evaluate(SIZES) == 3


@SEEDS
def test_gradients_of_names(seed: int) -> None:
    """The gradient of a named node is that of an input that stands in its place."""
    spec = spec_of(seed)
    if "grad(" in spec.text:
        return
    program = checked(spec.text)
    found = evaluate(program, spec.values, dict(SIZES))
    sizes = {f"data {size}_: float[{size}]": np.zeros(length) for size, length in SIZES.items()}
    for node in program.graph.landmarks:
        line = next((w for w in spec.text.splitlines() if w.startswith(f"node {node.name} = ")), "")
        if not line or not node.type.is_float:
            continue
        shape = f"[{', '.join(map(str, node.type.shape))}]" if node.type.rank else ""
        # The sizes stay bound; what the node needed may need nothing any more.
        text = spec.text.replace(line, f"input {node.name}: float{shape}") + "\n".join(sizes)
        replaced = checked(text)
        value = found.values[node.name]
        given_ = {
            **spec.values,
            node.name: value,
            **dict(zip(("n_", "m_"), sizes.values(), strict=True)),
        }
        module = load(driver.compiled(replaced, Options(wrt=(node.name,))))
        with np.errstate(all="ignore"):
            _, (wanted,) = module.value_and_grad(
                *(given_[i.name] for i in replaced.interface.inputs)
            )
        scale = max(1.0, np.max(np.abs(wanted), initial=0.0))
        np.testing.assert_allclose(found.gradients[node.name], wanted, rtol=1e-8, atol=1e-9 * scale)
        if node.type.rank == 0 or spec.text.count("node") < 4:
            # The same as a value of the specification.
            asked = spec.text.replace("output out =", "node all_ =")
            asked += f"output out = sum(grad(all_, {node.name}))\n"
            module = load(driver.compiled(checked(asked)))
            with np.errstate(all="ignore"):
                out, _ = module.forward(*ordered(Spec(asked, spec.values)))
            np.testing.assert_allclose(out, np.sum(wanted), rtol=1e-8, atol=1e-8 * scale)


FOUND = [
    # Numbers and truth values stood in tangents as they are.
    "input x: float output out = norm([[cos(x), 1, 2], [x^2, 0, 3]] @ [1, x, 5])",
    "data k: int[n] input x: float[n] output out = sum(concat(k, x^2, axis=0)^3)",
    "data k: bool[n] input x: float[n] output out = sum((if x > 0.7 then x^2 else k)^2)",
    # A name was looked through that a gradient was asked for.
    "input x: float[n] node e = exp(x) node p = sum(log(1 + e)) output out = sum(sin(grad(p, e)))",
    "input x: float[n] node q = norm(x) node p = q^2 output out = sin(grad(p, q))",
]


@pytest.mark.parametrize("text", FOUND)
def test_found_once(text: str) -> None:
    from .test_random_graphs import sampled

    all_modes_agree(Spec(text, sampled(text)))
