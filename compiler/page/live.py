"""The entries of an explanation as HTML in which every number knows the node that computes it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

from ...dsl.graph import Node
from ..explanation.notation import Notation
from ..explanation.steps import Edge, Explanation, NodeSteps
from ..explanation.terms import Amount

# Around what is marked until texts are escaped: characters that no text is left with.
_MARK, _END = "\ue000", "\ue001"
_MARKED = re.compile(f"{_MARK}(\\d+):(\\d+):(t?){_END}")


class LiveNotation(Notation):
    """Unicode, numbers being followed by marks. ``numbers`` are the nodes that compute them."""

    def __init__(self, digits: int | None, values: Mapping[Node, Any]) -> None:
        super().__init__(digits)
        self.known = {id(value): node for node, value in values.items()}
        self.numbers: list[Node] = []
        self.places: dict[Node, int] = {}

    def amount(self, amount: Amount) -> str:
        text = super().amount(amount)
        node = self.known.get(id(amount.value))
        if amount.exact or node is None:
            return text
        if node not in self.places:
            self.places[node] = len(self.numbers)
            self.numbers.append(node)
        turned = "t" * amount.turned
        return f"{text}{_MARK}{self.places[node]}:{len(text)}:{turned}{_END}"

    def closed(self, text: str) -> bool:
        return super().closed(_MARKED.sub("", text))

    def html(self, text: str) -> str:
        """A text with its marks as elements."""
        parts: list[str] = []
        end = 0
        for mark in _MARKED.finditer(text):
            start = mark.start() - int(mark[2])
            turned = ' data-turned=""' if mark[3] else ""
            parts.append(_escaped(text[end:start]))
            number = _escaped(text[start : mark.start()])
            parts.append(f'<span class="amount" data-number="{mark[1]}"{turned}>{number}</span>')
            end = mark.end()
        return "".join([*parts, _escaped(text[end:])])


def _escaped(text: str) -> str:
    return escape(re.sub(f"[{_MARK}{_END}]", "", text))


def entries(explanation: Explanation, notation: LiveNotation) -> Iterator[tuple[NodeSteps, str]]:
    """Each value of an explanation and what is to be said of it."""
    for entry in explanation.entries:
        yield entry, "".join(_Entry(entry, notation).lines())


class _Entry:
    def __init__(self, entry: NodeSteps, notation: LiveNotation) -> None:
        self.entry = entry
        self.n = notation

    def line(self, text: str, sort: str) -> str:
        return f'<p class="{sort}">{self.n.html(text)}</p>'

    def lines(self) -> Iterator[str]:
        entry, n = self.entry, self.n
        place = f"line {entry.line}" + (f", in {entry.group}" if entry.group else "")
        shown = n.html(self.definition())
        yield f'<p class="definition"><b>{shown}</b> <small>{escape(place)}</small></p>'
        if entry.function is not None and entry.edges:
            yield self.line(n.function(entry.letters, entry.function), "formula")
        if entry.adjoint is not None:
            yield self.line(self.arriving(), "arriving")
        for edge in entry.edges:
            yield from self.edge(edge)
        for note in entry.notes:
            yield self.line(note, "note")

    def definition(self) -> str:
        entry, n = self.entry, self.n
        name = n.name(entry.name)
        value = n.amount(Amount(entry.value))
        if entry.definition is None or entry.name.turned:
            return f"{name} = {value}"
        return f"{name} = {n.text(entry.definition)} = {value}"

    def arriving(self) -> str:
        """The gradient, and where it comes from more than one use, what each has sent."""
        entry, n = self.entry, self.n
        whole = n.amount(Amount(entry.adjoint))
        if len(entry.uses) < 2:
            return f"{n.gradient(entry.name)} = {whole}"
        parts = " + ".join(n.grouped(n.amount(Amount(use.value))) for use in entry.uses)
        users = ", ".join(dict.fromkeys(n.name(use.user) for use in entry.uses))
        return f"{n.gradient(entry.name)} = {parts} = {whole}, the sum of what comes from {users}"

    def edge(self, edge: Edge) -> Iterable[str]:
        derivative = self.derivative(edge)
        yield '<div class="edge-steps">'
        if derivative:
            yield self.line(derivative, "formula")
        yield self.line(self.numbers(edge), "worked")
        for note in edge.notes:
            yield self.line(note, "note")
        yield "</div>"

    def derivative(self, edge: Edge) -> str:
        n = self.n
        if edge.prime is not None:
            return n.primed(*edge.prime)
        if edge.slope is not None and edge.letter is not None:
            return n.derivative(edge.letter, edge.slope)
        return n.index_form(edge.index) if edge.index is not None else ""

    def numbers(self, edge: Edge) -> str:
        """What arrives times the derivative, or the rule, with numbers."""
        n = self.n
        name, result = n.gradient(edge.name), n.amount(Amount(edge.result))
        whole = "sum of " if edge.summed else ""
        if edge.factor is not None and edge.arriving is not None:
            return f"{name}: {whole}{n.product(edge.arriving, edge.factor)} = {result}"
        if edge.rule is None:
            return f"{name} = {result}"
        worked = f" = {n.text(edge.worked)}" if edge.worked is not None else ""
        return f"{name} = {whole}{n.text(edge.rule)}{worked} = {result}"
