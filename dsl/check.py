"""A parsed file to a checked one: every name, call, shape and type resolved, or reported.

Nothing stops at the first mistake: all diagnostics of a file are collected.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from . import ast
from .declarations import Declarations, Library, Loader
from .elaborate import Elaborator
from .errors import Diagnostic, Severity, SpecError, mistakes
from .examples import Example, check_examples
from .frozen import frozen
from .graph import Graph, Interface, Node, topological
from .order import left_by, ordered
from .ruled import rules_of
from .scope import Functions, nearest
from .shapes import Kind, Type
from .source import Span
from .walk import run

if TYPE_CHECKING:
    import networkx


@frozen()
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
    diagnostics = allowed(checker.report.diagnostics, program)
    if checked is None or any(d.severity is Severity.ERROR for d in diagnostics):
        raise SpecError(diagnostics)
    return Checked(program, *checked, tuple(diagnostics))


def allowed(diagnostics: Iterable[Diagnostic], program: ast.Program) -> list[Diagnostic]:
    """Without the warnings that ``# gradc: allow G502`` silences on their line; in file order."""
    allowed = set()
    for comment in program.comments:
        marker, _, codes = comment.text.partition("gradc: allow")
        if codes and not marker.strip("# "):
            allowed |= {
                (program.source, comment.span.line, code)
                for code in codes.replace(",", " ").split()
            }
    kept = [
        d
        for d in diagnostics
        if d.severity is Severity.ERROR or (d.span.source, d.span.line, d.code) not in allowed
    ]
    return sorted(kept, key=lambda d: (d.span.source.name, d.span.start, d.code))


class Checker(Declarations):
    """One run over one file."""

    def run(self) -> tuple[Graph, tuple[Example, ...]] | None:
        declarations = self.program.declarations
        inputs = [d for d in declarations if isinstance(d, ast.Input)]
        self.use([d for d in declarations if isinstance(d, ast.Use)])
        self.define([d for d in declarations if isinstance(d, ast.Def)])
        self.rules |= rules_of(self.program, self.report)
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
            self.rules,
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

    # ── Values ──────────────────────────────────────────────────────────────

    def elaborate(self, elaborator: Elaborator) -> None:
        order = ordered(self.nodes, self.report)
        for name in self.nodes:
            self.scope.values.setdefault(name, None)
        run(elaborator.define(order, self.nodes, self.scope))

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
        for node in graph.nodes:
            if node.op.name == "grad" and node.operands[1] not in topological(node.operands[:1]):
                value, x = (operand.label for operand in node.operands)
                self.report(mistakes.no_dependence(node.span, value, x))
        needed = set(topological(graph.outputs.values()))
        for name, statement in self.nodes.items():
            names = left_by(statement)
            beside = [self.scope.values[n.id] for n in names]
            if needed.isdisjoint(beside):
                place: Span = next(n.span for n in names if n.id == name)
                self.report(mistakes.unused_node(place, name))
        objective = graph.interface.objective
        if objective is None:
            return
        reaching = set(topological([graph.outputs[objective]]))
        for declared in graph.interface.inputs:
            if declared.differentiated and declared.type.is_float:
                if graph.inputs[declared.name] not in reaching:
                    self.report(mistakes.unreached_input(declared.span, declared.name, objective))
