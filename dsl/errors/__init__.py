"""Diagnostics: data first (`diagnostic`), wording in one file (`mistakes`), drawing last (`render`)."""

from .diagnostic import Diagnostic, Label, Severity, SpecError
from .render import render, render_all

__all__ = ["Diagnostic", "Label", "Severity", "SpecError", "render", "render_all"]
