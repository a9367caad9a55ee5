"""Which nodes become statements of a function, and in which order.

A schedule is independent of the language it is written in. A node that is used once and has no
name is written inside the statement that uses it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from itertools import chain

from ..dsl.frozen import frozen
from ..dsl.graph import Node, topological
from ..dsl.intervals import REAL
from ..dsl.loops import Loop, loop_key
from ..dsl.subscripts import Cut
from .branches import Unit, arranged, branches, flat, only
from .ranges import ranges

# More operations than this in one statement are hard to read.
_MAX_WEIGHT = 5
_LEAVES = ("constant", "size", "input")
# Written anew at each use: they cost nothing and read better in place.
_IN_PLACE = ("transpose", "expand_dims", "zeros")


@frozen()
class Function:
    """The body of one generated function.

    ``given`` are available on entry; ``statements`` are computed in order, each with what is
    inlined in it; ``results`` are what the function hands back. ``units`` are the statements with
    the branches in which they stand.
    """

    given: tuple[Node, ...]
    statements: tuple[Node, ...]
    results: tuple[Node, ...]
    inlined: frozenset[Node]
    units: tuple[Unit, ...] = ()

    @property
    def nodes(self) -> set[Node]:
        return {*self.statements, *self.inlined}


def is_leaf(node: Node) -> bool:
    return node.op.name in _LEAVES


def is_weak(node: Node, depth: int = 4) -> bool:
    """Whether the value is a plain Python number: made of written numbers and sizes alone, by
    arithmetic that cannot raise. Such numbers never change the precision of what they meet.

    Deeper expressions than ``depth`` count as computed, which is never wrong.
    """
    if node.op.name in ("constant", "size") or "variable" in node.attributes:
        return True
    if node.type.rank or not node.operands or not depth or node.op.name == "as_float":
        return False
    if any(o.op.name == "input" and not is_weak(o) for o in node.operands):
        return False
    if not node.op.math or "_" in node.op.math:
        return False
    if not all(is_weak(operand, depth - 1) for operand in node.operands):
        return False
    known = ranges(topological([node]))
    return all(
        known[operand].within(node.op.safe.get(parameter.name, REAL))
        for parameter, operand in zip(node.op.operands, node.operands, strict=True)
    )


def plan(
    order: Iterable[Node],
    results: Iterable[Node],
    given: Iterable[Node],
    *,
    branching: bool = False,
) -> Function:
    """The function that computes ``results`` from ``given``.

    ``order`` is an order of computation that a reader expects; with ``branching``, what numbers
    are chosen by one condition stands in an ``if``.
    """
    given, results = tuple(given), tuple(results)
    needed = set(topological(results, given))
    nodes = [node for node in order if node in needed]
    units = arranged(nodes, results) if branching else tuple(nodes)
    nodes = list(flat(units))
    loops = {call_key(node): node for node in nodes if node.op.name == "scan"}
    once = [node for node in nodes if node.op.name != "scan"]  # And each loop, all results in one.
    uses = Counter(chain.from_iterable(node.operands for node in [*once, *loops.values()]))
    uses.update(results)
    forced, chosen = set(results), set[Node]()
    for branch in branches(units):
        forced.update(branch.choices)
        chosen.update(chain.from_iterable(choice.operands[1:] for choice in branch.choices))
        uses[branch.condition] -= len(branch.choices) - 1  # Its `if` reads it once.
    for node in nodes:
        if node.op.name == "scan":
            forced.update(seen_in_steps(node))
        if uses[node] > 1 and in_place(node) and node.operands:
            forced.update(o for o in node.operands if not is_leaf(o) and not in_place(o))
    weight: dict[Node, int] = {}
    statements: list[Node] = []
    inlined: set[Node] = set()
    calls = Counter(call_key(node) for node in nodes if node.op.results)
    for node in nodes:
        if is_leaf(node):
            continue
        if node.op.name == "scan" or (node.op.results and calls[call_key(node)] > 1):
            statements.append(node)  # Several results of one call are one statement.
            weight[node] = 0
            continue
        own = 1 + sum([weight.get(operand, 0) for operand in node.operands])
        heavy = own > _MAX_WEIGHT and node not in chosen  # Of what is chosen it is the statement.
        if heavy or _stays(node, uses[node], forced):
            statements.append(node)
            weight[node] = 0
        else:
            inlined.add(node)
            weight[node] = own
    units = only(units, set(statements))
    return Function(given, tuple(statements), results, frozenset(inlined), units)


def has_more(node: Node) -> bool:
    """Whether a node is one of several results of a call."""
    return bool(node.op.results) or node.op.name == "scan"


def seen_in_steps(node: Node) -> list[Node]:
    """The operands of a loop that its steps refer to, and that must be variables for that."""
    loop: Loop = node.attributes["loop"]
    _, captured, rows, steps = loop.split(node.operands)
    found = [o for o in (*captured, *steps) if o.op.name == "zeros" or not in_place(o)]
    for row in rows:
        if loop.chunk is not None:
            if not in_place(row):
                found.append(row)
            continue
        found.append(row.operands[0] if leading_cut(row) is not None else row)
    return [o for o in found if not is_leaf(o)]


def leading_cut(node: Node) -> Cut | None:
    """The slice along the first axis that a node is, if it is no more than that."""
    if node.op.name != "getitem" or node.name or len(node.attributes["index"]) != 1:
        return None
    (cut,) = node.attributes["index"]
    return cut if isinstance(cut, Cut) and abs(cut.step) == 1 else None


def call_key(node: Node) -> Hashable:
    """The same for all results of a call."""
    if node.op.name == "scan":
        return loop_key(node)
    options = tuple((k, v) for k, v in node.attributes.items() if k != "result")
    return node.op.name, node.operands, options


def _stays(node: Node, uses: int, forced: set[Node]) -> bool:
    """Whether a node is a statement of its own."""
    if node in forced or node.name:
        return True
    if node.adjoint_of is not None and _is_named(node.adjoint_of):
        return True
    return uses != 1 and not in_place(node)


def in_place(node: Node) -> bool:
    """Whether a node is written anew at each use."""
    number = node.op.name == "as_float" and node.operands[0].op.name == "constant"
    return number or node.op.name in _IN_PLACE


def _is_named(node: Node) -> bool:
    return bool(node.name) or node.op.name == "input"


def computed(results: Iterable[Node], given: Iterable[Node]) -> set[Node]:
    """What a function computes to get from what it is given to its results."""
    return {node for node in topological(results, given) if not is_leaf(node)}
