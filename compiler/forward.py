"""Forward mode: a graph to the graph of its tangents.

An elementwise operation adds up slope times tangent; a linear one is applied to the tangents, once
for each operand of a product; the others declare the rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..dsl.errors import SpecError, mistakes
from ..dsl.graph import Fragment, Node, constant, make, topological
from ..dsl.loops import by_loop, loop_key
from ..dsl.ruled import is_linear
from ..dsl.shapes import Shape
from .forward_loops import along_loop
from .reverse import pullback
from .rules import apply_rule, rule_of, tangent_of, times


def tangents(
    roots: Iterable[Node], given: Mapping[Node, Node], *, named: bool = False
) -> dict[Node, Node]:
    """The tangent of every float node under the roots that a given one reaches.

    ``given`` are the tangents of some nodes. A root that has no entry has the tangent zero. With
    ``named``, the tangent of a named node is called after it.
    """
    found = dict(given)
    order = topological(roots)
    loops = by_loop(node for node in order if node.type.is_float)
    for node in order:
        if node in found or not node.type.is_float:
            continue
        if node.op.name == "scan":
            moving_operands = {p: found[o] for p, o in enumerate(node.operands) if o in found}
            results = loops.pop(loop_key(node), None)
            if moving_operands and results:
                found = {**along_loop(results, moving_operands, tangents), **found}
            continue
        moving = [p for p, o in enumerate(node.operands) if o in found and rule_of(node, p)]
        if moving:
            found[node] = _tangent(node, moving, found)
            fresh = found[node].cause is not None and found[node].adjoint_of is None
            if named and node.name and fresh:
                found[node] = replace(found[node], adjoint_of=node)
    return found


def _tangent(node: Node, moving: list[int], found: Mapping[Node, Node]) -> Node:
    if node.op.family == "ruled":
        return _transposed(node, moving, found)
    text = tangent_of(node)
    if text:
        return _shaped(_declared(node, text, found), node.type.shape)
    if node.op.family == "elementwise":
        parts = []
        for position in moving:
            rule = rule_of(node, position)
            assert rule is not None
            slope = apply_rule(rule, node, position, {"y": node})
            parts.append(times(found[node.operands[position]], slope, node, position))
        return _shaped(_total(node, parts), node.type.shape)
    parts = []
    for together in dict.fromkeys(_linear_with(node, position) for position in moving):
        assert together, f"{node.op.name} has no rule for tangents"
        operands = list(node.operands)
        for position in together:
            operands[position] = found.get(operands[position]) or _zero(operands[position])
        parts.append(_applied(node, operands))
    return _total(node, parts)


def _transposed(node: Node, moving: list[int], found: Mapping[Node, Node]) -> Node:
    """The transpose of a rule of the specification, which must be linear in what arrives."""
    dy = make("input", (), node.span, {"name": "dy", "type": node.type})
    seeds = []
    for position in moving:
        rule = rule_of(node, position)
        assert isinstance(rule, Fragment)
        if not is_linear(rule):
            span = rule.root.span
            raise SpecError([mistakes.rule_not_linear(span, f"d{node.op.operand_name(position)}")])
        entry = apply_rule(rule, node, position, {"dy": dy})
        seeds.append((entry, found[node.operands[position]]))
    result = pullback(seeds, [dy]).gradients.get(dy)
    return _zero(node) if result is None else replace(result, cause=node, adjoint_of=None)


def _linear_with(node: Node, position: int) -> tuple[int, ...]:
    """The operands that move together with one, in an operation that is linear in them."""
    if node.op.variadic:
        return tuple(range(len(node.operands)))
    return node.op.linear_in(position)


def _applied(node: Node, operands: list[Node]) -> Node:
    """The operation of a node on other operands of the same types."""
    return replace(node, operands=tuple(operands), name="", cause=node, position=None)


def _total(node: Node, parts: list[Node]) -> Node:
    total = parts[0]
    for part in parts[1:]:
        total = make("add", [total, part], node.span, cause=node)
    return total


def _declared(node: Node, text: str, found: Mapping[Node, Node]) -> Node:
    """The rule for tangents, without the terms of operands that do not move."""
    tangents = {f"d{p.name}": o for p, o in zip(node.op.operands, node.operands, strict=True)}
    absent = frozenset(name for name, operand in tangents.items() if operand not in found)
    moved = {name: found.get(operand) or _zero(operand) for name, operand in tangents.items()}
    return apply_rule(text, node, 0, {"y": node, **moved}, absent)


def _zero(node: Node) -> Node:
    if not node.type.rank:
        return constant(0.0, node.span)
    return make("zeros", (), node.span, {"shape": node.type.shape})


def _shaped(tangent: Node, shape: Shape) -> Node:
    """The tangent in the shape of its node, where all it came from was smaller."""
    if tangent.type.shape == shape:
        return tangent
    return make("broadcast_to", [tangent], tangent.span, {"shape": shape}, cause=tangent.cause)
