"""Expressions to nodes: names resolved, calls bound, types inferred, every mistake reported.

An expression that is wrong becomes ``None``, silently wherever it is used further.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from . import ast
from .calls import Calls
from .constants import NotConstant, literal, size_value
from .errors import mistakes
from .graph import Node, constant, make
from .indexed import Indexed
from .ops import OPS, Attributes, Op
from .ops.indexing import Place
from .scanning import Scanning
from .scope import Functions, Report, Scope, Static, nearest
from .shapes import Mismatch, grows_both
from .sizes import Size
from .source import Span
from .subscripts import Cut, Index, conditions
from .walk import run

_BINARY = {
    "+": "add", "-": "subtract", "*": "multiply", "/": "divide", "//": "floor_divide",
    "%": "remainder", "@": "matmul", "^": "power", "<": "less", "<=": "less_equal",
    ">": "greater", ">=": "greater_equal", "==": "equal", "!=": "not_equal",
    "and": "logical_and", "or": "logical_or",
}  # fmt: skip
_UNARY = {"-": "negative", "not": "logical_not"}

Elaboration = Generator[Any, Any, "Node | None"]
Results = Generator[Any, Any, "list[Node | None]"]


class Elaborator(Indexed, Scanning, Calls):
    """Elaborates expressions in scopes. ``internal`` admits what only derivative rules use."""

    def __init__(
        self,
        functions: Functions,
        report: Report,
        *,
        internal: bool = False,
        in_given: bool = False,
    ) -> None:
        self.functions = functions
        self.report = report
        self.internal = internal
        self.in_given = in_given
        self.calling: list[str] = []
        self.depth = 0
        self.settled: set[Node] = set()
        self.guards: list[tuple[Node, bool]] = []

    def several(self, statement: ast.Node, scope: Scope) -> Results:
        return Calls.several(self, statement, scope)

    def elaborate(self, expr: ast.Expr, scope: Scope) -> Node | None:
        """The node of an expression, or ``None`` once its mistakes are reported."""
        result: Node | None = run(self.expression(expr, scope))
        return result

    def expression(self, expr: ast.Expr, scope: Scope) -> Elaboration:
        result: Node | None = None
        match expr:
            case ast.Number():
                return self.number(expr)
            case ast.Name():
                return self.name(expr, scope)
            case ast.Constant():
                value = literal(expr)
                assert value is not None
                return constant(value, expr.span)
            case ast.Binary():
                result = yield self.binary(expr, scope)
            case ast.Unary():
                operand = yield self.expression(expr.operand, scope)
                places = [expr.operand.span]
                return self.apply(_UNARY[expr.operator], [operand], expr.span, places=places)
            case ast.Call():
                result = yield self.call(expr, scope)
            case ast.IfElse():
                result = yield self.choice(expr, scope)
            case ast.Transpose():
                operand = yield self.expression(expr.operand, scope)
                places = [expr.operand.span]
                return self.apply("matrix_transpose", [operand], expr.span, places=places)
            case ast.Subscript():
                result = yield self.subscript(expr, scope)
            case ast.Array():
                result = yield self.array(expr, scope)
            case ast.String():
                self.report(mistakes.text_as_value(expr.span))
            case ast.Reduction():
                result = yield self.reduction(expr, scope)
            case ast.NextState():
                return self.next_state(expr, scope)
        return result

    def next_state(self, expr: ast.NextState, scope: Scope) -> Node | None:
        key = f"next {expr.name.id}"
        if key not in scope.values:
            self.report(mistakes.next_without_state(expr.span, expr.name.id))
            return None
        value = scope.values[key]
        return value if isinstance(value, Node) else None

    def choice(self, expr: ast.IfElse, scope: Scope) -> Elaboration:
        condition = yield self.expression(expr.condition, scope)
        parts = [condition]
        for part, holds in ((expr.then, True), (expr.otherwise, False)):
            if condition is not None:
                self.guards.append((condition, holds))
            parts.append((yield self.expression(part, scope)))
            if condition is not None:
                self.guards.pop()
        places = [part.span for part in (expr.condition, expr.then, expr.otherwise)]
        return self.apply("where", parts, expr.span, places=places)

    # ── Leaves ──────────────────────────────────────────────────────────────

    def number(self, expr: ast.Number) -> Node | None:
        value = expr.value
        if value in (float("inf"),) or (isinstance(value, int) and value > 2**1023):
            self.report(mistakes.number_too_large(expr.span))
            return None
        return constant(value, expr.span)

    def name(self, expr: ast.Name, scope: Scope) -> Node | None:
        name, span = expr.id, expr.span
        if name in scope.values:
            value = scope.values[name]
            if not isinstance(value, Static):
                return value
            if isinstance(value.value, (bool, int, float)):
                return constant(value.value, span)
            if isinstance(value.value, Size):
                return make("size", (), span, {"size": value.value})
            self.report(mistakes.option_as_value(span, name))
        elif name in scope.sizes:
            return make("size", (), span, {"size": scope.sizes[name]})
        elif self.functions.find(name, span.source) or (name in OPS and OPS[name].public):
            self.report(mistakes.function_as_value(span, name))
        elif name in scope.hidden:
            self.report(mistakes.not_visible(span, name, scope.hidden[name], self.in_given))
        else:
            self.report(mistakes.unknown_name(span, name, nearest(name, scope.names())))
        return None

    # ── Operators ───────────────────────────────────────────────────────────

    def binary(self, expr: ast.Binary, scope: Scope) -> Elaboration:
        left = yield self.expression(expr.left, scope)
        right = yield self.expression(expr.right, scope)
        attributes: Attributes = {}
        if expr.operator == "^":
            attributes["natural"] = (
                right is not None
                and right.op.name == "constant"
                and isinstance(right.attributes["value"], int)
            )
        places = [expr.left.span, expr.right.span]
        return self.apply(_BINARY[expr.operator], [left, right], expr.span, attributes, places)

    def apply(
        self,
        name: str | Op,
        operands: list[Node | None],
        span: Span,
        attributes: Attributes | None = None,
        places: Sequence[Span] | None = None,
    ) -> Node | None:
        """The operation on operands, or ``None``, its mismatch reported.

        ``places`` are where the operands stand in this expression, for the carets.
        """
        op = OPS[name] if isinstance(name, str) else name
        present = [operand for operand in operands if operand is not None]
        if len(present) < len(operands):
            return None
        try:
            node = make(op, present, span, attributes)
        except Mismatch as error:
            places = places or [operand.span for operand in present]
            self.report(mistakes.mismatch(error, span, places, _declared(error, present, places)))
            return None
        if op.needs is not None:
            needs = op.needs([operand.type for operand in present], node.attributes)
            self.report.conditions += [(condition, span) for condition in needs]
        if op.family == "elementwise" and len(present) == 2 and not self.internal:
            left, right = (operand.type for operand in present)
            if grows_both(left.shape, right.shape):
                self.report(mistakes.grows_both(span, str(left), str(right), str(node.type)))
        return node

    # ── Arrays and subscripts ───────────────────────────────────────────────

    def array(self, expr: ast.Array, scope: Scope) -> Elaboration:
        if not expr.items:
            self.report(mistakes.empty_array(expr.span))
            return None
        items: list[Node | None] = []
        for item in expr.items:
            items.append((yield self.expression(item, scope)))
        if any(item is None for item in items):
            return None
        nodes = [item for item in items if item is not None]
        if any(node.type.shape != nodes[0].type.shape for node in nodes):
            places = [item.span for item in expr.items]
            return self.apply("stack", items, expr.span, {"axis": 0}, places)
        literals = all(node.op.name == "array" and not node.name for node in nodes)
        if not literals and nodes[0].type.rank:
            return self.apply("stack", items, expr.span, {"axis": 0})
        entries = [e for node in nodes for e in (node.operands if literals else (node,))]
        shape = (Size.of(len(nodes)), *nodes[0].type.shape)
        return self.apply("array", list(entries), expr.span, {"shape": shape})

    def subscript(self, expr: ast.Subscript, scope: Scope) -> Elaboration:
        base = yield self.expression(expr.base, scope)
        if base is None:
            return None
        if any(self.computed(item, scope) for item in expr.items):
            found: Node | None = yield self.subscript_by_place(expr, base, scope)
            return found
        try:
            index = self.index(expr, base, scope)
            self.check_fixed(expr, base, index)
        except NotConstant:
            return None
        return self.apply("getitem", [base], expr.span, {"index": index})

    def check_fixed(self, expr: ast.Subscript, base: Node, items: Sequence[Any]) -> None:
        """The bounds of items known when compiling. Raises ``NotConstant`` once reported."""
        fixed = [Cut() if isinstance(item, Place) else item for item in items]
        try:
            found = conditions(base.type.shape, tuple(fixed))
        except Mismatch as error:
            places = [item.span for item in expr.items]
            position = min(error.operand or 0, len(places) - 1)
            report = mistakes.mismatch(error, places[position], places, [])
            self.report(report)
            raise NotConstant from None
        for _, condition in found:
            self.report.conditions.append((condition, expr.span))

    def count_items(self, expr: ast.Subscript, base: Node) -> int:
        """How many axes `...` stands for. Raises ``NotConstant`` once a mistake is reported."""
        plain = [item for item in expr.items if not isinstance(item, ast.Ellipsis)]
        if len(expr.items) - len(plain) > 1:
            self.report(mistakes.two_ellipses(expr.span))
            raise NotConstant
        missing = base.type.rank - len(plain)
        if missing < 0:
            self.report(mistakes.too_many_subscripts(expr.span, len(plain), base.type))
            raise NotConstant
        return missing

    def index(self, expr: ast.Subscript, base: Node, scope: Scope) -> Index:
        missing = self.count_items(expr, base)
        index: list[Size | Cut] = []
        for item in expr.items:
            if isinstance(item, ast.Ellipsis):
                index += [Cut()] * missing
                missing = 0
            elif isinstance(item, ast.Slice):
                index.append(self.cut(item, scope))
            else:
                index.append(self.position(item, scope))
        while index and index[-1] == Cut():
            index.pop()
        return tuple(index)

    def position(self, item: ast.Item, scope: Scope) -> Size:
        if isinstance(item, (ast.IndexRange, ast.Slice, ast.Ellipsis)):
            raise NotConstant
        value = literal(item)
        if isinstance(value, int) and not isinstance(value, bool):
            return Size.of(value)
        if value is not None or isinstance(item, (ast.String, ast.Array)):
            self.report(mistakes.bad_subscript(item.span))
            raise NotConstant
        if isinstance(item, ast.Name) and item.id not in scope.names():
            self.name(item, scope)
            raise NotConstant
        return size_value(item, scope, self.report)

    def cut(self, item: ast.Slice, scope: Scope) -> Cut:
        step = 1
        if item.step is not None:
            value = literal(item.step)
            if not isinstance(value, int) or isinstance(value, bool) or value == 0:
                self.report(mistakes.bad_step(item.step.span))
                raise NotConstant
            step = value
        ends = [None if e is None else self.position(e, scope) for e in (item.start, item.stop)]
        return Cut(ends[0], ends[1], step)


def _declared(
    error: Mismatch, operands: Sequence[Node], places: Sequence[Span]
) -> list[tuple[Span, str]]:
    """Where the operands in question come from, if that is elsewhere, and what they are."""
    found = []
    for position in error.pair if error.operand is None else (error.operand,):
        if position < len(operands) and operands[position].span != places[position]:
            node = operands[position]
            named = node.op.name == "input" or node.name
            what = f"`{node.label.rpartition('.')[2]}`" if named else "this"
            text = "declared here" if named and error.operand is not None else str(node.type)
            found.append((node.span, f"{what} is {text}"))
    return list(dict.fromkeys(found))
