"""What a name means, and the collecting of what is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import ast
from .errors import Diagnostic
from .frozen import frozen
from .graph import Node
from .ops import OPS
from .sizes import Size
from .source import Source, Span
from .subscripts import Condition


@frozen()
class Static:
    """A compile-time constant that is not a number of the graph: an axis list, a flag, a shape."""

    value: Any


@dataclass
class Scope:
    """The names an expression sees. ``None`` stands for a node that is already reported wrong.

    ``declared`` says where each name was introduced, for messages, and ``hidden`` where names of
    the file are that this scope does not see.
    """

    values: dict[str, Node | Static | None] = field(default_factory=dict)
    sizes: dict[str, Size] = field(default_factory=dict)
    declared: dict[str, Span] = field(default_factory=dict)
    prefix: str = ""
    hidden: Mapping[str, Span] = field(default_factory=dict)

    def names(self) -> list[str]:
        return [*self.values, *self.sizes]


@dataclass
class Report:
    """The diagnostics and size conditions found so far, each once."""

    diagnostics: list[Diagnostic] = field(default_factory=list)
    conditions: list[tuple[Condition, Span]] = field(default_factory=list)
    _seen: set[tuple[str, Span]] = field(default_factory=set)

    def __call__(self, diagnostic: Diagnostic) -> None:
        key = diagnostic.code, diagnostic.span
        if key not in self._seen:
            self._seen.add(key)
            self.diagnostics.append(diagnostic)


@frozen()
class Functions:
    """The functions of a file and, behind them, those of the library written in the language.

    Their bodies see the file's ``sizes``, and nothing else of it; ``hidden`` are the places of the
    names they do not see. ``files`` are the functions that other texts see: a used file, the
    library. Not ``complete`` where a used file could not be read.
    """

    own: Mapping[str, ast.Def]
    prelude: Mapping[str, ast.Def]
    sizes: Mapping[str, Size] = field(default_factory=dict)
    files: Mapping[Source, Mapping[str, ast.Def]] = field(default_factory=dict)
    hidden: Mapping[str, Span] = field(default_factory=dict)
    complete: bool = True
    rules: Mapping[Span, ast.Rule] = field(default_factory=dict)
    """The derivatives that files give for their functions, by the place of the function's name."""

    def visible(self, source: Source) -> Mapping[str, ast.Def]:
        return self.files.get(source, self.own)

    def find(self, name: str, source: Source) -> ast.Def | None:
        return self.visible(source).get(name) or self.prelude.get(name)

    def names(self, source: Source) -> list[str]:
        """All functions that can be called in a text."""
        public = [op.name for op in OPS.values() if op.public]
        return [*self.visible(source), *self.prelude, *public]


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name a person probably meant."""
    known = list(known)
    if len(name) > 100:
        return None
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
    if close:
        return close[0]
    return next((k for k in known if k.casefold() == name.casefold()), None)
