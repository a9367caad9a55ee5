"""Subscripts that indices or data compute, as slices, windows, diagonals and gathers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..frozen import frozen
from ..graph import Node, constant, make
from ..loops import called
from ..lowering.table import size_node
from ..ops.indexing import Place
from ..shapes import Mismatch, Shape, shape_text
from ..sizes import ONE, ZERO, Size, product
from ..source import Span
from ..subscripts import Condition, Cut
from .spread import Labelled, Spread, aligned, lengths, permuted, union
from .variables import Affine, Variable, affine, follows, known_from


@frozen()
class _Along:
    """An axis that an index runs along, after a cut."""

    variable: Variable


@frozen()
class _Sliding:
    """An axis along which two indices run together: ``x[i + j]``."""

    position: Variable
    entry: Variable
    steps: tuple[int, int]


@frozen()
class _Gathered:
    """An axis of which entries at computed places are taken."""

    places: Spread


@dataclass
class StepNotDone(Exception):
    """A step reads what it or a later one emits."""

    span: Span
    name: str
    index: str


_Way = _Along | _Sliding | _Gathered


class Subscripted:
    """One ``at`` in whole arrays: ``result``, and the ``conditions`` that sizes must meet.

    Raises ``Mismatch`` for what is out of range.
    """

    def __init__(self, node: Node, spreads: Sequence[Spread]) -> None:
        holds = node.attributes["holds"]
        computed = len(spreads) - len(holds)
        base, *self.places = spreads[:computed]
        self.node = node
        self.span = node.span
        self.guards = list(zip(spreads[computed:], holds, strict=True))
        self.guarded = node.attributes["guarded"]
        conditions = zip(node.operands[computed:], holds, strict=True)
        self.known = [form for part, holds in conditions for form in known_from(part, holds)]
        self.conditions: list[Condition] = []
        self.slices: dict[Variable, int] = {}
        self.result = self._taken(base)

    def _taken(self, base: Spread) -> Spread:
        array = Labelled(base.node, (*base.axes, *range(base.entry_rank)), self.span)
        array, cuts, ways = self._classified(array, len(base.axes))
        array = array.cut(cuts)
        array = self._slid(array, {k: w for k, w in ways.items() if isinstance(w, _Sliding)})
        for label, way in ways.items():
            if isinstance(way, _Along):
                array = _merged(array, label, way.variable)
        places = {k: w.places for k, w in ways.items() if isinstance(w, _Gathered)}
        array = _gathered(array, places)
        for variable, label in self.slices.items():
            array = array.renamed(variable, label)
        return array.spread()

    # ── What becomes of each axis ───────────────────────────────────────────

    def _classified(
        self, array: Labelled, batch: int
    ) -> tuple[Labelled, list[Size | Cut], dict[int, _Way]]:
        cuts: list[Size | Cut] = [Cut()] * len(array.labels)
        ways: dict[int, _Way] = {}
        computed = iter(zip(self.places, self.node.operands[1:], strict=False))
        for label, item in enumerate(self.node.attributes["items"]):
            axis = batch + label
            if not isinstance(item, Place):
                cuts[axis] = item
                continue
            place, entry = next(computed)
            form = affine(entry)
            if item.length is not None:
                place, form = self._stretched(place, form, label, item.length)
            size = array.node.type.shape[axis]
            done = self.node.operands[0].attributes.get("done")
            if done is not None and not label:
                place = self._done(place, form, done)
            array, cuts[axis], ways[label] = self._way(array, axis, place, form, size)
        return array, cuts, ways

    def _stretched(
        self, place: Spread, form: Affine | None, label: int, length: Size
    ) -> tuple[Spread, Affine | None]:
        """A slice that starts where an index says: an index of its own runs along it."""
        own = Variable(f"axis {label}", self.span, ZERO, length)
        self.slices[own] = label
        steps = Spread(_numbers(ZERO, length, self.span), (own,))
        form = None if form is None else form + Affine(ZERO, {own: ONE})
        return _combined("add", place, steps, self.span), form

    def _way(
        self, array: Labelled, axis: int, place: Spread, form: Affine | None, size: Size
    ) -> tuple[Labelled, Cut, _Way]:
        """How the places along an axis are reached, after a cut."""
        bounds = None if form is None else form.bounds()
        if form is None or bounds is None or form.steps is None or not form.terms:
            return array, Cut(), self._by_place(place)
        if any(variable.loop for variable in form.terms):
            sure = bounds[0].natural and (size - 1 - bounds[1]).natural
            if not self.guarded:
                self._require(*bounds, size)
            within = sure or not self.guarded
            return array, Cut(), _Gathered(place) if within else self._by_place(place)
        array, shift = self._padded(array, axis, form, bounds, size)
        if shift is None:
            return array, Cut(), self._by_place(place)
        variables = sorted(form.steps, key=lambda variable: variable.order)
        steps = tuple(form.steps[v] for v in variables)
        low, high = (bound + shift for bound in bounds)
        size = array.node.type.shape[axis]
        if len(variables) == 1:
            return *_run(array, axis, low, high, steps[0]), _Along(variables[0])
        if len(variables) == 2 and min(steps) > 0:
            sliding = _Sliding(variables[0], variables[1], (steps[0], steps[1]))
            return array, _cut(low, high, 1, size), sliding
        return array, Cut(), self._by_place(place)

    def _padded(
        self, array: Labelled, axis: int, form: Affine, bounds: tuple[Size, Size], size: Size
    ) -> tuple[Labelled, Size | None]:
        """The array with room for places that only a branch not taken reaches.

        Nothing in place of how far the entries moved where that cannot be known.
        """
        low, high = bounds
        below, above = low * -1, high + 1 - size
        if not self.guarded:
            self._require(low, high, size)
            return array, ZERO
        if below.constant is None and not low.natural:
            return array, None
        if above.constant is None and not (above * -1).natural:
            return array, None
        before, after = max(below.constant or 0, 0), max(above.constant or 0, 0)
        from_end = Affine(size - 1) - form
        if not before and not after:
            return array, ZERO
        if not (follows(form, self.known) and follows(from_end, self.known)):
            return array, None
        if array.node.type.shape[axis] == ZERO:
            return array, None
        widths = [(ZERO, ZERO)] * len(array.labels)
        widths[axis] = (Size.of(before), Size.of(after))
        padded = array.made("pad", array.labels, widths=tuple(widths), value=0)
        return padded, Size.of(before)

    def _require(self, low: Size, high: Size, size: Size) -> None:
        """That places lie in the axis: known, impossible, or a condition on entry."""
        what = f"{self.span.text} reaches from {low} to {high}, outside 0..{size}"
        for condition in (Condition(ZERO, low, what), Condition(high + 1, size, what)):
            slack = condition.high - condition.low
            if slack.natural:
                continue
            if slack.constant is not None:
                hint = "a range can be written, as in node d[i in 1..N] = x[i] - x[i-1]"
                text = f"subscript out of range of {shape_text(self.node.operands[0].type.shape)}"
                raise Mismatch("G206", text, what, hint)
            self.conditions.append(condition)

    def _done(self, place: Spread, form: Affine | None, index: Node) -> Spread:
        """A place in a stack that the steps of a loop fill: that of an earlier step, which is
        known, impossible, or checked when the loop runs."""
        variable: Variable = index.attributes["variable"]
        steps = Affine(variable.start * -1, {variable: ONE})
        if form is not None and follows(steps - form - Affine(ONE), self.known):
            return place
        if form is not None and (form - steps).natural:
            raise StepNotDone(self.span, called(self.node.operands[0]), variable.name)
        done = index
        if variable.start != ZERO:
            done = make("subtract", [index, size_node(variable.start, self.span)], self.span)
        # Where a branch is not taken, the place is 0 and always allowed.
        bound = self._by_place(Spread(done), otherwise=1).places
        inside = self._by_place(place).places
        return _combined("earlier", inside, bound, self.span)

    def _by_place(self, place: Spread, otherwise: int = 0) -> _Gathered:
        """Places to gather from, 0 in a branch that is not taken."""
        for guard, holds in self.guards:
            zero = Spread(constant(otherwise, self.span))
            parts = [guard, place, zero] if holds else [guard, zero, place]
            axes = union(parts)
            nodes = [aligned(part, axes, 0, self.span) for part in parts]
            place = Spread(make("where", nodes, self.span), axes)
        return _Gathered(place)

    # ── Windows ─────────────────────────────────────────────────────────────

    def _slid(self, array: Labelled, ways: dict[int, _Sliding]) -> Labelled:
        """Axes along which two indices run together become an axis for each of them."""
        by_step: dict[int, list[int]] = {}
        for label, way in ways.items():
            by_step.setdefault(way.steps[0], []).append(label)
        for step, labels in by_step.items():
            array = array.with_last(labels)
            window = tuple(_extent(ways[label]) for label in labels)
            entries = [ways[label].entry for label in labels]
            array = array.made("windows", (*array.labels, *entries), window=window, step=step)
            sparse = [Cut() if ways[k].steps[1] == 1 else Cut(None, None, ways[k].steps[1])
                      for k in labels]  # fmt: skip
            array = array.cut([Cut()] * (len(array.labels) - len(labels)) + sparse)
            for label in labels:
                array = _merged(array, label, ways[label].position)
        return array


def _extent(way: _Sliding) -> Size:
    """How far a window reaches."""
    return (way.entry.length - 1) * way.steps[1] + 1


def _run(array: Labelled, axis: int, low: Size, high: Size, step: int) -> tuple[Labelled, Cut]:
    """The places from the lowest to the highest, or backwards if the step is negative: cut first
    and turned then, since a slice that starts at -1 would start at the end."""
    if step > 0:
        return array, _cut(low, high, step, array.node.type.shape[axis])
    ahead = _cut(low, high, -step, array.node.type.shape[axis])
    cuts: list[Size | Cut] = [Cut()] * len(array.labels)
    cuts[axis] = ahead
    return array.cut(cuts), Cut(None, None, -1)


def _cut(low: Size, high: Size, step: int, size: Size) -> Cut:
    """The slice from the lowest to the highest place."""
    start = None if low == ZERO else low
    # A stride may leave entries at the end of the axis.
    stop = None if high == size - 1 else high + 1
    return Cut(start, stop, step)


def _merged(array: Labelled, label: int, variable: Variable) -> Labelled:
    """An axis given to an index, along a diagonal where another is its already."""
    if variable not in array.labels:
        return array.renamed(label, variable)
    array = array.with_last([variable, label])
    return array.made("diagonal", (*array.labels[:-2], variable), offset=0)


# ── Gathers ─────────────────────────────────────────────────────────────────


def _gathered(array: Labelled, places: dict[int, Spread]) -> Labelled:
    """Entries at places that are the same for all axes, then one by one, then at once."""
    for label, place in list(places.items()):
        others = [other for k, other in places.items() if k != label]
        if _apart(array, place, others):
            array = _taken(array, label, place)
            del places[label]
    if not places:
        return array
    labels = list(places)
    array = array.with_last(labels)
    sizes = array.node.type.shape[-len(labels) :]
    place = places[labels[0]]
    for label, size in zip(labels[1:], sizes[1:], strict=True):
        place = _flat(place, places[label], size, array.span)
    if len(labels) > 1:
        count = sizes[0]
        for size in sizes[1:]:
            count = count * size
        kept = array.labels[: -len(labels)]
        shape = (*array.node.type.shape[: len(kept)], count)
        array = array.made("reshape", (*kept, labels[0]), shape=shape)
    if set(place.axes).isdisjoint(array.labels):
        return _taken(array, labels[0], place)
    return _taken_along(array, labels[0], place)


def _apart(array: Labelled, place: Spread, others: Sequence[Spread]) -> bool:
    """Whether places depend on no index of the array or of other places."""
    return set(place.axes).isdisjoint({*array.labels, *(v for o in others for v in o.axes)})


def _taken(array: Labelled, label: int, place: Spread) -> Labelled:
    axis = array.at(label)
    node = make("take", [array.node, place.node], array.span, {"axis": axis - len(array.labels)})
    labels = (*array.labels[:axis], *place.axes, *array.labels[axis + 1 :])
    return Labelled(node, labels, array.span)


def _flat(first: Spread, second: Spread, size: Size, span: Span) -> Spread:
    """Two places as one in an array whose axes are made one."""
    sure = Spread(make("within", [second.node], span, {"count": size}), second.axes)
    scaled = Spread(make("multiply", [first.node, size_node(size, span)], span), first.axes)
    return _combined("add", scaled, sure, span)


def _combined(op: str, a: Spread, b: Spread, span: Span) -> Spread:
    axes = union([a, b])
    return Spread(make(op, [aligned(s, axes, 0, span) for s in (a, b)], span), axes)


def _taken_along(array: Labelled, label: int, place: Spread) -> Labelled:
    """Entries at places that differ along an axis which the array has too."""
    array = array.with_last([label])
    shared = [v for v in array.labels if isinstance(v, Variable) and v in place.axes]
    new = [v for v in place.axes if v not in shared]
    order = [place.axes.index(v) for v in (*shared, *new)]
    node = permuted(place.node, order, array.span)
    beside = tuple(
        i - len(array.labels) for i, v in enumerate(array.labels[:-1]) if v not in shared
    )
    if not new:
        beside = (*beside, -1)
    if beside and len(new) < 2:
        node = make("expand_dims", [node], array.span, {"axis": beside})
    elif len(new) > 1:
        count = product(lengths(new))
        shape: Shape = tuple(v.length if v in shared else ONE for v in array.labels[:-1])
        node = make("reshape", [node], array.span, {"shape": (*shape, count)})
    result = make("take_along_axis", [array.node, node], array.span, {"axis": -1})
    if not new:
        result = make("squeeze", [result], array.span, {"axis": (-1,)})
    elif len(new) > 1:
        shape = (*array.node.type.shape[:-1], *lengths(new))
        result = make("reshape", [result], array.span, {"shape": shape})
    return Labelled(result, (*array.labels[:-1], *new), array.span)


def _numbers(start: Size, stop: Size, span: Span) -> Node:
    return make("arange", (), span, {"bounds": (start, stop)})


def taken_at(x: Spread, label: int, places: Spread, span: Span) -> Spread:
    """Entries of each ``x`` along the axis ``label`` of an entry, whose place those of ``places``
    take."""
    after = x.entry_rank - label - 1
    own = [Variable(f"axis {i}", span, ZERO, size) for i, size in enumerate(places.entry_shape)]
    labels = (*x.axes, *range(label), -1, *(label + len(own) + i for i in range(after)))
    array = Labelled(x.node, labels, span)
    array = _gathered(array, {-1: Spread(places.node, (*places.axes, *own))})
    for i, variable in enumerate(own):
        array = array.renamed(variable, label + i)
    return array.spread()
