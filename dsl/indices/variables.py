"""Indices, and subscripts that are linear in them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..alike import alike
from ..frozen import frozen
from ..sizes import ONE, ZERO, Size
from ..source import Span

if TYPE_CHECKING:
    from ..graph import Node

_ORDER = itertools.count()


@dataclass(eq=False)
class Variable:
    """An index that ranges over ``start .. stop``.

    Its range is written, or read off the first plain subscript that uses it, at ``place``. Of two
    variables the one introduced first has the axis further left.
    """

    name: str
    span: Span
    start: Size = ZERO
    stop: Size | None = None
    place: Span | None = None
    loop: bool = False
    """Whether it is the index of a loop, one step at a time."""
    order: int = field(default_factory=lambda: next(_ORDER))

    @property
    def written(self) -> bool:
        return self.stop is not None and self.place is None

    @property
    def length(self) -> Size:
        assert self.stop is not None, self.name
        return self.stop - self.start

    def __str__(self) -> str:
        return self.name


@frozen()
class Affine:
    """``offset + Σ coefficient * variable``, coefficients being sizes."""

    offset: Size
    terms: Mapping[Variable, Size] = field(default_factory=dict)

    def __add__(self, other: Affine) -> Affine:
        terms = dict(self.terms)
        for variable, coefficient in other.terms.items():
            terms[variable] = terms.get(variable, ZERO) + coefficient
        return Affine(self.offset + other.offset, {v: c for v, c in terms.items() if c != ZERO})

    def __sub__(self, other: Affine) -> Affine:
        return self + other.times(Size.of(-1))

    def times(self, factor: Size) -> Affine:
        terms = {v: c * factor for v, c in self.terms.items()}
        return Affine(self.offset * factor, {v: c for v, c in terms.items() if c != ZERO})

    def bounds(self) -> tuple[Size, Size] | None:
        """The least and greatest value, if the signs of all coefficients are known."""
        low = high = self.offset
        for variable, coefficient in self.terms.items():
            first, last = coefficient * variable.start, coefficient * (_stop(variable) - 1)
            if coefficient.natural:
                low, high = low + first, high + last
            elif (coefficient * -1).natural:
                low, high = low + last, high + first
            else:
                return None
        return low, high

    @property
    def natural(self) -> bool:
        """Whether it is known to be 0 or more for all values of its variables."""
        bounds = self.bounds()
        return bounds is not None and bounds[0].natural

    @property
    def steps(self) -> dict[Variable, int] | None:
        """The coefficients where all are numbers."""
        numbers = {v: c.constant for v, c in self.terms.items()}
        return None if None in numbers.values() else numbers  # type: ignore[return-value]


def _stop(variable: Variable) -> Size:
    assert variable.stop is not None, variable.name
    return variable.stop


_MAX_DEPTH = 50


def affine(node: Node, depth: int = _MAX_DEPTH) -> Affine | None:
    """A per-entry integer as an affine form of indices and sizes, if it is one."""
    if node.op.name == "constant":
        value = node.attributes["value"]
        whole = isinstance(value, int) and not isinstance(value, bool)
        return Affine(Size.of(value)) if whole else None
    if node.op.name == "size":
        return Affine(node.attributes["size"])
    if "variable" in node.attributes:
        return Affine(ZERO, {node.attributes["variable"]: ONE})
    combine = _COMBINE.get(node.op.name)
    if combine is None or not depth:
        return None
    parts = [affine(operand, depth - 1) for operand in node.operands]
    return None if None in parts else combine(*parts)


def _product(a: Affine, b: Affine) -> Affine | None:
    if not a.terms:
        return b.times(a.offset)
    return a.times(b.offset) if not b.terms else None


_COMBINE: dict[str, Callable[..., Affine | None]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "negative": lambda a: a.times(Size.of(-1)),
    "alias": lambda a: a,
    "as_int": lambda a: a,
    "multiply": _product,
}


def distance(start: Node, stop: Node) -> Affine | None:
    """How far one place is behind another; what is no affine form must be written in both."""
    (low, first), (high, last) = _split(start), _split(stop)
    for sign, part in first:
        same = next((other for other in last if other[0] == sign and alike(other[1], part)), None)
        if same is None:
            return None
        last.remove(same)
    return None if last else high - low


def _split(node: Node) -> tuple[Affine, list[tuple[int, Node]]]:
    """A place as an affine form and what must be added to it or taken away."""
    total, rest = Affine(ZERO), []
    stack = [(1, node)]
    while stack:
        sign, part = stack.pop()
        form = affine(part)
        if form is not None:
            total = total + form.times(Size.of(sign))
        elif part.op.name in ("add", "subtract"):
            last = -sign if part.op.name == "subtract" else sign
            stack += [(sign, part.operands[0]), (last, part.operands[1])]
        else:
            rest.append((sign, part))
    return total, rest


# ── What a condition says ───────────────────────────────────────────────────

_BOUNDS: dict[str, Callable[[Affine, Affine], list[Affine]]] = {
    "less": lambda a, b: [b - a - Affine(ONE)],
    "less_equal": lambda a, b: [b - a],
    "greater": lambda a, b: [a - b - Affine(ONE)],
    "greater_equal": lambda a, b: [a - b],
    "equal": lambda a, b: [a - b, b - a],
    "not_equal": lambda a, b: [],
}
_OPPOSITE = {
    "less": "greater_equal", "less_equal": "greater", "greater": "less_equal",
    "greater_equal": "less", "equal": "not_equal", "not_equal": "equal",
}  # fmt: skip


def known_from(condition: Node, holds: bool) -> list[Affine]:
    """Affine forms that are 0 or more where a condition holds (or does not)."""
    name = condition.op.name
    if name == "logical_not":
        return known_from(condition.operands[0], not holds)
    if name == ("logical_and" if holds else "logical_or"):
        return [form for part in condition.operands for form in known_from(part, holds)]
    name = name if holds else _OPPOSITE.get(name, "")
    if name not in _BOUNDS:
        return []
    left, right = (affine(operand) for operand in condition.operands)
    return [] if left is None or right is None else _BOUNDS[name](left, right)


def follows(form: Affine, known: Iterable[Affine]) -> bool:
    """Whether ``form >= 0`` is sure, given other forms that are 0 or more."""
    return form.natural or any((form - other).natural for other in known)
