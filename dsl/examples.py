"""The examples of a file: every input given, every expectation about something that exists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from . import ast
from .binding import Binding, bind
from .constants import NotConstant, literal, size_value
from .elaborate import Elaborator
from .errors import mistakes
from .frozen import frozen
from .graph import Graph, Node
from .scope import Scope, nearest
from .sizes import Size
from .source import Span


@frozen()
class Expectation:
    """``name = value`` or ``grad(name) = value``, with tolerances.

    ``halves`` are half units of the last written digit, one for each entry, where the value is
    written with decimal points; ``within`` is an absolute and relative tolerance instead.
    """

    name: str
    gradient: bool
    value: Node
    halves: tuple[float, ...]
    within: float | None
    span: Span

    @property
    def label(self) -> str:
        return f"grad({self.name})" if self.gradient else self.name


@frozen()
class Example:
    """``given`` are constant expressions; ``sizes`` all sizes of the function."""

    name: str
    given: Mapping[str, Node]
    sizes: Mapping[str, int]
    digits: int | None
    expectations: tuple[Expectation, ...]
    span: Span
    doc: str = ""


def check_examples(
    examples: Iterable[ast.Example], graph: Graph, elaborator: Elaborator
) -> tuple[Example, ...]:
    """The examples; what is wrong with them is reported."""
    seen: dict[str, Span] = {}
    checked = []
    elaborator.in_given = True
    for example in examples:
        name = example.name
        if name.id in seen:
            elaborator.report(mistakes.duplicate(name.span, name.id, seen[name.id]))
        seen[name.id] = name.span
        result = _Examples(example, graph, elaborator).run()
        if result is not None:
            checked.append(result)
    elaborator.in_given = False
    return tuple(checked)


class _Examples:
    def __init__(self, example: ast.Example, graph: Graph, elaborator: Elaborator) -> None:
        self.example = example
        self.graph = graph
        self.interface = graph.interface
        self.elaborator = elaborator
        self.report = elaborator.report
        given = [c for c in example.clauses if isinstance(c, ast.Given)]
        self.pairs = [binding for clause in given for binding in clause.bindings]
        self.bindings: tuple[Binding, ...] = ()
        self.sizes: dict[str, int] = {}
        fixed = {n: s for n, s in elaborator.functions.sizes.items() if s.constant is not None}
        self.scope = Scope(sizes=fixed, hidden=elaborator.functions.hidden)

    def run(self) -> Example | None:
        clauses = self.example.clauses
        sizes = {*self.interface.sizes, *self.interface.open_sizes}
        given = self.give(sizes)
        wanted = [i.name for i in self.interface.inputs]
        missing = [n for n in wanted if n not in given] + sorted(sizes - self.sizes.keys())
        named = {name.id for name, _ in self.pairs}
        # A value that is wrong may be what was to give a size.
        known = named | (sizes if any(n in missing for n in named) else set())
        absent = [n for n in missing if n not in known]
        if absent:
            self.report(mistakes.example_missing(self.example.name.span, absent))
        rounding = [c for c in clauses if isinstance(c, ast.Rounding)]
        for again in rounding[1:]:
            self.report(mistakes.two_roundings(again.span))
        digits = int(rounding[0].digits.value) if rounding else None
        expectations = [
            checked
            for clause in clauses
            if isinstance(clause, ast.Expect)
            for item in clause.items
            if (checked := self.expect(item, clause.within)) is not None
        ]
        if missing:
            return None
        return Example(
            self.example.name.id,
            {name: given[name] for name in wanted},
            self.sizes,
            digits,
            tuple(expectations),
            self.example.span,
            self.example.doc,
        )

    def give(self, sizes: Iterable[str]) -> dict[str, Node]:
        """The values of inputs; what is given of sizes is known before."""
        for name, value in self.pairs:
            if name.id in sizes:
                self.give_size(name, value)
        self.bindings = self.plan(name.id for name, _ in self.pairs)
        given: dict[str, Node] = {}
        for name, value in self.pairs:
            if name.id not in sizes:
                self.give_input(name, value, given)
        return self.fitting(given)

    def give_size(self, name: ast.Name, value: ast.Expr) -> None:
        try:
            size = size_value(value, self.scope, self.report)
        except NotConstant:
            return
        if size.constant is None:
            return
        first = self.sizes.setdefault(name.id, size.constant)
        if first != size.constant:
            self.report(mistakes.example_size(value.span, name.id, first, size.constant))
        self.scope.sizes[name.id] = Size.of(first)

    def give_input(self, name: ast.Name, value: ast.Expr, given: dict[str, Node]) -> None:
        inputs = {i.name: i for i in self.interface.inputs}
        if name.id not in inputs:
            near = nearest(name.id, [*inputs, *self.interface.sizes, *self.interface.open_sizes])
            self.report(mistakes.example_name(name.span, name.id, "there is no input", near))
            return
        if name.id in given:
            self.report(mistakes.argument_twice(name.span, name.id))
            return
        node = self.elaborator.elaborate(value, self.scope)
        if node is None:
            return
        declared = inputs[name.id].type
        if node.type.kind <= declared.kind and node.type.rank == declared.rank:
            given[name.id] = node
            self.take_sizes(given)
        else:
            self.misfit(name.id, node)

    def plan(self, names: Iterable[str]) -> tuple[Binding, ...]:
        """What gives the sizes, once all of ``names`` are given."""
        shapes = {i.name: i.type.shape for i in self.interface.inputs}
        return bind({name: shapes[name] for name in names if name in shapes}, self.scope.sizes)

    def take_sizes(self, given: Mapping[str, Node]) -> None:
        """The sizes that the values given so far have."""
        for binding in self.bindings:
            node = given.get(binding.array)
            if node is None or binding.size in self.sizes:
                continue
            if binding.solution.offset.names() <= self.scope.sizes.keys():
                length = node.type.shape[binding.axis]
                value = binding.solution.value(length, self.scope.sizes)
                if value is not None and value.constant is not None:
                    self.sizes[binding.size] = value.constant
                    self.scope.sizes[binding.size] = value

    def fitting(self, given: Mapping[str, Node]) -> dict[str, Node]:
        """The values that have the shapes of their inputs, as far as the sizes are known."""
        found = {}
        for name, node in given.items():
            shape = self.interface.input(name).type.shape
            own = {b.size for b in self.bindings if b.array == name}
            pairs = [
                (dimension.substitute(self.scope.sizes), actual)
                for dimension, actual in zip(shape, node.type.shape, strict=True)
            ]
            # A size that another value should have given is reported there.
            waits = any(d.names() - own for d, _ in pairs)
            if waits or all(dimension == actual for dimension, actual in pairs):
                found[name] = node
            else:
                self.misfit(name, node)
        return found

    def misfit(self, name: str, node: Node) -> None:
        declared = self.interface.input(name)
        names = {n for size in declared.type.shape for n in size.names()} & self.sizes.keys()
        sizes = [f"{n} = {self.sizes[n]}" for n in sorted(names)]
        place = next(v.span for n, v in self.pairs if n.id == name)
        self.report(
            mistakes.example_shape(place, name, declared.type, node.type, declared.span, sizes)
        )

    def expect(self, item: ast.Expectation, within: ast.Expr | None) -> Expectation | None:
        named = {n.name: n for n in self.graph.landmarks}
        named |= self.graph.inputs
        if item.name.id not in named:
            near = nearest(item.name.id, named)
            what = "there is no input or node"
            self.report(mistakes.example_name(item.name.span, item.name.id, what, near))
            return None
        target = named[item.name.id]
        if item.gradient and self.interface.objective is None:
            self.report(mistakes.no_objective(item.span))
            return None
        if item.gradient and not target.type.is_float:
            what = f"it is {target.type}"
            self.report(mistakes.nothing_to_differentiate(item.name.span, item.name.id, what))
            return None
        value = self.elaborator.elaborate(item.value, self.scope)
        tolerance = 0.0 if within is None else literal(within)
        if tolerance is None or isinstance(tolerance, bool) or tolerance < 0:
            assert within is not None
            self.report(mistakes.bad_tolerance(within.span))
            return None
        if value is None:
            return None
        wanted = tuple(size.substitute(self.scope.sizes) for size in target.type.shape)
        if value.type.rank and value.type.shape != wanted:
            shown = target.type.with_shape(wanted)
            self.report(
                mistakes.example_shape(
                    item.value.span, item.name.id, shown, value.type, target.span
                )
            )
            return None
        halves = tuple(_half_unit(entry) for entry in _entries(item.value))
        limit = None if within is None else float(tolerance)
        return Expectation(item.name.id, item.gradient, value, halves, limit, item.span)


def _entries(expr: ast.Expr) -> list[ast.Expr]:
    """The entries of an array literal, row by row; an expression itself otherwise."""
    entries: list[ast.Expr] = []
    stack = [expr]
    while stack:
        item = stack.pop()
        if isinstance(item, ast.Array):
            stack.extend(reversed(item.items))
        else:
            entries.append(item)
    return entries


def _half_unit(expr: ast.Expr) -> float:
    """Half a unit of the last digit of a literal with a decimal point, else 0."""
    while isinstance(expr, ast.Unary) and expr.operator == "-":
        expr = expr.operand
    if not isinstance(expr, ast.Number) or "." not in expr.text or "e" in expr.text.lower():
        return 0.0
    return 0.5 * 10.0 ** -len(expr.text.partition(".")[2])
