"""Texts of a specification in XML: none of them is markup."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr


def escaped(text: str) -> str:
    """Text as content."""
    return escape(_allowed(text))


def attribute(text: str) -> str:
    return quoteattr(_allowed(text))


def _allowed(text: str) -> str:
    """Without characters that XML forbids."""
    return "".join(c if c in "\t\n" or c.isprintable() else "�" for c in text)
