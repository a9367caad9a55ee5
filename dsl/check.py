"""A parsed file to a checked one: every name, call, shape and type resolved, or reported.

Nothing stops at the first mistake: all diagnostics of a file are collected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import ast
from .calls import NOT_BUILT
from .constants import NotConstant, size_value
from .elaborate import Elaborator
from .errors import Diagnostic, Severity, SpecError, mistakes
from .examples import Example, check_examples
from .graph import Graph, Input, Interface, Node, make, topological
from .ops import OPS
from .order import calls, free_names, index_names, introduced, ordered
from .scope import Functions, Report, Scope, nearest
from .shapes import Kind, Type
from .sizes import Size, solve
from .source import Source, Span
from .written import KINDS, domain_of, type_of

if TYPE_CHECKING:
    import networkx

Library = Mapping[str, ast.Def]
Loader = Callable[[ast.Use, Report], ast.Program | None]
"""Parses the file that a ``use`` names; reports and returns ``None`` where it cannot."""


@dataclass(frozen=True)
class Checked:
    """A file without mistakes: its graph as written, its examples, and warnings."""

    program: ast.Program
    graph: Graph
    examples: tuple[Example, ...]
    warnings: tuple[Diagnostic, ...]

    @property
    def interface(self) -> Interface:
        return self.graph.interface

    @property
    def is_library(self) -> bool:
        """Whether the file only has functions, for others to use."""
        return not self.graph.outputs

    @property
    def nx(self) -> networkx.MultiDiGraph:
        """The graph as a networkx one: a node for each named or implied operation."""
        return self.graph.nx


def check(program: ast.Program, prelude: Library, load: Loader) -> Checked:
    """Raises ``SpecError`` with everything that is wrong."""
    checker = Checker(program, prelude, load)
    checked = checker.run()
    diagnostics = _allowed(checker.report.diagnostics, program)
    if checked is None or any(d.severity is Severity.ERROR for d in diagnostics):
        raise SpecError(diagnostics)
    return Checked(program, *checked, tuple(diagnostics))


def _left_by(scan: ast.Scan) -> Iterator[ast.Name]:
    """The names that a scan leaves behind."""
    for statement in scan.body:
        if isinstance(statement, ast.Node) and statement.keyword in ("state", "emit"):
            yield from statement.target.names


def _allowed(diagnostics: Iterable[Diagnostic], program: ast.Program) -> list[Diagnostic]:
    """Without the warnings that ``# gradc: allow G502`` silences on their line; in file order."""
    allowed = set()
    for comment in program.comments:
        marker, _, codes = comment.text.partition("gradc: allow")
        if codes and not marker.strip("# "):
            allowed |= {(comment.span.line, code) for code in codes.replace(",", " ").split()}
    kept = [
        d
        for d in diagnostics
        if d.severity is Severity.ERROR or (d.span.line, d.code) not in allowed
    ]
    return sorted(kept, key=lambda d: (d.span.source.name, d.span.start, d.code))


class Checker:
    """One run over one file."""

    def __init__(self, program: ast.Program, prelude: Library, load: Loader) -> None:
        self.program = program
        self.report = Report()
        self.load = load
        self.prelude = prelude
        self.scope = Scope()
        self.functions: dict[str, ast.Def] = {}
        self.inputs: dict[str, Input] = {}
        self.nodes: dict[str, ast.Node] = {}
        self.outputs: dict[str, ast.Name] = {}
        self.open_sizes: list[str] = []
        self.fixed_sizes: dict[str, ast.Size] = {}
        self.files: dict[Source, dict[str, ast.Def]] = {
            d.name.span.source: {} for d in prelude.values()
        }
        self.complete = True
        self.wrong_objective = False

    def run(self) -> tuple[Graph, tuple[Example, ...]] | None:
        declarations = self.program.declarations
        inputs = [d for d in declarations if isinstance(d, ast.Input)]
        self.reject_what_is_not_built(declarations)
        self.use([d for d in declarations if isinstance(d, ast.Use)])
        self.define([d for d in declarations if isinstance(d, ast.Def)])
        self.declare_sizes([d for d in declarations if isinstance(d, ast.Size)])
        self.introduce_sizes(inputs)
        self.fix_sizes()
        self.bind_sizes(inputs)
        self.declare_inputs(inputs)
        self.declare_nodes(declarations)
        functions = Functions(
            self.functions,
            self.prelude,
            dict(self.scope.sizes),
            self.files,
            self.scope.declared,
            self.complete,
        )
        elaborator = Elaborator(functions, self.report)
        self.elaborate(elaborator)
        self.check_functions(functions)
        examples = [d for d in declarations if isinstance(d, ast.Example)]
        interface = self.interface()
        wrong = any(self.scope.values.get(n) is None for n in self.nodes)
        if interface is None or wrong or self.wrong_objective:
            return None
        graph = self.graph(interface)
        self.warn(graph)
        return graph, check_examples(examples, graph, elaborator)

    # ── Declarations ────────────────────────────────────────────────────────

    def reject_what_is_not_built(self, declarations: Iterable[ast.Declaration]) -> None:
        for declaration in declarations:
            if isinstance(declaration, ast.Scan):
                head = declaration.index.span
                self.report(mistakes.not_built(head, "a scan"))
                for name in _left_by(declaration):
                    self.scope.values[name.id] = None
                    self.scope.declared[name.id] = name.span
            elif isinstance(declaration, ast.Rule):
                self.report(mistakes.not_built(declaration.name.span, "a rule"))
            elif isinstance(declaration, ast.Node):
                if declaration.target.indices:
                    what = "a node defined entry by entry"
                    self.report(mistakes.not_built(declaration.target.span, what))
                elif len(declaration.target.names) > 1:
                    what = "a call with several results"
                    self.report(mistakes.not_built(declaration.target.span, what))

    def use(self, uses: Iterable[ast.Use]) -> None:
        """Functions and fixed sizes of other files, as if declared here."""
        for use in uses:
            program = self.load(use, self.report)
            if program is None:
                self.complete = False
                continue
            functions: dict[str, ast.Def] = {}
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
        dimensions: list[Size] = []
        for dimension in (d for declaration in inputs for d in declaration.type.shape):
            try:
                dimensions.append(size_value(dimension, self.scope, self.report))
            except NotConstant:
                bound |= {name.id for name in free_names(dimension)}
        progress = True
        while progress:
            solved = {s.name for d in dimensions if (s := solve(d, bound))}
            progress = not solved <= bound
            bound |= solved
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
                attributes = {"name": name.id, "type": written}
                self.scope.values[name.id] = make("input", (), name.span, attributes)

    def declare_nodes(self, declarations: Iterable[ast.Declaration]) -> None:
        for declaration in declarations:
            if isinstance(declaration, ast.Node):
                for name in declaration.target.names:
                    if self._new(name):
                        self.nodes[name.id] = declaration
                        if declaration.keyword == "output":
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

    # ── Values ──────────────────────────────────────────────────────────────

    def elaborate(self, elaborator: Elaborator) -> None:
        order = ordered(self.nodes, self.report)
        for name in self.nodes:
            self.scope.values.setdefault(name, None)
        for name in order:
            statement = self.nodes[name]
            target = statement.target
            if target.indices or len(target.names) > 1:
                continue
            node = elaborator.elaborate(statement.value, self.scope)
            self.scope.values[name] = elaborator.named(statement, node, self.scope)

    def check_functions(self, functions: Functions) -> None:
        """What is wrong with functions whatever they are called with, also if they never are."""
        for declaration in self.program.declarations:
            if isinstance(declaration, ast.Def):
                self._check_function(declaration, functions)
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
            else:
                values += statement.values
        if sum(isinstance(s, ast.Return) for s in function.body) != 1:
            self.report(mistakes.no_body_return(function.name.span, function.name.id))
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
                if self.complete and name not in NOT_BUILT:
                    near = nearest(name, functions.names(span.source))
                    self.report(mistakes.unknown_function(span, name, near))

    def check_recursion(self) -> None:
        """Functions that call themselves but are never called, which would show it."""
        if any(d.code == "G110" for d in self.report.diagnostics):
            return
        own = {d.name.id: d for d in self.program.declarations if isinstance(d, ast.Def)}
        needs = {
            name: [c for s in function.body
                   for value in ([s.value] if isinstance(s, ast.Node) else s.values)
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

    # ── Results ─────────────────────────────────────────────────────────────

    def interface(self) -> Interface | None:
        if not self.outputs and not self.is_library:
            if not any(isinstance(d, ast.OutputExisting) for d in self.program.declarations):
                end = len(self.program.source.text)
                self.report(mistakes.no_output(self.program.source.span(end, end)))
            return None
        docs = {
            name.id: d.doc for d in self.program.declarations if isinstance(d, ast.Node) and d.doc
            for name in d.target.names
        }  # fmt: skip
        return Interface(
            self.program.source,
            self.program.doc,
            tuple(self.inputs.values()),
            tuple(
                name
                for name, size in self.scope.sizes.items()
                if size.name == name and name not in self.open_sizes
            ),
            tuple(self.open_sizes),
            tuple(self.outputs),
            self.objective(),
            tuple(self.report.conditions),
            docs,
        )

    @property
    def is_library(self) -> bool:
        """Whether the file only has functions, for others to use."""
        return not self.inputs and not self.nodes and bool(self.functions)

    def objective(self) -> str | None:
        declared = [d for d in self.program.declarations if isinstance(d, ast.Objective)]
        for again in declared[1:]:
            self.report(mistakes.duplicate(again.span, "objective", declared[0].span))
        scalars = [
            n for n in self.outputs
            if isinstance(v := self.scope.values.get(n), Node) and v.type == Type(Kind.FLOAT)
        ]  # fmt: skip
        if not declared:
            return scalars[0] if len(scalars) == 1 else None
        name = declared[0].name
        value = self.scope.values.get(name.id)
        self.wrong_objective = name.id not in scalars
        if name.id not in self.outputs and name.id not in self.scope.declared:
            near = nearest(name.id, self.outputs)
            self.report(mistakes.unknown_name(name.span, name.id, near))
        elif name.id not in self.outputs:
            self.report(mistakes.not_an_output(name.span, name.id))
        elif isinstance(value, Node) and name.id not in scalars:
            self.report(mistakes.objective_not_scalar(name.span, name.id, value.type))
        return name.id

    def graph(self, interface: Interface) -> Graph:
        values = {n: v for n, v in self.scope.values.items() if isinstance(v, Node)}
        return Graph(
            interface,
            {name: values[name] for name in self.inputs},
            {name: values[name] for name in self.outputs},
            tuple(values[name] for name in self.nodes),
        )

    def warn(self, graph: Graph) -> None:
        for declared in graph.interface.inputs:
            if declared.differentiated and not declared.type.is_float:
                report = mistakes.input_without_gradient
                self.report(report(declared.span, declared.name, declared.type))
        needed = set(topological(graph.outputs.values()))
        for name, statement in self.nodes.items():
            if self.scope.values[name] not in needed:
                place: Span = next(n.span for n in statement.target.names if n.id == name)
                self.report(mistakes.unused_node(place, name))
        objective = graph.interface.objective
        if objective is None:
            return
        reaching = set(topological([graph.outputs[objective]]))
        for declared in graph.interface.inputs:
            if declared.differentiated and declared.type.is_float:
                if graph.inputs[declared.name] not in reaching:
                    self.report(mistakes.unreached_input(declared.span, declared.name, objective))
