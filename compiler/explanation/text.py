"""An explanation as plain text: in columns where it is narrow enough, else one below another."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .layout import Layout
from .notation import Notation
from .steps import Explanation, NodeSteps

_WIDEST, _SHORT = 118, 60


def text(explanation: Explanation) -> str:
    writer = _Text(Notation(explanation.digits))
    lines = [explanation.sentence, ""] if explanation.sentence else []
    rows = [row for entry in explanation.told for row in writer.rows(entry)]
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(3)]
    longest = max((sum(widths) + 6 + len(row[3]) for row in rows), default=0)
    if longest <= _WIDEST and not explanation.only:
        lines += ["  ".join(c.ljust(w) for c, w in zip(row, [*widths, 0], strict=True)).rstrip()
                  for row in rows]  # fmt: skip
        return "\n".join(lines).rstrip() + "\n"
    for entry in explanation.told:
        lines += [*writer.block(entry), ""]
        if explanation.only and entry.inside is not None:
            lines += text(entry.inside).splitlines()
    return "\n".join(lines).rstrip() + "\n"


class _Text(Layout):
    def rows(self, entry: NodeSteps) -> Iterator[tuple[str, str, str, str]]:
        """What is defined, the function, its derivative, and numbers: a row for each edge."""
        shown = " = ".join(self.definition(entry))
        function = " = ".join(self.function(entry))
        for edge in entry.edges:
            numbers = self.line(self.numbers(edge), bool(edge.factor))
            yield shown, function, " = ".join(self.derivative(edge)), numbers
            shown = ""
            yield from (("", "", "", f"  {note}") for note in self.notes(edge))
        for line in self.remarks(entry):
            yield shown, "", "", line
            shown = ""

    def block(self, entry: NodeSteps) -> Iterator[str]:
        yield " = ".join(self.definition(entry)) + self.place(entry)
        if function := self.function(entry):
            yield f"  {' = '.join(function)}"
        yield from (f"  {line}" for line in self.remarks(entry))
        for edge in entry.edges:
            if derivative := self.derivative(edge):
                yield f"  {' = '.join(derivative)}"
            sides = self.numbers(edge)
            line = self.line(sides, bool(edge.factor))
            if len(line) + 4 <= _WIDEST:
                yield f"    {line}"
            else:
                yield f"    {self.line(sides[:2], bool(edge.factor))}"
                yield from (f"      = {side}" for side in sides[2:])
            yield from (f"      {note}" for note in self.notes(edge))

    def line(self, sides: tuple[str, ...], factor: bool) -> str:
        """``de: (1.00)(-1/3.25²) = -0.09``, or an equation for a rule."""
        sign = ": " if factor else " = "
        return f"{sides[0]}{sign}{' = '.join(sides[1:])}"

    def place(self, entry: NodeSteps) -> str:
        """Where it stands, and the specification's text where that is short and says more."""
        if not entry.edges:
            return ""
        said = {_bare(side) for side in self.definition(entry)}
        more = 0 < len(entry.written) <= _SHORT and _bare(entry.written) not in said
        return f"    [{entry.place}{f': {entry.written}' if more else ''}]"


def _bare(text: str) -> str:
    """A formula without what is only a matter of notation."""
    return re.sub(r"[ ·*()@]", "", text)
