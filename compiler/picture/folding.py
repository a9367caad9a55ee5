"""A picture with some of its groups folded to one box each, and what runs along its wires."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from ...dsl.frozen import frozen
from .model import Box, Edge, Group, Path, Picture
from .quantity import Quantity


@frozen(eq=False)
class Wire:
    """A line from a box, or from the end of another wire, to a box or to where it ends or forks.

    ``edge`` is the ids of its ends; that of a wire which forks is of its source alone. ``value``
    stands above the line, ``gradient`` below it.
    """

    edge: str
    source: Box | Wire
    target: Box | None
    value: tuple[str, ...] = ()
    gradient: tuple[str, ...] = ()
    group: Path = ()
    forks: bool = False

    @property
    def is_labelled(self) -> bool:
        return bool(self.value or self.gradient)


@frozen()
class Scene:
    """All that is to be placed."""

    boxes: tuple[Box, ...]
    wires: tuple[Wire, ...]
    groups: tuple[Group, ...]


def scene(picture: Picture, folded: Collection[Path] = ()) -> Scene:
    """The boxes and wires of a picture whose groups at the paths ``folded`` are one box each.

    A value that is used once has one wire, with the value and its gradient. One used several times
    has a wire that forks: its gradient is the sum of those below the branches.
    """
    homes, boxes = _homes(picture, folded)
    edges = _outer_edges(picture, homes)
    uses = Counter(edge.source for edge in edges)
    results = {id_ for box in picture.boxes if box.is_output for id_ in box.ids}
    wires: list[Wire] = []
    stems: dict[str, Wire] = {}
    for id_, home in homes.items():
        hidden = home.sort == "folded" and not uses[id_]
        if uses[id_] == 1 or (hidden and id_ not in results):
            continue
        value = picture.text(picture.values.get(id_))
        gradient = picture.text(picture.gradients.get(id_))
        forks = uses[id_] > 1
        stems[id_] = Wire(id_, home, None, value, gradient, home.group, forks)
        wires.append(stems[id_])
    for edge in edges:
        home, target = homes[edge.source], homes[edge.target]
        ends, group = f"{edge.source} {edge.target}", _common(home.group, target.group)
        if edge.source in stems:
            gradient = picture.text(edge.gradient)
            wires.append(Wire(ends, stems[edge.source], target, (), gradient, group))
            continue
        value = picture.text(picture.values.get(edge.source))
        gradient = picture.text(picture.gradients.get(edge.source))
        wires.append(Wire(ends, home, target, value, gradient, group))
    groups = [g for g in picture.groups if not any(_within(g.path, path) for path in folded)]
    return Scene(tuple(boxes), tuple(wires), tuple(groups))


def _homes(picture: Picture, folded: Collection[Path]) -> tuple[dict[str, Box], list[Box]]:
    """The box that stands for each item, and all boxes, in the order of the picture."""
    outermost = {group.path: group for group in picture.groups if group.path in set(folded)}
    groups = {id_: box.group for box in picture.boxes for id_ in box.ids}
    leaving = {e.source for e in picture.edges if groups[e.source] != groups[e.target]}
    members: dict[Path, list[Box]] = {}
    order: list[Box | Path] = []
    for box in picture.boxes:
        parts = (box.group[:depth] for depth in range(1, len(box.group) + 1))
        path = next((part for part in parts if part in outermost), None)
        if path is None:
            order.append(box)
        elif path in members:
            members[path].append(box)
        else:
            members[path] = [box]
            order.append(path)
    homes: dict[str, Box] = {}
    boxes = []
    for entry in order:
        inside = [entry] if isinstance(entry, Box) else members[entry]
        box = entry if isinstance(entry, Box) else _folded(outermost[entry], inside, leaving)
        homes |= {id_: box for one in inside for id_ in one.ids}
        boxes.append(box)
    return homes, boxes


def _folded(group: Group, inside: list[Box], leaving: set[str]) -> Box:
    """One box for all those in a group, with the names of the results of the group."""
    ids = tuple(id_ for box in inside for id_ in box.ids)
    own = [box for box in inside if box.group == group.path]
    results = [box for box in own if box.is_output or not leaving.isdisjoint(box.ids)]
    names = ", ".join(dict.fromkeys(box.name for box in results if box.name))
    is_output = any(box.is_output for box in inside)
    line = min(box.line for box in inside)
    return Box(ids, "folded", group.heading, names, group.heading, group.path[:-1], is_output,
               line, group.id)  # fmt: skip


def _outer_edges(picture: Picture, homes: dict[str, Box]) -> list[Edge]:
    """The edges between boxes, those that lead from one value to one folded box added up."""
    merged: dict[tuple[str, Box], int] = {}
    edges: list[Edge] = []
    for edge in picture.edges:
        target = homes[edge.target]
        if homes[edge.source] is target:
            continue
        key = (edge.source, target)
        if target.sort == "folded" and key in merged:
            first = edges[merged[key]]
            edges[merged[key]] = Edge(first.source, first.target,
                                      _sum(first.gradient, edge.gradient))  # fmt: skip
            continue
        merged[key] = len(edges)
        edges.append(edge)
    return edges


def _sum(a: Quantity | None, b: Quantity | None) -> Quantity | None:
    return a + b if a is not None and b is not None else a or b


def _within(path: Path, outer: Path) -> bool:
    return path[: len(outer)] == outer


def _common(a: Path, b: Path) -> Path:
    """The innermost group that holds both."""
    depth = 0
    while depth < min(len(a), len(b)) and a[depth] == b[depth]:
        depth += 1
    return a[:depth]
