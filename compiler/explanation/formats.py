"""The formats of an explanation, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .html import html
from .latex import latex
from .markdown import markdown
from .steps import Explanation
from .text import text

FORMATS: Mapping[str, Callable[[Explanation], str]] = {
    "text": text,
    "markdown": markdown,
    "latex": latex,
    "html": html,
}
