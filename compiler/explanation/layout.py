"""What an entry says, piece by piece, in a notation: formats only place the pieces."""

from __future__ import annotations

from collections.abc import Iterator

from .notation import Notation
from .steps import Edge, NodeSteps
from .terms import Amount, Total


class Layout:
    def __init__(self, notation: Notation) -> None:
        self.notation = notation

    def definition(self, entry: NodeSteps) -> tuple[str, ...]:
        """The sides of ``f = 1/e = 0.31``."""
        n = self.notation
        name, value = n.name(entry.name), n.amount(Amount(entry.value))
        if entry.definition is None:
            return name, value
        return name, n.text(entry.definition), value

    def function(self, entry: NodeSteps) -> tuple[str, ...]:
        """``f(x)`` and what it is; nothing where no gradient goes through it."""
        if entry.function is None or not entry.edges:
            return ()
        return self.notation.function(entry.letters, entry.function)

    def derivative(self, edge: Edge) -> tuple[str, ...]:
        """The local derivative, or one entry by entry; nothing where the rule says it all."""
        n = self.notation
        if edge.prime is not None:
            return n.primed(*edge.prime)
        if edge.slope is not None and edge.letter is not None:
            return n.derivative(edge.letter, edge.slope)
        return n.index_form(edge.index) if edge.index is not None else ()

    def numbers(self, edge: Edge) -> tuple[str, ...]:
        """What goes back: the gradient's name, how it comes about, and its value."""
        n = self.notation
        name, result = n.gradient(edge.name), n.amount(Amount(edge.result))
        if edge.factor is not None and edge.arriving is not None:
            return name, self.summed(edge, n.product(edge.arriving, edge.factor)), result
        if edge.rule is None:
            return name, result
        sides = [n.text(edge.rule)] + ([n.text(edge.worked)] if edge.worked is not None else [])
        return name, *(self.summed(edge, side) for side in sides), result

    def summed(self, edge: Edge, text: str) -> str:
        return self.notation.sum_of(text) if edge.summed else text

    def notes(self, edge: Edge) -> Iterator[str]:
        if edge.where is not None:
            yield self.notation.sentence("0 where {0}.", self.notation.text(edge.where))
        yield from (self.notation.sentence(note) for note in edge.notes)

    def remarks(self, entry: NodeSteps) -> Iterator[str]:
        """What is to be said of the value: why nothing arrives, or that several gradients do."""
        n = self.notation
        yield from (n.sentence(note) for note in entry.notes)
        if len(entry.uses) > 1:
            words = f"{{0}} is used {len(entry.uses)} times: its gradients add up: {{1}}"
            yield n.sentence(words, n.name(entry.name), n.equation(*self.total(entry)))

    def total(self, entry: NodeSteps) -> tuple[str, str]:
        """The gradients that the uses of a value send back, added, and their sum."""
        n = self.notation
        parts = n.text(Total(tuple((False, Amount(use.value)) for use in entry.uses)))
        return parts, n.amount(Amount(entry.adjoint))
