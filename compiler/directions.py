"""Whole Jacobians and Hessians: derivatives along all directions at once.

The directions are the units of an input (forward mode) or of an output (reverse mode), one index
for each of its axes. The graph of one derivative is spread over them, as index notation is: what
depends on the direction gets leading axes, everything else is computed once. Where that would need
much more memory than the result has, a loop does some of the directions at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..dsl.graph import Graph, Node, constant, make, topological
from ..dsl.indices.spread import Spread, permuted, whole
from ..dsl.indices.sums import Letters
from ..dsl.indices.variables import Variable
from ..dsl.indices.vectorise import Vectoriser
from ..dsl.loops import Chunk, Draft, called, placeholder, result
from ..dsl.lower import lower
from ..dsl.shapes import INT, Shape
from ..dsl.sizes import ONE, ZERO, Size, product
from .compilation import block_of
from .differentiate import zeros_like
from .forward import tangents
from .forward_loops import joined
from .passes.blocks import block_size, widest
from .reverse import gradients

Prepare = Callable[[Graph], Graph]
_GUESS = 64  # A size that is not known, where sizes are compared;
_LARGE = 1024  # one that the result does not have may be anything.
# Numbers of a block: that calls take no time to speak of counts for more than that all are in the
# cache of a core.
_ROOM = 1 << 20
_FEW = 8  # Directions, and how many times the memory of the result others may need.


def is_wide(graph: Graph, outputs: Iterable[str], wrt: Iterable[str]) -> bool:
    """Whether the outputs have more entries than the inputs: then forward mode."""
    rows = _entries(graph.outputs[name].type.shape for name in outputs)
    columns = _entries(graph.inputs[name].type.shape for name in wrt)
    sizes = dict.fromkeys(rows.names() | columns.names(), _GUESS)
    return rows.evaluate(sizes) > columns.evaluate(sizes)


def _entries(shapes: Iterable[Shape]) -> Size:
    return sum(map(product, shapes), start=ZERO)


def jacobian_of(
    graph: Graph, outputs: Sequence[str], wrt: Sequence[str], prepared: Prepare
) -> Graph | None:
    """The derivatives of outputs with respect to inputs, named as ``block_of`` does; ``None`` where
    they are the gradients of numbers. ``prepared`` optimises what is to be spread."""
    if is_wide(graph, outputs, wrt):
        return by_columns(graph, {name: graph.outputs[name] for name in outputs}, wrt, prepared)
    if all(not graph.outputs[name].type.rank for name in outputs):
        return None
    return by_rows(graph, outputs, wrt, prepared)


def hessian_of(graph: Graph, wrt: Sequence[str], prepared: Prepare) -> Graph:
    """The derivatives of the gradients of a graph, forward over reverse."""
    return by_columns(graph, graph.gradients, wrt, prepared)


def by_columns(
    graph: Graph, results: Mapping[str, Node], wrt: Sequence[str], prepared: Prepare
) -> Graph:
    """The derivatives of results with respect to inputs, in forward mode."""
    units = {name: _Units.of(graph.inputs[name], last=True) for name in wrt}
    moved: dict[str, Node] = {}
    for name, unit in units.items():
        found = tangents(results.values(), {graph.inputs[name]: unit.place})
        for value, node in results.items():
            if node.type.is_float:
                moved[block_of(value, name)] = found.get(node) or zeros_like(node)
                unit.blocks.append(block_of(value, name))
    return _spread(graph, moved, units.values(), prepared)


def by_rows(graph: Graph, results: Sequence[str], wrt: Sequence[str], prepared: Prepare) -> Graph:
    """The derivatives of outputs with respect to inputs, in reverse mode."""
    units = {name: _Units.of(graph.outputs[name], last=False) for name in results}
    inputs = {name: graph.inputs[name] for name in wrt}
    moved: dict[str, Node] = {}
    for value, unit in units.items():
        found = gradients(graph, {value: unit.place}, inputs.values()).gradients
        for name, node in inputs.items():
            moved[block_of(value, name)] = found.get(node) or zeros_like(node)
            unit.blocks.append(block_of(value, name))
    return _spread(graph, moved, units.values(), prepared)


def _spread(
    graph: Graph, moved: Mapping[str, Node], units: Iterable[_Units], prepared: Prepare
) -> Graph:
    """The graph of derivatives, each for all directions of the unit that it is a block of."""
    units = list(units)
    seeds = {str(i): unit.place for i, unit in enumerate(units)}
    raw = replace(graph, outputs=moved, gradients={}, adjoints={}, seeds=seeds)
    alone = prepared(raw)
    found: dict[str, Node] = {}
    rows = block_size(alone)
    rest: list[_Units] = []
    for unit in units:
        roots = [alone.outputs[name] for name in unit.blocks]
        whole = replace(alone, outputs=dict(zip(unit.blocks, unit.spread(roots), strict=True)))
        if unit.many and _is_large(prepared(lower(whole))):
            found |= zip(unit.blocks, _InBlocks(unit, roots, rows).results(), strict=True)
        else:
            found |= whole.outputs
            rest.append(unit)
    if rest and "scan" in raw.operations:  # Loops are one with those of their tangents.
        named = {name: moved[name] for unit in rest for name in unit.blocks}
        apart = prepared(joined(replace(raw, outputs=named)))
        for unit in rest:
            roots = [apart.outputs[name] for name in unit.blocks]
            found |= zip(unit.blocks, unit.spread(roots), strict=True)
    return lower(replace(alone, outputs={name: found[name] for name in moved}, seeds={}))


def _is_large(graph: Graph) -> bool:
    """Whether what lies between needs much more memory than what is given and the results have."""
    own = {n: product(n.type.shape) for n in graph.nodes if n.operands and not n.op.view}
    between = sum(widest(graph.nodes, own), start=ZERO)
    results = _entries(node.type.shape for node in graph.outputs.values())
    ends = results + _entries(node.type.shape for node in graph.inputs.values())
    known = dict.fromkeys(ends.names() | between.names(), _LARGE)
    known |= dict.fromkeys(results.names(), _GUESS)
    return between.evaluate(known) > _FEW * ends.evaluate(known)


@dataclass
class _Units:
    """The directions of a value, an index for each of its axes; ``place`` stands for one of them.
    In the ``blocks`` that are named, they come ``last``, or first."""

    place: Node
    last: bool
    blocks: list[str] = field(default_factory=list)

    @staticmethod
    def of(node: Node, *, last: bool) -> _Units:
        if not node.type.rank:
            return _Units(constant(1.0, node.span), last)
        return _Units(placeholder(f"d_{called(node)}", node.type, node.span), last)

    @property
    def many(self) -> bool:
        """Whether there may be more directions than a few."""
        count = product(self.place.type.shape).constant
        return self.place.type.rank > 0 and (count is None or count > _FEW)

    def axes(self, first: Size) -> tuple[Variable, ...]:
        """The indices, the first one having a size of its own."""
        shape = (first, *self.place.type.shape[1:])
        return tuple(Variable("unit", self.place.span, ZERO, size) for size in shape)

    def identity(self) -> Node:
        """All directions: the product of an identity for each axis."""
        letters, span = Letters(), self.place.span
        shape = self.place.type.shape
        left, right = (letters.of([(side, i) for i in range(len(shape))]) for side in range(2))
        eyes = [make("eye", (), span, {"shape": (size, size), "units": True}) for size in shape]
        result = eyes[0]
        for k, eye in enumerate(eyes[1:], start=1):
            terms = (left[:k] + right[:k], left[k] + right[k], left[: k + 1] + right[: k + 1])
            options = dict(zip(("left", "right", "out"), terms, strict=True))
            result = make("contract", [result, eye], span, options)
        return result

    def spread(self, roots: Sequence[Node]) -> list[Node]:
        """Derivatives along one direction, for all of them at once."""
        if not self.place.type.rank:
            return list(roots)
        axes = self.axes(self.place.type.shape[0])
        return self.along(roots, axes, {self.place: Spread(self.identity(), axes)})

    def along(
        self, roots: Sequence[Node], axes: Sequence[Variable], known: Mapping[Node, Spread]
    ) -> list[Node]:
        """Derivatives along one direction, for those of some indices, given some spreads."""
        vectoriser = Vectoriser(known)
        vectoriser.all(roots)
        blocks = [whole(vectoriser(root), axes, root.span) for root in roots]
        if not self.last:
            return blocks
        count = len(axes)
        return [permuted(node, [*range(count, node.type.rank), *range(count)], node.span)
                for node in blocks]  # fmt: skip


class _InBlocks:
    """A loop whose steps do some of the directions of a unit, those of ``rows`` places along its
    first axis. What does not depend on the direction stays in front of it."""

    def __init__(self, unit: _Units, roots: Sequence[Node], rows: Size) -> None:
        self.unit, self.roots, self.rows = unit, list(roots), rows
        place, span = unit.place, unit.place.span
        self.moving = {place: None}  # In order: what is written must not depend on addresses.
        for node in topological(roots):
            if any(operand in self.moving for operand in node.operands):
                self.moving[node] = None
        axes = unit.axes(rows)
        start = placeholder("start", INT, span)
        self.draft = Draft(start, ZERO, place.type.shape[0])
        identity = unit.identity()
        type_ = place.type.with_shape((rows, *identity.type.shape[1:]))
        some = placeholder(called(place), type_, span)
        self.draft.rows[some] = identity
        known = {place: Spread(some, axes)} | self._given()
        self.steps = dict(zip(self._inside, unit.along(self._inside, axes, known), strict=True))

    @property
    def _inside(self) -> list[Node]:
        return [root for root in self.roots if root in self.moving]

    def _given(self) -> dict[Node, Spread]:
        """What a step sees of what is in front of the loop. It transposes by itself: what a step
        transposes back is then as it was."""
        places: dict[Node, Node] = {}
        given: dict[Node, Spread] = {}
        for node in self.moving:
            for operand in node.operands:
                if operand in self.moving or operand.op.name in ("constant", "size"):
                    continue
                turned = operand.op.name == "transpose"
                source = operand.operands[0] if turned else operand
                if source not in places:
                    places[source] = placeholder(called(source), source.type, source.span)
                seen = places[source]
                given[operand] = Spread(operand.with_operands((seen,)) if turned else seen)
        self.draft.captured |= {place: source for source, place in places.items()}
        return given

    @property
    def width(self) -> Size:
        """How many numbers are there at once, for each place along the first axis. Sizes that
        are not known cannot be compared: each sort counts. Never 0."""
        order = topological(self.steps.values())
        rows = self.rows.names()
        own = {node: self._share(node) for node in order
               if rows & product(node.type.shape).names() and not node.op.view}  # fmt: skip
        alike: dict[frozenset[str], dict[Node, Size]] = {}
        for node, share in own.items():
            alike.setdefault(share.names(), {})[node] = share
        return sum((s for some in alike.values() for s in widest(order, some)), start=ONE)

    def _share(self, node: Node) -> Size:
        return product(node.type.shape).substitute(dict.fromkeys(self.rows.names(), ONE))

    def results(self) -> list[Node]:
        chunk = Chunk(self.rows, self.width, _ROOM)
        loop, operands = self.draft.loop(chunk=chunk)
        whole = iter(self.unit.spread([root for root in self.roots if root not in self.moving]))
        return [
            result(loop, operands, root.span, ("stack", self.steps[root]))
            if root in self.moving
            else next(whole)
            for root in self.roots
        ]
