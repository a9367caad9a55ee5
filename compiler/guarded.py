"""What only branches use: it may warn in vain, or raise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from ..dsl.graph import Node, topological
from ..dsl.loops import Loop, is_plain
from ..dsl.shapes import Kind
from .branches import arranged, on_sides
from .schedule import is_leaf

# Operations that raise no floating-point warning, whatever their operands are.
QUIET = frozenset(
    {"negative", "abs", "sign", "maximum", "minimum", "clip", "where", "less", "less_equal",
     "greater", "greater_equal", "equal", "not_equal", "logical_and", "logical_or", "logical_not",
     "as_float", "as_int", "detach", "relu", "sigmoid", "softplus", "tanh", "arctan", "alias",
     "getitem", "place", "array", "stack", "concat", "zeros", "ones", "eye",
     "roll", "tile", "repeat", "pad", "take", "take_along_axis", "sort", "argsort", "windows",
     "triu", "tril", "diagonal_matrix", "arange", "any", "all"}
)  # fmt: skip


def guarded_nodes(
    order: Sequence[Node], results: Iterable[Node], given: Iterable[Node] = ()
) -> set[Node]:
    """The nodes, in an order of computation, that only branches of conditions use; also those of
    ``given`` that nothing else uses."""
    users: dict[Node, list[tuple[Node, int]]] = {}
    for node in order:
        for operand in node.operands:
            users.setdefault(operand, [])
        for position in _uses(node):
            users[node.operands[position]].append((node, position))
    results, given = set(results), list(given)
    guarded: set[Node] = set()
    for node in [*reversed(order), *given]:
        if node in results or (node not in given and (is_leaf(node) or node not in users)):
            continue
        if all(
            (user.op.name == "where" and position > 0) or user in guarded
            for user, position in users.get(node, ())
        ):
            guarded.add(node)
    return guarded


def _uses(node: Node) -> Iterable[int]:
    """The positions of the operands that a node always uses, or where it is used: not those that
    only branches in the steps of a loop do."""
    if node.op.name != "scan":
        return range(len(node.operands))
    loop: Loop = node.attributes["loop"]
    sort, which = node.attributes["result"]
    stacked = [which] * (sort == "stack")
    spared = guarded_nodes(loop.body(stacked), loop.roots(stacked), [*loop.captured, *loop.rows])
    first = len(loop.states)
    places = [*loop.states, *loop.captured, *loop.rows]
    return [i for i in range(len(node.operands))
            if not first <= i < len(places) or places[i] not in spared]  # fmt: skip


def guarded_in_steps(order: Iterable[Node]) -> set[Node]:
    """The nodes in the steps of all loops among some nodes that are computed although only
    branches use them."""
    loops: dict[Loop, list[Node]] = {}
    for node in order:
        if node.op.name == "scan":
            sort, which = node.attributes["result"]
            loops.setdefault(node.attributes["loop"], []).extend([which] * (sort == "stack"))
    guarded: set[Node] = set()
    for loop, stacked in loops.items():
        body = loop.body(stacked)
        guarded |= needless_nodes(body, loop.roots(stacked)) | guarded_in_steps(body)
    return guarded


def _may_warn(node: Node) -> bool:
    """Whether NumPy can. Of integers only a division by 0 is told, and the overflow of a number
    of NumPy's; sizes are Python's."""
    if node.op.name in QUIET or node.op.view or is_plain(node):
        return False
    if node.type.kind is not Kind.INT or not (node.type.rank or _of_sizes(node)):
        return True
    divides = node.op.name in ("floor_divide", "remainder")
    return divides and (not node.operands[1].is_constant() or node.operands[1].is_constant(0))


def _of_sizes(node: Node) -> bool:
    """Whether a number is computed from sizes alone."""
    nodes = topological([node])
    return all(n.op.name in ("size", "constant") or n.op.family == "elementwise" for n in nodes)


def needless_nodes(order: Sequence[Node], results: Iterable[Node]) -> set[Node]:
    """The nodes that only branches use and that numbers compute all the same: those that are
    neither on a side of an ``if`` nor in a conditional expression."""
    results = list(results)
    guarded = guarded_nodes(order, results)
    if not guarded:
        return guarded
    uses = Counter(operand for node in order for operand in node.operands)
    guarded -= on_sides(arranged(order, results))
    spared: set[Node] = set()
    for node in reversed(order):
        if node.op.name == "where" or node in spared:
            first = node.op.name == "where" and node not in spared
            spared.update(o for o in node.operands[first:] if uses[o] == 1 and not o.name)
    return guarded - spared


def risky_nodes(order: Sequence[Node], results: Iterable[Node]) -> set[Node]:
    """Guarded nodes that may warn, with those that compute with their results."""
    guarded = guarded_nodes(order, results)
    risky: set[Node] = set()
    for node in order:
        if node in guarded:
            if _may_warn(node) or any(operand in risky for operand in node.operands):
                risky.add(node)
    return risky
