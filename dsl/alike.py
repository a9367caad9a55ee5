"""Nodes that say the same, though they were written twice."""

from __future__ import annotations

from .graph import Node


def alike(a: Node, b: Node) -> bool:
    """Whether two nodes were written alike: nothing has merged them yet. What stands under an
    ``alias`` is itself alone, since its gradient may be asked for."""
    pairs, seen = [(a, b)], set()
    while pairs:
        a, b = pairs.pop()
        if a is b or (a, b) in seen:
            continue
        seen.add((a, b))
        if a.op is not b.op or a.op.name in ("input", "alias") or a.type != b.type:
            return False
        if a.op.name == "constant":
            # Python finds 1, 1.0 and True equal, and 0.0 and -0.0.
            if repr(a.attributes["value"]) != repr(b.attributes["value"]):
                return False
        elif a.attributes != b.attributes or len(a.operands) != len(b.operands):
            return False
        pairs += zip(a.operands, b.operands, strict=True)
    return True
