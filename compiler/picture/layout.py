"""Places for all that a picture shows, found by Graphviz: inputs left, output right.

A label is a node of its own in the middle of its wire, so that it has room as boxes have: values
stand above the line, gradients below it. Lengths are in pixels, ``y`` grows downwards.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from ...dsl.frozen import frozen
from .engine import placed
from .folding import Scene, Wire
from .model import Box, Group, Path
from .widths import shortened, width

SYMBOL, NAME, LABEL, HEADING = 15, 12, 11, 12
"""Sizes of fonts."""
LINE = 14
"""The height of a line of a label."""
_LEAST_WIDTH, _PADDING, _MOST = 34, 9, 220
_PIXELS_PER_INCH = 72
_MANY = 400

Point = tuple[float, float]


@frozen()
class Rectangle:
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> Point:
        return self.x + self.width / 2, self.y + self.height / 2


@frozen(eq=False)
class PlacedBox:
    box: Box
    at: Rectangle
    symbol: str
    name: str


@frozen(eq=False)
class PlacedWire:
    """``curves`` are control points of cubic splines, one after the other; ``tip`` is where an
    arrow ends. ``label`` is the room for the texts, the line runs through its middle."""

    wire: Wire
    curves: tuple[tuple[Point, ...], ...]
    tip: Point | None
    label: Rectangle | None


@frozen()
class Layout:
    width: float
    height: float
    boxes: tuple[PlacedBox, ...]
    wires: tuple[PlacedWire, ...]
    groups: tuple[tuple[Group, Rectangle], ...]


def layout(scene: Scene) -> Layout:
    """Raises ``MissingLibrary`` where there is no Graphviz, and ``LayoutFailed``."""
    placing = _Placing(scene)
    return placing.read(json.loads(placed(placing.text())))


def box_texts(box: Box) -> tuple[str, str]:
    """The symbol and the name that stand in a box."""
    return shortened(box.symbol, SYMBOL, _MOST), shortened(box.name, NAME, _MOST)


def _box_size(box: Box) -> tuple[float, float]:
    symbol, name = box_texts(box)
    widest = max(width(symbol, SYMBOL), width(name, NAME, bold=box.is_output))
    return max(_LEAST_WIDTH, widest + 2 * _PADDING), 46 if name else 32


def _label_size(wire: Wire) -> tuple[float, float]:
    """Room for the lines above and below, the same on both sides, so that the line is in the
    middle."""
    widest = max(width(line, LABEL) for line in (*wire.value, *wire.gradient))
    return widest + 8, 2 * (max(len(wire.value), len(wire.gradient)) * LINE + 2)


class _Placing:
    """The text that Graphviz lays out, and its answer read back."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.boxes = {box: f"b{i}" for i, box in enumerate(scene.boxes)}
        self.labels = {wire: f"l{i}" for i, wire in enumerate(scene.wires) if _has_node(wire)}
        self.groups = {group.path: f"cluster_{i}" for i, group in enumerate(scene.groups)}
        self.inside: dict[Path, list[str]] = {}

    def text(self) -> str:
        for box, name in self.boxes.items():
            self.node(name, _box_size(box), box.group)
        for wire, name in self.labels.items():
            size = _label_size(wire) if wire.is_labelled else (8.0, 8.0)
            self.node(name, size, wire.group)
        lines = ["digraph {", "rankdir=LR ranksep=0.3 nodesep=0.12 pad=0"]
        if len(self.boxes) + len(self.labels) > _MANY:
            lines.append("nslimit=1 nslimit1=1")  # Else a long chain can take minutes, or hours.
        lines += ['node [shape=box fixedsize=true label=""]', "edge [arrowsize=0.7]"]
        lines += self.group_lines(())
        for wire in self.scene.wires:
            lines += self.edges(wire)
        return "\n".join([*lines, "}"])

    def node(self, name: str, size: tuple[float, float], group: Path) -> None:
        inches = [f"{length / _PIXELS_PER_INCH:.3f}" for length in size]
        line = f"{name} [width={inches[0]} height={inches[1]}]"
        self.inside.setdefault(group, []).append(line)

    def group_lines(self, path: Path) -> list[str]:
        """What stands in a group, groups in it included; they nest no deeper than calls do."""
        lines = list(self.inside.get(path, ()))
        for group in self.scene.groups:
            if group.path[:-1] != path:
                continue
            room = width(group.heading, HEADING) + 12
            heading = (
                f'<<TABLE BORDER="0" FIXEDSIZE="TRUE" WIDTH="{room:.0f}" HEIGHT="18">'
                "<TR><TD></TD></TR></TABLE>>"
            )
            lines += [f"subgraph {self.groups[group.path]} {{", f"margin=10 label={heading}"]
            lines += ["labeljust=l labelloc=t", *self.group_lines(group.path), "}"]
        return lines

    def edges(self, wire: Wire) -> list[str]:
        """One edge, or two with the label between."""
        start = self.start(wire)
        label = self.labels.get(wire)
        end = f"{self.boxes[wire.target]}:w" if wire.target is not None else None
        if label is None:
            return [f"{start} -> {end}"]
        lines = [f"{start} -> {label}:w [arrowhead=none weight=3]"]
        return lines + ([f"{label}:e -> {end}"] if end else [])

    def start(self, wire: Wire) -> str:
        source = wire.source
        return f"{self.labels[source]}:e" if isinstance(source, Wire) else f"{self.boxes[source]}:e"

    # ── The answer ──────────────────────────────────────────────────────────

    def read(self, answer: Mapping[str, Any]) -> Layout:
        _, _, total_width, total_height = map(float, answer["bb"].split(","))
        self.height = total_height
        objects = {o["name"]: o for o in answer.get("objects", ())}
        names = {o["_gvid"]: o["name"] for o in answer.get("objects", ())}
        found: dict[tuple[str, str], list[str]] = {}
        for edge in answer.get("edges", ()):
            found.setdefault((names[edge["tail"]], names[edge["head"]]), []).append(edge["pos"])
        boxes = tuple(PlacedBox(box, self.rectangle(objects[name]), *box_texts(box))
                      for box, name in self.boxes.items())  # fmt: skip
        wires = tuple(self.wire(wire, objects, found) for wire in self.scene.wires)
        groups = tuple((group, self.frame(objects[self.groups[group.path]]["bb"]))
                       for group in self.scene.groups)  # fmt: skip
        return Layout(total_width, total_height, boxes, wires, groups)

    def rectangle(self, node: Mapping[str, str]) -> Rectangle:
        x, y = self.point(node["pos"])
        wide, high = (float(node[side]) * _PIXELS_PER_INCH for side in ("width", "height"))
        return Rectangle(x - wide / 2, y - high / 2, wide, high)

    def frame(self, corners: str) -> Rectangle:
        left, low, right, high = map(float, corners.split(","))
        return Rectangle(left, self.height - high, right - left, high - low)

    def point(self, text: str) -> Point:
        x, y = map(float, text.split(","))
        return x, self.height - y

    def wire(
        self, wire: Wire, objects: Mapping[str, Any], found: dict[tuple[str, str], list[str]]
    ) -> PlacedWire:
        start = self.start(wire).removesuffix(":e")
        end = self.boxes[wire.target] if wire.target is not None else None
        label = self.labels.get(wire)
        stops = [name for name in (start, label, end) if name is not None]
        curves: list[tuple[Point, ...]] = []
        tip: Point | None = None
        for tail, head in pairwise(stops):
            tip, curve = self.spline(found[tail, head].pop(0))
            curves.append(curve)
        room = self.rectangle(objects[label]) if label is not None else None
        return PlacedWire(wire, tuple(curves), tip, room)

    def spline(self, text: str) -> tuple[Point | None, tuple[Point, ...]]:
        """Where the arrow ends, if there is one, and the control points of the curve."""
        tip: Point | None = None
        points = []
        for word in text.split():
            if word.startswith("e,"):
                tip = self.point(word[2:])
            else:
                points.append(self.point(word))
        return tip, tuple(points)


def _has_node(wire: Wire) -> bool:
    return wire.is_labelled or wire.forks or wire.target is None
