"""Values known when compiling: sizes, axes, shapes, flags, the limits of domains."""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Any

from . import ast
from .errors import mistakes
from .graph import Node
from .scope import Report, Scope, Static, nearest
from .sizes import Size
from .walk import run


class NotConstant(Exception):
    """The expression is not one of the constants asked for; already reported."""


def size_value(expr: ast.Expr, scope: Scope, report: Report) -> Size:
    """A size expression as a polynomial. Raises ``NotConstant`` after reporting why."""
    size: Size = run(_size(expr, scope, report))
    if size.constant is not None and size.constant < 0:
        report(mistakes.negative_size(expr.span, size.constant))
        raise NotConstant
    return size


def _size(expr: ast.Expr, scope: Scope, report: Report) -> Generator[Any, Any, Size]:
    if isinstance(expr, ast.Number) and isinstance(expr.value, int):
        return Size.of(expr.value)
    if isinstance(expr, ast.Name):
        return _named_size(expr, scope, report)
    if isinstance(expr, ast.Unary) and expr.operator == "-":
        operand: Size = yield _size(expr.operand, scope, report)
        return operand * -1
    if isinstance(expr, ast.Binary) and expr.operator in ("+", "-", "*", "//", "^"):
        left = yield _size(expr.left, scope, report)
        right = yield _size(expr.right, scope, report)
        value = _combined(expr.operator, left, right)
        if value is not None:
            return value
    report(mistakes.not_a_size(expr.span))
    raise NotConstant


def _combined(operator: str, left: Size, right: Size) -> Size | None:
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "*":
        return left * right
    if operator == "//":
        return None if right.constant == 0 else left // right
    if right.constant is None or not 0 <= right.constant <= 8:
        return None
    power = Size.of(1)
    for _ in range(right.constant):
        power = power * left
    return power


def _named_size(name: ast.Name, scope: Scope, report: Report) -> Size:
    if name.id in scope.sizes:
        return scope.sizes[name.id]
    value = scope.values.get(name.id)
    if isinstance(value, Static) and isinstance(value.value, (int, Size)):
        return Size.of(value.value)
    if isinstance(value, Node) and value.op.name in ("constant", "size"):
        inner = next(iter(value.attributes.values()))
        if isinstance(inner, Size) or (isinstance(inner, int) and not isinstance(inner, bool)):
            return Size.of(inner)
    if name.id in scope.hidden:
        report(mistakes.not_visible(name.span, name.id, scope.hidden[name.id], True))
    elif name.id in scope.values:
        report(mistakes.not_a_size(name.span))
    else:
        report(mistakes.unknown_size(name.span, name.id, nearest(name.id, scope.sizes)))
    raise NotConstant


_WORDS = {
    "axis": "an integer literal",
    "axes": "an integer literal or a list of them, as axis=[0, 1]",
    "flag": "true or false",
    "integer": "an integer literal",
    "number": "a number literal",
    "shape": "a list of sizes, as [N, D]",
    "string": "a text in double quotes",
    "sections": "a number of parts, or a list of places as [2, 5]",
    "widths": "a size, or a list of pairs [before, after]",
    "size": "a size",
    "index": "a subscript",
    "pairs": "an integer literal or two lists of them, as axes=[[1, 2], [0, 1]]",
}


def option_value(expr: ast.Expr, name: str, sort: str, scope: Scope, report: Report) -> Any:
    """The value of an option. Raises ``NotConstant`` after reporting why."""
    value = _option(expr, sort, scope, report)
    if value is NotConstant:
        report(mistakes.must_be_constant(expr.span, name, _WORDS[sort]))
        raise NotConstant
    return value


def is_axes(expr: ast.Expr, scope: Scope) -> bool:
    """Whether an argument can be the value of an option ``axis``."""
    return _option(expr, "axes", scope, Report()) is not NotConstant


def _option(expr: ast.Expr, sort: str, scope: Scope, report: Report) -> Any:
    if isinstance(expr, ast.Name):
        bound = scope.values.get(expr.id)
        if isinstance(bound, Static):
            return bound.value
        if isinstance(bound, Node) and bound.op.name == "constant" and sort != "shape":
            return _fitting(bound.attributes["value"], sort)
    if sort == "shape":
        items = expr.items if isinstance(expr, ast.Array) else (expr,)
        return tuple(_shape_size(item, scope, report) for item in items)
    if sort == "axes" and isinstance(expr, ast.Array):
        axes = tuple(_option(item, "axis", scope, report) for item in expr.items)
        return NotConstant if NotConstant in axes else axes
    if sort == "pairs" and isinstance(expr, ast.Array):
        lists = tuple(_option(item, "axes", scope, report) for item in expr.items)
        return NotConstant if NotConstant in lists else lists
    if sort == "sections" and isinstance(expr, ast.Array):
        return tuple(_shape_size(item, scope, report) for item in expr.items)
    if sort == "widths":
        return _widths(expr, scope, report)
    if sort == "string":
        return expr.value if isinstance(expr, ast.String) else NotConstant
    if sort in ("size", "integer"):
        return _integer(expr, scope, report)
    return _fitting(literal(expr), sort)


def _shape_size(expr: ast.Expr, scope: Scope, report: Report) -> Size:
    """A size of a shape, where -1 may stand for the one to be computed."""
    return Size.of(-1) if literal(expr) == -1 else size_value(expr, scope, report)


def _widths(expr: ast.Expr, scope: Scope, report: Report) -> Any:
    """A size, or a list of such."""
    if not isinstance(expr, ast.Array):
        return size_value(expr, scope, report)
    return tuple(_widths(item, scope, report) for item in expr.items)


def _integer(expr: ast.Expr, scope: Scope, report: Report) -> Any:
    value = literal(expr)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    size: Size = run(_size(expr, scope, report))
    return size if size.constant is None else size.constant


def _fitting(value: Any, sort: str) -> Any:
    if sort == "flag":
        return value if isinstance(value, bool) else NotConstant
    if value is None or isinstance(value, bool):
        return NotConstant
    if sort == "number":
        return value
    if not isinstance(value, int):
        return NotConstant
    return (value,) if sort == "axes" else value


def literal(expr: ast.Expr) -> float | bool | None:
    """The value of a literal with its sign, or ``None``."""
    sign = 1
    while isinstance(expr, ast.Unary) and expr.operator == "-":
        sign, expr = -sign, expr.operand
    if isinstance(expr, ast.Number):
        return sign * expr.value
    if isinstance(expr, ast.Constant):
        if expr.name in ("true", "false"):
            return expr.name == "true"
        return sign * (math.inf if expr.name == "inf" else math.pi)
    return None
