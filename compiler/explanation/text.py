"""An explanation as plain text: in columns where it is narrow enough, else one below another."""

from __future__ import annotations

from collections.abc import Iterator

from .notation import Notation
from .steps import Edge, Explanation, NodeSteps
from .terms import Amount

_WIDEST = 118


def text(explanation: Explanation) -> str:
    writer = _Text(Notation(explanation.digits))
    lines = [explanation.sentence] if explanation.sentence else []
    told = explanation.told
    rows = [row for entry in told for row in writer.rows(entry)]
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(3)]
    longest = max((sum(widths) + 6 + len(row[3]) for row in rows), default=0)
    if longest <= _WIDEST:
        lines += ["  ".join(c.ljust(w) for c, w in zip(row, [*widths, 0], strict=True)).rstrip()
                  for row in rows]  # fmt: skip
    else:
        for entry in told:
            lines += [*writer.block(entry), ""]
    return "\n".join(lines).rstrip() + "\n"


class _Text:
    def __init__(self, notation: Notation) -> None:
        self.notation = notation

    def rows(self, entry: NodeSteps) -> Iterator[tuple[str, str, str, str]]:
        """What is defined, the function, its derivative, and numbers: a row for each edge."""
        shown = self.definition(entry)
        for edge in entry.edges:
            function = self.function(entry)
            yield shown, function, self.derivative(edge), self.numbers(edge)
            shown = ""
            for note in edge.notes:
                yield "", "", "", f"  {note}"
        for line in self.added(entry):
            yield shown, "", "", line

    def block(self, entry: NodeSteps) -> Iterator[str]:
        place = f"line {entry.line}" + (f", in {entry.group}" if entry.group else "")
        yield f"{self.definition(entry)}    [{place}]" if entry.edges else self.definition(entry)
        if entry.function is not None and entry.edges:
            yield f"  {self.function(entry)}"
        for line in self.added(entry):
            yield f"  {line}"
        for edge in entry.edges:
            derivative, numbers = self.derivative(edge), self.numbers(edge)
            if derivative:
                yield f"  {derivative}"
            yield from self.wrapped(numbers)
            for note in edge.notes:
                yield f"      {note}"

    def wrapped(self, line: str) -> Iterator[str]:
        """A line of numbers, each equation on its own where it is long."""
        if len(line) + 4 <= _WIDEST:
            yield f"    {line}"
            return
        first, *others = line.split(" = ")
        if ":" not in first and others:
            first, others = f"{first} = {others[0]}", others[1:]
        yield f"    {first}"
        yield from (f"      = {other}" for other in others)

    def definition(self, entry: NodeSteps) -> str:
        name = self.notation.name(entry.name)
        value = self.notation.amount(Amount(entry.value))
        if entry.definition is None or entry.name.turned:
            return f"{name} = {value}"
        return f"{name} = {self.notation.text(entry.definition)} = {value}"

    def function(self, entry: NodeSteps) -> str:
        if entry.function is None:
            return ""
        return self.notation.function(entry.letters, entry.function)

    def derivative(self, edge: Edge) -> str:
        n = self.notation
        if edge.prime is not None:
            return n.primed(*edge.prime)
        if edge.slope is not None and edge.letter is not None:
            return n.derivative(edge.letter, edge.slope)
        return n.index_form(edge.index) if edge.index is not None else ""

    def numbers(self, edge: Edge) -> str:
        n = self.notation
        name, result = n.gradient(edge.name), n.amount(Amount(edge.result))
        if edge.factor is not None and edge.arriving is not None:
            product = n.product(edge.arriving, edge.factor)
            return f"{name}: {f'sum of {product}' if edge.summed else product} = {result}"
        if edge.rule is None:
            return f"{name} = {result}"
        worked = f" = {n.text(edge.worked)}" if edge.worked is not None else ""
        whole = "sum of " if edge.summed else ""
        return f"{name} = {whole}{n.text(edge.rule)}{worked} = {result}"

    def added(self, entry: NodeSteps) -> Iterator[str]:
        if len(entry.uses) < 2:
            return
        n = self.notation
        parts = " + ".join(n.amount(Amount(use.value)) for use in entry.uses)
        name = n.name(entry.name)
        yield (f"{name} is used {len(entry.uses)} times: its gradients add up: "
               f"{parts} = {n.amount(Amount(entry.adjoint))}")  # fmt: skip
