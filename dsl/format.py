"""The canonical text of a tree: one declaration a line, as few parentheses as the grammar allows.

Comments stay where they stand: above a declaration, behind it, or inside a block.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from . import ast
from .source import Source
from .wrapping import wrapped

_INDENT = "  "

# How tightly each form binds, as in the grammar.
_IF, _OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _SIGN, _POWER, _POSTFIX = range(10)
_LEVELS = {
    "or": _OR, "and": _AND, "+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "//": _PRODUCT,
    "%": _PRODUCT, "@": _PRODUCT, "^": _POWER,
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), _COMPARE),
}  # fmt: skip


# ── Expressions ─────────────────────────────────────────────────────────────


def expression_text(expr: ast.Item, names: Mapping[str, str] | None = None) -> str:
    """An expression; ``names`` replaces names by other text. Without recursion."""
    renamed = names or {}
    # Work items are texts to write, or pairs of an expression and the level its place asks for.
    work: list[str | tuple[ast.Item, int]] = [(expr, _IF)]
    parts: list[str] = []
    while work:
        item = work.pop()
        if isinstance(item, str):
            parts.append(item)
            continue
        tree, level = item
        pieces = list(_pieces(tree, renamed))
        if _level(tree) < level:
            pieces = ["(", *pieces, ")"]
        work.extend(reversed(pieces))
    return "".join(parts)


def _level(tree: ast.Item) -> int:
    match tree:
        case ast.IfElse():
            return _IF
        case ast.Binary():
            return _LEVELS[tree.operator]
        case ast.Unary():
            return _NOT if tree.operator == "not" else _SIGN
    return _POSTFIX


def _pieces(tree: ast.Item, names: Mapping[str, str]) -> Iterator[str | tuple[ast.Item, int]]:
    match tree:
        case ast.Number():
            yield tree.text
        case ast.Constant():
            yield tree.name
        case ast.String():
            yield f'"{tree.value}"'
        case ast.Name():
            yield names.get(tree.id, tree.id)
        case ast.NextState():
            yield f"next {tree.name.id}"
        case ast.Binary():
            level = _LEVELS[tree.operator]
            space = "" if tree.operator == "^" else " "
            # A power binds its left operand more tightly, its right one as a signed power.
            left, right = (_POSTFIX, _SIGN) if level == _POWER else (level, level + 1)
            yield tree.left, left
            yield f"{space}{tree.operator}{space}"
            yield tree.right, right
        case ast.Unary():
            yield "not " if tree.operator == "not" else "-"
            yield tree.operand, _NOT if tree.operator == "not" else _SIGN
        case ast.IfElse():
            yield from ("if ", (tree.condition, _IF), " then ", (tree.then, _IF))
            yield from (" else ", (tree.otherwise, _IF))
        case ast.Transpose():
            yield tree.operand, _POSTFIX
            yield ".T"
        case ast.Call():
            arguments: list[list[str | tuple[ast.Item, int]]] = [[(a, _IF)] for a in tree.arguments]
            arguments += [[f"{name.id}=", (value, _IF)] for name, value in tree.keywords]
            yield f"{tree.function.id}("
            yield from _separated(arguments)
            yield ")"
        case ast.Subscript():
            yield tree.base, _POSTFIX
            yield from ("[", *_separated([[(i, _IF)] for i in tree.items]), "]")
        case ast.Reduction():
            yield tree.function.id
            yield from ("[", *_separated([[(i, _IF)] for i in tree.indices]), "](")
            yield tree.body, _IF
            yield ")"
        case ast.Array():
            yield from ("[", *_separated([[(i, _IF)] for i in tree.items]), "]")
        case ast.Slice():
            for position, part in enumerate((tree.start, tree.stop, tree.step)):
                if position == 1 or (position == 2 and part is not None):
                    yield ":"
                if part is not None:
                    yield part, _IF
        case ast.Ellipsis():
            yield "..."
        case ast.IndexRange():
            yield f"{tree.name.id} in "
            yield from ((tree.start, _SUM), "..", (tree.stop, _SUM))


def _separated(
    items: Sequence[Sequence[str | tuple[ast.Item, int]]],
) -> Iterator[str | tuple[ast.Item, int]]:
    for position, item in enumerate(items):
        if position:
            yield ", "
        yield from item


# ── Declarations ────────────────────────────────────────────────────────────


def _names(names: Iterable[ast.Name]) -> str:
    return ", ".join(name.id for name in names)


def type_text(written: ast.Type) -> str:
    shape = ", ".join(expression_text(size) for size in written.shape)
    return f"{written.name.id}[{shape}]" if shape else written.name.id


def _target(target: ast.Target) -> str:
    text = _names(target.names)
    if target.indices:
        text += f"[{', '.join(expression_text(i) for i in target.indices)}]"
    return text + (f": {type_text(target.type)}" if target.type else "")


def _domain(domain: ast.Bound | ast.Range | None) -> str:
    if domain is None:
        return ""
    if isinstance(domain, ast.Bound):
        return f" {domain.operator} {expression_text(domain.limit)}"
    return f" in {expression_text(domain.start)}..{expression_text(domain.stop)}"


def _parameter(parameter: ast.Parameter) -> str:
    text = parameter.name.id
    if parameter.type:
        text += f": {type_text(parameter.type)}"
    if parameter.default is not None:
        text += f" = {expression_text(parameter.default)}"
    return text


def _head(statement: ast.Statement) -> str:
    """The text of a declaration, up to the brace if it has a block."""
    match statement:
        case ast.Input():
            text = f"{statement.keyword} {_names(statement.names)}: {type_text(statement.type)}"
            return text + _domain(statement.domain)
        case ast.Size():
            value = statement.value
            return f"size {statement.name.id}" + (
                f" = {expression_text(value)}" if value is not None else ""
            )
        case ast.Node():
            value = statement.value
            return f"{statement.keyword} {_target(statement.target)} = {expression_text(value)}"
        case ast.OutputExisting():
            return f"output {statement.name.id}"
        case ast.Objective():
            return f"objective {statement.name.id}"
        case ast.Return():
            return f"return {', '.join(map(expression_text, statement.values))}"
        case ast.Def():
            parameters = ", ".join(map(_parameter, statement.parameters))
            head = f"def {statement.name.id}({parameters})"
            if statement.block:
                return head
            (result,) = statement.body
            assert isinstance(result, ast.Return)
            return f"{head} = {expression_text(result.values[0])}"
        case ast.Rule():
            results = _names(statement.results)
            results = f"({results})" if statement.several else results
            head = f"rule {statement.name.id}({_names(statement.parameters)}) -> {results}"
            return head + (" unchecked" if statement.unchecked else "")
        case ast.Use():
            names = f": {_names(statement.names)}" if statement.names else ""
            return f'use "{statement.path.value}"{names}'
        case ast.Scan():
            bounds = f"{expression_text(statement.start)}..{expression_text(statement.stop)}"
            until = statement.until
            tail = f" until {expression_text(until)}" if until is not None else ""
            return f"scan {statement.index.id} in {bounds}{tail}"
        case ast.Example():
            return f"example {statement.name.id}"
    return _clause(statement)


def _clause(clause: ast.Given | ast.Expect | ast.Rounding) -> str:
    match clause:
        case ast.Given():
            pairs = (f"{name.id} = {expression_text(v)}" for name, v in clause.bindings)
            return f"given {', '.join(pairs)}"
        case ast.Expect():
            items = []
            for item in clause.items:
                target = f"grad({item.name.id})" if item.gradient else item.name.id
                items.append(f"{target} = {expression_text(item.value)}")
            within = clause.within
            tail = f" within {expression_text(within)}" if within is not None else ""
            return f"expect {', '.join(items)}{tail}"
    return f"round {clause.digits.text}"


def _block(statement: ast.Statement) -> Sequence[ast.Statement] | None:
    match statement:
        case ast.Def(block=True):
            return statement.body
        case ast.Scan():
            return statement.body
        case ast.Example():
            return statement.clauses
    return None


# ── Files ───────────────────────────────────────────────────────────────────


@dataclass
class _Writer:
    source: Source
    comments: list[ast.Comment]
    lines: list[str] = field(default_factory=list)
    last_line: int = 0

    def comments_before(self, offset: int, indent: str) -> None:
        while self.comments and self.comments[0].span.start < offset:
            comment = self.comments.pop(0)
            if self._behind(comment):
                self.lines[-1] += f"  {comment.text}"
                continue
            self.blank_line(comment.span.line)
            self.lines.append(indent + comment.text)
            self.last_line = comment.span.line

    def _behind(self, comment: ast.Comment) -> bool:
        """Whether a comment stands behind what was written last, on its line."""
        return bool(self.lines) and comment.span.line == self.last_line

    def blank_line(self, line: int) -> None:
        """One blank line where the source has one or more."""
        if self.lines and line > self.last_line + 1 and not self.lines[-1].endswith("{"):
            self.lines.append("")

    def statement(self, statement: ast.Statement, indent: str) -> None:
        span = statement.span
        self.comments_before(span.start, indent)
        self.blank_line(span.line)
        body = _block(statement)
        if isinstance(statement, ast.Rule):
            self.rule(statement, indent)
        elif body is None:
            inner = self.inner_comments(span.end, indent)
            self.lines += inner + wrapped(indent + _head(statement), indent)
        else:
            self.lines.append(f"{indent}{_head(statement)} {{")
            opening = self.source.text.find("{", span.start)
            self.last_line = self.source.line_of(max(opening, span.start))
            for child in body:
                self.statement(child, indent + _INDENT)
            self.comments_before(span.end, indent + _INDENT)
            self.lines.append(indent + "}")
        self.last_line = self.source.line_of(max(span.end - 1, span.start))

    def inner_comments(self, end: int, indent: str) -> list[str]:
        """Comments between the lines of a declaration go above it: it becomes one line."""
        found = []
        while self.comments and self.comments[0].span.start < end:
            found.append(indent + self.comments.pop(0).text)
        return found

    def rule(self, rule: ast.Rule, indent: str) -> None:
        self.lines.append(f"{indent}{_head(rule)} {{")
        self.last_line = rule.span.line
        for name, value in rule.entries:
            self.comments_before(name.span.start, indent + _INDENT)
            inner = self.inner_comments(value.span.end, indent + _INDENT)
            line = f"{indent}{_INDENT}{name.id} = {expression_text(value)}"
            self.lines += inner + wrapped(line, indent + _INDENT)
            self.last_line = self.source.line_of(value.span.end - 1)
        self.comments_before(rule.span.end, indent + _INDENT)
        self.lines.append(indent + "}")


def format_program(program: ast.Program) -> str:
    """The canonical text of a file; formatting it again gives the same text."""
    writer = _Writer(program.source, list(program.comments))
    for declaration in program.declarations:
        writer.statement(declaration, "")
    writer.comments_before(len(program.source.text) + 1, "")
    return "".join(line.rstrip() + "\n" for line in writer.lines)
