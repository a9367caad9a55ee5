"""Random loops: the generated code against the interpreter that goes step by step.

``GRADC_EXAMPLES=2000 pytest tests/test_random_scans.py`` looks further than the default.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import pytest
from gradc.dsl.format import format_program
from gradc.dsl.parse import parse
from gradc.dsl.source import Source
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .helpers import fields, module
from .judged import (
    DIRECTIONAL,
    Case,
    extrapolated,
    judge_directions,
    judge_gradients,
    judge_values,
)

EXAMPLES = int(os.environ.get("GRADC_EXAMPLES", "12"))
Shape: TypeAlias = tuple[str, ...]
quick = settings(
    max_examples=EXAMPLES,
    derandomize="GRADC_EXAMPLES" not in os.environ,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    database=None,
)

# All are bounded, so that states stay small, and smooth.
BOUNDED = [
    "tanh({})", "sin({})", "0.5 * cos({})", "sigmoid({})", "tanh(0.5 * ({}))", "1 / (1.5 + ({})^2)",
    "0.8 * sin({})", "exp(-({})^2)", "arctan({})",
]  # fmt: skip
SMOOTH = [*BOUNDED, "-({})", "log(1.5 + ({})^2)", "0.5 * ({})", "sqrt(1.25 + ({})^2)", "softplus({})"]  # fmt: skip
SHAPES: list[Shape] = [(), (), ("N",), ("N",), ("N", "N")]


def typed(kind: str, shape: Shape) -> str:
    return f"{kind}[{', '.join(shape)}]" if shape else kind


@dataclass(frozen=True)
class Known:
    """An expression that can be used, and what it is."""

    text: str
    kind: str
    shape: Shape = ()


@dataclass
class Scope:
    """What can be used at a place; new inputs are made only outside of functions."""

    known: list[Known]
    closed: bool = False

    def inside(self, *more: Known) -> Scope:
        return replace(self, known=[*self.known, *more])

    def find(self, kind: str, shape: Shape = ()) -> list[str]:
        return [k.text for k in self.known if k.kind == kind and k.shape == shape]


@dataclass(frozen=True)
class Range:
    """``start..stop`` of a loop, with reads of a sequence of T entries that stay inside of it."""

    start: str
    stop: str
    reads: tuple[str, ...]


# With {x} a sequence of T entries, {t} the index and {o} what is read elsewhere.
RANGES = [
    Range("0", "T", ("{x}[{t}]", "{x}[{t}]", "{x}[T - 1 - {t}]", "(if {t} > 0 then {x}[{t} - 1] else {o})",
                     "(if {t} < T - 1 then {x}[{t} + 1] else {o})", "{x}[({t} + 1) % T]")),
    Range("1", "T", ("{x}[{t}]", "{x}[{t} - 1]", "{x}[T - {t}]")),
    Range("0", "T - 1", ("{x}[{t}]", "{x}[{t} + 1]", "{x}[T - 1 - {t}]", "{x}[T - 2 - {t}]")),
]  # fmt: skip
INNER = [Range("0", "2", ()), Range("1", "3", ()), Range("0", "N", ())]


@dataclass
class Writer:
    draw: Any
    inputs: dict[str, str] = field(default_factory=dict)
    functions: list[str] = field(default_factory=list)
    count: int = 0

    def pick(self, options: Any) -> Any:
        options = list(options)
        return options[self.draw(st.integers(0, len(options) - 1))]

    def chance(self, percent: int) -> bool:
        return bool(self.draw(st.integers(0, 99)) < percent)

    def fresh(self, letter: str) -> str:
        self.count += 1
        return f"{letter}{self.count}"

    def declare(self, keyword: str, kind: str, shape: Shape, domain: str = "") -> str:
        name = self.fresh({"input": "p", "data": "d"}[keyword])
        self.inputs[name] = f"{keyword} {name}: {typed(kind, shape)}{domain}"
        return name

    # ── Expressions ─────────────────────────────────────────────────────────

    def leaf(self, scope: Scope, shape: Shape) -> str:
        known = scope.find("float", shape)
        if known and (scope.closed or not self.chance(15)):
            return str(self.pick(known))
        if not shape and (scope.closed or self.chance(40)):
            return str(self.pick(["0.5", "1.25", "0.3"]))
        if scope.closed:
            return {1: "zeros(N)", 2: "eye(N)"}[len(shape)]
        return self.declare("input", "float", shape)

    def condition(self, scope: Scope) -> str:
        options = [f"{k} > 1" for k in scope.find("int")] + scope.find("bool")
        options += [f"not {b}" for b in scope.find("bool")]
        options += [f"{s} < 0.31" for s in scope.find("float")]
        if not options:
            return "N > 1"
        return str(self.pick(options))

    def value(self, scope: Scope, shape: Shape, depth: int) -> str:
        """A float of this shape."""
        if depth <= 0:
            return self.leaf(scope, shape)
        return str(self.pick(self.forms(scope, shape, depth - 1))())

    def forms(self, scope: Scope, shape: Shape, depth: int) -> list[Callable[[], str]]:
        def inner(shape: Shape) -> str:
            return self.value(scope, shape, depth)

        def unary() -> str:
            return f"({str(self.pick(SMOOTH)).format(inner(shape))})"

        def binary() -> str:
            other = self.pick([shape, ()])
            return f"({inner(shape)} {self.pick(['+', '-', '*', '*'])} {inner(other)})"

        def branch() -> str:
            return f"(if {self.condition(scope)} then {inner(shape)} else {inner(shape)})"

        def counted() -> str:
            whole = self.pick(scope.find("int") or ["N"])
            return f"(0.2 * {whole} * {inner(shape)})"

        def called() -> str:
            return f"cell({inner(shape)}, {inner(())})"

        scalars: list[Callable[[], str]] = [
            lambda: f"dot({inner(('N',))}, {inner(('N',))})",
            lambda: f"{self.pick(['sum', 'mean', 'logsumexp'])}({inner(('N',))})",
            lambda: f"sum[i](({inner(('N',))})[i] * (i + 1))",
            lambda: f"({inner(('N',))})[{self.place(scope)}]",
            lambda: f"trace({inner(('N', 'N'))})",
        ]
        vectors: list[Callable[[], str]] = [
            lambda: f"({inner(('N', 'N'))} @ {inner(('N',))})",
            lambda: f"({inner(('N',))} @ {inner(('N', 'N'))})",
            lambda: f"softmax({inner(('N',))})",
            lambda: f"({inner(('N', 'N'))})[{self.place(scope)}]",
            lambda: f"flip({inner(('N',))})",
        ]
        matrices: list[Callable[[], str]] = [
            lambda: f"({inner(('N', 'N'))} @ {inner(('N', 'N'))})",
            lambda: f"({inner(('N', 'N'))}).T",
            lambda: f"outer({inner(('N',))}, {inner(('N',))})",
        ]
        own = [scalars, vectors, matrices][len(shape)]
        return [unary, unary, binary, binary, branch, counted, called, *own]

    def place(self, scope: Scope) -> str:
        wholes = scope.find("int")
        return f"{self.pick(wholes)} % N" if wholes and self.chance(60) else "0"

    def bounded(self, scope: Scope, shape: Shape, depth: int = 2) -> str:
        return str(self.pick(BOUNDED)).format(self.value(scope, shape, depth))

    def target(self, scope: Scope, name: str, shape: Shape) -> tuple[str, str]:
        """What stands on both sides of ``=`` for a float: entry by entry at times."""
        if not shape or self.chance(60):
            return name, self.bounded(scope, shape)
        i, j = self.fresh("i"), self.fresh("j")
        indices = f"{i} in 0..N" if len(shape) == 1 else f"{i} in 0..N, {j} in 0..N"
        vector, matrix = self.leaf(scope, ("N",)), self.leaf(scope, ("N", "N"))
        scalar = self.value(scope.inside(Known(i, "int")), (), 1)
        body = self.pick(
            [
                f"({vector})[{i}] * {scalar}",
                f"sum[{j}](({matrix})[{i}, {j}] * ({vector})[{j}]) + {scalar}",
                f"(if {i} > 0 then ({vector})[{i} - 1] else {scalar}) - ({vector})[{i}]",
                f"logsumexp[{j}](({matrix})[{i}, {j}] + ({vector})[{j}])",
            ]
            if len(shape) == 1
            else [
                f"({matrix})[{j}, {i}] * {scalar}",
                f"({vector})[{i}] * ({vector})[{j}] + (if {i} > {j} then {scalar} else 0.5)",
            ]
        )
        return f"{name}[{indices}]", str(self.pick(BOUNDED)).format(body)

    # ── Loops ───────────────────────────────────────────────────────────────

    def loop(
        self, outer: Scope, range_: Range, sequences: list[Known], nested: int, until: bool = False
    ) -> tuple[str, list[Known]]:
        """The text of a loop, and what can be used after it."""
        t = self.fresh("t")
        scope = outer.inside(Known(t, "int"))
        for x in sequences:
            elsewhere = self.leaf(outer, x.shape[1:])
            read = str(self.pick(range_.reads)).format(x=x.text, t=t, o=elsewhere)
            scope = scope.inside(Known(read, x.kind, x.shape[1:]))
        lines, states = self.states(outer, until)
        scope = scope.inside(*states)
        if not until:
            emitted, made = self.grown(scope, range_, t)
            lines += emitted
            scope = scope.inside(*made)
        if nested and self.chance(60):
            text, made = self.loop(scope, self.pick(INNER), [], nested - 1)
            lines.append(text)
            scope = scope.inside(*[m for m in made if not m.shape or m.shape[0] == "N"])
        for _ in range(self.pick([0, 1, 1, 2])):
            name, shape = self.fresh("v"), self.pick(SHAPES)
            left, right = self.target(scope, name, shape)
            lines.append(f"node {left} = {right}")
            scope = scope.inside(Known(name, "float", shape))
        lines += self.slope(scope, [s for s in states if (s.kind, s.shape) == ("float", ())])
        for state in sorted(states, key=lambda _: self.draw(st.integers(0, 9))):
            lines.append(self.next(scope, state))
            scope = scope.inside(Known(f"next {state.text}", state.kind, state.shape))
        after = [*states]
        if not until:
            emitted, stacks = self.emits(scope, range_)
            lines += emitted
            after += stacks
        if self.chance(30):
            lines.reverse()
        stop = f" until {self.stop(scope, states)}" if until else ""
        end = "6" if until else range_.stop
        return f"scan {t} in {range_.start}..{end}{stop} {{ {' '.join(lines)} }}", after

    def states(self, outer: Scope, until: bool) -> tuple[list[str], list[Known]]:
        lines, states = [], []
        for _ in range(self.pick([1, 1, 2, 2, 3] if until else [0, 1, 1, 2, 2, 3])):
            kind = self.pick(["float"] * 6 + ["int", "bool"])
            shape = self.pick(SHAPES) if kind == "float" else ()
            name = self.fresh("s")
            if kind == "float":
                plain = {0: ["0", "1", "0.5"], 1: ["zeros(N)"], 2: ["eye(N)"]}[len(shape)]
                start = self.pick([*plain, self.leaf(outer, shape), self.value(outer, shape, 1)])
            else:
                start = self.pick({"int": ["0", "2"], "bool": ["true", "false"]}[kind])
            lines.append(f"state {name} = {start}")
            states.append(Known(name, kind, shape))
        return lines, states

    def next(self, scope: Scope, state: Known) -> str:
        name = state.text
        if state.kind == "int":
            condition = self.condition(scope)
            form = self.pick([f"{name} + 1", f"({name} * 3 + 1) % 5",
                              f"if {condition} then {name} + 1 else {name}"])  # fmt: skip
            return f"next {name} = {form}"
        if state.kind == "bool":
            return f"next {name} = {self.pick([f'not {name}', self.condition(scope)])}"
        left, right = self.target(scope, name, state.shape)
        return f"next {left} = {right}"

    def slope(self, scope: Scope, states: list[Known]) -> list[str]:
        """A gradient inside the step, at times; ``next`` cannot be reached from a state's past."""
        if not states or not self.chance(8):
            return []
        f, g, x = self.fresh("f"), self.fresh("g"), self.pick(states).text
        energy = f"sin({x}) * {self.leaf(scope, ())} + {x}^4 / 4"
        scope.known.append(Known(g, "float"))
        return [f"node {f} = {energy}", f"node {g} = grad({f}, {x})"]

    def grown(self, scope: Scope, range_: Range, t: str) -> tuple[list[str], list[Known]]:
        """An emitted stack that the step reads where it has been."""
        if not self.chance(30):
            return [], []
        e, shape = self.fresh("e"), self.pick(SHAPES[:4])
        back = self.pick([1, 1, 2])
        start = int(range_.start)
        first = self.leaf(scope, shape)
        before = f"(if {t} >= {start + back} then {e}[{t} - {start + back}] else {first})"
        if back == 1 and start == 0 and self.chance(30):
            before = f"(if {t} > 0 then {e}[({t} - 1) // 2] else {first})"
        read = Known(before, "float", shape)
        inner = scope.inside(read)
        value = f"{self.pick(BOUNDED).format(before)} + 0.5 * ({self.bounded(inner, shape, 1)})"
        return [f"emit {e}: {typed('float', shape)} = {value}"], [read]

    def emits(self, scope: Scope, range_: Range) -> tuple[list[str], list[Known]]:
        lines, stacks = [], []
        length = range_.stop if range_.start == "0" else f"{range_.stop} - {range_.start}"
        for _ in range(self.pick([0, 1, 1, 2])):
            e, shape = self.fresh("e"), self.pick(SHAPES)
            left, right = self.target(scope, e, shape)
            lines.append(f"emit {left} = {right}")
            stacks.append(Known(e, "float", (length, *shape)))
        for whole in scope.find("int")[1:2]:
            if self.chance(20):
                lines.append(f"emit {self.fresh('e')} = {whole} + 1")
        return lines, stacks

    def stop(self, scope: Scope, states: list[Known]) -> str:
        options = ["false", "true"] if self.chance(10) else []
        for s in states:
            match s.kind:
                case "int":
                    options += [f"next {s.text} >= 3", f"{s.text} == 2"]
                case "bool":
                    options.append(f"next {s.text}")
                case _:
                    step = f"next {s.text} - {s.text}"
                    size = f"norm({step})" if s.shape else f"abs({step})"
                    options += [f"{size} < 0.1", f"{size} < 1e-6"]
        return str(self.pick(options))

    # ── Whole specifications ────────────────────────────────────────────────

    def sequences(self, letter: str = "") -> list[Known]:
        found = []
        for _ in range(self.pick([1, 1, 2])):
            shape = ("T", *self.pick(SHAPES[:4]))
            found.append(Known(letter or self.declare("input", "float", shape), "float", shape))
        return found

    def results(self, known: list[Known]) -> list[str]:
        lines = []
        for k in known:
            name = self.fresh("o")
            form = "{}"
            if k.kind == "float":
                form = self.pick(["{}", "{}", "sin({})", "sum({}^2)", "2 * {}"])
            lines.append(f"output {name} = {form.format(k.text)}")
        return lines

    def sized(self, lines: list[str], least: int) -> Case:
        if not self.inputs:
            lines = [*lines, f"output only_ = sin({self.declare('input', 'float', ())})"]
        used = "cell(" in " ".join([*self.functions, *lines])
        head = ["def cell(a, b) = tanh(a * 0.5 + b)"] if used else []
        text = "\n".join([*head, *self.functions, *self.inputs.values(), *lines]) + "\n"
        steps = self.pick([3, 3, 4, max(1, least), least])
        sizes = {"N": 2, "T": steps, "B": self.pick([1, 3])}
        declared = [
            f"size {n}" for n in sizes if n not in bound(self.inputs.values()) and n in text
        ]
        return Case("random", "\n".join([*declared, text]), sizes)


