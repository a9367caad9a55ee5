"""Functions of a specification, inlined with the shapes at hand."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping, Sequence
from typing import Any

from . import ast
from .constants import NotConstant, literal
from .errors import mistakes
from .fitting import Argument, local_sizes
from .graph import Node
from .ops import Attributes, Op
from .order import free_names, left_by, ordered
from .ruled import Ruling
from .scope import Functions, Report, Scope, Static, nearest
from .shapes import Kind, Mismatch, Type, summed_axes
from .sizes import Size
from .source import Span
from .written import type_of

Elaboration = Generator[Any, Any, "Node | None"]
Results = Generator[Any, Any, "list[Node | None]"]
_MAX_DEPTH = 200


class Inlining(ABC):
    """The part of the elaborator that puts the bodies of functions in the place of their calls."""

    functions: Functions
    report: Report
    internal: bool
    calling: list[str]
    depth: int
    settled: set[Node]

    @abstractmethod
    def scan(self, scan: ast.Scan, scope: Scope) -> Generator[Any, Any, None]: ...

    @abstractmethod
    def by_entry(self, statement: ast.Node, scope: Scope) -> Results: ...

    @abstractmethod
    def expression(self, expr: ast.Expr, scope: Scope) -> Elaboration: ...

    @abstractmethod
    def results(self, expr: ast.Call, scope: Scope) -> Results: ...

    @abstractmethod
    def apply(
        self,
        name: str | Op,
        operands: list[Node | None],
        span: Span,
        attributes: Attributes | None = None,
        places: Sequence[Span] | None = None,
    ) -> Node | None: ...

    def call_function(self, function: ast.Def, expr: ast.Call, scope: Scope) -> Results:
        name = function.name.id
        if name in self.calling or len(self.calling) > _MAX_DEPTH:
            at = self.calling.index(name) if name in self.calling else 0
            self.report(mistakes.recursion(expr.span, [*self.calling[at:], name]))
            return [None]
        inner = yield self.bind_function(function, expr, scope)
        if inner is None:
            return [None]
        arguments = dict(inner.values)
        self.calling.append(name)
        results: list[Node | None]
        try:
            results = yield self.body(function, inner)
            rule = self.functions.rules.get(function.name.span)
            if rule is not None:
                results = yield self.shielded(rule, arguments, results, inner.sizes, expr.span)
        finally:
            self.calling.pop()
        return results

    def bind_function(
        self, function: ast.Def, expr: ast.Call, scope: Scope
    ) -> Generator[Any, Any, Scope | None]:
        """The scope of the body: parameters, their local sizes, and the sizes of the file."""
        known = [p.name.id for p in function.parameters]
        signature = f"{function.name.id}({', '.join(known)})"
        try:
            named = self.arguments_by_name(expr, known, signature)
        except NotConstant:
            return None
        given = list(expr.arguments)
        if len(given) + len(named) > len(known):
            self.report(mistakes.wrong_arity(expr.span, signature, len(given) + len(named),
                                             str(len(known))))  # fmt: skip
            return None
        inner = Scope(prefix=f"{scope.prefix}{function.name.id}.", hidden=self.functions.hidden)
        typed: list[Argument] = []
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
                if parameter.type is not None:
                    typed.append(Argument(pname, parameter.type, node, value.span))
                inner.values[pname] = node
            inner.declared[pname] = parameter.name.span
        local = local_sizes(typed, fixed, self.report)
        if local is None:
            return None
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

    def body(self, function: ast.Def, scope: Scope) -> Results:
        """The nodes of a body in an order of dependence, and the values of its ``return``."""
        nodes: dict[str, ast.Node | ast.Scan] = {}
        for statement in function.body:
            if not isinstance(statement, ast.Return):
                for name in left_by(statement):
                    if name.id in nodes or name.id in scope.values or name.id in scope.sizes:
                        place = scope.declared.get(name.id, function.span)
                        self.report(mistakes.duplicate(name.span, name.id, place))
                        return [None]
                    nodes[name.id] = statement
                    scope.declared[name.id] = name.span
        returns = [s for s in function.body if isinstance(s, ast.Return)]
        if len(returns) != 1:
            self.report(mistakes.no_body_return(function.name.span, function.name.id))
            return [None]
        order = ordered(nodes, self.report)
        scope.values |= dict.fromkeys(nodes)
        yield self.define(order, nodes, scope)
        results: list[Node | None] = []
        for value in returns[0].values:
            results.append((yield self.expression(value, scope)))
        return results

    def define(
        self, order: Sequence[str], nodes: Mapping[str, ast.Node | ast.Scan], scope: Scope
    ) -> Generator[Any, Any, None]:
        """The values of named nodes put into a scope, each statement once."""
        done: set[Span] = set()
        for name in order:
            statement = nodes[name]
            place = statement.index.span if isinstance(statement, ast.Scan) else statement.span
            if place in done:
                continue
            done.add(place)
            if isinstance(statement, ast.Scan):
                yield self.scan(statement, scope)
                continue
            values: list[Node | None]
            target = statement.target
            if target.indices:
                values = yield self.by_entry(statement, scope)
            elif len(target.names) == 1:
                values = [(yield self.expression(statement.value, scope))]
            else:
                values = yield self.several(statement, scope)
            for one, value in zip(target.names, values, strict=True):
                named = self.named(statement, one.id, value, scope)
                key = f"next {one.id}" if statement.keyword == "next" else one.id
                if statement.keyword == "emit" and scope.values.get(key) is not None:
                    key = f"emit {one.id}"  # The step reads the stack under this name.
                scope.values[key] = named
                if named is not None and not self.depth:
                    self.settled.add(named)

    def several(self, statement: ast.Node, scope: Scope) -> Results:
        """The results of a call, as many as there are names."""
        names, call = statement.target.names, statement.value
        wrong: list[Node | None] = [None] * len(names)
        if not isinstance(call, ast.Call):
            self.report(mistakes.not_several(call.span, len(names)))
            return wrong
        values: list[Node | None] = yield self.results(call, scope)
        if values == [None]:
            return wrong
        if len(values) != len(names):
            what = call.function.id
            self.report(mistakes.result_count(names[-1].span, what, len(values), len(names)))
            return wrong
        return values

    # ── Functions with a derivative of their own ────────────────────────────

    def shielded(
        self,
        rule: ast.Rule,
        arguments: Mapping[str, Node | Static | None],
        results: list[Node | None],
        sizes: Mapping[str, Size],
        span: Span,
    ) -> Results:
        """The results of a call behind the rule of its function."""
        values = [value for value in results if value is not None]
        wrong: list[Node | None] = [None] * len(results)
        if len(values) < len(results) or any(a is None for a in arguments.values()):
            return wrong
        if len(values) != len(rule.results):
            self.report(mistakes.rule_results(rule.span, rule.name.id, len(values)))
            return wrong
        for name, value in zip(rule.results, values, strict=True):
            if not value.type.is_float:
                self.report(mistakes.rule_not_float(name.span, name.id, value.type))
                return wrong
        operands = {n: a for n, a in arguments.items() if isinstance(a, Node)}
        ruling = Ruling(rule, operands, values)
        constants = {n: a for n, a in arguments.items() if isinstance(a, Static)}
        scope = ruling.scope(constants, sizes, self.functions.hidden)
        for name, entry in rule.entries:
            parameter = name.id[1:]
            if parameter not in operands or not operands[parameter].type.is_float:
                continue
            value = yield self.expression(entry, scope)
            fitted = self.fitted(value, operands[parameter], parameter, entry.span)
            if fitted is None:
                return wrong
            if not ruling.add(parameter, fitted):
                self.report(mistakes.rule_not_linear(entry.span, name.id))
                return wrong
        return list(ruling.nodes(span))

    def fitted(self, value: Node | None, wanted: Node, name: str, span: Span) -> Node | None:
        """The entry of a rule summed or broadcast to the shape of its parameter."""
        if value is None:
            return None
        shape = wanted.type.shape
        if value.type.shape == shape:
            return self.apply("as_float", [value], span) if not value.type.is_float else value
        try:
            axes = summed_axes(value.type.shape, shape)
        except Mismatch:
            self.report(mistakes.rule_entry_shape(span, name, wanted.type, value.type))
            return None
        if axes is None:
            return self.apply("broadcast_to", [value], span, {"shape": shape})
        missing = tuple(axis for axis in axes if axis < -len(shape))
        kept = tuple(axis for axis in axes if axis >= -len(shape))
        result: Node | None = value
        if kept:
            result = self.apply("sum", [result], span, {"axis": kept, "keepdims": True})
        if missing:
            result = self.apply("sum", [result], span, {"axis": missing, "keepdims": False})
        return result

    def named(self, statement: ast.Node, name: str, node: Node | None, scope: Scope) -> Node | None:
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
        if node.name or node.op.name in ("input", "constant", "size"):
            node = self.apply("alias", [node], statement.value.span)
            assert node is not None
        return node.with_name(scope.prefix + name, statement.value.span)

    def written_type(self, written: ast.Type, scope: Scope) -> Type | None:
        new = [n for size in written.shape for n in free_names(size) if n.id not in scope.names()]
        for name in new:
            near = nearest(name.id, scope.sizes)
            self.report(mistakes.new_size_in_type(name.span, name.id, near))
        if new:
            return None
        return type_of(written, scope, self.report)

    def arguments_by_name(
        self, expr: ast.Call, known: list[str], signature: str
    ) -> dict[str, ast.Expr]:
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
