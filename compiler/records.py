"""What a loop of numbers keeps of its steps for the one that runs back through them: a tuple a
step, in one list, rather than a list for each number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from ..dsl.frozen import frozen
from ..dsl.graph import Node
from ..dsl.loops import Loop, by_loop, loop_key
from ..dsl.shapes import Kind
from .schedule import Function

# So few lists are as fast, and read as well.
_LEAST = 3


@frozen()
class Records:
    """``of`` has for each result of a loop that is part of a record all parts of it, in order.
    ``counts`` are numbers of steps that nothing asks for, where the records say how many there
    are."""

    of: Mapping[Node, tuple[Node, ...]] = field(default_factory=dict)
    counts: frozenset[Node] = frozenset()


def records(function: Function) -> Records:
    """The records of the loops of a function."""
    made = [n for n in function.statements if n.op.name == "scan" and n not in function.results]
    known = set(made)
    loops = by_loop(function.statements)
    users: dict[Node, list[Node]] = {node: [] for node in made}
    for node in function.nodes:
        for operand in known.intersection(node.operands):
            users[operand].append(node)
    found: dict[Node, tuple[Node, ...]] = {}
    for group in loops.values():
        parts = tuple(n for n in _rows(group[0]) if n in known and _only(n, group, users))
        producers = {loop_key(node) for node in parts}
        if len(parts) >= _LEAST and len(producers) == 1:
            found |= dict.fromkeys(parts, parts)
    counts = {
        node for node in made
        if node.attributes["result"] == ("steps", 0)
        and all(_counted_by(user, found) for user in users[node])
    }  # fmt: skip
    return Records(found, frozenset(counts))


def _counted_by(node: Node, of: Mapping[Node, tuple[Node, ...]]) -> bool:
    """Whether a loop sees nothing of its steps but a record: that says how many there are."""
    if node.op.name != "scan" or not (rows := _rows(node)) or not all(row in of for row in rows):
        return False
    loop: Loop = node.attributes["loop"]
    seen = loop.index in loop.nexts or any(loop.index in n.operands for n in loop.body())
    return node.attributes["result"][0] == "final" and not seen


def _rows(node: Node) -> list[Node]:
    """The arrays of which each step of a loop sees a row."""
    loop: Loop = node.attributes["loop"]
    return list(dict.fromkeys(loop.split(node.operands)[2])) if loop.numbers else []


def _only(node: Node, group: list[Node], users: Mapping[Node, list[Node]]) -> bool:
    """Whether a value is what a loop keeps of its steps for the steps of ``group`` alone."""
    if node.op.name != "scan" or node.attributes["result"][0] != "stack" or node.name:
        return False
    own: Loop = node.attributes["loop"]
    other: Loop = group[0].attributes["loop"]
    if not own.numbers or node.type.kind is not Kind.FLOAT or own.backwards == other.backwards:
        return False
    if (own.start, own.stop) != (other.start, other.stop) or other.until is not None:
        return False
    states, captured, _, steps = other.split(group[0].operands)
    ends = not own.dynamic or any(
        count.op.name == "scan" and loop_key(count) == loop_key(node) for count in steps
    )
    elsewhere = node in (*states, *captured)
    return ends and not elsewhere and set(users[node]) <= set(group)
