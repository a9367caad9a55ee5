"""Integers and truth values made floats where NumPy would otherwise leave the working precision.

NumPy promotes float32 with int64 to float64, and so does a number with an array of bool. Plain
Python numbers never promote.
"""

from __future__ import annotations

from dataclasses import replace

from ...dsl.graph import Graph, Node, make
from ...dsl.shapes import Kind
from ..schedule import is_weak
from .rewrite import rewrite

_KEEPS = ("as_float", "as_int", "array", "getitem")
# As Python scalars, these give back one of their operands as it is.
_CHOOSING = ("where", "maximum", "minimum", "clip")


def precision(graph: Graph) -> Graph:
    """Run once, last: it works against simplification."""
    return rewrite(graph, _step)


def _step(node: Node) -> Node | None:
    if not node.operands or node.op.name in _KEEPS or is_weak(node):
        return None
    if node.type.is_float:
        return _in_precision(node)
    return _in_integers(node) if node.type.kind is Kind.INT else None


def _in_integers(node: Node) -> Node | None:
    """An integer chosen among integers and truth values."""
    if node.op.name not in _CHOOSING or node.type.rank:
        return None
    first = 1 if node.op.name == "where" else 0
    operands = list(node.operands)
    for position, operand in enumerate(operands[first:], start=first):
        if operand.type.kind is Kind.BOOL:
            operands[position] = make("as_int", [operand], operand.span)
    return replace(node, operands=tuple(operands)) if tuple(operands) != node.operands else None


def _in_precision(node: Node) -> Node | None:
    operands = list(node.operands)
    first = 1 if node.op.name == "where" else 0
    strong = any(o.type.is_float and not is_weak(o) for o in operands[first:])
    for position, operand in enumerate(operands[first:], start=first):
        if _strays(node, operand, strong):
            operands[position] = make("as_float", [operand], operand.span)
            strong = True
    if not strong:
        operands[first] = make("as_float", [operands[first]], operands[first].span)
    if tuple(operands) == node.operands:
        return None
    return replace(node, operands=tuple(operands))


def _strays(node: Node, operand: Node, strong: bool) -> bool:
    """Whether an operand would change the precision of the result."""
    if not node.type.rank and node.op.name in _CHOOSING:
        # A branch that is chosen whole is the result itself.
        return not operand.type.is_float or (node.op.name == "where" and is_weak(operand))
    if is_weak(operand):
        return False
    return operand.type.kind is Kind.INT or (operand.type.kind is Kind.BOOL and not strong)
