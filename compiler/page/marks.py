"""Text as HTML: pieces of it marked with the items they belong to, and coloured like code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape

from ...dsl.frozen import frozen


@frozen()
class Mark:
    """The characters ``start <= i < end``, in an element with these attributes.

    Marks lie inside one another or apart.
    """

    start: int
    end: int
    attributes: tuple[tuple[str, str], ...]


_TOKENS = re.compile(
    r"""(?P<comment>\#.*)|(?P<text>\"\"\"[\s\S]*?\"\"\"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')"""
    r"""|(?P<number>(?<![\w.])\d[\w.]*)|(?P<word>[^\W\d]\w*)"""
)


def items_mark(start: int, end: int, ids: Iterable[str]) -> Mark:
    """A piece that lights up with some items."""
    return Mark(start, end, (("data-node", " ".join(ids)),))


def coloured(text: str, keywords: Iterable[str], offset: int = 0) -> Iterator[Mark]:
    """The comments, texts, numbers and keywords of a piece of code that begins at an offset."""
    words = frozenset(keywords)
    for match in _TOKENS.finditer(text):
        sort = match.lastgroup or ""
        if sort == "word" and match[0] not in words:
            continue
        sort = "keyword" if sort == "word" else sort
        yield Mark(offset + match.start(), offset + match.end(), (("class", f"tok-{sort}"),))


def marked(text: str, marks: Iterable[Mark], start: int = 0, end: int | None = None) -> str:
    """The characters ``start <= i < end`` as HTML."""
    end = len(text) if end is None else end
    found = [m for m in marks if start <= m.start < m.end <= end]
    found.sort(key=lambda mark: (mark.start, -mark.end))
    parts: list[str] = []
    open_: list[Mark] = []
    at = start

    def until(place: int) -> None:
        nonlocal at
        parts.append(escape(text[at:place]))
        at = place

    for mark in found:
        while open_ and open_[-1].end <= mark.start:
            until(open_.pop().end)
            parts.append("</span>")
        if open_ and mark.end > open_[-1].end:
            continue  # It crosses another one.
        until(mark.start)
        attributes = "".join(f' {name}="{escape(value)}"' for name, value in mark.attributes)
        parts.append(f"<span{attributes}>")
        open_.append(mark)
    while open_:
        until(open_.pop().end)
        parts.append("</span>")
    until(end)
    return "".join(parts)