def bound(declarations: Any) -> set[str]:
    """The sizes that an input's dimension gives."""
    inside = [d.partition("[")[2].partition("]")[0] for d in declarations]
    return {size.strip() for part in inside for size in part.split(",")}


@st.composite
def loops(draw: Any) -> Case:
    """Loops over a sequence, at times one inside of the other or one after the other."""
    writer = Writer(draw)
    scope = Scope([])
    lines, known = [], []
    least = 0
    for _ in range(writer.pick([1, 1, 2])):
        range_ = writer.pick([RANGES[0], *RANGES])
        least = least if range_ is RANGES[0] else 1
        text, made = writer.loop(scope, range_, writer.sequences(), nested=1)
        lines.append(text)
        known += made
        scope = scope.inside(*[m for m in made if m.kind == "float" and "T" not in str(m.shape)])
    results = writer.results(known)
    if all(k.kind != "float" for k in known):
        results.append(f"output last_ = sin({writer.declare('input', 'float', ())})")
    return writer.sized([*lines, *results], least)


@st.composite
def searches(draw: Any) -> Case:
    """Loops that end when a condition is met."""
    writer = Writer(draw)
    text, known = writer.loop(Scope([]), Range("0", "6", ()), [], nested=0, until=True)
    results = writer.results(known)
    results.append(f"output last_ = {writer.value(Scope(known), (), 1)}")
    return writer.sized([text, *results], 0)


