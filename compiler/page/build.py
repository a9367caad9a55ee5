"""The page of a specification: one HTML text that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from importlib import resources
from typing import Any

import numpy as np

from ...dsl.check import Checked
from ...dsl.graph import Node
from ..driver import compiled, python
from ..evaluate import Evaluation, evaluate
from ..explanation.build import explain
from ..explanation.steps import Explanation
from ..given import Inputs
from ..outline import Outline, outline
from ..picture.model import Picture, picture
from .fields import fields
from .lines import Line, code_lines
from .live import LiveNotation, entries
from .marks import coloured, marked
from .pictures import pictures
from .program import NUMBERS, Program, program
from .sources import all_items, excerpts

_SCRIPTS = ("numbers.js", "format.js", "panels.js", "steps.js", "inputs.js")
_PYTHON = ("and", "as", "class", "def", "else", "for", "from", "if", "import", "in", "is", "None",
           "not", "or", "raise", "return", "True", "False", "with", "while", "if", "elif", "break")  # fmt: skip


@dataclass(frozen=True)
class Parts:
    """What a page is made of."""

    checked: Checked
    inputs: Inputs
    outline: Outline
    evaluation: Evaluation
    picture: Picture


def page(checked: Checked, inputs: Inputs, digits: int | None, live: str = "") -> str:
    """The page; ``live`` is one more script, for the server. Raises ``MissingLibrary``."""
    evaluation = evaluate(checked, inputs.values, inputs.sizes, digits)
    shown = outline(evaluation.graph, checked.program)
    drawn = picture(shown, checked, evaluation, digits)
    parts = Parts(checked, inputs, shown, evaluation, drawn)
    explanation = explain(evaluation, checked.program, digits)
    notation = LiveNotation(digits, evaluation.interpreter.values)
    told = _explanation(explanation, notation)
    made = program(evaluation, _shown(drawn, notation.numbers))
    data = _data(parts, made, digits)
    title = checked.program.source.name.rpartition("/")[2].removesuffix(".grad")
    graph, templates = pictures(drawn)
    panels = {
        "graph": ("Graph", graph, _GRAPH_BUTTONS),
        "inputs": ("Inputs", _inputs(parts, made), ""),
        "source": ("Specification", _source(parts), ""),
        "code": ("Generated code", _code(parts), ""),
        "explanation": ("Explanation", told, ""),
    }
    return document(title, _body(title, parts, panels) + templates, data, live)


# ── Data ────────────────────────────────────────────────────────────────────


def _shown(drawn: Picture, numbers: Iterable[Node]) -> dict[str, Node]:
    """The nodes whose numbers the page shows, under the keys that its scripts know."""
    tables = (("value", drawn.values), ("gradient", drawn.gradients))
    found = {f"{word} {id_}": q.node for word, table in tables for id_, q in table.items()}
    found |= {f"edge {i}": e.gradient.node for i, e in enumerate(drawn.edges) if e.gradient}
    found |= {f"number {i}": node for i, node in enumerate(numbers)}
    return {key: node for key, node in found.items() if node is not None}


def _data(parts: Parts, made: Program | None, digits: int | None) -> dict[str, Any]:
    drawn, items = parts.picture, list(parts.outline.items)
    backward = [item.id for item in reversed(items) if item.id in drawn.gradients]
    inputs = [item for item in items if item.is_input]
    first = inputs + [item for item in items if not item.is_input]
    return {
        "program": made.as_json() if made is not None else None,
        "digits": digits,
        "forward": [item.id for item in first],
        "backward": backward,
        "groups": [group.path for group in drawn.groups],
        "given": {name: _plain(parts.inputs.values[name]) for name in (made.inputs if made else ())},
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


def _plain(value: Any) -> list[Any]:
    """Numbers as JSON has them, infinities as JavaScript reads them."""
    return [x if np.isfinite(x) else str(x).replace("inf", "Infinity").replace("nan", "NaN")
            for x in np.ravel(value).tolist()]  # fmt: skip


def json_text(data: Any) -> str:
    """JSON that can stand in an element of HTML."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


# ── Panels ──────────────────────────────────────────────────────────────────


def _explanation(explanation: Explanation, notation: LiveNotation) -> str:
    html = [f"<p>{escape(explanation.sentence)}</p>"] if explanation.sentence else []
    for entry, text in entries(explanation, notation):
        ids = " ".join(item.id for item in entry.items)
        html.append(f'<section class="entry node" data-node="{escape(ids)}">{text}</section>')
    return "\n".join(html)


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
    head, rest = (_code_html(part, first) for part, first in ((lines[:start], 1),
                                                             (lines[start:], start + 1)))  # fmt: skip
    return f"<details><summary>{above}</summary>{head}</details>{rest}"


def _code_html(lines: list[Line], first: int) -> str:
    text = "\n".join(line.text for line in lines)
    marks = list(coloured(text, _PYTHON))
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
    places = made.inputs if made is not None else {}
    values = {name: np.asarray(parts.inputs.values[name]) for name in items}
    shown = [i for i in interface.inputs if i.name in items]
    reason = "" if made is not None else _FIXED
    return fields([(i, values[i.name], items[i.name], i.name in places) for i in shown], reason)


_FIXED = (
    "The inputs cannot be changed here: the arithmetic is that of more than "
    f"{NUMBERS:,} numbers, or has an operation on whole arrays, such as a decomposition."
)
_GRAPH_BUTTONS = (
    '<span><button type="button" id="fold" class="hidden">Fold groups</button> '
    '<button type="button" id="fit" aria-pressed="true">Fit</button></span>'
)


# ── The document ────────────────────────────────────────────────────────────


def _body(title: str, parts: Parts, panels: Mapping[str, tuple[str, str, str]]) -> str:
    doc = parts.checked.program.doc.strip().splitlines()
    example = parts.inputs.example
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
        f'{_CONTROL}<div class="tabs" role="tablist" aria-label="Panels">{tabs}</div>'
        f"<main>{sections}</main>"
    )


_CONTROL = """
<div class="control" role="group" aria-label="Step by step">
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


def document(title: str, body: str, data: Any = None, live: str = "") -> str:
    """A whole document. Nothing is loaded from anywhere, and no script but ours runs."""
    style = _file("page.css")
    scripts = [_script("\n".join(map(_file, _SCRIPTS)))] if data is not None else []
    scripts += [live] if live else []
    styles = list(dict.fromkeys([style, *_styles(body)]))
    policy = "; ".join((
        "default-src 'none'",
        f"style-src {' '.join(map(_hash, styles))}",
        f"script-src {' '.join(map(_hash, scripts))}" if scripts else "script-src 'none'",
        "connect-src 'self'" if live else "connect-src 'none'",
        "base-uri 'none'", "form-action 'none'",
    ))  # fmt: skip
    held = f'<script type="application/json" id="data">{json_text(data)}</script>' if data else ""
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n{body}\n{held}\n"
        + "".join(f"<script>{script}</script>\n" for script in scripts)
        + "</body>\n</html>\n"
    )


def _script(text: str) -> str:
    return f'(() => {{\n{text.replace(chr(34) + "use strict" + chr(34) + ";", "")}}})();\n'


def _styles(body: str) -> list[str]:
    """The contents of the elements of style in a body."""
    return [piece.partition("</style>")[0] for piece in body.split("<style>")[1:]]


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _file(name: str) -> str:
    return resources.files("gradc.compiler.page").joinpath(name).read_text("utf-8")
