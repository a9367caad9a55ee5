"""An explanation as Markdown: formulas in blocks of LaTeX, as GitHub shows them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .latex import Latex, LatexLayout
from .notation import Notation
from .steps import Explanation, NodeSteps

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~$&])")


def escaped(text: str) -> str:
    """Any text, to be read as text."""
    return _SPECIAL.sub(r"\\\1", text)


def code(text: str) -> str:
    """A text between marks that are longer than any in it."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    marks = "`" * (longest + 1)
    return f"{marks} {text} {marks}" if longest else f"`{text}`"


def markdown(explanation: Explanation) -> str:
    return "\n".join([f"# {escaped(explanation.title)}", "", *body(explanation, 2)]).rstrip() + "\n"


def body(explanation: Explanation, level: int) -> Iterator[str]:
    writer = MarkdownLayout(MarkdownMath(explanation.digits))
    if explanation.sentence:
        yield from (escaped(explanation.sentence), "")
    for entry in explanation.told:
        yield from writer.entry(entry, level)
        if explanation.only and entry.inside is not None:
            yield from body(entry.inside, level + 1)


class MarkdownMath(Latex):
    """LaTeX in the marks that Markdown does not touch."""

    def sentence(self, words: str, *formulas: str) -> str:
        parts = re.split(r"\{(\d)\}", words)
        return "".join(f"$`{formulas[int(p)]}`$" if i % 2 else escaped(p)
                       for i, p in enumerate(parts))  # fmt: skip


class MarkdownLayout(LatexLayout):
    def entry(self, entry: NodeSteps, level: int = 2) -> Iterator[str]:
        name = Notation().name(entry.name)
        yield from (f"{'#' * min(level, 6)} {code(name)}", "")
        where = escaped(entry.place)
        yield from (f"{where}: {code(entry.written)}" if entry.written else where, "")
        yield from self.display(self.equations(entry))
        yield ""
        remarks = [*self.remarks(entry), *(n for e in entry.edges for n in self.notes(e))]
        for remark in dict.fromkeys(remarks):
            yield from (remark, "")

    def display(self, equations: Iterator[tuple[str, ...]]) -> Iterator[str]:
        yield from ("```math", r"\begin{aligned}", self.rows(equations), r"\end{aligned}", "```")
