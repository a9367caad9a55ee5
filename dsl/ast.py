"""The syntax tree: one frozen class for each form of the grammar.

Spans never take part in comparisons, so two trees are equal when they say the same.
"""

from __future__ import annotations

from dataclasses import field
from typing import TypeAlias

from .frozen import frozen
from .source import Source, Span

# ── Expressions ─────────────────────────────────────────────────────────────


@frozen()
class Number:
    span: Span = field(compare=False, repr=False)
    text: str

    @property
    def value(self) -> int | float:
        whole = self.text.isdigit() and len(self.text) < 400
        return int(self.text) if whole else float(self.text)


@frozen()
class Constant:
    """``pi``, ``inf``, ``true`` or ``false``."""

    span: Span = field(compare=False, repr=False)
    name: str


@frozen()
class String:
    span: Span = field(compare=False, repr=False)
    value: str


@frozen()
class Name:
    span: Span = field(compare=False, repr=False)
    id: str


@frozen()
class NextState:
    """``next h``: the value of a state after the step."""

    span: Span = field(compare=False, repr=False)
    name: Name


@frozen()
class Call:
    span: Span = field(compare=False, repr=False)
    function: Name
    arguments: tuple[Expr, ...]
    keywords: tuple[tuple[Name, Expr], ...] = ()


@frozen()
class Reduction:
    """``sum[j](body)``."""

    span: Span = field(compare=False, repr=False)
    function: Name
    indices: tuple[Item, ...]
    body: Expr


@frozen()
class Subscript:
    span: Span = field(compare=False, repr=False)
    base: Expr
    items: tuple[Item, ...]


@frozen()
class Transpose:
    span: Span = field(compare=False, repr=False)
    operand: Expr


@frozen()
class Unary:
    """``-`` or ``not``."""

    span: Span = field(compare=False, repr=False)
    operator: str
    operand: Expr


@frozen()
class Binary:
    """Arithmetic, a comparison, ``and`` or ``or``."""

    span: Span = field(compare=False, repr=False)
    operator: str
    left: Expr
    right: Expr


@frozen()
class IfElse:
    span: Span = field(compare=False, repr=False)
    condition: Expr
    then: Expr
    otherwise: Expr


@frozen()
class Array:
    span: Span = field(compare=False, repr=False)
    items: tuple[Expr, ...]


@frozen()
class Slice:
    span: Span = field(compare=False, repr=False)
    start: Expr | None
    stop: Expr | None
    step: Expr | None


@frozen()
class Ellipsis:
    span: Span = field(compare=False, repr=False)


@frozen()
class IndexRange:
    """An index, with its range if one is written: ``i`` or ``i in a..b``."""

    span: Span = field(compare=False, repr=False)
    name: Name
    start: Expr
    stop: Expr


Expr: TypeAlias = (
    Number | Constant | String | Name | NextState | Call | Reduction | Subscript
    | Transpose | Unary | Binary | IfElse | Array
)  # fmt: skip
Item: TypeAlias = Expr | Slice | Ellipsis | IndexRange


# ── Declarations ────────────────────────────────────────────────────────────


@frozen()
class Type:
    """A written type: ``float[N, 2*D]``."""

    span: Span = field(compare=False, repr=False)
    name: Name
    shape: tuple[Expr, ...] = ()


@frozen()
class Bound:
    """The domain ``> 0`` of an input."""

    span: Span = field(compare=False, repr=False)
    operator: str
    limit: Expr


@frozen()
class Range:
    """The domain ``in 0..1`` of an input."""

    span: Span = field(compare=False, repr=False)
    start: Expr
    stop: Expr


@frozen()
class Input:
    """``input`` (differentiated) or ``data`` (not)."""

    span: Span = field(compare=False, repr=False)
    keyword: str
    names: tuple[Name, ...]
    type: Type
    domain: Bound | Range | None = None
    doc: str = field(default="", compare=False)


@frozen()
class Size:
    span: Span = field(compare=False, repr=False)
    name: Name
    value: Expr | None = None
    doc: str = field(default="", compare=False)


@frozen()
class Target:
    """The left-hand side of a node: names, indices, a written type."""

    span: Span = field(compare=False, repr=False)
    names: tuple[Name, ...]
    indices: tuple[Item, ...] = ()
    type: Type | None = None


@frozen()
class Node:
    """``node``, ``output``, ``state``, ``next`` or ``emit`` with an expression."""

    span: Span = field(compare=False, repr=False)
    keyword: str
    target: Target
    value: Expr
    doc: str = field(default="", compare=False)


@frozen()
class OutputExisting:
    """``output NAME`` of a node declared elsewhere."""

    span: Span = field(compare=False, repr=False)
    name: Name
    doc: str = field(default="", compare=False)


@frozen()
class Objective:
    span: Span = field(compare=False, repr=False)
    name: Name
    doc: str = field(default="", compare=False)


@frozen()
class Parameter:
    span: Span = field(compare=False, repr=False)
    name: Name
    type: Type | None = None
    default: Expr | None = None


@frozen()
class Return:
    span: Span = field(compare=False, repr=False)
    values: tuple[Expr, ...]


@frozen()
class Def:
    """A function; ``def f(x) = e`` has the body ``(Return(e),)`` and ``block`` false."""

    span: Span = field(compare=False, repr=False)
    name: Name
    parameters: tuple[Parameter, ...]
    body: tuple[Node | Scan | Return, ...]
    block: bool
    doc: str = field(default="", compare=False)


@frozen()
class Rule:
    span: Span = field(compare=False, repr=False)
    name: Name
    parameters: tuple[Name, ...]
    results: tuple[Name, ...]
    several: bool
    unchecked: bool
    entries: tuple[tuple[Name, Expr], ...]
    doc: str = field(default="", compare=False)


@frozen()
class Use:
    span: Span = field(compare=False, repr=False)
    path: String
    names: tuple[Name, ...] = ()
    doc: str = field(default="", compare=False)


@frozen()
class Scan:
    span: Span = field(compare=False, repr=False)
    index: Name
    start: Expr
    stop: Expr
    until: Expr | None
    body: tuple[Node | Scan, ...]
    doc: str = field(default="", compare=False)


@frozen()
class Given:
    span: Span = field(compare=False, repr=False)
    bindings: tuple[tuple[Name, Expr], ...]


@frozen()
class Expectation:
    """``f = 0.31`` or, with ``gradient``, ``grad(f) = 0.31``."""

    span: Span = field(compare=False, repr=False)
    name: Name
    gradient: bool
    value: Expr


@frozen()
class Expect:
    span: Span = field(compare=False, repr=False)
    items: tuple[Expectation, ...]
    within: Expr | None = None


@frozen()
class Rounding:
    span: Span = field(compare=False, repr=False)
    digits: Number


@frozen()
class Example:
    span: Span = field(compare=False, repr=False)
    name: Name
    clauses: tuple[Given | Expect | Rounding, ...]
    doc: str = field(default="", compare=False)


Declaration: TypeAlias = (
    Input | Size | Node | OutputExisting | Objective | Def | Rule | Use | Scan | Example
)
Step: TypeAlias = Node | Scan
Statement: TypeAlias = Declaration | Return | Given | Expect | Rounding


@frozen()
class Comment:
    """``# ...`` or ``## ...``, where it stands."""

    span: Span
    text: str


@frozen()
class Program:
    """A parsed file. ``doc`` is its first block of ``##`` lines."""

    source: Source = field(compare=False, repr=False)
    declarations: tuple[Declaration, ...]
    comments: tuple[Comment, ...] = field(default=(), compare=False)
    doc: str = field(default="", compare=False)
