"""Which values share memory with others: NumPy's views, and what loops and conditions hand on."""

from __future__ import annotations

from ..dsl.graph import Node
from .render import chooses_whole

_READ_ONLY = ("broadcast_to", "diagonal")


def owners_of(node: Node) -> set[Node]:
    """The nodes whose memory a value may share, itself included."""
    return {source for source in _shown(node) if not _shows(source)}


def _shown(node: Node) -> set[Node]:
    """A value and all that it may be, or be a part of, without a copy."""
    seen: set[Node] = set()
    stack = [node]
    while stack:
        current = stack.pop()
        if current in seen:
            continue
        seen.add(current)
        stack += _shows(current)
        if current.op.name == "scan" and current.attributes["result"][0] == "final":
            stack += _shared_with(current)
    return seen


def _shows(node: Node) -> tuple[Node, ...]:
    """The operands of which a value is always one, or a part."""
    if node.op.view:
        return node.operands
    return node.operands[1:] if chooses_whole(node) else ()


def _shared_with(final: Node) -> list[Node]:
    """What the state of a loop may be after it without a copy: its first value where there is no
    step, and what a step takes over as it is."""
    loop, (_, which) = final.attributes["loop"], final.attributes["result"]
    outside = dict(zip(loop.placeholders[1:], final.operands, strict=False))
    seen: set[Node] = set()
    stack = [loop.states[which]]
    while stack:
        place = stack.pop()
        if place not in seen and place in outside:
            seen.add(place)
            if place in loop.states:
                stack += owners_of(loop.nexts[loop.states.index(place)])
    return [outside[place] for place in seen]


def repeats(node: Node) -> bool:
    """Whether entries may share memory with each other, so that NumPy makes an array read-only."""
    return any(source.op.name in _READ_ONLY for source in _shown(node))
