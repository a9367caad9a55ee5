"""Interval reasoning: what values each node can take, whatever the inputs are."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping

from ..dsl.graph import Node, topological
from ..dsl.intervals import NON_NEGATIVE, POSITIVE, REAL, Interval, point
from ..dsl.loops import Loop, loop_key


def ranges(
    nodes: Iterable[Node], given: Mapping[Node, Interval] | None = None
) -> dict[Node, Interval]:
    """An interval for each of the nodes, which come in an order of computation; ``given`` are
    those that are known already, or of others that they need.

    A value is in its interval or NaN.
    """
    known = dict(given or {})
    loops: dict[Hashable, dict[Node, Interval]] = {}
    for node in nodes:
        if node not in known:
            is_loop = node.op.name == "scan"
            known[node] = _of_loop(node, known, loops) if is_loop else _range(node, known)
    return known


def looked_up(nodes: Iterable[Node]) -> Iterator[Node]:
    """The operands whose intervals the code of some nodes depends on."""
    for node in nodes:
        if node.op.name == "scan":
            yield from node.operands
        elif node.op.safe:
            pairs = zip(node.op.operands, node.operands, strict=False)
            yield from (o for parameter, o in pairs if parameter.name in node.op.safe)


def of_steps(node: Node, known: Mapping[Node, Interval]) -> dict[Node, Interval]:
    """The intervals of what a step of a loop sees and computes, given those of its operands.

    A state is in an interval if its first value is, and if a step never leads out of it.
    """
    loop: Loop = node.attributes["loop"]
    first, captured, rows, _ = loop.split([known.get(o, REAL) for o in node.operands])
    seen = dict(zip(loop.captured, captured, strict=True))
    seen |= zip(loop.rows, rows, strict=True)
    start = loop.start.constant
    low = float(start) if start is not None else 0.0 if loop.start.natural else REAL.low
    seen[loop.index] = Interval(low=low)
    guesses = {s: _guesses(f) for s, f in zip(loop.states, first, strict=True)}
    while True:
        held = {state: tried[0] for state, tried in guesses.items()}
        after = ranges(loop.body(), {**seen, **held})
        wrong = [s for s, n in zip(loop.states, loop.nexts, strict=True)
                 if not after.get(n, REAL).within(held[s])]  # fmt: skip
        if not wrong:
            return after
        for state in wrong:
            guesses[state] = guesses[state][1:]


def _guesses(first: Interval) -> list[Interval]:
    """Intervals that a state may stay in, the narrowest first."""
    return [i for i in (POSITIVE, NON_NEGATIVE) if first.within(i)] + [REAL]


def _of_loop(
    node: Node, known: Mapping[Node, Interval], loops: dict[Hashable, dict[Node, Interval]]
) -> Interval:
    """That of one result; ``loops`` has what is known of the steps of loops."""
    loop, (sort, which) = node.attributes["loop"], node.attributes["result"]
    if sort == "steps":
        return NON_NEGATIVE
    if loop.dynamic and sort == "stack":
        return REAL  # Rows of steps that are not taken are 0.
    key = loop_key(node)
    if key not in loops:
        loops[key] = of_steps(node, known)
    seen = loops[key]
    if sort == "final":
        return seen[loop.states[which]]
    if which not in seen:
        loops[key] = seen = ranges(topological([which], seen), seen)
    return seen[which]


def _range(node: Node, known: Mapping[Node, Interval]) -> Interval:
    if node.op.name == "constant":
        return point(float(node.attributes["value"]))
    if node.op.name == "input":
        domain = node.attributes.get("domain")
        return domain.interval if domain is not None else REAL
    operands = [known[operand] for operand in node.operands]
    result = node.op.values(operands)
    if node.op.name == "multiply" and node.operands[0] is node.operands[1]:
        result = result.intersection(Interval(low=0.0))
    return result