@st.composite
def entries(draw: Any) -> Case:
    """A function with a loop, for every entry of an index."""
    writer = Writer(draw)
    until = writer.chance(40)
    parameters = [Known("p", "float", ("T",)), Known("q", "float"), Known("r", "float", ("N",)),
                  Known("R", "float", ("N", "N"))]  # fmt: skip
    scope = Scope(parameters[1:], closed=True)
    range_ = Range("0", "6", ()) if until else RANGES[0]
    text, known = writer.loop(scope, range_, [] if until else parameters[:1], 1, until)
    floats = [k for k in known if k.kind == "float"]
    stacked = [k for k in floats if k.shape[:1] == ("T",)]
    result = f"{writer.pick(floats).text}" if floats else writer.value(scope, (), 1)
    if stacked and writer.chance(40):
        result = f"sum({writer.pick(stacked).text}, axis=0)"
    typed_ = "p: float[T], q, r: float[N], R: float[N, N]"
    writer.functions.append(f"def run_({typed_}) {{ {text} return {result} }}")
    b = writer.fresh("b")
    arguments = [f"{writer.declare('input', 'float', ('B', 'T'))}[{b}]"]
    for k in parameters[1:]:
        # Some have a value for each entry, others are shared.
        if writer.chance(50):
            arguments.append(f"{writer.declare('input', 'float', ('B', *k.shape))}[{b}]")
        else:
            arguments.append(writer.declare("input", "float", k.shape))
    return writer.sized([f"output y[{b}] = run_({', '.join(arguments)})"], 0)


