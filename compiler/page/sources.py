"""The files of a specification as HTML, each piece marked with the items that come from it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources

from ...dsl import ast
from ...dsl.frozen import frozen
from ...dsl.source import Source
from ..outline import Item, Outline
from .marks import Mark, coloured, items_mark, marked

_NAME = re.compile(r"[^\W\d]\w*")


@frozen()
class Excerpt:
    """A stretch of a file: ``html`` and the number of its first line."""

    name: str
    first: int
    html: str
    count: int


def all_items(outline: Outline) -> Iterator[Item]:
    """The items of an outline and those of the steps of its loops, each loop once."""
    loops = set()
    for item in outline.items:
        yield item
        if item.loop is not None and item.loop not in loops:
            loops.add(item.loop)
            yield from all_items(outline.step(item))


@cache
def keywords() -> frozenset[str]:
    """The words that the grammar keeps for itself."""
    grammar = resources.files("gradc.grammars").joinpath("grad.lark").read_text("utf-8")
    return frozenset(re.findall(r'^[A-Z]+: "([a-z]+)"$', grammar, re.MULTILINE))


def excerpts(program: ast.Program, items: Iterable[Item]) -> list[Excerpt]:
    """The whole of the specification, and of other files the functions that items come from."""
    items = list(items)
    own = [excerpt(program.source, _marks(program, items), 0, len(program.source.text))]
    others: dict[Source, list[Item]] = {}
    for item in items:
        if item.span.source is not program.source:
            others.setdefault(item.span.source, []).append(item)
    for source, inside in others.items():
        for start, end in _functions(source.text, inside):
            own.append(excerpt(source, _pieces(inside), start, end))
    return own


def excerpt(source: Source, marks: Iterable[Mark], start: int, end: int) -> Excerpt:
    text = source.text
    colours = coloured(text[start:end], keywords(), start)
    html = marked(text, [*marks, *colours], start, end)
    return Excerpt(source.name, source.line_of(start), html, text.count("\n", start, end) + 1)


def _pieces(items: Iterable[Item]) -> list[Mark]:
    """The pieces that items are written as; the same piece may be that of several."""
    found: dict[tuple[int, int], list[str]] = {}
    for item in items:
        found.setdefault((item.span.start, item.span.end), []).append(item.id)
    return [items_mark(start, end, dict.fromkeys(ids)) for (start, end), ids in found.items()]


def _marks(program: ast.Program, items: Iterable[Item]) -> list[Mark]:
    """The pieces of the specification, and the names of items wherever they stand."""
    own = [item for item in items if item.span.source is program.source]
    pieces = _pieces(own)
    taken = {(mark.start, mark.end) for mark in pieces}
    named: dict[str, list[str]] = {}
    for item in own:
        if item.operation.name or item.is_input:
            named.setdefault(item.label, []).append(item.id)
    bodies = [d.span for d in program.declarations if isinstance(d, ast.Def)]
    text = program.source.text
    silent = [(m.start(), m.end()) for m in re.finditer(r"#.*|\"[^\"\n]*\"", text)]
    silent += [(span.start, span.end) for span in bodies if span.source is program.source]
    for match in _NAME.finditer(text):
        place = match.span()
        if match[0] not in named or place in taken:
            continue
        if not any(start <= place[0] < end for start, end in silent):
            pieces.append(items_mark(*place, named[match[0]]))
    return pieces


def _functions(text: str, items: Iterable[Item]) -> list[tuple[int, int]]:
    """The functions of a file that items stand in, from the line of ``def`` to the next one."""
    starts = [m.start() for m in re.finditer(r"^(?=\S)(?!#|\})", text, re.MULTILINE)]
    found: dict[int, tuple[int, int]] = {}
    for item in items:
        at = max((s for s in starts if s <= item.span.start), default=0)
        after = min((s for s in starts if s > item.span.start), default=len(text))
        end = at + len(_without_comments_below(text[at:after]))
        found[at] = (at, max(end, item.span.end))
    return [found[at] for at in sorted(found)]


def _without_comments_below(text: str) -> str:
    """A declaration without the comment that belongs to the next one."""
    lines = text.rstrip().split("\n")
    while len(lines) > 1 and (not lines[-1].strip() or lines[-1].startswith("#")):
        lines.pop()
    return "\n".join(lines)
