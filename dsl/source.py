"""Texts and places in them."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from dataclasses import field
from functools import cached_property
from pathlib import Path

from .frozen import frozen


@frozen(slots=False)
class Source:
    """A specification's text and the name it goes by in messages.

    Offsets count characters of ``text`` from 0; lines and columns count from 1.
    """

    text: str
    name: str = "<text>"
    path: Path | None = field(default=None, compare=False)

    @staticmethod
    def read(path: Path) -> Source:
        """The file at ``path``, as UTF-8, an initial byte order mark removed.

        Raises ``OSError`` and ``UnicodeDecodeError`` as ``Path.read_text`` does.
        Line ends are kept as they are, so that offsets are those of the file.
        """
        text = path.read_bytes().decode("utf-8").removeprefix("\ufeff")
        return Source(text, path.as_posix(), path)

    @cached_property
    def sha256(self) -> str:
        """The hash of the text with line ends as ``\\n``, so that checkouts agree."""
        unified = self.text.replace("\r\n", "\n").replace("\r", "\n")
        return hashlib.sha256(unified.encode("utf-8", "surrogatepass")).hexdigest()

    @cached_property
    def line_starts(self) -> list[int]:
        starts, text = [0], self.text
        position = text.find("\n")
        while position >= 0:
            starts.append(position + 1)
            position = text.find("\n", position + 1)
        return starts

    def line_of(self, offset: int) -> int:
        return bisect_right(self.line_starts, offset)

    def column_of(self, offset: int) -> int:
        return offset - self.line_starts[self.line_of(offset) - 1] + 1

    def line_text(self, line: int) -> str:
        start = self.line_starts[line - 1]
        end = self.line_starts[line] if line < len(self.line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")

    def span(self, start: int, end: int) -> Span:
        return Span(self, start, end)


@frozen()
class Span:
    """The characters ``start <= i < end`` of a source."""

    source: Source = field(repr=False)
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    @property
    def line(self) -> int:
        return self.source.line_of(self.start)

    @property
    def column(self) -> int:
        return self.source.column_of(self.start)

    def to(self, other: Span) -> Span:
        """From the start of this span to the end of ``other``."""
        return Span(self.source, self.start, other.end)

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"