def judge(case: Case) -> None:
    judge_values(case)
    judge_gradients(case)
    judge_dtypes(case)
    if smooth(case):
        judge_directions(case)


def judge_dtypes(case: Case) -> None:
    """float32 in, float32 out: states that begin as literals too."""
    generated = module(case.total, DIRECTIONAL)
    small = {n: np.float32(case.values[n]) for n in case.differentiated}
    value, gradients = case.call(generated.value_and_grad, small)
    if all(np.ndim(v) == 0 for v in case.values.values()) and isinstance(value, float):
        return  # A module of scalars computes in float64.
    moves = {f"d{n}": np.ones_like(small[n]) for n in small}
    _, tangents = case.call(generated.jvp, small, **moves)
    outputs, _ = case.call(generated.forward, small)
    for name, found in {**fields(outputs), **gradients._asdict(), "value": value}.items():
        kind = np.asarray(found).dtype
        assert kind == np.float32 or kind.kind in "ib", (name, kind)
    for name in case.floats:
        assert np.asarray(fields(tangents)[name]).dtype == np.float32, (name, "jvp")


def smooth(case: Case) -> bool:
    """Whether no condition changes nearby: then differences of the gradient are its slope."""
    generated = module(case.total, DIRECTIONAL)
    along = case.random(case.differentiated, 7)

    def gradient(step: float) -> dict[str, Any]:
        moved = {n: case.values[n] + step * along[n] for n in case.differentiated}
        return dict(case.call(generated.value_and_grad, moved)[1]._asdict())

    wide, narrow = extrapolated(gradient), extrapolated(gradient, 5e-4)
    return all(np.allclose(wide[n], narrow[n], rtol=1e-7, atol=1e-7) for n in wide)


