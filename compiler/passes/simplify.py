"""Algebra that is exact in floating point, or rounds once where two roundings stood.

Nothing here assumes that numbers are finite: ``x * 0`` stays. Rules may be naive because of this
pass.
"""

from __future__ import annotations

from ...dsl.graph import Node
from .patterns import Rewritings

REWRITES = Rewritings(
    """
    x - 0 -> x
    x * 1 -> x
    x * -1 -> -x
    x / 1 -> x
    x^1 -> x
    x^2 -> square(x)
    -(-x) -> x
    -1 / x -> -(1 / x)
    a + -b -> a - b
    a - -b -> a + b
    -a * b -> -(a * b)
    a * -b -> -(a * b)
    -a / b -> -(a / b)
    a / -b -> -(a / b)
    a * (1 / b) -> a / b
    a + a -> 2 * a
    not not c -> c
    c and c -> c
    c and true -> c
    c and false -> false
    c or c -> c
    c or false -> c
    c or true -> true
    c or not c -> true
    c and not c -> false
    a or (a and b) -> a
    a and (a or b) -> a
    a and (a and b) -> a and b
    a or (a or b) -> a or b
    not true -> false
    not false -> true
    if true then a else b -> a
    if false then a else b -> b
    if c then a else a -> a
    if not c then a else b -> if c then b else a
    (if c then a else 0.0) + (if c then 0.0 else b) -> if c then a else b
    (if c then a else 0.0) + (if not c then b else 0.0) -> if c then a else b
    if c then (if c then a else b) else d -> if c then a else d
    if c then d else (if c then a else b) -> if c then d else b
    if c then (if not c then a else b) else d -> if c then b else d
    if c then d else (if not c then a else b) -> if c then d else a
    alias(x) -> x
    as_float(as_float(x)) -> as_float(x)
    """
)


def concerns(name: str, family: str) -> bool:
    return family == "ruled" or name in REWRITES.by_op


def step(node: Node) -> Node | None:
    if node.op.family == "ruled":  # Once gradients are taken, it is what its body computes.
        return node.operands[node.attributes["result"]]
    return REWRITES.step(node)
