"""Derivative rules: their texts, parsed, checked and lowered by the stages of the language.

A text becomes a graph fragment once for each combination of operand types and options, and is
copied from there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

from ..dsl import ast
from ..dsl.elaborate import Elaborator
from ..dsl.errors import SpecError
from ..dsl.graph import Fragment, Node, make, sibling
from ..dsl.library import prelude
from ..dsl.lower import lower_nodes
from ..dsl.ops import Chosen
from ..dsl.order import free_names
from ..dsl.parse import parse_expression
from ..dsl.ruled import ARRIVING, without
from ..dsl.scope import Functions, Report, Scope, Static
from ..dsl.shapes import Type
from ..dsl.sizes import Size
from ..dsl.source import Source

Rule: TypeAlias = str | Fragment


@cache
def rule_tree(text: str) -> ast.Expr:
    """The syntax tree of a rule's text."""
    return parse_expression(Source(text, "<rule>"))


def rule_of(node: Node, position: int) -> Rule | None:
    """The rule for an operand, or ``None`` where nothing goes back.

    That of a loop is a loop, for all results at once: here it only counts that there is one.
    """
    if node.op.name == "scan":
        moves = node.type.is_float and node.operands[position].type.is_float
        return "loop" if moves else None
    rule = node.op.rules.get(_key(node, position))
    return rule if rule is None or isinstance(rule, Fragment) else _text(rule, node)


def reach_of(node: Node, position: int) -> str:
    """How the guard of a result becomes that of an operand."""
    rule = node.op.reach.get(_key(node, position)) or rule_of(node, position)
    assert isinstance(rule, str)
    return rule


def tangent_of(node: Node) -> str:
    """The rule of forward mode, or nothing where slopes or linearity give it."""
    tangent = node.op.tangent
    if isinstance(tangent, str):
        return tangent
    return _text(tangent.get(_result(node), ""), node)


def _text(rule: str | Chosen, node: Node) -> str:
    if isinstance(rule, str):
        return rule
    return rule.choose([o.type for o in node.operands], node.attributes)


def _key(node: Node, position: int) -> str:
    name = node.op.operand_name(position)
    return f"{_result(node)}.{name}" if node.op.results else name


def _result(node: Node) -> str:
    return node.op.result_names(node.attributes)[node.attributes["result"]]


def apply_rule(
    rule: Rule,
    node: Node,
    position: int,
    values: Mapping[str, Node],
    absent: frozenset[str] = frozenset(),
) -> Node:
    """The value of a rule for a node, of a text without the terms of what is ``absent``.

    ``values`` adds ``y``, ``dy`` or tangents to the operands, or replaces some; options of the
    node and, for variadic ones, ``position``, ``start`` and ``stop`` are constants of a text.
    """
    own: dict[str, Node] = {}
    if not node.op.variadic:
        own = {p.name: o for p, o in zip(node.op.operands, node.operands, strict=True)}
    if isinstance(rule, Fragment):
        return rule.copy(given_to(node, values["dy"]), node.span, node, position)
    return _apply_text(rule, node, position, own | dict(values), absent)


def given_to(node: Node, dy: Node) -> dict[str, Node]:
    """What the placeholders of a rule of the specification stand for in one call."""
    own = {p.name: o for p, o in zip(node.op.operands, node.operands, strict=True)}
    return {**own, **_results(node), ARRIVING: dy}


def _results(node: Node) -> dict[str, Node]:
    """The results of the call that a node is one of, by name."""
    names = node.op.result_names(node.attributes)
    return {name: sibling(node, result) for result, name in enumerate(names)}


def _apply_text(
    text: str, node: Node, position: int, given: dict[str, Node], absent: frozenset[str]
) -> Node:
    constants = dict(node.attributes)
    for name, result in _results(node).items():
        given[name] = result
    if node.op.variadic:
        constants |= _stretch(node, position)
    mentioned = names_in(text)
    given = {name: value for name, value in given.items() if name in mentioned}
    key = tuple(constants.items())
    types = tuple((name, value.type) for name, value in given.items())
    absent = absent.intersection(given)
    return _fragment(text, types, key, absent).copy(given, node.span, node, position)


@cache
def names_in(text: str) -> frozenset[str]:
    """The names that a rule's text mentions."""
    return frozenset(name.id for name in free_names(rule_tree(text)))


def _stretch(node: Node, position: int) -> dict[str, Any]:
    """Where an operand of a joining operation lies along the joined axis."""
    constants: dict[str, Any] = {"position": position}
    if node.op.name == "concat":
        axis: int = node.attributes["axis"]
        lengths = [operand.type.shape[axis] for operand in node.operands]
        start = sum(lengths[:position], start=Size.of(0))
        constants |= {"start": start, "stop": start + lengths[position]}
    return constants


@cache
def _fragment(
    text: str,
    types: Sequence[tuple[str, Type]],
    constants: Sequence[tuple[str, Any]],
    absent: frozenset[str],
) -> Fragment:
    tree = rule_tree(text)
    placeholders = {
        name: make("input", (), tree.span, {"name": name, "type": t}) for name, t in types
    }
    scope = Scope(values={**{k: Static(v) for k, v in constants}, **placeholders})
    for _, t in types:
        for size in t.shape:
            scope.sizes |= {name: Size.of(name) for name in size.names()}
    report = Report()
    elaborator = Elaborator(Functions({}, prelude()), report, internal=True)
    root = elaborator.elaborate(tree, scope)
    if root is None:
        raise SpecError(report.diagnostics)
    stop = list(placeholders.values())
    lowered = lower_nodes([root], stop)[root]
    lowered = without(lowered, [placeholders[name] for name in absent]) if absent else lowered
    return Fragment.of(placeholders, lowered)


def times(value: Node, slope: Node, cause: Node, position: int) -> Node:
    """``value * slope``, written as a person would: ``dy * a * b``, ``dy / b``, ``-dy * a``.

    Only what the rule itself made is taken apart, which is never deep.
    """

    def made(op: str, *operands: Node) -> Node:
        return make(op, operands, cause.span, cause=cause, position=position)

    if slope.is_constant(1):
        return value
    if slope.cause is cause and slope.position == position:
        if slope.op.name == "multiply":
            first, second = slope.operands
            return times(times(value, first, cause, position), second, cause, position)
        if slope.op.name == "divide":
            top, bottom = slope.operands
            return made("divide", times(value, top, cause, position), bottom)
        if slope.op.name == "negative":
            return made("negative", times(value, slope.operands[0], cause, position))
    return made("multiply", value, slope)
