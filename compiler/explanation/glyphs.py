"""How the pieces of formulas look: Unicode, on one line. Other notations replace it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence


class Glyphs:
    symbols: Mapping[str, str] = {
        "<=": " ≤ ", ">=": " ≥ ", "==": " = ", "!=": " ≠ ", "entrywise": " ⊙ ", "times": " × ",
        "dot": " · ", "beside": " ",
    }  # fmt: skip
    constants: Mapping[str, str] = {"pi": "π", "inf": "∞"}
    minus, equals, comma, dots = "-", " = ", ", ", "…"
    open_marks, close_marks = "([|‖⌊,", ")]|‖⌋,"

    def equation(self, *sides: str) -> str:
        return self.equals.join(sides)

    def sum_of(self, text: str) -> str:
        return f"sum of {text}"

    def sentence(self, words: str, *formulas: str) -> str:
        """Words with formulas in the places ``{0}``, ``{1}``."""
        parts = re.split(r"\{(\d)\}", words)
        return "".join(formulas[int(p)] if i % 2 else p for i, p in enumerate(parts))

    def ratio(self, top: str, bottom: str) -> str:
        return f"{top}/{bottom}"

    def partial(self, part: tuple[str, str]) -> str:
        return f"∂{self.entry(part)}"

    def entry(self, part: tuple[str, str]) -> str:
        """A name with the letters of its axes."""
        return "_".join(filter(None, part))

    def label(self, text: str) -> str:
        return text

    def differential(self, text: str) -> str:
        return f"d{text}"

    def transposed(self, text: str) -> str:
        return f"{text}ᵀ"

    def number(self, text: str) -> str:
        return text

    def summary(self, text: str, is_turned: bool) -> str:
        return f"[{text}]{'ᵀ' if is_turned else ''}"

    def matrix(self, rows: Sequence[Sequence[str]]) -> str:
        if len(rows[0]) == 1:
            return f"[{' '.join(row[0] for row in rows)}]ᵀ"
        return f"[{'; '.join(' '.join(row) for row in rows)}]"

    def literal(self, text: str) -> str:
        return text

    def option(self, text: str) -> str:
        return text

    def bracketed(self, text: str) -> str:
        return f"[{text}]"

    def grouped(self, text: str) -> str:
        return f"({text})"

    def symbol(self, operator: str) -> str:
        return self.symbols.get(operator, f" {operator} ")

    def choice(self, condition: str, then: str, otherwise: str) -> str:
        return f"if {condition} then {then} else {otherwise}"

    def negation(self, text: str) -> str:
        return f"not {text}"

    def function_name(self, name: str) -> str:
        return name

    def words(self, text: str) -> str:
        return text