@quick
@given(loops())
def test_loops(case: Case) -> None:
    judge(case)


@quick
@given(searches())
def test_searches(case: Case) -> None:
    judge(case)


@quick
@given(entries())
def test_entries(case: Case) -> None:
    judge(case)


@pytest.mark.parametrize("kind", [loops, searches, entries], ids=lambda kind: kind.__name__)
def test_formatting_keeps_the_tree(kind: Any) -> None:
    @quick
    @given(kind())
    def keeps(case: Case) -> None:
        tree = parse(Source(case.text))
        text = format_program(tree)
        again = parse(Source(text))
        assert again.declarations == tree.declarations
        assert format_program(again) == text

    keeps()


# ── Found once ──────────────────────────────────────────────────────────────

FOUND = [
    # The gradient of an initial value that nothing keeps is a number of Python.
    ("input a: float input b: float[N] scan t in 0..3 { state s = b[0] next s = sin(a) } output y = s", {"N": 2}),
    ("input p: float input q: float[N] scan t in 0..3 { state s = p next s = tanh(q[0]) } output y = s", {"N": 2}),
    # A state that is a constant after the step is a number of Python, of float64.
    ("input a: float[N] scan t in 0..3 { state s = 0 next s = tanh(0.5) } output y = s output z = sum(a)", {"N": 2}),
    # An empty range, read backwards: the slice begins before the first entry, that is at the last.
    ("input p: float[T] output y[t in 0..T - 1] = p[T - 2 - t]", {"T": 1}),
    ("input p: float[T] output y = sum[t in 0..T - 1](sin(p[T - 2 - t]))", {"T": 1}),
    ("input p: float[T] scan t in 0..T - 1 { state s = 0 next s = s + sin(p[T - 2 - t]) } output y = s", {"T": 1}),
    # Initial integers that become floats, in what depends on them.
    ("input a: float scan t in 0..3 { state s = 0 node f = sin(s) * a node g = grad(f, s) next s = tanh(g) } output y = s", {}),
    ("input a: float scan t in 0..3 { state s = 1 scan k in 0..2 { state w = s next w = sin(w) } next s = a * w } output y = s", {}),
]  # fmt: skip


@pytest.mark.parametrize("text, sizes", FOUND)
def test_found_once(text: str, sizes: dict[str, int]) -> None:
    judge(Case("found", text, sizes))
