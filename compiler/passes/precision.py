"""Integers and truth values made floats where NumPy would otherwise leave the working precision.

NumPy promotes float32 with int64 to float64, and so does a number with an array of bool. Plain
Python numbers never promote.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ...dsl.graph import Graph, Node, make
from ...dsl.loops import Loop
from ...dsl.shapes import Kind
from ..schedule import is_weak
from .rewrite import rewrite

_KEEPS = ("as_float", "as_int", "array", "getitem")
# Written with Python numbers, these give back one of their operands as it is.
_CHOOSING = ("where", "maximum", "minimum", "clip", "relu")


def precision(graph: Graph, arrays: bool) -> Graph:
    """Run once, last: it works against simplification.

    Where all is scalar there is one precision, and only what is handed on as it is must be of
    the right kind.
    """
    return rewrite(graph, _step) if arrays else rewrite(graph, _among_numbers, only=_CHOOSING)


def _step(node: Node) -> Node | None:
    if not node.operands or node.op.name in _KEEPS or is_weak(node):
        return None
    if node.op.name == "scan":
        return _with_first(node)
    if node.op.name == "where" and not node.type.rank:
        return _chosen(node, is_weak)
    return _in_precision(node) if node.type.is_float else None


def _among_numbers(node: Node) -> Node | None:
    return _chosen(node, lambda _: False) if node.op.name in _CHOOSING else None


def _with_first(node: Node) -> Node | None:
    """A loop whose states have their kind and precision before the first step."""
    loop: Loop = node.attributes["loop"]
    operands = list(node.operands)
    for position, held in enumerate(loop.states):
        weak = held.type.is_float and is_weak(operands[position]) and not loop.numbers
        if weak or operands[position].type.kind is not held.type.kind:
            conversion = "as_float" if held.type.is_float else "as_int"
            operands[position] = make(conversion, [operands[position]], node.span)
    return _with(node, operands)


def _chosen(node: Node, lacks_precision: Callable[[Node], bool]) -> Node | None:
    """A scalar that is one of its operands as it is: each is of the kind of the result."""
    kind = node.type.kind
    first = 1 if node.op.name == "where" else 0
    operands = list(node.operands)
    for position, operand in enumerate(operands[first:], start=first):
        strays = kind is Kind.FLOAT and lacks_precision(operand)
        if operand.type.kind is not kind or strays:
            conversion = "as_float" if kind is Kind.FLOAT else "as_int"
            operands[position] = make(conversion, [operand], operand.span)
    return _with(node, operands)


def _in_precision(node: Node) -> Node | None:
    operands = list(node.operands)
    first = 1 if node.op.name == "where" else 0
    strong = any(o.type.is_float and not is_weak(o) for o in operands[first:])
    for position, operand in enumerate(operands[first:], start=first):
        if not _is_place(node, position) and _strays(node, operand, strong):
            operands[position] = make("as_float", [operand], operand.span)
            strong = True
    if not strong:
        operands[first] = make("as_float", [operands[first]], operands[first].span)
    return _with(node, operands)


def _with(node: Node, operands: list[Node]) -> Node | None:
    return None if tuple(operands) == node.operands else replace(node, operands=tuple(operands))


def _is_place(node: Node, position: int) -> bool:
    return not node.op.variadic and node.op.operands[position].name in node.op.places


def _by_kernel(node: Node) -> bool:
    """Whether a function of ours computes it, which may take its operands one by one."""
    return isinstance(node.op.numpy, str) and node.op.numpy.startswith("_")


def _strays(node: Node, operand: Node, strong: bool) -> bool:
    """Whether an operand would change the precision of the result."""
    if is_weak(operand):
        # What makes arrays of its operands takes a number of Python for a float64.
        return node.op.family not in ("elementwise", "pointwise")
    alone = not strong or _by_kernel(node)
    return operand.type.kind is Kind.INT or (operand.type.kind is Kind.BOOL and alone)
