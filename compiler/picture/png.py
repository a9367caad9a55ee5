"""A picture as PNG, made of its SVG by resvg."""

from __future__ import annotations

from .engine import MissingLibrary

_PROBE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">'
    '<text x="1" y="15" font-family="Helvetica, Arial, sans-serif">W</text></svg>'
)


class NoFonts(Exception):
    """The machine has no font to write texts in."""


def png(svg: str, zoom: float = 2.0) -> bytes:
    """The pixels of an SVG whose colours are fixed. Raises ``MissingLibrary`` and ``NoFonts``."""
    try:
        import resvg_py
    except ImportError:
        raise MissingLibrary("PNG is made by resvg-py, which is not installed") from None
    empty = _PROBE.replace(">W<", "><")
    if resvg_py.svg_to_bytes(svg_string=_PROBE) == resvg_py.svg_to_bytes(svg_string=empty):
        raise NoFonts("no font was found to write texts in a PNG: install DejaVu Sans or Arial")
    return resvg_py.svg_to_bytes(svg_string=svg, zoom=zoom)
