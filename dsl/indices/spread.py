"""Values for all entries at once: arrays whose leading axes belong to indices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..frozen import frozen
from ..graph import Node, make
from ..shapes import Shape
from ..source import Span
from ..subscripts import Cut
from .variables import Variable


@frozen()
class Spread:
    """``node`` has one leading axis for each of ``axes``; the others are what an entry sees."""

    node: Node
    axes: tuple[Variable, ...] = ()

    @property
    def entry_rank(self) -> int:
        return self.node.type.rank - len(self.axes)

    @property
    def entry_shape(self) -> Shape:
        return self.node.type.shape[len(self.axes) :]


def union(spreads: Iterable[Spread]) -> tuple[Variable, ...]:
    """The indices that any of them depends on, in their order."""
    found = {variable for spread in spreads for variable in spread.axes}
    return tuple(sorted(found, key=lambda variable: variable.order))


def lengths(axes: Iterable[Variable]) -> Shape:
    return tuple(variable.length for variable in axes)


def permuted(node: Node, order: Sequence[int], span: Span) -> Node:
    """The axes in another order."""
    if list(order) == list(range(len(order))):
        return node
    return make("transpose", [node], span, {"axes": tuple(i - len(order) for i in order)})


def ordered(spread: Spread, axes: Sequence[Variable], span: Span) -> Spread:
    """The same with its axes in the order of ``axes``."""
    wanted = [variable for variable in axes if variable in spread.axes]
    order = [spread.axes.index(variable) for variable in wanted]
    order += range(len(order), spread.node.type.rank)
    return Spread(permuted(spread.node, order, span), tuple(wanted))


def aligned(spread: Spread, axes: Sequence[Variable], rank: int, span: Span) -> Node:
    """An array that broadcasts along ``axes``, its entries to ``rank`` axes."""
    spread = ordered(spread, axes, span)
    if not spread.axes:
        return spread.node
    labels: list[Any] = [*axes, *[None] * rank]
    own = rank - spread.entry_rank
    missing = [i for i, v in enumerate(labels) if v is not None and v not in spread.axes]
    missing += range(len(axes), len(axes) + own)
    first = min(i for i, v in enumerate(labels) if v in spread.axes)
    new = tuple(i - len(labels) for i in missing if i > first)
    return make("expand_dims", [spread.node], span, {"axis": new}) if new else spread.node


def whole(spread: Spread, axes: Sequence[Variable], span: Span) -> Node:
    """An array with all of ``axes``, repeated along those it does not depend on."""
    node = aligned(spread, axes, spread.entry_rank, span)
    shape = (*lengths(axes), *spread.entry_shape)
    if node.type.shape == shape:
        return node
    return make("broadcast_to", [node], span, {"shape": shape})


@frozen()
class Labelled:
    """An array each of whose axes has a label: an index, or the number of an entry's axis."""

    node: Node
    labels: tuple[Any, ...]
    span: Span

    def at(self, label: Any) -> int:
        return self.labels.index(label)

    def made(self, op: str, labels: Iterable[Any], **attributes: Any) -> Labelled:
        return Labelled(make(op, [self.node], self.span, attributes), tuple(labels), self.span)

    def renamed(self, old: Any, new: Any) -> Labelled:
        labels = tuple(new if label == old else label for label in self.labels)
        return Labelled(self.node, labels, self.span)

    def cut(self, items: Sequence[Any]) -> Labelled:
        """A subscript for each axis: those that are sizes drop theirs."""
        items = list(items)
        labels = [
            label for label, item in zip(self.labels, items, strict=True) if isinstance(item, Cut)
        ]
        while items and items[-1] == Cut():
            items.pop()
        return self.made("getitem", labels, index=tuple(items)) if items else self

    def with_last(self, last: Sequence[Any]) -> Labelled:
        """The axes of some labels moved to the end."""
        labels = [label for label in self.labels if label not in last] + list(last)
        order = [self.at(label) for label in labels]
        return Labelled(permuted(self.node, order, self.span), tuple(labels), self.span)

    def spread(self) -> Spread:
        """Indices first, in their order, then the axes of an entry in theirs."""
        axes = sorted((v for v in self.labels if isinstance(v, Variable)), key=lambda v: v.order)
        rest = sorted(label for label in self.labels if not isinstance(label, Variable))
        return Spread(self.with_last([*axes, *rest]).node, tuple(axes))
