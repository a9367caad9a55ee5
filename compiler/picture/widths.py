"""How wide texts are, at most, in the fonts that a reader may have.

No font is at hand where a picture is made, and the reader's is unknown: the widths are those of
the widest common sans-serif fonts, so that boxes are rather too wide than too narrow.
"""

from __future__ import annotations

import unicodedata

# Hundredths of an em, rounded up, of DejaVu Sans or Liberation Sans.
_GROUPS = {
    30: "'Iijl", 35: " ,./:;\\|·", 40: "()-[]ftᵀ", 45: "!r²³¹⁰⁴⁵⁶⁷⁸⁹", 50: '"*J`‖', 55: "csz⁻∂",
    60: "?L_kvxy", 65: "$0123456789FTabdeghnopqu{}σΣ", 70: "ABEKPSVXYZ∇", 75: "CNRUψ",
    80: "&DGHOQΦ", 85: "#+<=>^w~×⊗", 90: "M", 100: "%Wm…", 105: "@",
}  # fmt: skip
_WIDTHS = {character: width for width, group in _GROUPS.items() for character in group}
_OTHER, _WIDE = 90, 110
_BOLD = 1.12


def width(text: str, size: float, bold: bool = False) -> float:
    """The width of a text in a font of this size."""
    total = sum(_WIDTHS.get(character) or _unlisted(character) for character in text)
    return total * size / 100 * (_BOLD if bold else 1)


def _unlisted(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return _WIDE if unicodedata.east_asian_width(character) in "WF" else _OTHER


def shortened(text: str, size: float, most: float) -> str:
    """The text, or as much of its beginning as fits, with an ellipsis."""
    if width(text, size) <= most:
        return text
    while text and width(f"{text}…", size) > most:
        text = text[:-1]
    return f"{text}…"
