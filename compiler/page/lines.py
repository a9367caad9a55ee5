"""Which items each line of a generated module is about.

A statement of the forward pass says the line of the specification behind it; above one of the
backward pass stands the operation whose rule it applies.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence

from ...dsl.frozen import frozen
from ...dsl.source import Source
from ..comments import BackwardComments
from ..outline import Item

_PLACE = re.compile(r"  # line (\d+)$")
_REMARK = re.compile(r"# (?:The same gradient arrives at )?(.*?)(?: is used | was broadcast|\.$)")
_NAME = re.compile(r"[^\W\d]\w*")
_KEPT = re.compile(r"\s*([^\W\d]\w*)\[\w+\] = \w+$")
# What stands before the first statement: arguments, sizes, room for the steps of loops.
_SETTING = re.compile(
    r" = (?:_inputs\(|map\(float|\w+\.shape\[|\w+\.dtype$|cache$|np\.(?:empty|zeros)\()"
    r"| = (?:\w+\.type\()?float\(|^\s*for | = list\[|\.append\("
)


@frozen()
class Line:
    """A line of code; ``ids`` are the items whose value or, ``backward``, gradient it computes."""

    text: str
    ids: tuple[str, ...] = ()
    backward: bool = False
    function: str = ""


def code_lines(text: str, source: Source, items: Iterable[Item]) -> list[Line]:
    """The lines of the module of a specification."""
    known = _Known(source, list(items))
    lines = [Line(line) for line in text.splitlines()]
    for function in ast.parse(text).body:
        if isinstance(function, ast.FunctionDef) and not function.name.startswith("_"):
            first, end = function.body[0].lineno - 1, function.end_lineno or 0
            if _is_text(function.body[0]):
                first = function.body[0].end_lineno or first
            for place in range(function.lineno - 1, first):
                lines[place] = Line(lines[place].text, function=function.name)
            lines[first:end] = _Function(known, lines[first:end], function).lines()
    return lines


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


class _Known:
    """Items by the texts that comments of generated code have."""

    def __init__(self, source: Source, items: Sequence[Item]) -> None:
        self.source = source
        self.items = items
        comments = BackwardComments(source, (), {})
        self.heads: dict[str, list[str]] = {}
        self.named: dict[str, list[str]] = {}
        self.loops: dict[int, list[str]] = {}
        for item in items:
            if item.operation.name or item.is_input:
                self.named.setdefault(item.label, []).append(item.id)
            if not item.is_input:
                self.heads.setdefault(_spaced(comments.head(item.operation)), []).append(item.id)
            if item.loop is not None:
                self.loops.setdefault(item.loop.index.span.line, []).append(item.id)

    def of_line(self, line: int, target: str) -> list[str]:
        """The items that a statement of this line computes: those of the whole expression, and of
        the functions that it calls."""
        there = [i for i in self.items if i.span.source is self.source and i.span.line == line]
        own = [i for i in there if not i.is_input and i.operation.name and i.label == target]
        around = own or [i for i in there if not i.is_input]
        spans = [item.span for item in around]
        inner = (i for i in self.items if not i.is_input and i.span.source is self.source)
        found = [
            i for i in inner if any(s.start <= i.span.start and i.span.end <= s.end for s in spans)
        ]
        stack = list(found)
        while stack:
            for operand in stack.pop().operands:
                called = operand.span.source is not self.source
                if called and operand not in found and not operand.is_input:
                    found.append(operand)
                    stack.append(operand)
        return [item.id for item in found]

    def using(self, ids: list[str], operands: Sequence[str]) -> list[str]:
        """Those of some items that have one of the operands, or all where none has."""
        users = [i.id for i in self.items if i.id in ids
                 and any(operand.id in operands for operand in i.operands)]  # fmt: skip
        alike = len({i.formula for i in self.items if i.id in ids}) == 1
        return users if users and alike else ids

    def of_comment(self, text: str) -> list[str]:
        """The items that a comment above a statement names."""
        loop = re.match(r"# The loop over \w+ \(line (\d+)\)", text)
        if loop:
            return self.loops.get(int(loop[1]), [])
        text = _spaced(text)
        for head, ids in self.heads.items():
            if text.startswith(head) or (text.endswith("...") and head.startswith(text[:-3])):
                return ids
        remark = _REMARK.match(text)
        names = _NAME.findall(remark[1]) if remark else []
        return [id_ for name in names for id_ in self.named.get(name, [])]


class _Function:
    """The lines of one function, gone through from its first statement to its last."""

    def __init__(self, known: _Known, lines: Sequence[Line], function: ast.FunctionDef) -> None:
        self.known = known
        self.texts = [line.text for line in lines]
        self.name = function.name
        self.backward = False
        self.current: list[list[str]] = []
        """Alternatives for each comment above a statement of the backward pass."""
        self.waiting: list[str] = []
        """Statements and comments of the forward pass above one that says its line."""

    def lines(self) -> Iterator[Line]:
        above, depth = False, 0
        for text in self.texts:
            bare = text.strip()
            if bare.startswith("#"):
                yield from self.comment(text, above)
                above = True
                continue
            above = False
            indent = len(text) - len(text.lstrip())
            if indent < depth:  # A block has ended.
                yield from self.flush()
                self.current = []
            depth = indent
            if self.backward:
                yield Line(text, self.of_gradient(text), True, self.name)
            else:
                yield from self.statement(text)
        yield from self.flush()

    def comment(self, text: str, above: bool) -> Iterator[Line]:
        """A comment, perhaps one below another one of the same statement."""
        ids = self.known.of_comment(text.strip())
        if ids:
            yield from self.flush()
            self.backward = True
            self.current = [*(self.current if above else ()), ids]
        if self.backward:
            yield Line(text, _joined(self.current), True, self.name)
        else:
            self.waiting.append(text)

    def of_gradient(self, text: str) -> tuple[str, ...]:
        """The items of a statement of the backward pass. Where several are written alike, it is
        that which the name on the left is an operand of."""
        target = re.match(r"\s*d_([^\W\d]\w*) \+?= ", text)
        if text.strip().startswith(("return", "if out ")):
            self.current = []
        received = self.known.named.get(target[1], []) if target else []
        if not self.current:
            return tuple(received)
        return _joined([self.known.using(ids, received) for ids in self.current])

    def statement(self, text: str) -> Iterator[Line]:
        """One of the forward pass, with those above that it needs."""
        place, kept = _PLACE.search(text), _KEPT.match(text)
        if kept or _SETTING.search(text) or text.strip().startswith("return"):
            yield from self.flush()
            ids = self.known.named.get(kept[1], []) if kept else []
            yield Line(text, tuple(ids), False, self.name)
            return
        self.waiting.append(text)
        if place:
            target = re.match(r"\s*([^\W\d]\w*)(?:\[.*\])? \+?= ", text)
            yield from self.flush(self.known.of_line(int(place[1]), target[1] if target else ""))

    def flush(self, ids: Sequence[str] = ()) -> Iterator[Line]:
        """What was waiting: the last statement is about these items, and so is what it needs."""
        needed = set(_NAME.findall(self.waiting[-1])) if self.waiting else set()
        lines = []
        for text in reversed(self.waiting):
            target = re.match(r"\s*([^\W\d]\w*) = ", text)
            used = target is None or target[1] in needed
            lines.append(Line(text, tuple(ids) if used else (), False, self.name))
            needed |= set(_NAME.findall(text)) if used else set()
        self.waiting = []
        yield from reversed(lines)


def _joined(groups: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(id_ for ids in groups for id_ in ids))
