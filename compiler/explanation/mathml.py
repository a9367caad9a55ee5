"""Formulas as MathML, which browsers and screen readers read without any script."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape

from .notation import PRODUCT, Notation, Piece
from .terms import Applied

_TOKEN = re.compile(r"([^\W\d_]\w*)|(\d+)|([⁰¹²³⁴⁵⁶⁷⁸⁹]+)|(\s+)|(.)")
_TALL = re.compile(r"<m(frac|table|sup)")
_LETTER = re.compile(r"([^\W\d_])_?(\d+)")
_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


def _mo(text: str) -> str:
    return f"<mo>{escape(text)}</mo>"


def _fence(text: str) -> str:
    return f'<mo stretchy="false">{text}</mo>'


def _sign(text: str) -> str:
    return _fence(text) if text in "()" else _mo(text)


def _row(*parts: str) -> str:
    return f"<mrow>{''.join(parts)}</mrow>"


class MathML(Notation):
    symbols: Mapping[str, str] = {
        **{sign: _mo(shown) for sign, shown in (
            ("<=", "≤"), (">=", "≥"), ("==", "="), ("!=", "≠"), ("<", "<"), (">", ">"), ("+", "+"),
            ("-", "−"), ("%", "%"), ("//", "//"), ("entrywise", "⊙"), ("times", "×"), ("dot", "·"),
        )},
        **{word: f"<mtext> {word} </mtext>" for word in ("and", "or")},
        "beside": '<mspace width="0.25em"/>',
    }  # fmt: skip
    constants: Mapping[str, str] = {"pi": "<mi>π</mi>", "inf": "<mi>∞</mi>"}
    minus, equals, comma, dots = _mo("−"), _mo("="), _mo(","), _mo("⋯")
    quotient_level = PRODUCT

    def math(self, *sides: str) -> str:
        return f"<math>{_row(self.equation(*sides))}</math>"

    def prime(self, function: Applied) -> str:
        return f"<msup>{self.function_name(function.function)}<mo>′</mo></msup>"

    def ratio(self, top: str, bottom: str) -> str:
        return f"<mfrac>{_row(top)}{_row(bottom)}</mfrac>"

    def partial(self, part: tuple[str, str]) -> str:
        return _row(_mo("∂"), self.entry(part))

    def entry(self, part: tuple[str, str]) -> str:
        name, letters = part
        own = _mo("∑") if name == "Σ" else self.label(name)
        if not letters:
            return own
        return f"<msub>{own}{_row(*(self.label(letter) for letter in letters))}</msub>"

    def sum_of(self, text: str) -> str:
        return f"{self.words('sum of ')}{text}"

    def sentence(self, words: str, *formulas: str) -> str:
        parts = re.split(r"\{(\d)\}", words)
        return "".join(self.math(formulas[int(p)]) if i % 2 else escape(p)
                       for i, p in enumerate(parts))  # fmt: skip

    def label(self, text: str) -> str:
        if found := _LETTER.fullmatch(text):
            return f"<msub><mi>{escape(found[1])}</mi><mn>{found[2]}</mn></msub>"
        return f"<mi>{escape(text)}</mi>"

    def differential(self, text: str) -> str:
        return _row("<mi>d</mi>", text)

    def transposed(self, text: str) -> str:
        return f"<msup>{_row(text)}<mo>⊤</mo></msup>"

    def number(self, text: str) -> str:
        return f"<mn>{escape(text.replace('-', '−'))}</mn>"

    def summary(self, text: str, is_turned: bool) -> str:
        inside = _row(_mo("["), self.words(text), _mo("]"))
        return self.transposed(inside) if is_turned else inside

    def matrix(self, rows: Sequence[Sequence[str]]) -> str:
        column = len(rows[0]) == 1
        shown = [[row[0] for row in rows]] if column else rows
        inside = "".join(
            f"<mtr>{''.join(f'<mtd>{self.number(text)}</mtd>' for text in row)}</mtr>"
            for row in shown
        )
        table = _row(_mo("["), f"<mtable>{inside}</mtable>", _mo("]"))
        return self.transposed(table) if column else table

    def literal(self, text: str) -> str:
        parts = []
        for word, digits, raised, space, sign in _TOKEN.findall(text):
            if word:
                parts.append(self.label(word))
            elif digits:
                parts.append(self.number(digits))
            elif raised:
                parts.append(f"<msup><mrow></mrow>{self.number(raised.translate(_DIGITS))}</msup>")
            else:
                parts.append(self.symbols["beside"] if space else _sign(sign))
        return "".join(parts)

    def option(self, text: str) -> str:
        return self.words(text)

    def bracketed(self, text: str) -> str:
        return _row(_mo("["), text, _mo("]"))

    def grouped(self, text: str) -> str:
        fence = _mo if _TALL.search(text) else _fence
        return _row(fence("("), text, fence(")"))

    def symbol(self, operator: str) -> str:
        return self.symbols[operator]

    def power(self, base: Piece, exponent: Piece) -> str:
        return f"<msup>{_row(self.base(base))}{_row(exponent.text)}</msup>"

    def quotient(self, top: Piece, bottom: Piece) -> str:
        return self.ratio(top.text, bottom.text)

    def choice(self, condition: str, then: str, otherwise: str) -> str:
        words = map(self.words, ("if ", " then ", " else "))
        return "".join(w + t for w, t in zip(words, (condition, then, otherwise), strict=True))

    def negation(self, text: str) -> str:
        return f"{self.words('not ')}{text}"

    def function_name(self, name: str) -> str:
        return self.label(name)

    def words(self, text: str) -> str:
        """Text; spaces at its ends would be dropped."""
        return f"<mtext>{escape(re.sub('^ | $', chr(0xA0), text))}</mtext>"
