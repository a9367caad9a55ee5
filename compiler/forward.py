"""Forward mode: a graph to the graph of its tangents.

An elementwise operation adds up slope times tangent; a linear one is applied to the tangents, once
for each operand of a product; the others declare the rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..dsl.graph import Node, constant, make, topological
from ..dsl.shapes import Kind, Shape
from .rules import apply_rule, rule_text, times

_PRODUCTS = frozenset({"matmul", "matvec", "vecdot", "vecouter"})


def tangents(
    roots: Iterable[Node], given: Mapping[Node, Node], *, named: bool = False
) -> dict[Node, Node]:
    """The tangent of every float node under the roots that a given one reaches.

    ``given`` are the tangents of some nodes. A root that has no entry has the tangent zero. With
    ``named``, the tangent of a named node is called after it.
    """
    found = dict(given)
    for node in topological(roots):
        if node in found or not node.type.is_float:
            continue
        moving = [p for p, o in enumerate(node.operands) if o in found and rule_text(node.op, p)]
        if moving:
            found[node] = _tangent(node, moving, found)
            fresh = found[node].cause is not None and found[node].adjoint_of is None
            if named and node.name and fresh:
                found[node] = replace(found[node], adjoint_of=node)
    return found


def _tangent(node: Node, moving: list[int], found: Mapping[Node, Node]) -> Node:
    if node.op.tangent:
        return _shaped(_declared(node, found), node.type.shape)
    if node.op.family == "elementwise":
        parts = []
        for position in moving:
            text = rule_text(node.op, position)
            assert text is not None
            slope = apply_rule(text, node, position, {"y": node})
            parts.append(times(found[node.operands[position]], slope, node, position))
        return _shaped(_total(node, parts), node.type.shape)
    assert node.op.family == "linear", f"{node.op.name} has no rule for tangents"
    if node.op.name not in _PRODUCTS:
        operands = [found.get(operand) or _zero(operand) for operand in node.operands]
        return _applied(node, operands)
    parts = []
    for position in moving:
        operands = list(node.operands)
        operands[position] = found[operands[position]]
        parts.append(_applied(node, operands))
    return _total(node, parts)


def _applied(node: Node, operands: list[Node]) -> Node:
    """The operation of a node on other operands of the same types."""
    return replace(node, operands=tuple(operands), name="", cause=node, position=None)


def _total(node: Node, parts: list[Node]) -> Node:
    total = parts[0]
    for part in parts[1:]:
        total = make("add", [total, part], node.span, cause=node)
    return total


def _declared(node: Node, found: Mapping[Node, Node]) -> Node:
    """The rule for tangents, those of operands that do not move being zero."""
    values = {"y": node}
    for parameter, operand in zip(node.op.operands, node.operands, strict=True):
        if operand.type.kind is not Kind.BOOL:
            values[f"d{parameter.name}"] = found.get(operand) or _zero(operand)
    return apply_rule(node.op.tangent, node, 0, values)


def _zero(node: Node) -> Node:
    if not node.type.rank:
        return constant(0.0, node.span)
    return make("zeros", (), node.span, {"shape": node.type.shape})


def _shaped(tangent: Node, shape: Shape) -> Node:
    """The tangent in the shape of its node, where all it came from was smaller."""
    if tangent.type.shape == shape:
        return tangent
    return make("broadcast_to", [tangent], tangent.span, {"shape": shape}, cause=tangent.cause)
