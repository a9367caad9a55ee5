"""What a file declares: its functions and those it uses, sizes, inputs and nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from . import ast
from .binding import bind
from .constants import NotConstant, size_value
from .errors import mistakes
from .graph import Input, make
from .ops import OPS
from .order import (
    calls,
    expressions,
    free_names,
    index_names,
    introduced,
    left_by,
    names_inside,
    ordered,
)
from .ruled import rules_of
from .scope import Functions, Report, Scope, nearest
from .sizes import Size
from .source import Source, Span
from .written import KINDS, domain_of, type_of

Library = Mapping[str, ast.Def]
Loader = Callable[[ast.Use, Report], ast.Program | None]
"""Parses the file that a ``use`` names; reports and returns ``None`` where it cannot."""


class Declarations:
    """The declarations of one file, each checked as far as it can be without its value."""

    def __init__(self, program: ast.Program, prelude: Library, load: Loader) -> None:
        self.program = program
        self.report = Report()
        self.load = load
        self.prelude = prelude
        self.scope = Scope()
        self.functions: dict[str, ast.Def] = {}
        self.inputs: dict[str, Input] = {}
        self.nodes: dict[str, ast.Node | ast.Scan] = {}
        self.outputs: dict[str, ast.Name] = {}
        self.open_sizes: list[str] = []
        self.fixed_sizes: dict[str, ast.Size] = {}
        self.files: dict[Source, dict[str, ast.Def]] = {
            d.name.span.source: {} for d in prelude.values()
        }
        self.rules: dict[Span, ast.Rule] = {}
        self.complete = True
        self.wrong_objective = False

    def use(self, uses: Iterable[ast.Use]) -> None:
        """Functions and fixed sizes of other files, as if declared here."""
        for use in uses:
            program = self.load(use, self.report)
            if program is None:
                self.complete = False
                continue
            functions: dict[str, ast.Def] = {}
            self.rules |= rules_of(program, Report())
            for declaration in program.declarations:
                if isinstance(declaration, ast.Def):
                    functions[declaration.name.id] = declaration
                    # What a file uses stands before its own functions, and those see both.
                    self.files[declaration.span.source] = functions.copy()
            places = {n.id: n.span for n in use.names} or dict.fromkeys(functions, use.path.span)
            for name, place in places.items():
                if name not in functions:
                    near = nearest(name, functions)
                    self.report(mistakes.not_in_file(place, name, use.path.value, near))
                elif name in self.functions and self.functions[name] is not functions[name]:
                    first = self.functions[name].name.span
                    self.report(mistakes.duplicate(place, name, first))
                else:
                    self.functions[name] = functions[name]
            self.declare_sizes([d for d in program.declarations if isinstance(d, ast.Size)])

    def define(self, definitions: Iterable[ast.Def]) -> None:
        for definition in definitions:
            name = definition.name.id
            if name in self.functions:
                first = self.functions[name].name.span
                self.report(mistakes.duplicate(definition.name.span, name, first))
                continue
            self.functions[name] = definition
            seen: dict[str, Span] = {}
            for parameter in (p.name for p in definition.parameters):
                if parameter.id in seen:
                    first = seen[parameter.id]
                    self.report(mistakes.duplicate(parameter.span, parameter.id, first))
                seen[parameter.id] = parameter.span
            if name in self.prelude or (name in OPS and OPS[name].public):
                self.report(mistakes.replaces_library(definition.name.span, name))

    def _new(self, name: ast.Name) -> bool:
        first = self.scope.declared.get(name.id)
        if first is not None:
            self.report(mistakes.duplicate(name.span, name.id, first))
            return False
        self.scope.declared[name.id] = name.span
        return True

    def declare_sizes(self, sizes: Iterable[ast.Size]) -> None:
        for size in sizes:
            if not self._new(size.name):
                continue
            if size.value is None:
                self.scope.sizes[size.name.id] = Size.of(size.name.id)
                self.open_sizes.append(size.name.id)
            else:
                self.fixed_sizes[size.name.id] = size

    def introduce_sizes(self, inputs: Iterable[ast.Input]) -> None:
        """The size names that the shapes of inputs bring."""
        for declaration in inputs:
            for mention in (n for size in declaration.type.shape for n in free_names(size)):
                if mention.id not in self.scope.sizes and mention.id not in self.fixed_sizes:
                    self.scope.sizes[mention.id] = Size.of(mention.id)
                    self.scope.declared[mention.id] = mention.span

    def fix_sizes(self) -> None:
        """The values of sizes declared with one, whatever their order."""
        for name in ordered(self.fixed_sizes, self.report):
            value = self.fixed_sizes[name].value
            assert value is not None
            try:
                self.scope.sizes[name] = size_value(value, self.scope, self.report)
            except NotConstant:
                self.scope.sizes[name] = Size.of(name)
        for name in self.fixed_sizes:
            self.scope.sizes.setdefault(name, Size.of(name))

    def bind_sizes(self, inputs: Iterable[ast.Input]) -> None:
        """Every size that inputs bring is given by some dimension, alone or linearly."""
        bound = set(self.fixed_sizes)
        shapes: dict[str, list[Size]] = {}
        for declaration in inputs:
            shape = shapes.setdefault(declaration.names[0].id, [])
            for dimension in declaration.type.shape:
                try:
                    shape.append(size_value(dimension, self.scope, self.report))
                except NotConstant:
                    bound |= {name.id for name in free_names(dimension)}
        bound |= {binding.size for binding in bind(shapes, bound)}
        self.open_sizes = [name for name in self.open_sizes if name not in bound]
        for name, size in self.scope.sizes.items():
            if size.name == name and name not in bound and name not in self.open_sizes:
                self.report(mistakes.unbound_size(self.scope.declared[name], name))

    def declare_inputs(self, inputs: Iterable[ast.Input]) -> None:
        for declaration in inputs:
            written = type_of(declaration.type, self.scope, self.report)
            differentiated = declaration.keyword == "input"
            domain = None
            if written is not None:
                domain = domain_of(declaration, written.kind, self.scope, self.report)
            for name in declaration.names:
                if not self._new(name):
                    continue
                if written is None:
                    self.scope.values[name.id] = None
                    continue
                self.inputs[name.id] = Input(
                    name.id, written, differentiated, domain, declaration.doc, name.span
                )
                attributes = {"name": name.id, "type": written, "domain": domain}
                self.scope.values[name.id] = make("input", (), name.span, attributes)

    def declare_nodes(self, declarations: Iterable[ast.Declaration]) -> None:
        for declaration in declarations:
            if isinstance(declaration, (ast.Node, ast.Scan)):
                for name in left_by(declaration):
                    if self._new(name):
                        self.nodes[name.id] = declaration
                        if isinstance(declaration, ast.Node) and declaration.keyword == "output":
                            self.outputs[name.id] = name
        for declaration in declarations:
            if isinstance(declaration, ast.OutputExisting):
                name = declaration.name
                if name.id in self.outputs:
                    first = self.outputs[name.id].span
                    self.report(mistakes.duplicate(name.span, name.id, first))
                elif name.id in self.nodes or name.id in self.inputs:
                    self.outputs[name.id] = name
                elif name.id not in self.scope.values:
                    near = nearest(name.id, self.nodes)
                    self.report(mistakes.unknown_name(name.span, name.id, near))

    # ── Functions, also those that are never called ─────────────────────────

    def check_functions(self, functions: Functions) -> None:
        """What is wrong with functions whatever they are called with, also if they never are."""
        for declaration in self.program.declarations:
            if isinstance(declaration, ast.Def):
                self._check_function(declaration, functions)
            elif isinstance(declaration, ast.Rule):
                results = [name.id for name in declaration.results]
                known = {name.id for name in declaration.parameters} | {*results}
                known |= {f"d{name}" for name in results} | self.scope.sizes.keys()
                known |= self._local_sizes(declaration.name.id)
                self._check_names([value for _, value in declaration.entries], known, functions)
        self.check_recursion()

    def _check_function(self, function: ast.Def, functions: Functions) -> None:
        known = {p.name.id for p in function.parameters} | self.scope.sizes.keys()
        for written in (p.type for p in function.parameters if p.type):
            known |= {n.id for size in written.shape for n in free_names(size)}
            if written.name.id not in KINDS:
                self.report(mistakes.unknown_type(written.name.span, written.name.id))
        values: list[ast.Expr] = []
        for statement in function.body:
            if isinstance(statement, ast.Node):
                known |= {n.id for n in statement.target.names}
                known |= {n.id for n in introduced(statement.target.indices)}
                values.append(statement.value)
            elif isinstance(statement, ast.Scan):
                known |= names_inside(statement)
                values += expressions(statement)
            else:
                values += statement.values
        if sum(isinstance(s, ast.Return) for s in function.body) != 1:
            self.report(mistakes.no_body_return(function.name.span, function.name.id))
        self._check_names(values, known, functions)

    def _local_sizes(self, function: str) -> set[str]:
        """The sizes that the types of a function's parameters name."""
        parameters = self.functions[function].parameters if function in self.functions else ()
        shapes = [p.type.shape for p in parameters if p.type is not None]
        return {n.id for shape in shapes for size in shape for n in free_names(size)}

    def _check_names(
        self, values: Iterable[ast.Expr], known: set[str], functions: Functions
    ) -> None:
        """That a body mentions only what it can see, whatever its parameters are."""
        values = list(values)
        known |= {n.id for value in values for n in index_names(value)}
        for mention in (n for value in values for n in free_names(value)):
            name, span = mention.id, mention.span
            if name in known or functions.find(name, span.source) or name in OPS:
                continue
            if name in self.scope.declared:
                first = self.scope.declared[name]
                self.report(mistakes.not_visible(span, name, first, in_example=False))
            else:
                self.report(mistakes.unknown_name(span, name, nearest(name, known)))
        for call in (c for value in values for c in calls(value)):
            name, span = call.function.id, call.function.span
            if not (name in known or name in OPS or functions.find(name, span.source)):
                if self.complete and name != "grad":
                    near = nearest(name, functions.names(span.source))
                    self.report(mistakes.unknown_function(span, name, near))

    def check_recursion(self) -> None:
        """Functions that call themselves but are never called, which would show it."""
        if any(d.code == "G110" for d in self.report.diagnostics):
            return
        own = {d.name.id: d for d in self.program.declarations if isinstance(d, ast.Def)}
        needs = {
            name: [c for s in function.body
                   for value in (s.values if isinstance(s, ast.Return) else expressions(s))
                   for c in calls(value) if c.function.id in own]
            for name, function in own.items()
        }  # fmt: skip
        done: set[str] = set()
        for root in own:
            path = [(root, iter(needs[root]))]
            while path and root not in done:
                call = next(path[-1][1], None)
                if call is None:
                    done.add(path.pop()[0])
                    continue
                names = [name for name, _ in path]
                name = call.function.id
                if name in names:
                    circle = [*names[names.index(name) :], name]
                    self.report(mistakes.recursion(call.span, circle))
                elif name not in done:
                    path.append((name, iter(needs[name])))
