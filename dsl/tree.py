"""Builds the syntax tree: one method for each rule of the grammar, called as it is reduced.

Children are tokens and trees, in the order of the grammar, no token left out.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

from lark import Token

from . import ast
from .errors import Diagnostic, mistakes
from .source import Source, Span

Children = Sequence[Any]
_COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")


class TreeBuilder:
    """The callbacks of one parser. ``begin`` sets the source of the next run."""

    def begin(self, source: Source) -> None:
        self.source = source
        self.errors: list[Diagnostic] = []
        self.comments: list[ast.Comment] = []
        self._doc_lines: dict[int, str] = {}
        self._bad_names: set[str] = set()

    # ── Helpers ─────────────────────────────────────────────────────────────

    def span(self, children: Children) -> Span:
        """From the first child to the last, both of which are tokens or trees."""
        return Span(self.source, _start(children[0]), _end(children[-1]))

    def comment(self, token: Token) -> Token:
        """Called by the lexer for every comment, which the grammar then ignores."""
        assert token.start_pos is not None and token.end_pos is not None
        span = Span(self.source, token.start_pos, token.end_pos)
        text = str(token).rstrip()
        self.comments.append(ast.Comment(span, text))
        line_start = self.source.line_starts[span.line - 1]
        if text.startswith("##") and not self.source.text[line_start : span.start].strip():
            self._doc_lines[span.line] = text[2:].removeprefix(" ")
        return token

    def file_doc(self) -> str:
        if not self._doc_lines:
            return ""
        line = min(self._doc_lines)
        lines = []
        while line in self._doc_lines:
            lines.append(self._doc_lines[line])
            line += 1
        return "\n".join(lines).strip()

    def doc(self, span: Span) -> str:
        """The block of ``##`` lines that ends right above ``span``, unless it is the file's."""
        if not self._doc_lines:
            return ""
        line = span.line - 1
        lines = []
        while line in self._doc_lines:
            lines.append(self._doc_lines[line])
            line -= 1
        if not lines or line + 1 == min(self._doc_lines):
            return ""
        return "\n".join(reversed(lines)).strip()

    # ── Declarations ────────────────────────────────────────────────────────

    def start(self, c: Children) -> ast.Program:
        return ast.Program(self.source, tuple(c), tuple(self.comments), self.file_doc())

    def input(self, c: Children) -> ast.Input:
        span = self.span(c)
        domain = c[4] if len(c) > 4 else None
        return ast.Input(span, str(c[0]), c[1], c[3], domain, self.doc(span))

    data = input

    def size(self, c: Children) -> ast.Size:
        span = self.span(c)
        return ast.Size(span, c[1], c[3] if len(c) > 2 else None, self.doc(span))

    def names(self, c: Children) -> tuple[ast.Name, ...]:
        return tuple(_operands(c))

    def type(self, c: Children) -> ast.Type:
        return ast.Type(self.span(c), c[0], tuple(_operands(c[2:-1])))

    def bound(self, c: Children) -> ast.Bound:
        return ast.Bound(self.span(c), str(c[0]), c[1])

    def range(self, c: Children) -> ast.Range:
        return ast.Range(self.span(c), c[1], c[3])

    def target(self, c: Children) -> ast.Target:
        names = c[0]
        indices: tuple[ast.Item, ...] = ()
        written: ast.Type | None = None
        end = names[-1].span
        for child in c[1:]:
            if isinstance(child, ast.Type):
                written, end = child, child.span
            elif isinstance(child, list):
                indices, end = tuple(_operands(child[1:-1])), self.span(child)
        return ast.Target(names[0].span.to(end), names, indices, written)

    def indices(self, c: Children) -> list[Any]:
        return list(c)

    def node(self, c: Children) -> ast.Node:
        span = self.span(c)
        return ast.Node(span, str(c[0]), c[1], c[3], self.doc(span))

    output = state = next = emit = node

    def output_existing(self, c: Children) -> ast.OutputExisting:
        span = self.span(c)
        return ast.OutputExisting(span, c[1], self.doc(span))

    def objective(self, c: Children) -> ast.Objective:
        span = self.span(c)
        return ast.Objective(span, c[1], self.doc(span))

    def def_expression(self, c: Children) -> ast.Def:
        body = (ast.Return(c[-1].span, (c[-1],)),)
        return self._def(c, body, block=False)

    def def_block(self, c: Children) -> ast.Def:
        opening = next(i for i, child in enumerate(c) if str(child) == "{")
        return self._def(c, tuple(c[opening + 1 : -1]), block=True)

    def _def(self, c: Children, body: tuple[Any, ...], *, block: bool) -> ast.Def:
        span = self.span(c)
        parameters = c[3] if isinstance(c[3], tuple) else ()
        return ast.Def(span, c[1], parameters, body, block, self.doc(span))

    def parameters(self, c: Children) -> tuple[ast.Parameter, ...]:
        return tuple(_operands(c))

    def parameter(self, c: Children) -> ast.Parameter:
        written = next((child for child in c if isinstance(child, ast.Type)), None)
        default = c[-1] if len(c) > 1 and not isinstance(c[-1], ast.Type) else None
        return ast.Parameter(self.span(c), c[0], written, default)

    def return_(self, c: Children) -> ast.Return:
        return ast.Return(self.span(c), tuple(_operands(c[1:])))

    def rule(self, c: Children) -> ast.Rule:
        span = self.span(c)
        names, several = c[6]
        unchecked = isinstance(c[7], Token) and c[7].type == "UNCHECKED"
        entries = tuple(c[9 if unchecked else 8 : -1])
        doc = self.doc(span)
        return ast.Rule(span, c[1], c[3], names, several, unchecked, entries, doc)

    def one_result(self, c: Children) -> tuple[tuple[ast.Name, ...], bool]:
        return (c[0],), False

    def several_results(self, c: Children) -> tuple[tuple[ast.Name, ...], bool]:
        return c[1], True

    def rule_entry(self, c: Children) -> tuple[ast.Name, ast.Expr]:
        return c[0], c[2]

    def use(self, c: Children) -> ast.Use:
        span = Span(self.source, c[0].start_pos, _end(c[-1]))
        names = c[3] if len(c) > 3 else ()
        return ast.Use(span, self.string([c[1]]), names, self.doc(span))

    def scan(self, c: Children) -> ast.Scan:
        span = self.span(c)
        until = c[7] if str(c[6]) == "until" else None
        body = tuple(c[9 if until is not None else 7 : -1])
        return ast.Scan(span, c[1], c[3], c[5], until, body, self.doc(span))

    # ── Examples ────────────────────────────────────────────────────────────

    def example(self, c: Children) -> ast.Example:
        span = self.span(c)
        return ast.Example(span, c[1], tuple(c[3:-1]), self.doc(span))

    def given(self, c: Children) -> ast.Given:
        bindings = tuple(_operands(c[1:]))
        return ast.Given(Span(self.source, c[0].start_pos, bindings[-1][1].span.end), bindings)

    def binding(self, c: Children) -> tuple[ast.Name, ast.Expr]:
        return c[0], c[2]

    def expect(self, c: Children) -> ast.Expect:
        within = c[-1] if isinstance(c[-2], Token) and c[-2].type == "WITHIN" else None
        items = c[1:] if within is None else c[1:-2]
        return ast.Expect(self.span(c), tuple(_operands(items)), within)

    def expect_value(self, c: Children) -> ast.Expectation:
        return ast.Expectation(self.span(c), c[0], False, c[2])

    def expect_gradient(self, c: Children) -> ast.Expectation:
        if c[0].id != "grad":
            self.errors.append(mistakes.not_an_expectation(c[0].span))
        return ast.Expectation(self.span(c), c[2], True, c[5])

    def rounding(self, c: Children) -> ast.Rounding:
        digits = self.number([c[1]])
        if not digits.text.isdigit() or digits.value > 15:
            self.errors.append(mistakes.bad_rounding(digits.span))
        return ast.Rounding(self.span(c), digits)

    # ── Expressions ─────────────────────────────────────────────────────────

    def name(self, c: Children) -> ast.Name:
        token = c[0]
        span = Span(self.source, token.start_pos, token.end_pos)
        text = str(token)
        if not text.isascii():
            if not text.isidentifier() and text not in self._bad_names:
                self._bad_names.add(text)
                self.errors.append(mistakes.bad_name(span, text))
            text = unicodedata.normalize("NFKC", text)
        return ast.Name(span, text)

    def reference(self, c: Children) -> ast.Name:
        return c[0]  # type: ignore[no-any-return]

    def number(self, c: Children) -> ast.Number:
        return ast.Number(self.span(c), str(c[0]))

    def string(self, c: Children) -> ast.String:
        return ast.String(self.span(c), str(c[0])[1:-1])

    def constant(self, c: Children) -> ast.Constant:
        return ast.Constant(self.span(c), str(c[0]))

    def next_state(self, c: Children) -> ast.NextState:
        return ast.NextState(self.span(c), c[1])

    def if_else(self, c: Children) -> ast.IfElse:
        return ast.IfElse(self.span(c), c[1], c[3], c[5])

    def binary(self, c: Children) -> ast.Binary:
        operator = "^" if c[1] == "**" else str(c[1])
        left = c[0]
        if operator in _COMPARISONS and isinstance(left, ast.Binary):
            parenthesised = self.source.text[left.span.start] == "("
            if left.operator in _COMPARISONS and not parenthesised:
                self.errors.append(mistakes.chained_comparison(self.span(c), left, operator, c[2]))
        return ast.Binary(self.span(c), operator, left, c[2])

    def unary(self, c: Children) -> ast.Unary:
        return ast.Unary(self.span(c), str(c[0]), c[1])

    def transpose(self, c: Children) -> ast.Transpose:
        return ast.Transpose(self.span(c), c[0])

    def parenthesised(self, c: Children) -> ast.Expr:
        """The expression itself, its span widened by the parentheses."""
        inner = c[1]
        values = [getattr(inner, name) for name in inner.__slots__[1:]]
        return type(inner)(self.span(c), *values)  # type: ignore[no-any-return]

    def array(self, c: Children) -> ast.Array:
        return ast.Array(self.span(c), tuple(_operands(c[1:-1])))

    def call(self, c: Children) -> ast.Call:
        positional: list[ast.Expr] = []
        keywords: list[tuple[ast.Name, ast.Expr]] = []
        for name, value in _operands(c[2:-1]):
            if name is not None:
                keywords.append((name, value))
            elif keywords:
                self.errors.append(mistakes.positional_after_keyword(value.span))
            else:
                positional.append(value)
        return ast.Call(self.span(c), c[0], tuple(positional), tuple(keywords))

    def positional(self, c: Children) -> tuple[None, ast.Expr]:
        return None, c[0]

    def keyword(self, c: Children) -> tuple[ast.Name, ast.Expr]:
        return c[0], c[2]

    def subscript(self, c: Children) -> ast.Subscript:
        items = tuple(_operands(c[2:-1]))
        for item in items:
            if isinstance(item, ast.IndexRange):
                self.errors.append(mistakes.range_in_subscript(item.span))
        return ast.Subscript(self.span(c), c[0], items)

    def reduction(self, c: Children) -> ast.Expr:
        items = tuple(_operands(c[2:-4]))
        if not isinstance(c[0], ast.Name):
            self.errors.append(mistakes.not_a_reduction(c[0].span))
            return c[0]  # type: ignore[no-any-return]
        return ast.Reduction(self.span(c), c[0], items, c[-2])

    def item_expression(self, c: Children) -> ast.Expr:
        return c[0]  # type: ignore[no-any-return]

    def item_ellipsis(self, c: Children) -> ast.Ellipsis:
        return ast.Ellipsis(self.span(c))

    def item_slice(self, c: Children) -> ast.Slice:
        parts: list[ast.Expr | None] = [None, None, None]
        position = 0
        for child in c:
            if isinstance(child, Token):
                position += 1
            else:
                parts[position] = child
        return ast.Slice(self.span(c), *parts)

    def item_range(self, c: Children) -> ast.IndexRange:
        return ast.IndexRange(self.span(c), c[0], c[2], c[4])


# ``return`` is a keyword of Python, so its callback cannot be written as a method of that name.
setattr(TreeBuilder, "return", TreeBuilder.return_)


def _operands(children: Children) -> list[Any]:
    """The children between the commas."""
    return list(children[::2])


def _start(child: Any) -> Any:
    position: Any = child.start_pos if isinstance(child, Token) else child.span.start
    return position


def _end(child: Any) -> Any:
    if isinstance(child, tuple):
        child = child[-1]
    position: Any = child.end_pos if isinstance(child, Token) else child.span.end
    return position
