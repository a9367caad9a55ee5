"""Which nodes become statements of a function, and in which order.

A schedule is independent of the language it is written in. A node that is used once and has no
name is written inside the statement that uses it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from ..dsl.graph import Graph, Node, topological
from ..dsl.intervals import REAL
from .ranges import ranges

# More operations than this in one statement are hard to read.
_MAX_WEIGHT = 5
_LEAVES = ("constant", "size", "input")
# Made again in the backward pass rather than kept for it.
_CHEAP = (
    "less", "less_equal", "greater", "greater_equal", "equal", "not_equal",
    "logical_and", "logical_or", "logical_not", "as_float",
)  # fmt: skip
# Written anew at each use: they cost nothing and read better in place.
_IN_PLACE = ("transpose", "expand_dims")


@dataclass(frozen=True)
class Function:
    """The body of one generated function.

    ``given`` are available on entry; ``statements`` are computed in order, each with what is
    inlined in it; ``results`` are what the function hands back.
    """

    given: tuple[Node, ...]
    statements: tuple[Node, ...]
    results: tuple[Node, ...]
    inlined: frozenset[Node]

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
    if node.op.name in ("constant", "size"):
        return True
    if node.type.rank or not node.operands or not depth or node.op.name == "as_float":
        return False
    if any(operand.op.name == "input" for operand in node.operands):
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
    separate: Iterable[Node] = (),
) -> Function:
    """The function that computes ``results`` from ``given``.

    ``order`` is an order of computation that a reader expects; ``separate`` are nodes to be
    statements of their own.
    """
    given, results = tuple(given), tuple(results)
    needed = set(topological(results, given))
    nodes = [node for node in order if node in needed]
    uses = Counter(operand for node in nodes for operand in node.operands)
    uses.update(results)
    forced = {*separate, *results}
    weight: dict[Node, int] = {}
    statements: list[Node] = []
    inlined: set[Node] = set()
    calls = Counter(call_key(node) for node in nodes if node.op.results)
    for node in nodes:
        if is_leaf(node):
            continue
        if node.op.results and calls[call_key(node)] > 1:
            statements.append(node)  # Several results of one call are one statement.
            weight[node] = 0
            continue
        own = 1 + sum(weight.get(operand, 0) for operand in node.operands)
        if _stays(node, uses[node], forced) or own > _MAX_WEIGHT:
            statements.append(node)
            weight[node] = 0
        else:
            inlined.add(node)
            weight[node] = own
    return Function(given, tuple(statements), results, frozenset(inlined))


def call_key(node: Node) -> Hashable:
    """The same for all results of a call."""
    options = tuple((k, v) for k, v in node.attributes.items() if k != "result")
    return node.op.name, node.operands, options


def _stays(node: Node, uses: int, forced: set[Node]) -> bool:
    """Whether a node is a statement of its own."""
    if node in forced or node.name:
        return True
    if node.adjoint_of is not None and _is_named(node.adjoint_of):
        return True
    return uses != 1 and not _in_place(node)


def _in_place(node: Node) -> bool:
    """Whether a node is written anew at each use."""
    number = node.op.name == "as_float" and node.operands[0].op.name == "constant"
    return number or node.op.name in _IN_PLACE


def _is_named(node: Node) -> bool:
    return bool(node.name) or node.op.name == "input"


def kept_for_backward(graph: Graph, forward: Function) -> tuple[Node, ...]:
    """The values of the forward pass that the gradients need: the fields of the cache.

    Views and plain numbers are made again instead.
    """
    available = forward.nodes
    calls = {call_key(node) for node in available if node.op.results}
    kept: dict[Node, None] = {}
    seen: set[Node] = set()
    stack = list(graph.gradients.values())
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        cheap = node.op.view or is_weak(node) or (not node.name and node.op.name in _CHEAP)
        if (node.op.name == "input" and node in graph.inputs.values()) or (
            (node in available or (node.op.results and call_key(node) in calls)) and not cheap
        ):
            kept[node] = None
        else:
            stack.extend(node.operands)
    position = {node: i for i, node in enumerate(graph.nodes)}
    return tuple(sorted(kept, key=position.__getitem__))
