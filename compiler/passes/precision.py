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

_KEEPS = ("as_float", "array", "getitem")


def precision(graph: Graph) -> Graph:
    """Run once, last: it works against simplification."""
    return rewrite(graph, _step)


def _step(node: Node) -> Node | None:
    if not node.type.is_float or not node.operands or node.op.name in _KEEPS or is_weak(node):
        return None
    strong = any(o.type.is_float and not is_weak(o) for o in node.operands)
    operands = []
    for operand in node.operands:
        condition = node.op.name == "where" and operand is node.operands[0]
        strays = operand.type.kind is Kind.INT or (operand.type.kind is Kind.BOOL and not strong)
        if strays and not condition and not is_weak(operand):
            operand = make("as_float", [operand], operand.span)
            strong = True
        operands.append(operand)
    result = node
    if tuple(operands) != node.operands:
        result = replace(node, operands=tuple(operands))
    if not strong:
        return make("as_float", [result], node.span)
    return result if result is not node else None
