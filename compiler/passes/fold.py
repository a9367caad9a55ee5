"""Constant folding of arithmetic on written numbers, where the result is exact or plain."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from fractions import Fraction

from ...dsl.graph import Node, constant

_ARITHMETIC: dict[str, Callable[..., float | bool]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "negative": operator.neg,
    "square": lambda x: x * x,
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "equal": operator.eq,
    "not_equal": operator.ne,
}
_SHORT = len("0.125")


def concerns(name: str, family: str) -> bool:
    return name in _ARITHMETIC or name == "divide"


def step(node: Node) -> Node | None:
    if not node.operands or node.operands[0].op.name != "constant" or node.name:
        return None
    if not all(operand.is_constant() for operand in node.operands):
        return None
    values = [operand.attributes["value"] for operand in node.operands]
    function = _ARITHMETIC.get(node.op.name)
    if function is None or any(isinstance(v, bool) for v in values):
        return _quotient(node, values)
    try:
        value = function(*values)
    except OverflowError:
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return constant(value, node.span)


def _quotient(node: Node, values: list[float]) -> Node | None:
    """Quotients that are exact and short, as -0.5; 1/3 reads better than its decimals."""
    if node.op.name != "divide" or not values[1]:
        return None
    try:
        value = values[0] / values[1]
    except OverflowError:
        return None
    if not all(map(math.isfinite, (*values, value))):
        return None
    short = abs(value) < 2**53 if value.is_integer() else len(repr(abs(value))) <= _SHORT
    exact = Fraction(value) * Fraction(values[1]) == Fraction(values[0])
    return constant(value, node.span) if short and exact else None
