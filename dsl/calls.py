"""Calls: arguments bound to the parameters and options of operations."""

from __future__ import annotations

from typing import Any

from . import ast
from .constants import NotConstant, is_axes, option_value
from .errors import mistakes
from .graph import Node
from .inlining import Elaboration, Inlining, Results
from .ops import OPS, REQUIRED, Attributes, Op, Parameter
from .scope import Scope, nearest
from .sizes import product
from .source import Span

MODES = ("reverse", "forward")
GRAD = "grad(y, x)"
MOST_DIRECTIONS = 64


class Calls(Inlining):
    """The part of the elaborator that deals with calls; the rest is ``Elaborator``."""

    in_given: bool

    def call(self, expr: ast.Call, scope: Scope) -> Elaboration:
        """A call as an expression, which has one result."""
        results: list[Node | None] = yield self.results(expr, scope)
        if len(results) != 1:
            self.report(mistakes.several_results(expr.span, expr.function.id, len(results)))
            return None
        return results[0]

    def results(self, expr: ast.Call, scope: Scope) -> Results:
        """All results of a call; one that is ``None`` where it is wrong."""
        name, span = expr.function.id, expr.function.span
        results: list[Node | None]
        own = self.functions.visible(span.source).get(name)
        if own is not None:
            results = yield self.call_function(own, expr, scope)
            return results
        op = OPS.get(name)
        if op is not None and (op.public or self.internal):
            results = yield self.call_operation(op, expr, scope)
            return results
        prelude = self.functions.prelude.get(name)
        if prelude is not None:
            results = yield self.call_function(prelude, expr, scope)
            return results
        result: Node | None = None
        if name in scope.values or name in scope.sizes:
            self.report(mistakes.not_a_function(span, name, scope.declared.get(name)))
        elif name == "grad":
            result = yield self.gradient(expr, scope)
        elif self.functions.complete:
            near = nearest(name, self.functions.names(span.source))
            self.report(mistakes.unknown_function(span, name, near))
        return [result]

    def gradient(self, expr: ast.Call, scope: Scope) -> Elaboration:
        """``grad(y, x)``, ``x`` being a name, so that it is clear which paths count."""
        mode = next((value for key, value in expr.keywords if key.id == "mode"), None)
        unknown = next((key for key, _ in expr.keywords if key.id != "mode"), None)
        if unknown is not None:
            self.report(mistakes.unknown_keyword(unknown.span, unknown.id, GRAD, None))
            return None
        if len(expr.arguments) != 2:
            self.report(mistakes.wrong_arity(expr.span, GRAD, len(expr.arguments), "2"))
            return None
        if mode is not None and not (isinstance(mode, ast.String) and mode.value in MODES):
            self.report(mistakes.unknown_mode(mode.span))
            return None
        value, name = expr.arguments
        y = yield self.expression(value, scope)
        if not isinstance(name, ast.Name):
            self.report(mistakes.gradient_of_expression(name.span))
            return None
        x = yield self.expression(name, scope)
        chosen = mode.value if isinstance(mode, ast.String) else "reverse"
        places = [value.span, name.span]
        result = self.apply("grad", [y, x], expr.span, {"mode": chosen}, places)
        if result is not None and chosen == "forward":
            entries = product(result.type.shape).constant
            if entries is None or entries > MOST_DIRECTIONS:
                self.report(mistakes.wide_forward(expr.span, str(result.type)))
                return None
        return result

    # ── Operations of the library ───────────────────────────────────────────

    def call_operation(self, op: Op, expr: ast.Call, scope: Scope) -> Results:
        if op.given_only and not self.in_given:
            self.report(mistakes.given_only(expr.span, op.name))
            return [None]
        given = expr.arguments
        if op.name in ("max", "min") and len(given) > 1 and not is_axes(given[1], scope):
            self.report(mistakes.not_pairwise(expr.span, op.name, len(given)))
            return [None]
        try:
            bound = self.bind(op, expr)
        except NotConstant:
            return [None]
        operands: list[Node | None] = []
        places: list[Span] = []
        attributes: Attributes = {}
        wrong = False
        for parameter, values in bound:
            if parameter.sort in ("value", "values"):
                for value in values:
                    operands.append((yield self.expression(value, scope)))
                    places.append(value.span)
                continue
            try:
                attributes[parameter.name] = self.option(parameter, values, scope)
            except NotConstant:
                wrong = True
        if wrong:
            return [None]
        if not op.results:
            return [self.apply(op, operands, expr.span, attributes, places)]
        return [
            self.apply(op, operands, expr.span, {**attributes, "result": result}, places)
            for result in range(len(op.result_names(attributes)))
        ]

    def bind(self, op: Op, expr: ast.Call) -> list[tuple[Parameter, tuple[ast.Expr, ...]]]:
        """The argument expressions of each parameter, none where its default stands."""
        given = list(expr.arguments)
        named = self.arguments_by_name(expr, [p.name for p in op.parameters], op.signature)
        bound = []
        for parameter in op.parameters:
            values: tuple[ast.Expr, ...] = ()
            if parameter.sort in ("values", "sizes"):
                values, given = tuple(given), []
            elif given and parameter.name not in named:
                values = (given.pop(0),)
            elif given:
                self.report(mistakes.argument_twice(named[parameter.name].span, parameter.name))
                raise NotConstant
            if parameter.name in named:
                values = (named[parameter.name],)
            if not values and parameter.default is REQUIRED:
                self.report(mistakes.missing_argument(expr.span, parameter.name, op.signature))
                raise NotConstant
            bound.append((parameter, values))
        if given:
            self._too_many(op, expr)
        return bound

    def _too_many(self, op: Op, expr: ast.Call) -> None:
        wanted = str(len(op.parameters))
        given = len(expr.arguments) + len(expr.keywords)
        self.report(mistakes.wrong_arity(expr.span, op.signature, given, wanted))
        raise NotConstant

    def option(self, parameter: Parameter, values: tuple[ast.Expr, ...], scope: Scope) -> Any:
        if not values:
            default = parameter.default
            whole = parameter.sort == "axes" and isinstance(default, int)
            return (default,) if whole else default
        if parameter.sort == "sizes":
            sort, name = "shape", parameter.name
            if len(values) == 1:
                return option_value(values[0], name, sort, scope, self.report)
            parts = [option_value(v, name, sort, scope, self.report) for v in values]
            return tuple(size for part in parts for size in part)
        return option_value(values[0], parameter.name, parameter.sort, scope, self.report)
