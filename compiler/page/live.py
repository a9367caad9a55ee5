"""Formulas in which every number knows the node that computes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...dsl.graph import Node
from ..explanation.mathml import MathML
from ..explanation.notation import Piece
from ..explanation.terms import Amount


class LiveMathML(MathML):
    """MathML with each number in an element of its own. ``numbers`` are the nodes that compute
    them, found by their values: the interpreter keeps every value as one object."""

    def __init__(self, digits: int | None, values: Mapping[Node, Any]) -> None:
        super().__init__(digits)
        self.known = {id(value): node for node, value in values.items()}
        self.numbers: list[Node] = []
        self.places: dict[Node, int] = {}

    def amount_piece(self, amount: Amount) -> Piece:
        piece = super().amount_piece(amount)
        node = self.known.get(id(amount.value))
        if amount.exact or node is None:
            return piece
        if node not in self.places:
            self.places[node] = len(self.numbers)
            self.numbers.append(node)
        turned = ' data-turned=""' if amount.turned else ""
        mark = f'class="amount" data-number="{self.places[node]}"{turned}'
        return replace(piece, text=f"<mrow {mark}>{piece.text}</mrow>")
