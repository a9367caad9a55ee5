"""A worksheet with blanks made of an explanation, and its key: the same with the answers."""

from __future__ import annotations

from collections.abc import Iterator

from ...dsl.frozen import frozen
from .latex import Latex, LatexLayout, document
from .latex import escaped as escaped_latex
from .markdown import MarkdownMath, code
from .markdown import escaped as escaped_markdown
from .notation import Notation
from .steps import Edge, Explanation, NodeSteps

_FORWARD = "Compute the values, from the inputs to the output"
_BACKWARD = (
    "Go back from the output: write each local derivative or rule, and the gradient that it sends "
    "back (what arrives at the output is 1)"
)


@frozen()
class Quiz:
    worksheet: str
    key: str


def quiz(explanation: Explanation, form: str) -> Quiz:
    """Worksheet and key, in ``markdown`` or ``latex``."""
    return Quiz(*(_written(explanation, form, answers) for answers in (False, True)))


def _written(explanation: Explanation, form: str, answers: bool) -> str:
    title = explanation.title + (": answers" if answers else "")
    if form == "latex":
        return document(title, _LatexSheet(Latex(explanation.digits), answers).lines(explanation))
    sheet = _MarkdownSheet(MarkdownMath(explanation.digits), answers)
    lines = [f"# {escaped_markdown(title)}", "", *sheet.lines(explanation)]
    return "\n".join(lines).rstrip() + "\n"


class _Sheet(LatexLayout):
    """The equations with blanks, which are numbered in the order of the sheet."""

    def __init__(self, notation: Latex, answers: bool) -> None:
        super().__init__(notation)
        self.answers = answers
        self.number = 0

    def blank(self, answer: str) -> str:
        self.number += 1
        place = rf"\boxed{{{answer}}}" if self.answers else r"\underline{\hspace{6em}}"
        return rf"{place}_{{({self.number})}}"

    def given(self, entry: NodeSteps) -> tuple[str, ...]:
        return self.definition(entry)

    def value(self, entry: NodeSteps) -> tuple[str, ...]:
        *known, answer = self.definition(entry)
        return (*known, self.blank(answer))

    def gradients(self, entry: NodeSteps) -> Iterator[tuple[str, ...]]:
        n = self.notation
        if len(entry.uses) > 1:
            *_, total = self.total(entry)
            yield n.gradient(entry.name), self.blank(total)
        if function := self.function(entry):
            yield function
        for edge in entry.edges:
            if (derivative := self.derivative(edge)) and edge.slope is not None:
                yield derivative[0], self.blank(derivative[1])
            yield self.back(edge)

    def back(self, edge: Edge) -> tuple[str, ...]:
        """What goes back; of a rule also the rule."""
        name, *between, answer = self.numbers(edge)
        steps = between if self.answers else []
        if edge.slope is None and between:
            steps = [self.blank(between[0]), *(between[1:] if self.answers else [])]
        return (name, *steps, self.blank(answer))


class _MarkdownSheet(_Sheet):
    def lines(self, explanation: Explanation) -> Iterator[str]:
        for heading, blocks in _parts(self, explanation):
            yield from (f"## {escaped_markdown(heading)}", "")
            for entry, equations in blocks:
                if entry is not None:
                    yield from (f"{escaped_markdown(entry.place)}: {_name(entry)}", "")
                yield from ("```math", r"\begin{aligned}", self.rows(iter(equations)),
                            r"\end{aligned}", "```", "")  # fmt: skip


class _LatexSheet(_Sheet):
    def lines(self, explanation: Explanation) -> Iterator[str]:
        for heading, blocks in _parts(self, explanation):
            yield rf"\subsection*{{{escaped_latex(heading)}}}"
            for entry, equations in blocks:
                if entry is not None:
                    name = self.notation.name(entry.name)
                    yield rf"\medskip {{\small {escaped_latex(entry.place)}: ${name}$}}"
                yield from self.display(iter(equations))


def _name(entry: NodeSteps) -> str:
    return code(Notation().name(entry.name))


_Block = tuple[NodeSteps | None, list[tuple[str, ...]]]


def _parts(sheet: _Sheet, explanation: Explanation) -> Iterator[tuple[str, list[_Block]]]:
    """The parts of a sheet: headings, and equations for all or for one value after another."""
    upward = list(reversed(explanation.entries))
    inputs = [sheet.given(entry) for entry in upward if entry.item.is_input]
    values = [sheet.value(entry) for entry in upward if not entry.item.is_input]
    yield "Given", [(None, inputs)] if inputs else []
    yield _FORWARD, [(None, values)] if values else []
    told = [(entry, list(sheet.gradients(entry))) for entry in explanation.told]
    yield _BACKWARD, [(entry, equations) for entry, equations in told]
