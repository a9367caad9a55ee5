"""Derivative rules: their texts, parsed, checked and lowered by the stages of the language.

A text becomes a graph fragment once for each combination of operand types and options, and is
copied from there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from ..dsl import ast
from ..dsl.elaborate import Elaborator
from ..dsl.errors import SpecError
from ..dsl.graph import Node, make, topological
from ..dsl.library import prelude
from ..dsl.lower import lower_nodes
from ..dsl.ops import Op
from ..dsl.order import free_names
from ..dsl.parse import parse_expression
from ..dsl.scope import Functions, Report, Scope, Static
from ..dsl.shapes import Type
from ..dsl.sizes import Size
from ..dsl.source import Source, Span


@dataclass(frozen=True, slots=True)
class Fragment:
    """A graph with placeholders: ``order`` is an order of computation that ends in ``root``."""

    placeholders: Mapping[str, Node]
    order: tuple[Node, ...]
    root: Node

    def copy(self, values: Mapping[str, Node], span: Span, cause: Node, position: int) -> Node:
        """The fragment applied to nodes, marked as part of the derivative of ``cause``."""
        placed = {own: values[name] for name, own in self.placeholders.items()}
        for node in self.order:
            operands = tuple(placed[operand] for operand in node.operands)
            placed[node] = Node(
                node.op, operands, node.attributes, node.type, span, "", cause, position
            )
        return placed[self.root]


@cache
def rule_tree(text: str) -> ast.Expr:
    """The syntax tree of a rule's text."""
    return parse_expression(Source(text, "<rule>"))


def rule_text(op: Op, position: int) -> str | None:
    """The rule for an operand, or ``None`` where nothing goes back."""
    return op.rules.get(op.operand_name(position))


def reach_text(op: Op, position: int) -> str:
    """How the guard of a result becomes that of an operand."""
    name = op.operand_name(position)
    return op.reach.get(name) or op.rules[name]


def apply_rule(text: str, node: Node, position: int, values: Mapping[str, Node]) -> Node:
    """The value of a rule's text for a node.

    ``values`` adds ``y``, ``dy`` or tangents to the operands, or replaces some; options of the
    node and, for variadic ones, ``position``, ``start`` and ``stop`` are constants of the text.
    """
    op = node.op
    given: dict[str, Node] = {}
    if not op.variadic:
        given = {p.name: o for p, o in zip(op.operands, node.operands, strict=True)}
    given |= values
    constants = dict(node.attributes)
    if op.variadic:
        constants |= _stretch(node, position)
    given = {name: value for name, value in given.items() if _mentions(text, name)}
    key = tuple(constants.items())
    types = tuple((name, value.type) for name, value in given.items())
    return _fragment(text, types, key).copy(given, node.span, node, position)


@cache
def _mentions(text: str, name: str) -> bool:
    return any(n.id == name for n in free_names(rule_tree(text)))


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
    text: str, types: Sequence[tuple[str, Type]], constants: Sequence[tuple[str, Any]]
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
    return Fragment(placeholders, tuple(topological([lowered], stop)), lowered)


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
