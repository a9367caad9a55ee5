"""The inputs of a specification as fields of a form, a cell for each number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import numpy as np

from ...dsl.graph import Input

CELLS = 64


def fields(inputs: Sequence[tuple[Input, Any, str, bool]], reason: str) -> str:
    """Each input with its value, its item, and whether that may change; ``reason`` says why none
    may."""
    html = [f"<p>{escape(reason)}</p>"] if reason else []
    html.append('<div class="fields">')
    for given, value, item, free in inputs:
        html.append(_field(given, value, item, free))
    html.append("</div>")
    if not reason:
        html.append('<p class="results"><button type="button" id="reset">Given values</button></p>')
    return "".join(html)


def _field(given: Input, value: Any, item: str, free: bool) -> str:
    name = escape(given.name)
    sort = escape(f"{given.type}" if given.differentiated else f"{given.type}, data")
    shown = value.ndim <= 2 and 0 < value.size <= CELLS
    if free and shown:
        body = f'<div class="cells">{_table(given.name, value)}</div>'
    else:
        body = escape(_text(value)) if shown else escape(_shape(value))
    return (
        f'<fieldset data-node="{escape(item)}" data-input="{name}"><legend>{name} '
        f"<small>{sort}</small></legend>{body}</fieldset>"
    )


def _table(name: str, value: Any) -> str:
    if not value.ndim:
        return f"<table><tr>{_cell(name, value[()])}</tr></table>"
    rows = value if value.ndim == 2 else value[:, None] if value.size > 6 else value[None]
    html = []
    for i, row in enumerate(rows):
        cells = (_cell(f"{name}[{_index(value, i, j)}]", x) for j, x in enumerate(row))
        html.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table>{''.join(html)}</table>"


def _index(value: Any, i: int, j: int) -> str:
    return f"{i}, {j}" if value.ndim == 2 else str(max(i, j))


def _cell(label: str, value: Any) -> str:
    label = escape(label)
    if isinstance(value, np.bool_):
        mark = " checked" if value else ""
        return f'<td><input type="checkbox" aria-label="{label}"{mark}></td>'
    mode = "numeric" if isinstance(value, np.integer) else "decimal"
    whole, short = _number(value), _number(value, 4)
    exact = f' data-exact="{whole}" title="{whole}"' if whole != short else ""
    return (
        f'<td><input type="text" inputmode="{mode}" autocomplete="off" spellcheck="false" '
        f'aria-label="{label}" value="{short}"{exact}></td>'
    )


def _number(value: Any, digits: int = 0) -> str:
    """A number in full, or in a few digits."""
    if digits and isinstance(value, np.floating):
        return f"{value:.{digits}g}"
    return repr(value.item()).removesuffix(".0")


def _text(value: Any) -> str:
    rows: Iterable[Any] = np.atleast_2d(value)
    return "; ".join(" ".join(_number(x, 4) for x in row) for row in rows)


def _shape(value: Any) -> str:
    return f"{'×'.join(map(str, value.shape))} numbers: given, and too many to change here"
