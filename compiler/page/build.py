"""The page of a specification: one HTML text that needs nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from html import escape
from keyword import kwlist
from typing import Any

import numpy as np

from ...dsl.check import Checked
from ...dsl.frozen import frozen
from ...dsl.graph import Node
from ...dsl.lower import lower
from ..driver import UsageError, compiled, python
from ..evaluate import Evaluation, evaluate
from ..explanation.build import explain
from ..explanation.html import STYLE, sections
from ..given import Inputs
from ..outline import Outline, outline
from ..picture.model import Path, Picture, picture
from .document import document
from .fields import fields
from .lines import Line, code_lines
from .live import LiveMathML
from .marks import coloured, marked
from .pictures import pictures
from .program import NUMBERS, Program, program
from .sources import all_items, excerpts


@frozen()
class Parts:
    """What a page is made of; without inputs nothing is evaluated."""

    checked: Checked
    inputs: Inputs | None
    outline: Outline
    evaluation: Evaluation | None
    picture: Picture
    digits: int | None


def parts_of(checked: Checked, inputs: Inputs | None, digits: int | None = None) -> Parts:
    """A specification evaluated and drawn. Raises ``UsageError`` where there is nothing to draw."""
    if checked.is_library:
        raise UsageError("the file has only functions, nothing to draw")
    if inputs is None:
        shown = outline(lower(checked.graph), checked.program)
        return Parts(checked, None, shown, None, picture(shown, checked), None)
    rounding = digits if digits is not None else inputs.digits
    evaluation = evaluate(checked, inputs.values, inputs.sizes, rounding)
    shown = outline(evaluation.graph, checked.program)
    drawn = picture(shown, checked, evaluation, rounding)
    return Parts(checked, inputs, shown, evaluation, drawn, rounding)


def page(parts: Parts, folded: Collection[Path] = (), live: str = "") -> str:
    """The page, with some groups folded at first; ``live`` is one more script, for the server.

    Raises ``MissingLibrary``.
    """
    told, numbers = _explanation(parts)
    made = None
    if parts.evaluation is not None:
        made = program(parts.evaluation, _shown(parts.picture, numbers))
    checked = parts.checked
    title = checked.program.source.name.rpartition("/")[2].removesuffix(".grad")
    graph, templates = pictures(parts.picture, folded)
    panels = {
        "graph": ("Graph", graph, _GRAPH_BUTTONS),
        "inputs": ("Inputs", _inputs(parts, made), ""),
        "source": ("Specification", _source(parts), ""),
        "code": ("Generated code", _code(parts), ""),
        "explanation": ("Explanation", told, ""),
    }
    closed = [group.id for group in parts.picture.groups if group.path in folded]
    data = _data(parts, made) | {"folded": closed}
    return document(title, _body(title, parts, panels) + templates, data, live)


# ── Data ────────────────────────────────────────────────────────────────────


def _shown(drawn: Picture, numbers: Iterable[Node]) -> dict[str, Node]:
    """The nodes whose numbers the page shows, under the keys that its scripts know."""
    tables = (("value", drawn.values), ("gradient", drawn.gradients))
    found = {f"{word} {id_}": q.node for word, table in tables for id_, q in table.items()}
    found |= {f"edge {i}": e.gradient.node for i, e in enumerate(drawn.edges) if e.gradient}
    found |= {f"number {i}": node for i, node in enumerate(numbers)}
    return {key: node for key, node in found.items() if node is not None}


def _data(parts: Parts, made: Program | None) -> dict[str, Any]:
    drawn, items = parts.picture, list(parts.outline.items)
    backward = [item.id for item in reversed(items) if item.id in drawn.gradients]
    inputs = [item for item in items if item.is_input]
    first = inputs + [item for item in items if not item.is_input]
    return {
        "program": made.as_json() if made is not None else None,
        "digits": parts.digits,
        "forward": [item.id for item in first],
        "backward": backward,
        "groups": [group.path for group in drawn.groups],
        "given": _given(parts, made),
        "edges": [[edge.source, edge.target] for edge in drawn.edges],
        "items": {
            item.id: {
                "label": item.label,
                "formula": item.formula,
                "operands": [operand.id for operand in item.operands],
                "value": " ".join(drawn.text(drawn.values.get(item.id))),
                "gradient": " ".join(drawn.text(drawn.gradients.get(item.id))),
            }
            for item in all_items(parts.outline)
        },
    }


def _given(parts: Parts, made: Program | None) -> dict[str, list[Any]]:
    values = parts.inputs.values if parts.inputs is not None else {}
    return {name: _plain(values[name]) for name in (made.inputs if made is not None else ())}


def _plain(value: Any) -> list[Any]:
    """Numbers as JSON has them, infinities as JavaScript reads them."""
    return [x if np.isfinite(x) else str(x).replace("inf", "Infinity").replace("nan", "NaN")
            for x in np.ravel(value).tolist()]  # fmt: skip


# ── Panels ──────────────────────────────────────────────────────────────────


def _explanation(parts: Parts) -> tuple[str, list[Node]]:
    """The explanation, and the nodes whose values are its numbers."""
    if parts.evaluation is None:
        return f"<p>{_NO_NUMBERS}</p>", []
    found = explain(parts.evaluation, parts.checked.program, parts.digits)
    notation = LiveMathML(parts.digits, parts.evaluation.interpreter.values)
    html = "\n".join(sections(found, notation))
    return f'<style>{STYLE}</style><div class="explanation">{html}</div>', notation.numbers


def _source(parts: Parts) -> str:
    found = excerpts(parts.checked.program, all_items(parts.outline))
    html = []
    for number, excerpt in enumerate(found):
        name = excerpt.name.rpartition("/")[2]
        html += [f"<h3>{escape(name)}</h3>"] if number else []
        html.append(_numbered(excerpt.html, excerpt.first, excerpt.count))
    return "".join(html)


def _numbered(html: str, first: int, count: int) -> str:
    gutter = "\n".join(map(str, range(first, first + count)))
    return (
        f'<div class="lines"><pre class="gutter" aria-hidden="true">{gutter}</pre>'
        f"<pre>{html}</pre></div>"
    )


def _code(parts: Parts) -> str:
    """The functions of the module; what stands above them can be unfolded."""
    text = python(compiled(parts.checked))
    lines = code_lines(text, parts.checked.program.source, list(all_items(parts.outline)))
    start = next(i for i, line in enumerate(lines) if line.function)
    above = f"{start} lines above: checks of arguments, types, helpers"
    head, rest = _code_html(lines[:start], 1), _code_html(lines[start:], start + 1)
    return f"<details><summary>{above}</summary>{head}</details>{rest}"


def _code_html(lines: list[Line], first: int) -> str:
    text = "\n".join(line.text for line in lines)
    marks = list(coloured(text, kwlist))
    html, at = [], 0
    for line in lines:
        end = at + len(line.text)
        inside = [m for m in marks if at <= m.start and m.end <= end]
        whole = [m for m in marks if m.start < end and at < m.end and m not in inside]
        content = marked(text, inside, at, end)
        if whole:  # A piece of a text of several lines.
            content = f'<span class="tok-text">{escape(line.text)}</span>'
        ids = f' data-node="{escape(" ".join(line.ids))}"' if line.ids else ""
        way = " backward" if line.backward else ""
        html.append(f'<span class="line{way}"{ids}>{content or " "}</span>')
        at = end + 1
    return _numbered("".join(html), first, len(lines))


def _inputs(parts: Parts, made: Program | None) -> str:
    interface = parts.checked.interface
    items = {item.label: item.id for item in parts.outline.items if item.is_input}
    if parts.inputs is None:
        return f"<p>{_NO_NUMBERS}</p>"
    places = made.inputs if made is not None else {}
    values = {name: np.asarray(parts.inputs.values[name]) for name in items}
    shown = [i for i in interface.inputs if i.name in items]
    reason = "" if made is not None else _FIXED
    return fields([(i, values[i.name], items[i.name], i.name in places) for i in shown], reason)


_FIXED = (
    "The inputs cannot be changed here: the arithmetic is that of more than "
    f"{NUMBERS:,} numbers, or has an operation on whole arrays, such as a decomposition."
)
_NO_NUMBERS = "There are no numbers: the file has no example, and none were given."
_GRAPH_BUTTONS = (
    '<span><button type="button" id="fold" class="hidden">Fold groups</button> '
    '<button type="button" id="fit" aria-pressed="true">Fit</button></span>'
)


# ── The document ────────────────────────────────────────────────────────────


def _body(title: str, parts: Parts, panels: Mapping[str, tuple[str, str, str]]) -> str:
    doc = parts.checked.program.doc.strip().splitlines()
    example = parts.inputs.example if parts.inputs is not None else None
    about = [parts.checked.program.source.name.rpartition("/")[2]]
    about += [f"example {example.name}"] if example is not None else []
    tabs = "".join(
        f'<button type="button" role="tab" id="tab-{id_}" aria-controls="{id_}" '
        f'aria-selected="false">{name}</button>'
        for id_, (name, _, _) in panels.items()
    )
    sections = "".join(
        f'<section class="panel" id="{id_}" aria-labelledby="title-{id_}">'
        f'<div class="title"><h2 id="title-{id_}">{name}</h2>{buttons}</div>'
        f'<div class="scroll">{html}</div></section>'
        for id_, (name, html, buttons) in panels.items()
    )
    heading = doc[0] if doc else title
    return (
        f"<header><h1>{escape(heading)}</h1><p>{escape(' · '.join(about))}</p></header>"
        f'{_CONTROL}<nav aria-label="Panels"><div class="tabs" role="tablist">{tabs}</div></nav>'
        f"<main>{sections}</main>"
    )


_CONTROL = """
<div class="control" role="region" aria-label="Step by step">
<span class="buttons">
<button type="button" id="first" aria-label="First step" title="First (Home)">|◀</button>
<button type="button" id="back" aria-label="Step back" title="Back (←)">◀</button>
<button type="button" id="play">Play</button>
<button type="button" id="next" aria-label="Next step" title="Next (→)">▶</button>
<button type="button" id="last" aria-label="Last step" title="Last (End)">▶|</button>
</span>
<input type="range" id="slider" min="0" value="0" aria-label="Step">
<span class="count" id="count"></span>
<p class="said" id="said" role="status" aria-live="polite"></p>
</div>
"""
