"""Calls: arguments bound to parameters, functions of the file inlined with the shapes at hand."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from typing import Any

from . import ast
from .constants import NotConstant, is_axes, literal, option_value, size_value
from .errors import mistakes
from .graph import Node
from .ops import OPS, REQUIRED, Attributes, Op, Parameter
from .order import free_names, ordered
from .scope import Functions, Report, Scope, Static, nearest
from .shapes import Kind, Type
from .sizes import Size, product, solve
from .source import Span
from .written import KINDS, type_of

Elaboration = Generator[Any, Any, "Node | None"]
MODES = ("reverse", "forward")
GRAD = "grad(y, x)"
MOST_DIRECTIONS = 64
_MAX_DEPTH = 200


class Calls(ABC):
    """The part of the elaborator that deals with calls; the rest is ``Elaborator``."""

    functions: Functions
    report: Report
    internal: bool
    in_given: bool
    calling: list[str]

    @abstractmethod
    def expression(self, expr: ast.Expr, scope: Scope) -> Elaboration: ...

    @abstractmethod
    def apply(
        self,
        name: str | Op,
        operands: list[Node | None],
        span: Span,
        attributes: Attributes | None = None,
        places: Sequence[Span] | None = None,
    ) -> Node | None: ...

    def call(self, expr: ast.Call, scope: Scope) -> Elaboration:
        name, span = expr.function.id, expr.function.span
        result: Node | None
        own = self.functions.visible(span.source).get(name)
        if own is not None:
            result = yield self.call_function(own, expr, scope)
            return result
        op = OPS.get(name)
        if op is not None and (op.public or self.internal):
            result = yield self.call_operation(op, expr, scope)
            return result
        prelude = self.functions.prelude.get(name)
        if prelude is not None:
            result = yield self.call_function(prelude, expr, scope)
            return result
        if name in scope.values or name in scope.sizes:
            self.report(mistakes.not_a_function(span, name, scope.declared.get(name)))
        elif name == "grad":
            result = yield self.gradient(expr, scope)
            return result
        elif self.functions.complete:
            near = nearest(name, self.functions.names(span.source))
            self.report(mistakes.unknown_function(span, name, near))
        return None

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

    def call_operation(self, op: Op, expr: ast.Call, scope: Scope) -> Elaboration:
        if op.given_only and not self.in_given:
            self.report(mistakes.given_only(expr.span, op.name))
            return None
        given = expr.arguments
        if op.name in ("max", "min") and len(given) > 1 and not is_axes(given[1], scope):
            self.report(mistakes.not_pairwise(expr.span, op.name, len(given)))
            return None
        try:
            bound = self.bind(op, expr)
        except NotConstant:
            return None
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
            return None
        return self.apply(op, operands, expr.span, attributes, places)

    def bind(self, op: Op, expr: ast.Call) -> list[tuple[Parameter, tuple[ast.Expr, ...]]]:
        """The argument expressions of each parameter, none where its default stands."""
        given = list(expr.arguments)
        named = self._named(expr, [p.name for p in op.parameters], op.signature)
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

    def _named(self, expr: ast.Call, known: list[str], signature: str) -> dict[str, ast.Expr]:
        named: dict[str, ast.Expr] = {}
        for name, value in expr.keywords:
            if name.id not in known:
                near = nearest(name.id, known)
                self.report(mistakes.unknown_keyword(name.span, name.id, signature, near))
                raise NotConstant
            if name.id in named:
                self.report(mistakes.argument_twice(name.span, name.id))
                raise NotConstant
            named[name.id] = value
        return named

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

    # ── Functions of the file ───────────────────────────────────────────────

    def call_function(self, function: ast.Def, expr: ast.Call, scope: Scope) -> Elaboration:
        name = function.name.id
        if name in self.calling or len(self.calling) > _MAX_DEPTH:
            at = self.calling.index(name) if name in self.calling else 0
            self.report(mistakes.recursion(expr.span, [*self.calling[at:], name]))
            return None
        inner = yield self.bind_function(function, expr, scope)
        if inner is None:
            return None
        self.calling.append(name)
        result: Node | None
        try:
            result = yield self.body(function, inner)
        finally:
            self.calling.pop()
        return result

    def bind_function(
        self, function: ast.Def, expr: ast.Call, scope: Scope
    ) -> Generator[Any, Any, Scope | None]:
        """The scope of the body: parameters, their local sizes, and the sizes of the file."""
        known = [p.name.id for p in function.parameters]
        signature = f"{function.name.id}({', '.join(known)})"
        try:
            named = self._named(expr, known, signature)
        except NotConstant:
            return None
        given = list(expr.arguments)
        if len(given) + len(named) > len(known):
            self.report(mistakes.wrong_arity(expr.span, signature, len(given) + len(named),
                                             str(len(known))))  # fmt: skip
            return None
        inner = Scope(prefix=f"{scope.prefix}{function.name.id}.", hidden=self.functions.hidden)
        local: dict[str, Size] = {}
        # A size that a parameter's type names is the call's own, whatever the file calls so.
        own = {n.id for p in function.parameters if p.type for s in p.type.shape
               for n in free_names(s)}  # fmt: skip
        fixed = {name: size for name, size in self.functions.sizes.items() if name not in own}
        for position, parameter in enumerate(function.parameters):
            pname = parameter.name.id
            if position < len(given) and pname in named:
                self.report(mistakes.argument_twice(named[pname].span, pname))
                return None
            value = given[position] if position < len(given) else named.get(pname)
            from_default = value is None
            value = parameter.default if value is None else value
            if value is None:
                self.report(mistakes.missing_argument(expr.span, pname, signature))
                return None
            if self._is_option(value, scope):
                inner.values[pname] = Static(self._static(value, scope))
            else:
                outer = Scope(sizes=fixed) if from_default else scope
                node = yield self.expression(value, outer)
                if node is None:
                    return None
                if parameter.type is not None and not self._fits(
                    parameter, parameter.type, node, local, fixed, value.span
                ):
                    return None
                inner.values[pname] = node
            inner.declared[pname] = parameter.name.span
        inner.sizes = {**fixed, **local}
        return inner

    def _is_option(self, value: ast.Expr, scope: Scope) -> bool:
        """Whether an argument is a flag or such, handed on to an operation in the body."""
        if isinstance(value, ast.Name):
            return isinstance(scope.values.get(value.id), Static)
        return isinstance(value, ast.Constant) and value.name in ("true", "false")

    def _static(self, value: ast.Expr, scope: Scope) -> Any:
        if isinstance(value, ast.Name):
            bound = scope.values[value.id]
            assert isinstance(bound, Static)
            return bound.value
        return literal(value)

    def _fits(
        self,
        parameter: ast.Parameter,
        written: ast.Type,
        node: Node,
        local: dict[str, Size],
        fixed: dict[str, Size],
        span: Span,
    ) -> bool:
        """Whether an argument fits its parameter's type, binding the type's sizes in ``local``."""
        kind = KINDS.get(written.name.id)
        if kind is None:
            self.report(mistakes.unknown_type(written.name.span, written.name.id))
            return False
        bound = dict(local)
        fits = node.type.kind <= kind and len(written.shape) == node.type.rank
        for size, actual in zip(written.shape, node.type.shape, strict=False):
            fits = fits and self._binds(size, actual, local, fixed)
        if not fits:
            names = {name.id for size in written.shape for name in free_names(size)}
            sizes = [f"{name} = {bound[name]}" for name in sorted(names & bound.keys())]
            wanted = written.span.text
            self.report(mistakes.argument_shape(span, parameter.name.id, wanted, node.type, sizes))
        return fits

    def _binds(
        self,
        size: ast.Expr,
        actual: Size,
        local: dict[str, Size],
        fixed: dict[str, Size],
    ) -> bool:
        # Sizes of the call that are not bound yet stand under names that no file can have.
        names = {name.id: Size.of(f"?{name.id}") for name in free_names(size)}
        wanted = size_value(size, Scope(sizes={**names, **fixed, **local}), self.report)
        solution = solve(wanted, {n for n in wanted.names() if not n.startswith("?")})
        if solution is None:
            return wanted == actual
        value = (actual - solution.offset) // solution.factor
        local[solution.name.removeprefix("?")] = value
        return value * solution.factor + solution.offset == actual

    def body(self, function: ast.Def, scope: Scope) -> Elaboration:
        """The nodes of a body in an order of dependence, and the value of its ``return``."""
        nodes: dict[str, ast.Node] = {}
        for statement in function.body:
            if isinstance(statement, ast.Node):
                if statement.target.indices or len(statement.target.names) > 1:
                    self.report(mistakes.not_built(statement.span, "this form of a node"))
                    return None
                name = statement.target.names[0]
                first = nodes.get(name.id)
                if first is not None:
                    place = first.target.names[0].span
                    self.report(mistakes.duplicate(name.span, name.id, place))
                    return None
                if name.id in scope.values or name.id in scope.sizes:
                    place = scope.declared.get(name.id, function.span)
                    self.report(mistakes.duplicate(name.span, name.id, place))
                    return None
                nodes[name.id] = statement
        returns = [s for s in function.body if isinstance(s, ast.Return)]
        if len(returns) != 1:
            self.report(mistakes.no_body_return(function.name.span, function.name.id))
            return None
        if len(returns[0].values) != 1:
            self.report(mistakes.not_built(returns[0].span, "a function of several results"))
            return None
        order = ordered(nodes, self.report)
        scope.values |= dict.fromkeys(nodes)
        for local in order:
            statement = nodes[local]
            node = yield self.expression(statement.value, scope)
            scope.values[local] = self.named(statement, node, scope)
            scope.declared[local] = statement.target.names[0].span
        result: Node | None = yield self.expression(returns[0].values[0], scope)
        return result

    def named(self, statement: ast.Node, node: Node | None, scope: Scope) -> Node | None:
        """The node under the name of its declaration, its written type checked."""
        if node is None:
            return None
        written = statement.target.type
        if written is not None:
            declared = self.written_type(written, scope)
            if declared is None:
                return None
            widened = declared.shape == node.type.shape and declared.kind is Kind.FLOAT
            if widened and node.type.kind is not Kind.FLOAT:
                node = self.apply("as_float", [node], node.span)
            elif declared != node.type:
                self.report(
                    mistakes.written_type(written.span, declared, node.type, statement.value.span)
                )
                return None
        assert node is not None
        name = scope.prefix + statement.target.names[0].id
        if node.name or node.op.name in ("input", "constant", "size"):
            node = self.apply("alias", [node], statement.value.span)
            assert node is not None
        return node.with_name(name, statement.value.span)

    def written_type(self, written: ast.Type, scope: Scope) -> Type | None:
        new = [n for size in written.shape for n in free_names(size) if n.id not in scope.names()]
        for name in new:
            near = nearest(name.id, scope.sizes)
            self.report(mistakes.new_size_in_type(name.span, name.id, near))
        if new:
            return None
        return type_of(written, scope, self.report)
