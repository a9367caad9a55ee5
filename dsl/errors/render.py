"""Diagnostics as text, with carets.

problem2.grad:7:10: error[G203]: cannot multiply float[3, 3] @ float[4]
  7 | node m = W @ x
    |          ^^^^^ sizes 3 and 4 do not match
  hint: the last axis of W must equal the first axis of x
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from ..source import Span
from .diagnostic import Diagnostic, Label, Severity

_WIDTH = 100
_LONGEST = 400
_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.NOTE: "36",
            Severity.MISTAKE: "31"}  # fmt: skip


class SpecError(Exception):
    """A specification is wrong. Carries every diagnostic that was found."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        return "\n" + render_all(self.diagnostics)


def render_all(diagnostics: Iterable[Diagnostic], *, colour: bool = False) -> str:
    return "\n".join(render(d, colour=colour) for d in diagnostics)


def render(diagnostic: Diagnostic, *, colour: bool = False) -> str:
    """One diagnostic, without a final newline; ANSI colours if ``colour``."""
    paint = _painter(_COLOURS[diagnostic.severity]) if colour else _plain
    bold = _painter("1") if colour else _plain
    labels = (diagnostic.place, *diagnostic.others)
    margin = max(len(str(label.span.line)) for label in labels) + 2
    head = diagnostic.severity.value + (f"[{diagnostic.code}]" if diagnostic.code else "")
    place = visible(str(diagnostic.span))
    lines = [f"{bold(place)}: {paint(head)}: {bold(_text(diagnostic.message))}"]
    for mark, label in zip("^" + "-" * len(diagnostic.others), labels, strict=True):
        if label.span.source.name != diagnostic.span.source.name:
            lines.append(f"{' ' * margin} --> {visible(str(label.span))}")
        text, underline = _excerpt(label, mark)
        if not text and not label.text:
            continue
        lines.append(f"{label.span.line:>{margin}} | {text}".rstrip())
        lines.append(f"{' ' * margin} | {paint(underline)}".rstrip())
    if diagnostic.hint:
        lines.append(f"  {bold('hint')}: {_text(diagnostic.hint)}")
    return "\n".join(lines)


def _plain(text: str) -> str:
    return text


def _painter(code: str):  # type: ignore[no-untyped-def]
    return lambda text: f"\x1b[{code}m{text}\x1b[0m"


def _excerpt(label: Label, mark: str) -> tuple[str, str]:
    """The source line, cropped around the span if it is long, and the underline with the remark."""
    span: Span = label.span
    line = span.source.line_text(span.line)
    start = span.column - 1
    end = min(max(start + span.end - span.start, start + 1), max(len(line), start + 1))
    first = 0 if len(line) <= _WIDTH else max(0, min(start - _WIDTH // 3, len(line) - _WIDTH))
    last = first + _WIDTH
    before = ("…" if first else "") + visible(line[first:start])
    marked = visible(line[start : min(end, last)])
    after = visible(line[end:last]) + ("…" if last < len(line) else "")
    underline = " " * _columns(before) + mark * max(_columns(marked), 1)
    return before + marked + after, f"{underline} {_text(label.text)}".rstrip()


def _text(text: str) -> str:
    """A sentence of a message, in which names of any length may stand."""
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST // 2]}…{text[-_LONGEST // 2 :]}"
    return visible(text)


def visible(text: str) -> str:
    """``text`` with characters that would disturb a terminal made visible."""
    return "".join(" " if c == "\t" else c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def _columns(text: str) -> int:
    """The cells ``text`` takes on a terminal."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )
