"""What is wrong, where, and what to do about it, as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from ..source import Span


class Severity(Enum):
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Label:
    """A remark that stands under the underlined characters of ``span``."""

    span: Span
    text: str = ""


@dataclass(frozen=True, slots=True)
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


class SpecError(Exception):
    """A specification is wrong. Carries every diagnostic that was found."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        from .render import render_all

        return "\n" + render_all(self.diagnostics)
