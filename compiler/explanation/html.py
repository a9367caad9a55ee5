"""An explanation as HTML: a section for each value, and a page of its own."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from .layout import Layout
from .mathml import MathML
from .steps import Edge, Explanation, NodeSteps
from .terms import Amount

STYLE = """\
.explanation {
  --text: #1b1b1f; --muted: #5b5b66; --back: #ffffff; --card: #f6f6f9; --line: #d8d8e0;
  --value: #00695c; --gradient: #a3260b;
  color: var(--text); background: var(--back); font: 1rem/1.5 system-ui, sans-serif;
}
@media (prefers-color-scheme: dark) {
  .explanation {
    --text: #e8e8ee; --muted: #a5a5b2; --back: #16161a; --card: #1f1f25; --line: #3a3a44;
    --value: #5fd3c0; --gradient: #ffab8f;
  }
}
.explanation .node {
  background: var(--card); border: 1px solid var(--line); border-radius: 6px;
  margin: 0 0 .8rem; padding: .5rem .9rem; overflow-x: auto;
}
.explanation h3 { margin: 0; font-size: 1.05rem; font-weight: 600; }
.explanation .where, .explanation .note { color: var(--muted); font-size: .85rem; }
.explanation .both { display: flex; flex-wrap: wrap; gap: .2rem 1.5rem; align-items: baseline; }
.explanation .value::before { content: "value "; color: var(--muted); font-size: .8rem; }
.explanation .gradient::before { content: "gradient "; color: var(--muted); font-size: .8rem; }
.explanation .value math { color: var(--value); }
.explanation .gradient math { color: var(--gradient); }
.explanation .edge { border-top: 1px dashed var(--line); padding: .35rem 0 .2rem; }
.explanation .node > p, .explanation .edge p { margin: .25rem 0; }
.explanation code { font-size: .9em; }
.explanation math { font-size: 1.08rem; }
"""
_PAGE = """\
body.explanation { margin: 0 auto; max-width: 62rem; padding: 1rem; }
h1 { font-size: 1.3rem; }
"""


def html(explanation: Explanation) -> str:
    """A page of its own, which needs nothing else."""
    title = escape(explanation.title)
    parts = [
        "<!doctype html>", '<html lang="en">', "<head>", '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">', f"<title>{title}</title>",
        f"<style>\n{STYLE}{_PAGE}</style>", "</head>", '<body class="explanation">',
        f"<h1>{title}</h1>", *sections(explanation), "</body>", "</html>", "",
    ]  # fmt: skip
    return "\n".join(parts)


def sections(explanation: Explanation, notation: MathML | None = None) -> Iterator[str]:
    """The sections from the output down."""
    writer = _Html(notation or MathML(explanation.digits))
    if explanation.sentence:
        yield f"<p>{escape(explanation.sentence)}</p>"
    for entry in explanation.entries:
        yield writer.section(entry)


class _Html(Layout):
    notation: MathML

    def section(self, entry: NodeSteps) -> str:
        also = " ".join(item.id for item in entry.items[1:])
        mark = f' data-also="{escape(also)}"' if also else ""
        parts = [
            f'<section class="node" data-node="{escape(entry.item.id)}"{mark}>',
            f"<h3>{self.notation.math(*self.head(entry))}</h3>",
            f'<p class="where">{self.where(entry)}</p>',
            self.both(entry),
        ]
        parts += [f'<p class="note">{remark}</p>' for remark in self.remarks(entry)]
        if function := self.function(entry):
            parts.append(f"<p>{self.notation.math(*function)}</p>")
        parts += [self.edge(edge) for edge in entry.edges]
        if entry.inside is not None:
            inside = "\n".join(sections(entry.inside, self.notation))
            words = escape(f"One step of {entry.inside.title}")
            parts.append(f"<details><summary>{words}</summary>\n{inside}\n</details>")
        return "\n".join([*filter(None, parts), "</section>"])

    def head(self, entry: NodeSteps) -> tuple[str, ...]:
        """The name and the operation; the value stands below."""
        return self.definition(entry)[: 1 if entry.definition is None else 2]

    def where(self, entry: NodeSteps) -> str:
        place = escape(entry.place)
        return f"{place} <code>{escape(entry.written)}</code>" if entry.written else place

    def both(self, entry: NodeSteps) -> str:
        """The value, and what arrives."""
        n = self.notation
        value = n.math(n.name(entry.name), n.amount(Amount(entry.value)))
        parts = [f'<span class="value">{value}</span>']
        if entry.adjoint is not None:
            found = n.math(n.gradient(entry.name), n.amount(Amount(entry.adjoint)))
            parts.append(f'<span class="gradient">{found}</span>')
        return f'<p class="both">{"".join(parts)}</p>'

    def edge(self, edge: Edge) -> str:
        n = self.notation
        parts = [f'<div class="edge" data-operand="{escape(edge.operand.id)}">']
        if derivative := self.derivative(edge):
            parts.append(f"<p>{n.math(*derivative)}</p>")
        parts.append(f"<p>{n.math(*self.numbers(edge))}</p>")
        parts += [f'<p class="note">{note}</p>' for note in self.notes(edge)]
        return "\n".join([*parts, "</div>"])
