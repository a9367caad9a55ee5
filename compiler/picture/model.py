"""What a picture shows of a graph: boxes, edges and groups, without places.

Boxes and edges carry the ids of the outline, so that pictures, pages and explanations speak of the
same. A loop is a group whose boxes are those of one step, and its results.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import field, replace

from ...dsl.check import Checked
from ...dsl.frozen import frozen
from ...dsl.graph import Interface, Node
from ...dsl.loops import Loop, loop_key
from ..evaluate import Evaluation
from ..outline import Item, Outline
from ..paper import label
from .flows import Flows
from .quantity import Quantity
from .symbols import symbol

Path = tuple[str, ...]


@frozen(eq=False)
class Box:
    """An input or operation, or a group folded to one box, which has the ``ids`` of all in it.

    ``sort`` is ``input``, ``data``, ``operation``, ``state``, ``given`` (to each step of a loop) or
    ``folded``. ``formula`` is what it computes, ``name`` what the specification calls it.
    """

    ids: tuple[str, ...]
    sort: str
    symbol: str
    name: str = ""
    formula: str = ""
    group: Path = ()
    is_output: bool = False
    line: int = 0
    folds: str = ""
    """The id of the group that is folded here."""


@frozen(eq=False)
class Edge:
    """One use of a value: ``gradient`` is what comes back from this use alone."""

    source: str
    target: str
    gradient: Quantity | None = None


@frozen()
class Group:
    """A call of a function, or a loop: what stands in the frame, and its heading."""

    path: Path
    heading: str
    is_loop: bool = False

    @property
    def id(self) -> str:
        return "/".join(self.path)


@frozen()
class Picture:
    """``values`` and ``gradients`` are those of items, by id; ``digits`` as rounded on paper."""

    title: str
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]
    groups: tuple[Group, ...]
    values: Mapping[str, Quantity]
    gradients: Mapping[str, Quantity]
    digits: int | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)

    def text(self, quantity: Quantity | None) -> tuple[str, ...]:
        return quantity.lines(self.digits, self.sizes) if quantity is not None else ()


def picture(
    outline: Outline, program: Checked, evaluation: Evaluation | None = None,
    digits: int | None = None,
) -> Picture:  # fmt: skip
    """The picture of an outline; with an evaluation of its graph, values and gradients too."""
    drawing = _Drawing(outline, program.interface, Flows(evaluation))
    drawing.nodes(outline, ())
    doc = program.program.doc.strip().splitlines()
    sizes = evaluation.interpreter.sizes if evaluation is not None else {}
    return Picture(
        doc[0] if doc else program.program.source.name, tuple(drawing.boxes),
        tuple(drawing.edges), tuple(drawing.groups.values()), drawing.values, drawing.gradients,
        digits, sizes,
    )  # fmt: skip


class _Drawing:
    """Collects boxes and edges of an outline and of the steps of its loops."""

    def __init__(self, outline: Outline, interface: Interface, flows: Flows) -> None:
        self.outline = outline
        self.interface = interface
        self.flows = flows
        self.boxes: list[Box] = []
        self.edges: list[Edge] = []
        self.groups: dict[Path, Group] = {}
        self.values: dict[str, Quantity] = {}
        self.gradients: dict[str, Quantity] = {}

    def nodes(
        self, outline: Outline, around: Path, names: Mapping[Node, str] | None = None
    ) -> None:
        """The boxes and edges of the specification, or of a step of the loop ``around``.

        ``names`` are those of values that a step hands on to the next one.
        """
        steps: dict[Hashable, tuple[Path, Outline]] = {}
        for item in outline.items:
            self.values[item.id] = self.flows.value(item)
            gradient = self.flows.gradient(item)
            if gradient is not None:
                self.gradients[item.id] = gradient
            path = (*around, *item.group)
            for depth in range(len(around) + 1, len(path) + 1):
                self.groups.setdefault(path[:depth], Group(path[:depth], path[depth - 1]))
            if item.loop is not None:
                key = loop_key(item.operation)
                if key not in steps:
                    steps[key] = self.loop(item, item.loop, outline, path)
                path, step = steps[key]
                last = _source(item, item.loop, step)
                self.edges += [Edge(last.id, item.id)] if last is not None else []
            else:
                uses = self.flows.uses(item, outline)
                self.edges += [Edge(source.id, item.id, back) for source, back in uses]
            self.boxes.append(self.box(item, path, around, (names or {}).get(item.operation)))

    def box(self, item: Item, path: Path, around: Path, name: str | None) -> Box:
        node = item.operation
        sort = "operation"
        if item.is_input:
            known = item.label in self.interface.differentiated
            sort = "given" if around else "input" if known else "data"
        if name is None:
            name = item.label if node.name and not item.is_input else ""
        text = item.label if item.is_input else symbol(node)
        is_output = not around and not item.is_input and item.label in self.interface.outputs
        return Box((item.id,), sort, text, name, item.formula, path, is_output, item.span.line)

    def loop(self, first: Item, loop: Loop, outline: Outline, path: Path) -> tuple[Path, Outline]:
        """The group of a loop with one step in it, found by the first of its results."""
        heading, number = f"scan {loop}", 1
        while (own := (*path, heading if number == 1 else f"{heading} ({number})")) in self.groups:
            number += 1
        self.groups[own] = Group(own, own[-1], is_loop=True)
        step = outline.step(first)
        pairs = list(zip(loop.states, loop.nexts, strict=True))
        names = {after: f"next {label(state)}" for state, after in pairs}
        self.nodes(step, own, names)
        states = {step.of[state].id for state, _ in pairs if state in step.of}
        self.boxes = [replace(b, sort="state") if b.ids[0] in states else b for b in self.boxes]
        places = (*loop.states, *loop.captured, *loop.rows)
        drawn = {i: step.of[place].id for i, place in enumerate(places) if place in step.of}
        for position, source, back in self.flows.into_loop(first, outline, drawn):
            self.edges.append(Edge(source.id, drawn[position], back))
        return own, step


def _source(item: Item, loop: Loop, step: Outline) -> Item | None:
    """What a step computes that is, after the last one or from all, a result of its loop."""
    sort, which = item.operation.attributes["result"]
    if sort == "steps":
        return step.of.get(loop.until) if loop.until is not None else None
    return step.of.get(loop.nexts[which] if sort == "final" else which)
