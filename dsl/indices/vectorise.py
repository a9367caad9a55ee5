"""From what one entry computes to what computes all entries.

Each node becomes a ``Spread``: an array with a leading axis for each index that it depends on, and
for no other. Operations act on trailing axes and broadcast over leading ones, so most of them stay
what they are; this file and ``operations.py`` say what happens to the others.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..graph import Node, make, topological
from ..lowering.table import size_node
from ..source import Span
from ..subscripts import Condition
from .spread import Spread, aligned, lengths, union, whole
from .subscript import Subscripted
from .sums import Sum, applied, reduced
from .variables import Variable

Handler = Callable[["Vectoriser", Node, Sequence[Spread]], Spread]
HANDLERS: dict[str, Handler] = {}


def handles(*names: str) -> Callable[[Handler], Handler]:
    """Registers what spreads these operations over indices."""

    def register(function: Handler) -> Handler:
        for name in names:
            HANDLERS[name] = function
        return function

    return register


class Vectoriser:
    """The spreads of nodes; ``known`` are those of nodes that are given.

    ``conditions`` collects what must hold for sizes. Raises ``Mismatch`` for a subscript that is
    out of range.
    """

    def __init__(self, known: Mapping[Node, Spread] | None = None) -> None:
        self.spreads: dict[Node, Spread] = dict(known or {})
        self.conditions: list[tuple[Condition, Span]] = []
        self.order: list[Node] = []
        self.loops: dict[Hashable, Any] = {}

    def all(self, roots: Iterable[Node], stop: Iterable[Node] = ()) -> None:
        """Spreads the roots; nodes of ``stop`` depend on no index."""
        for node in stop:
            self.spreads.setdefault(node, Spread(node))
        self.order = topological(roots, self.spreads)
        for node in self.order:
            self.spreads[node] = self._spread(node)

    def __call__(self, node: Node) -> Spread:
        return self.spreads[node]

    def _spread(self, node: Node) -> Spread:
        operands = [self.spreads[operand] for operand in node.operands]
        handler = HANDLERS.get(node.op.name) or BY_FAMILY.get(node.op.family)
        depends = any(operand.axes for operand in operands)
        if handler is None or (not depends and node.op.name not in _OWN):
            result = _leading(self, node, operands)
        else:
            result = handler(self, node, operands)
        if node.name and not result.node.name and result.node not in self.spreads:
            named = replace(result.node, name=node.name, span=node.span)
            result = Spread(named, result.axes)
        return result


def _leading(vectoriser: Vectoriser, node: Node, operands: Sequence[Spread]) -> Spread:
    """An operation that acts on trailing axes, which options count from the end."""
    axes = union(operands)
    if not axes:
        nodes = tuple(operand.node for operand in operands)
        same = nodes == node.operands
        return Spread(node if same else make(node.op, nodes, node.span, node.attributes))
    nodes = tuple(aligned(o, axes, o.entry_rank, node.span) for o in operands)
    return Spread(make(node.op, nodes, node.span, node.attributes), axes)


def _by_entry(vectoriser: Vectoriser, node: Node, operands: Sequence[Spread]) -> Spread:
    """Operands alike, of numbers, vectors or matrices: those of fewer axes get more in front."""
    axes = union(operands)
    rank = max(operand.entry_rank for operand in operands)
    nodes = [aligned(operand, axes, rank, node.span) for operand in operands]
    return Spread(make(node.op, nodes, node.span, node.attributes), axes)


handles("earlier", "cross", "kron", "solve", "solve_triangular", "cofactor_along")(_by_entry)
BY_FAMILY: dict[str, Handler] = {"elementwise": _by_entry, "pointwise": _by_entry}
_OWN = {"index", "scan", "at", "over", "entries", "grad"}


# ── Indices ─────────────────────────────────────────────────────────────────


@handles("index")
def _index(vectoriser: Vectoriser, node: Node, operands: Sequence[Spread]) -> Spread:
    variable: Variable = node.attributes["variable"]
    bounds = (variable.start, variable.stop)
    return Spread(make("arange", (), node.span, {"bounds": bounds}), (variable,))


@handles("at")
def _at(vectoriser: Vectoriser, node: Node, operands: Sequence[Spread]) -> Spread:
    taken = Subscripted(node, operands)
    vectoriser.conditions += [(condition, node.span) for condition in taken.conditions]
    return taken.result


@handles("over")
def _over(vectoriser: Vectoriser, node: Node, operands: Sequence[Spread]) -> Spread:
    function, variables = node.attributes["function"], node.attributes["variables"]
    (body,) = operands
    if function in ("sum", "mean"):
        total = Sum(variables, vectoriser, node.type.kind, node.span).of(node.operands[0])
        for variable in variables if function == "mean" else ():
            count = Spread(size_node(variable.length, node.span))
            total = applied("divide", [total, count], node.span)
        return total
    missing = [variable for variable in variables if variable not in body.axes]
    if missing:
        axes = union([body, Spread(body.node, tuple(missing))])
        body = Spread(whole(body, axes, node.span), axes)
    return reduced(function, body, variables, node.span)


@handles("entries")
def _entries(vectoriser: Vectoriser, node: Node, operands: Sequence[Spread]) -> Spread:
    variables = node.attributes["variables"]
    outer = tuple(variable for variable in operands[0].axes if variable not in variables)
    body = Spread(whole(operands[0], (*outer, *variables), node.span), (*outer, *variables))
    return Spread(body.node, outer)


@handles("grad")
def _grad(vectoriser: Vectoriser, node: Node, operands: Sequence[Spread]) -> Spread:
    """Entries do not depend on each other: the gradient of their sum has all their gradients.

    Each entry of the value has an ``x`` of its own, also where all of them are equal.
    """
    value, x = operands
    axes = union(operands)
    if node.attributes["mode"] == "forward":
        attributes = {**node.attributes, "entry_rank": x.entry_rank}
        value = Spread(whole(value, axes, node.span), axes)
        return Spread(make("grad", [value.node, x.node], node.span, attributes), axes)
    if set(value.axes) - set(x.axes):
        x = Spread(whole(x, axes, node.span), axes)
        value = _with_own(vectoriser, node.operands[0], node.operands[1], x)
    total = reduced("sum", value, value.axes, node.span)
    return Spread(make("grad", [total.node, x.node], node.span, node.attributes), x.axes)


def _with_own(vectoriser: Vectoriser, value: Node, x: Node, own: Spread) -> Spread:
    """A value once more, its ``x`` being another one."""
    depending = {x}
    for node in topological([value]):
        if not depending.isdisjoint(node.operands):
            depending.add(node)
    known = {n: s for n, s in vectoriser.spreads.items() if n not in depending}
    inner = Vectoriser({**known, x: own})
    inner.all([value])
    vectoriser.conditions += inner.conditions
    return inner(value)


def entries(vectoriser: Vectoriser, node: Node, variables: Sequence[Variable]) -> Node:
    """All entries of a node, an axis for each of ``variables`` and then those of an entry."""
    spread = vectoriser(node)
    shape = (*lengths(variables), *spread.entry_shape)
    result = aligned(spread, variables, spread.entry_rank, node.span)
    if result.type.shape != shape:
        result = make("broadcast_to", [result], node.span, {"shape": shape})
    return result
