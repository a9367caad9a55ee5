"""Diagnostics as data; their wording is in ``mistakes``, their drawing in ``render``."""

from .diagnostic import Diagnostic, Label, Severity
from .render import SpecError, render, render_all

__all__ = ["Diagnostic", "Label", "Severity", "SpecError", "render", "render_all"]
