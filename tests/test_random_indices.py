"""Random specifications in index notation, against the interpreter that goes entry by entry.

``GRADC_EXAMPLES=2000 pytest tests/test_random_indices.py`` looks further than the default.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .judged import Case, judge_directions, judge_gradients, judge_values, sizes

EXAMPLES = int(os.environ.get("GRADC_EXAMPLES", "60"))
SIZES = ["N=3 M=2 D=2", "N=2 M=3 D=1", "N=4 M=1 D=3", "N=1 M=2 D=2"]
Shape: TypeAlias = tuple[str, ...]
quick = settings(
    max_examples=EXAMPLES,
    derandomize="GRADC_EXAMPLES" not in os.environ,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)
SMOOTH = [
    "sin({})",
    "tanh({})",
    "({})^2",
    "-({})",
    "exp(tanh({}))",
    "1 / (1.5 + ({})^2)",
    "0.5 * ({})",
]
OF_VECTORS = [
    "sum({})",
    "mean({})",
    "norm(1.5 + ({})^2)",
    "logsumexp({})",
    "dot({0}, {0})",
    "prod({})",
]
REDUCTIONS = ["sum", "sum", "sum", "sum", "mean", "prod", "logsumexp"]


@dataclass(frozen=True)
class Index:
    name: str
    size: str


@dataclass
class Writer:
    """Draws what one entry computes, for the indices that are open."""

    draw: Any
    lines: list[str] = field(default_factory=list)
    floats: dict[str, Shape] = field(default_factory=dict)
    places: dict[str, tuple[Shape, str]] = field(default_factory=dict)
    masks: dict[str, Shape] = field(default_factory=dict)
    letters: int = 0

    def pick(self, options: list[Any]) -> Any:
        return options[self.draw(st.integers(0, len(options) - 1))]

    def chance(self, percent: int) -> bool:
        return bool(self.draw(st.integers(0, 99)) < percent)

    def index(self, size: str) -> Index:
        self.letters += 1
        return Index(f"i{self.letters}", size)

    # ── Places ──────────────────────────────────────────────────────────────

    def place(self, size: str, open_: list[Index]) -> str:
        """A subscript of an axis, sure to lie in it."""
        plain = [i.name for i in open_ if i.size == size]
        if plain and self.chance(60):
            return str(self.pick(plain))
        forms: list[Callable[[], str]] = [lambda: "0", lambda: "-1"]
        if plain:
            own = self.pick(plain)
            forms += [lambda: f"({own} + 1) % {size}", lambda: f"{size} - 1 - {own}",
                      lambda: f"{own} // 2", lambda: f"{own} - {own} % 2"]  # fmt: skip
        if open_:
            forms += [lambda: f"{self.pick(open_).name} % {size}"]
            for name, (shape, limit) in self.places.items():
                if limit == size and (self.known(shape, open_) or self.chance(20)):
                    forms += [lambda n=name, s=shape: f"{n}[{self.items(s, open_)}]"] * 3  # type: ignore[misc]
        return str(self.pick(forms)())

    def known(self, shape: Shape, open_: list[Index]) -> bool:
        return {*shape} <= {i.size for i in open_}

    def items(self, shape: Shape, open_: list[Index]) -> str:
        return ", ".join(self.place(size, open_) for size in shape)

    def entry(self, open_: list[Index], wanted: Shape = ()) -> str:
        """An entry of an array, or the rest of its axes whole."""
        fitting = [
            n for n, shape in self.floats.items() if shape[len(shape) - len(wanted) :] == wanted
        ]
        if not fitting:
            return f"ones({', '.join(wanted)})"
        name = self.pick(fitting)
        shape = self.floats[name]
        lead = shape[: len(shape) - len(wanted)]
        return f"{name}[{self.items(lead, open_)}]" if lead else str(name)

    def shifted(self, open_: list[Index]) -> str:
        """A neighbour, where there is one."""
        vectors = [(n, s[0]) for n, s in self.floats.items() if len(s) == 1]
        for name, size in vectors:
            for i in open_:
                if i.size == size:
                    ends = [
                        (f"{i.name} > 0", f"{i.name} - 1"),
                        (f"{i.name} < {size} - 1", f"{i.name} + 1"),
                    ]
                    condition, place = self.pick(ends)
                    return f"(if {condition} then {name}[{place}] else {self.pick(['0', '0.5', f'{name}[0]'])})"
        return self.entry(open_)

    # ── What an entry is ────────────────────────────────────────────────────

    def scalar(self, open_: list[Index], depth: int) -> str:
        if depth <= 0:
            forms: list[Callable[[], str]] = [lambda: self.entry(open_)] * 6
            forms += [lambda: self.shifted(open_), lambda: "0.7"]
            if open_:
                forms += [lambda: f"(1 + {self.pick(open_).name}) / 4"]
            return str(self.pick(forms)())
        inner = depth - 1
        forms = [
            lambda: f"{self.scalar(open_, inner)} * {self.scalar(open_, inner)}",
            lambda: f"({self.scalar(open_, inner)} + {self.scalar(open_, inner)})",
            lambda: f"({self.scalar(open_, inner)} - {self.scalar(open_, inner)})",
            lambda: str(self.pick(SMOOTH)).format(self.scalar(open_, inner)),
            lambda: str(self.pick(OF_VECTORS)).format(f"({self.vector(open_, self.pick(['N', 'M', 'D']), inner)})"),
            lambda: self.vector(open_, "N", inner, atom=True) + f"[{self.place('N', open_)}]",
            lambda: self.condition(open_, lambda: self.scalar(open_, inner)),
        ]  # fmt: skip
        forms += [lambda: self.reduction(open_, inner)] * 5
        return str(self.pick(forms)())

    def condition(self, open_: list[Index], body: Callable[[], str]) -> str:
        tests = [f"{self.entry(open_)} > 0"]
        if open_:
            a, b = self.pick(open_).name, self.pick(open_).name
            tests += [f"{a} > {b}", f"{a} == {b}", f"{a} + {b} < N", f"{a} % 2 == 0"]
            tests += [f"{n}[{self.items(s, open_)}]" for n, s in self.masks.items()]
            tests += [f"{n}[{self.items(s, open_)}] == {a}" for n, (s, _) in self.places.items()]
        return f"(if {self.pick(tests)} then {body()} else {body()})"

    def reduction(self, open_: list[Index], depth: int) -> str:
        new = [self.index(self.pick(["N", "M", "D"])) for _ in range(self.pick([1, 1, 1, 2]))]
        inside = [*open_, *new]
        factors = [self.scalar(inside, depth - 1) for _ in range(self.pick([1, 2, 2, 3]))]
        body = " * ".join(factors)
        return f"{self.pick(REDUCTIONS)}[{self.written(new, body)}]({body})"

    def written(self, new: list[Index], body: str) -> str:
        """Indices with their ranges, but sometimes where a plain subscript gives it as well."""
        shown = []
        for i in new:
            plain = re.search(rf"\[([^\[\]]*, )?{i.name}(, [^\[\]]*)?\]", body)
            shown.append(i.name if plain and self.chance(60) else f"{i.name} in 0..{i.size}")
        return ", ".join(shown)

    def vector(self, open_: list[Index], size: str, depth: int, *, atom: bool = False) -> str:
        """An array of one axis for each entry."""
        if depth <= 0 or (atom and self.chance(50)):
            return self.entry(open_, (size,))
        inner = depth - 1
        vector = self.vector(open_, size, inner)
        forms = [
            lambda: f"({vector} * {self.scalar(open_, inner)})",
            lambda: f"({vector} + {self.vector(open_, size, inner)})",
            lambda: f"softmax({vector})",
            lambda: f"sin({vector})",
            lambda: f"flip({vector}, axis=0)",
            lambda: self.condition(open_, lambda: self.vector(open_, size, inner)),
        ]
        for other in ("N", "M", "D"):
            matrix = lambda o=other: self.entry(open_, (size, o))  # noqa: E731
            forms += [lambda m=matrix, o=other: f"({m()} @ {self.vector(open_, o, inner)})"]  # type: ignore[misc]
        return str(self.pick(forms)())

    # ── Declarations ────────────────────────────────────────────────────────

    def inputs(self) -> None:
        self.lines.append("data s: float[N, M, D]")  # All sizes are bound.
        for n in range(self.pick([2, 3, 3, 4])):
            shape = tuple(
                self.pick(["N", "M", "D", "N"]) for _ in range(self.pick([1, 1, 2, 2, 3]))
            )
            self.floats[f"x{n}"] = shape
            self.lines.append(f"input x{n}: float[{', '.join(shape)}]")
        for n in range(self.pick([0, 1, 2])):
            shape, limit = (self.pick(["N", "M"]),), self.pick(["N", "M", "D"])
            self.places[f"k{n}"] = shape, limit
            self.lines.append(f"data k{n}: int[{shape[0]}] in 0..{limit}")
        if self.chance(40):
            self.masks["m"] = ("N",)
            self.lines.append("data m: bool[N]")

    def node(self, keyword: str, name: str, depth: int) -> None:
        new = [self.index(self.pick(["N", "M", "D"])) for _ in range(self.pick([0, 1, 1, 2, 2]))]
        shape = tuple(i.size for i in new)
        if self.chance(25):
            size = self.pick(["N", "D"])
            body, shape = self.vector(new, size, depth), (*shape, size)
        else:
            body = self.scalar(new, depth)
        indices = f"[{self.written(new, body)}]" if new else ""
        self.lines.append(f"{keyword} {name}{indices} = {body}")
        self.floats[name] = shape


@st.composite
def specs(draw: Any) -> Case:
    writer = Writer(draw)
    writer.inputs()
    for n in range(writer.pick([0, 0, 1, 2])):
        writer.node("output", f"v{n}", 2)
    writer.node("output", "y", 3)
    return Case("random", "\n".join(writer.lines), sizes(writer.pick(SIZES)))


@quick
@given(specs())
def test_random_specifications(case: Case) -> None:
    judge_values(case)
    if case.floats:
        judge_gradients(case)
        if steepness(case) < 20:
            judge_directions(case)


def steepness(case: Case) -> float:
    """The largest value or slope. Differences, by which second derivatives are judged, are only
    right for what is not steep."""
    values = [case.wanted[name] for name in case.floats]
    slopes = [slope for found in case.slopes.values() for slope in found.values()]
    return max(float(np.max(np.abs(a), initial=0.0)) for a in [*values, *slopes])


FOUND = [
    (
        "input x: float[N] data k: int[M] in 0..N output y[t] = sum[j](x[k[t]] * x[j]) / N",
        "N=3 M=4",
    ),
]


@pytest.mark.parametrize(("text", "given_sizes"), FOUND)
def test_found_once(text: str, given_sizes: str) -> None:
    case = Case("found", text, sizes(given_sizes))
    judge_values(case)
    judge_gradients(case)
    judge_directions(case)
