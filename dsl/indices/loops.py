"""A loop for each entry of indices, as one loop whose states have an axis for each index.

All entries take the same steps. Where a loop may end early each entry stops on its own: a state
that says which still run keeps what the others have reached.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..frozen import frozen
from ..graph import Node, constant, make
from ..loops import Draft, Loop, called, loop_key, placeholder, result
from ..shapes import Kind, Type
from .spread import Spread, aligned, lengths, permuted, union, whole
from .variables import Variable
from .vectorise import Vectoriser, handles

_Axes = tuple[Variable, ...]


@handles("scan")
def _scan(vectoriser: Vectoriser, node: Node, operands: Sequence[Spread]) -> Spread:
    key = loop_key(node)
    spread = vectoriser.loops.get(key)
    if spread is None:
        beside = [n for n in vectoriser.order if n.op.name == "scan" and loop_key(n) == key]
        stacked = [n for r in beside for sort, n in [r.attributes["result"]] if sort == "stack"]
        spread = _spread(vectoriser, node, operands, stacked)
        vectoriser.loops[key] = spread
    return spread.of(node)


@handles("put")
def _put(vectoriser: Vectoriser, node: Node, operands: Sequence[Spread]) -> Spread:
    x, place, row = operands
    axes = union([x, row])
    nodes = [whole(x, axes, node.span), place.node, whole(row, axes, node.span)]
    return Spread(make("put", nodes, node.span, node.attributes), axes)


@frozen()
class SpreadLoop:
    """The loop for all entries. ``axes`` are those of each state, ``stacks`` what is stacked."""

    loop: Loop
    operands: tuple[Node, ...]
    axes: tuple[_Axes, ...]
    stacks: dict[Node, Spread]

    def of(self, node: Node) -> Spread:
        sort, which = node.attributes["result"]
        if sort != "stack":
            made = result(self.loop, self.operands, node.span, (sort, which))
            return Spread(made, self.axes[which] if sort == "final" else ())
        row = self.stacks[which]
        made = result(self.loop, self.operands, node.span, ("stack", row.node))
        count = len(row.axes)
        order = [*range(1, count + 1), 0, *range(count + 1, made.type.rank)]
        return Spread(permuted(made, order, node.span), row.axes)


def _spread(
    vectoriser: Vectoriser, node: Node, operands: Sequence[Spread], stacked: Sequence[Node]
) -> SpreadLoop:
    loop: Loop = node.attributes["loop"]
    first, captured, rows, steps = loop.split(operands)
    assert not any(count.axes for count in steps), "no entry stops before the others"
    draft = Draft(loop.index, loop.start, loop.stop)
    known = {loop.index: Spread(loop.index)}
    for place, spread in zip(loop.captured, captured, strict=True):
        known[place] = _placed(place, spread.axes)
        draft.captured[known[place].node] = spread.node
    for place, spread in zip(loop.rows, rows, strict=True):
        known[place] = _placed(place, spread.axes)
        count = len(spread.axes)
        order = [count, *range(count), *range(count + 1, spread.node.type.rank)]
        draft.rows[known[place].node] = permuted(spread.node, order, node.span)
    axes = [spread.axes for spread in first]
    while True:
        held = {p: _placed(p, own) for p, own in zip(loop.states, axes, strict=True)}
        inner = Vectoriser({**known, **held})
        inner.all(loop.roots(stacked))
        stops = inner(loop.until).axes if loop.until is not None else ()
        found = [
            union([inner(after), held[p], Spread(loop.index, stops)])
            for p, after in zip(loop.states, loop.nexts, strict=True)
        ]
        if found == axes:
            break
        axes = found
    vectoriser.conditions += inner.conditions
    for i, (place, after) in enumerate(zip(loop.states, loop.nexts, strict=True)):
        own = held[place].node
        draft.states[own] = whole(first[i], axes[i], node.span)
        draft.nexts[own] = whole(inner(after), axes[i], node.span)
    until = inner(loop.until).node if loop.until is not None else None
    if stops:
        assert until is not None
        until = _each_on_its_own(draft, until, stops, axes)
    made, given = draft.loop(until=until, backwards=loop.backwards, counted=loop.counted)
    given += tuple(count.node for count in steps)
    return SpreadLoop(made, given, tuple(axes), {n: inner(n) for n in stacked})


def _placed(place: Node, axes: _Axes) -> Spread:
    """The placeholder for all entries."""
    type_ = place.type.with_shape((*lengths(axes), *place.type.shape))
    same = type_ == place.type
    return Spread(place if same else placeholder(called(place), type_, place.span), axes)


def _each_on_its_own(draft: Draft, until: Node, stops: _Axes, axes: Sequence[_Axes]) -> Node:
    """States that stay as they are where their entry has stopped; whether all have.

    ``stops`` are the indices that ``until`` depends on, ``axes`` those of each state.
    """
    span = until.span
    shape = lengths(stops)
    running = placeholder("running", Type(Kind.BOOL, shape), span)
    for (held, after), own in zip(list(draft.nexts.items()), axes, strict=True):
        condition = aligned(Spread(running, stops), own, held.type.rank - len(own), span)
        draft.nexts[held] = make("where", [condition, after, held], after.span)
    true = constant(True, span)
    draft.states[running] = make("broadcast_to", [true], span, {"shape": shape})
    goes_on = make("logical_and", [running, make("logical_not", [until], span)], span)
    draft.nexts[running] = goes_on
    options = {"axis": tuple(range(-len(shape), 0)), "keepdims": False}
    return make("logical_not", [make("any", [goes_on], span, options)], span)
