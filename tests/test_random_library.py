"""Random specifications over the whole library: matrix functions on well-conditioned arguments,
factorisations, contractions, functions with rules, gradients inside of specifications.

Reverse mode is held against differences, forward mode against reverse, second derivatives against
differences of gradients. ``GRADC_EXAMPLES=2000 pytest tests/test_random_library.py`` looks further.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from gradc.compiler import driver
from gradc.compiler.compilation import Options
from gradc.dsl.sizes import Size
from hypothesis import HealthCheck, given, settings
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
quick = settings(
    max_examples=int(os.environ.get("GRADC_EXAMPLES", "200")),
    derandomize="GRADC_EXAMPLES" not in os.environ,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    database=None,
)
generated_code_is_the_graph: Any = test_generated_code_is_the_graph
del test_generated_code_is_the_graph

MORE = [
    "arcsinh({})", "arctan({})", "exp2(sin({}))", "log2(1.5 + ({})^2)", "log10(2 + sin({}))",
    "reciprocal(2 + cos({}))", "arccosh(2 + ({})^2)", "arctanh(0.5 * sin({}))", "silu({})",
    "mish({})", "softsign({})", "elu({})", "selu({})", "huber({}, 0.3)", "leaky_relu({})",
    "cbrt(2 + sin({}))", "logit(sigmoid({}))", "log(1 + exp({}))", "1 / (1 + exp({}))",
    "hard_tanh({})", "arccos(0.9 * tanh({}))", "tan(sin({}))",
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

        def several() -> str:
            axes = [self.size(), self.size()]
            wide = (*shape, *axes)
            if len(wide) > 3:
                return f"mean({self.value((*shape, axes[0]), inner)}, axis=-1)"
            name = self.pick(["sum", "mean", "prod", "norm", "logsumexp", "max", "min"])
            return f"{name}({self.value(wide, 0)}, axis=[-1, {len(shape)}])"

        yield from [unary, pair, several]

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

        yield from [inverse, root, function_of, rotated]

    def _orthogonal(self, shape: Shape, inner: int) -> Iterator[Any]:
        rows, columns = shape

        def factors() -> str:
            a = self.held(f"0.4 * sin({self.value(shape, inner)}) + eye({rows}, {columns})", shape)
            q, r = self.both(f"qr({a})", [shape, (columns, columns)])
            return self.pick([f"{q} @ sin({r})", q])

        yield factors


@st.composite
def specs(draw: Any, depth: int = 2, nodes: int = 2) -> Spec:
    writer = Library(draw)
    for _ in range(draw(st.integers(0, 2))):
        writer.ruled() if draw(st.booleans()) else writer.function()
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


@quick
@given(specs())
def test_all_modes_agree(spec: Spec) -> None:
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


@quick
@given(specs())
def test_generated_library_code_is_the_graph(spec: Spec) -> None:
    generated_code_is_the_graph.hypothesis.inner_test(spec)


def test_the_generator_reaches_the_library() -> None:
    """What is drawn in the quick setting names most of the table."""
    texts: list[str] = []

    @quick
    @given(specs())
    def collect(spec: Spec) -> None:
        texts.append(spec.text)

    collect()
    whole = "\n".join(texts)
    wanted = ["inv(", "solve(", "solve_triangular(", "det(", "logdet(", "slogdet(", "cholesky(", "eigh(",
              "eigvalsh(", "svd(", "qr(", "einsum(", "tensordot(", "kron(", "grad(", "rule ",
              "matrix_power(", "if "]  # fmt: skip
    assert [word for word in wanted if word not in whole] == []
    assert Size.of("n").evaluate(SIZES) == 3


FOUND: list[str] = []


@pytest.mark.parametrize("text", FOUND)
def test_found_once(text: str) -> None:
    from .test_random_graphs import sampled

    inner: Any = test_all_modes_agree
    inner.hypothesis.inner_test(Spec(text, sampled(text)))
