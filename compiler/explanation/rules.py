"""Local derivatives and rules as formulas: names put in, and what is known when reading folded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ...dsl import ast
from ...dsl.graph import Node, attribute_text
from ...dsl.order import free_names
from ..paper import mirrored
from ..rules import rule_of, rule_tree
from .terms import Amount, Formula, Name, Term


def text_of(node: Node, position: int) -> str:
    """A rule as it is written in the table or in the specification."""
    rule = rule_of(node, position)
    assert rule is not None
    return rule if isinstance(rule, str) else rule.root.span.text


def adjoint_rule(
    node: Node, position: int, count: Callable[[Node], int]
) -> tuple[ast.Expr, ast.Expr | None]:
    """The rule for an operand, and where it is 0 instead.

    ``count`` is how many entries of the operand go into one of the result.
    """
    if node.op.name == "where":
        return _chosen(position), None
    tree = rule_tree(text_of(node, position))
    if node.op.name == "transpose" and mirrored(node):
        return ast.Transpose(tree.span, ast.Name(tree.span, "dy")), None
    found, zero = without_zero(_counted(tree, count(node), node.attributes))
    alike = "spread(dy" in tree.span.text and {n.id for n in free_names(found)} == {"dy"}
    return (_each(found) if alike else found), zero


def _each(tree: ast.Expr) -> ast.Expr:
    """A formula that is the same for all entries."""
    return ast.Call(tree.span, ast.Name(tree.span, "each"), (tree,))


def is_reshaping(tree: ast.Expr) -> bool:
    """Whether a rule moves no entry and changes none."""
    return isinstance(tree, ast.Call) and tree.function.id in ("reshape_like", "expand_dims")


def _chosen(position: int) -> ast.Expr:
    span = rule_tree("dy").span
    arriving, zero = ast.Name(span, "dy"), ast.Number(span, "0")
    branches = (arriving, zero) if position == 1 else (zero, arriving)
    return ast.IfElse(span, ast.Name(span, "condition"), *branches)


def without_zero(tree: ast.Expr) -> tuple[ast.Expr, ast.Expr | None]:
    """What ``if c then 0 else e`` is where it is not 0, and ``c``."""
    if isinstance(tree, ast.IfElse) and tree.then == ast.Number(tree.span, "0"):
        inner, _ = without_zero(tree.otherwise)
        return inner, tree.condition
    return tree, None


def _counted(tree: ast.Expr, entries: int, given: Mapping[str, Any]) -> ast.Expr:
    """The tree with a number for how many entries are added up; what is 0 is not taken away."""
    match tree:
        case ast.Call():
            if tree.function.id == "count":
                return ast.Number(tree.span, str(entries))
            if tree.function.id == "spread":
                return _counted(tree.arguments[0], entries, given)
            return replace(
                tree, arguments=tuple(_counted(a, entries, given) for a in tree.arguments)
            )
        case ast.Binary():
            left = _counted(tree.left, entries, given)
            right = _counted(tree.right, entries, given)
            if tree.operator == "-" and isinstance(right, ast.Name) and given.get(right.id) == 0:
                return left
            return replace(tree, left=left, right=right)
        case ast.Unary() | ast.Transpose():
            return replace(tree, operand=_counted(tree.operand, entries, given))
        case ast.IfElse():
            parts = (tree.condition, tree.then, tree.otherwise)
            condition, then, otherwise = (_counted(part, entries, given) for part in parts)
            return replace(tree, condition=condition, then=then, otherwise=otherwise)
    return tree


def options(node: Node) -> dict[str, Term]:
    """The options of an operation, as they stand in its rules."""
    found: dict[str, Term] = {}
    for name, value in node.attributes.items():
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        found[name] = Amount(value, exact=True) if numeric else Name(attribute_text(value))
    return found


def mentioned(formula: Formula) -> Mapping[str, Term]:
    """The terms that a formula does use."""
    names = {name.id for name in free_names(formula.tree)}
    return {name: term for name, term in formula.terms.items() if name in names}


def is_constant(tree: ast.Expr) -> bool:
    """Whether a rule sends what arrives to all entries as it is."""
    if isinstance(tree, ast.Call) and tree.function.id == "each":
        return isinstance(tree.arguments[0], ast.Name)
    return isinstance(tree, ast.Name)
