"""What formulas of an explanation are made of, whatever notation they are printed in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field, replace
from functools import cache
from typing import Any, TypeAlias

import numpy as np

from ...dsl import ast
from ...dsl.errors import SpecError
from ...dsl.frozen import frozen
from ...dsl.graph import attribute_text
from ...dsl.ops import Op
from ...dsl.parse import parse_expression
from ...dsl.source import Source


@frozen()
class Name:
    """A value by its name, ``dx`` if it is what arrives there. One that is ``turned`` is known as
    the transpose of another: ``xᵀ``, and ``d(xᵀ)``."""

    text: str
    rank: int = 0
    arriving: bool = False
    turned: bool = False


@frozen()
class Amount:
    """A value as numbers. One that is ``turned`` is written as its transpose."""

    value: Any
    turned: bool = False
    exact: bool = False
    """As written in the specification, whatever is rounded."""

    @property
    def rank(self) -> int:
        return int(np.ndim(self.value))


@frozen()
class Applied:
    """An operation of the table on terms."""

    op: Op
    terms: Mapping[str, Term]
    attributes: Mapping[str, Any]
    several: tuple[Term, ...] = ()
    """The operands of one that takes any number of them."""

    remark: str = ""
    """What is said of the axes, where that is not all of them."""

    @property
    def formula(self) -> Formula | None:
        """The same as a syntax tree, where the operation is written with operators."""
        tree = _operators(self.op.paper)
        return Formula(tree, self.terms) if tree is not None and not self.several else None

    def option(self, name: str) -> str:
        if name not in self.attributes:
            return ""
        text = attribute_text(self.attributes[name])
        return text[1:-1] if name == "index" and text.startswith("[") else text

    @property
    def function(self) -> str:
        """The name of a function of one value that is written ``σ(x)``, else nothing."""
        found = _CALL.fullmatch(self.op.paper)
        return found[1] if found and len(self.op.operands) == 1 else ""


@frozen()
class Formula:
    """A syntax tree and what its names stand for."""

    tree: ast.Expr
    terms: Mapping[str, Term] = field(default_factory=dict)


@frozen()
class Total:
    """A sum of any number of terms, some of them taken away."""

    parts: tuple[tuple[bool, Term], ...]
    """Whether each is taken away, and the term."""


Term: TypeAlias = Name | Amount | Applied | Formula | Total

_HOLE = re.compile(r"\{(\w+)\}")
_CALL = re.compile(r"([^\W\d]\w*)\(\{\w+\}\)")


@cache
def _operators(paper: str) -> ast.Expr | None:
    """The tree of an operation's text on paper if that is an operator or a power."""
    text = _HOLE.sub(r"\1", paper.replace("²", "^2"))
    try:
        tree = parse_expression(Source(text, "<paper>"))
    except SpecError:
        return None
    operators = (ast.Binary, ast.Unary, ast.IfElse)
    return tree if isinstance(tree, operators) and "‖" not in paper else None


def turned(term: Term | None) -> Term | None:
    """The transpose of a name or of numbers, if it has a name or numbers of its own."""
    if isinstance(term, Amount) or (isinstance(term, Name) and not term.arriving):
        return replace(term, turned=not term.turned)
    return None
