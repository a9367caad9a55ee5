"""A picture as SVG, in light and dark colours that the reader's system chooses between."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from .folding import scene
from .layout import (
    LABEL,
    LINE,
    NAME,
    SYMBOL,
    PlacedBox,
    PlacedWire,
    Point,
    Rectangle,
    layout,
)
from .markup import attribute, escaped
from .model import Group, Path, Picture
from .themes import style

_MARGIN = 12


def svg(picture: Picture, *, folded: Collection[Path] = frozenset(), theme: str = "auto") -> str:
    """The picture as one ``<svg>`` element, the groups at the paths ``folded`` being one box each.

    Boxes are ``<g class="node" data-node="n5">`` (a folded group has the ids of all in it, with
    spaces between), wires ``<g class="edge" data-edge="n3 n5">`` with texts of the classes
    ``value`` and ``gradient``; a wire that forks has the id of its source alone, and groups are
    ``<g class="group" data-group="...">``. Raises ``MissingLibrary`` and ``LayoutFailed``.
    """
    placed = layout(scene(picture, folded))
    width, height = placed.width + 2 * _MARGIN, placed.height + 2 * _MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="gradc-picture" role="img" '
        f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" '
        f"aria-label={attribute(picture.title)}>",
        f"<title>{escaped(picture.title)}</title>",
        f"<desc>{escaped(_description(picture))}</desc>",
        f"<style>{style(theme)}</style>",
        '<rect class="paper" width="100%" height="100%"/>',
        f'<g transform="translate({_MARGIN} {_MARGIN})">',
        *(line for group, frame in placed.groups for line in _group(group, frame)),
        *(line for wire in placed.wires for line in _wire(wire)),
        *(line for box in placed.boxes for line in _node(box, picture)),
        "</g>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _description(picture: Picture) -> str:
    """What the picture shows, for those who do not see it."""
    inputs = [box.symbol for box in picture.boxes if box.sort in ("input", "data")]
    outputs = [box.name for box in picture.boxes if box.is_output]
    operations = sum(box.sort == "operation" for box in picture.boxes)
    return (
        f"A graph with {', '.join(inputs) or 'no input'} on the left, {operations} operations, and "
        f"{', '.join(outputs)} on the right. Values stand above the lines, gradients below them."
    )


# ── Parts ───────────────────────────────────────────────────────────────────


def _group(group: Group, frame: Rectangle) -> Iterator[str]:
    sort = "group loop" if group.is_loop else "group"
    yield f'<g class="{sort}" data-group={attribute(group.id)}>'
    yield f'<rect {_sides(frame)} rx="8"/>'
    place = _at((frame.x + 9, frame.y + 17))
    yield f'<text class="heading" {place}>{escaped(group.heading)}</text>'
    yield "</g>"


def _node(placed: PlacedBox, picture: Picture) -> Iterator[str]:
    box, (x, y) = placed.box, placed.at.middle
    sort = f"node {box.sort} output" if box.is_output else f"node {box.sort}"
    folds = f" data-group={attribute(box.folds)}" if box.folds else ""
    yield f'<g class="{sort}" data-node={attribute(" ".join(box.ids))}{folds}>'
    yield f"<title>{escaped(_tooltip(placed, picture))}</title>"
    round_ = 4 if box.sort in ("input", "data") else min(16, placed.at.height / 2)
    yield f'<rect {_sides(placed.at)} rx="{_number(round_)}"/>'
    above = y - 3 if placed.name else y + SYMBOL * 0.35
    yield f'<text class="symbol" {_at((x, above))}>{escaped(placed.symbol)}</text>'
    if placed.name:
        yield f'<text class="name" {_at((x, y + NAME + 2))}>{escaped(placed.name)}</text>'
    yield "</g>"


def _tooltip(placed: PlacedBox, picture: Picture) -> str:
    """Formula, place, value and gradient, a line each."""
    box = placed.box
    lines = [f"{box.formula}  (line {box.line})"]
    if len(box.ids) == 1:
        for word, table in (("value", picture.values), ("gradient", picture.gradients)):
            text = picture.text(table.get(box.ids[0]))
            lines += [f"{word}: {' '.join(text)}"] if text else []
    return "\n".join(lines)


def _wire(placed: PlacedWire) -> Iterator[str]:
    yield f'<g class="edge" data-edge={attribute(placed.wire.edge)}>'
    yield f'<path d="{_path(placed)}"/>'
    if placed.label is not None:
        (x, y), end = placed.label.middle, placed.label.x + placed.label.width
        if placed.wire.forks:
            yield f'<circle cx="{_number(end)}" cy="{_number(y)}" r="2.5"/>'
        above = y - 4 - (len(placed.wire.value) - 1) * LINE
        for i, line in enumerate(placed.wire.value):
            yield f'<text class="value" {_at((x, above + i * LINE))}>{escaped(line)}</text>'
        for i, line in enumerate(placed.wire.gradient):
            place = _at((x, y + LABEL + 1 + i * LINE))
            yield f'<text class="gradient" {place}>{escaped(line)}</text>'
    if placed.tip is not None:
        yield f'<path class="arrow" d="{_arrow(placed.curves[-1][-1], placed.tip)}"/>'
    yield "</g>"


def _path(placed: PlacedWire) -> str:
    """The whole line, straight through the label."""
    first, *others = placed.curves
    parts = [f"M{_point(first[0])} C{' '.join(map(_point, first[1:]))}"]
    if placed.label is not None:
        y = placed.label.middle[1]
        ends = (placed.label.x, placed.label.x + placed.label.width)
        parts += [f"L{_point((x, y))}" for x in ends]
    parts += [f"L{_point(c[0])} C{' '.join(map(_point, c[1:]))}" for c in others]
    return " ".join(parts)


def _arrow(start: Point, tip: Point) -> str:
    """A triangle from where the line ends to the tip."""
    along = ((tip[0] - start[0]) * 0.4, (tip[1] - start[1]) * 0.4)
    left = (start[0] - along[1], start[1] + along[0])
    right = (start[0] + along[1], start[1] - along[0])
    return f"M{_point(left)} L{_point(tip)} L{_point(right)} Z"


# ── Texts and numbers ───────────────────────────────────────────────────────


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _point(point: Point) -> str:
    return f"{_number(point[0])} {_number(point[1])}"


def _at(point: Point) -> str:
    return f'x="{_number(point[0])}" y="{_number(point[1])}"'


def _sides(at: Rectangle) -> str:
    return f'{_at((at.x, at.y))} width="{_number(at.width)}" height="{_number(at.height)}"'
