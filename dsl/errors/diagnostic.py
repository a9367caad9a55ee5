"""What is wrong, where, and what to do about it, as data."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum

from ..frozen import frozen
from ..source import Span


class Severity(Enum):
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    MISTAKE = "mistake"


@frozen()
class Label:
    """A remark that stands under the underlined characters of ``span``."""

    span: Span
    text: str = ""


@frozen()
class Diagnostic:
    """One message. ``code`` is stable; ``others`` are the further places it speaks of."""

    code: str
    message: str
    place: Label
    others: tuple[Label, ...] = ()
    hint: str = ""
    severity: Severity = Severity.ERROR

    @property
    def span(self) -> Span:
        return self.place.span

    def as_error(self) -> Diagnostic:
        return replace(self, severity=Severity.ERROR)
