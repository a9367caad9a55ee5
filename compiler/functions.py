"""The functions of a generated module: forward, backward, value_and_grad."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..dsl.graph import Graph, Node
from ..dsl.loops import is_plain
from ..dsl.shapes import Type
from .attempt import Attempt
from .body import Commenter, no_comment
from .boundary import Boundary
from .comments import BackwardComments, Explanations
from .entry import Entry
from .keeping import Division, divided, kept_for_backward
from .looping import Statements
from .memory import owners_of, repeats
from .names import Names
from .python import INDENT, bracketed, docstring, fits
from .render import Renderer
from .schedule import Function, computed, is_weak, plan
from .setting import Setting


@dataclass
class FunctionScope:
    """One function being written: its renderer, its names, and its body."""

    graph: Graph
    renderer: Renderer
    names: Names
    lines: list[str] = field(default_factory=list)

    def give(self, node: Node, name: str) -> None:
        self.renderer.names[node] = name

    def write(self, function: Function, comment: Commenter, *, quick: bool) -> None:
        graph = self.graph
        results = [*graph.outputs.values(), *graph.gradients.values()]
        attempt = Attempt(self.renderer, self.names, graph.nodes)
        lines = attempt.write(function, results, comment) if quick else None
        if lines is None:
            body = Statements(self.renderer, self.names)
            body.take(function, graph.nodes, results)
            lines = body.write(comment)
        self.lines += lines


class Functions:
    """Writes the functions. ``forward`` comes last: what ``backward`` asks of the cache is known
    only once that is written."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.compilation = setting.compilation
        self.interface = self.compilation.interface
        self.entry = Entry(setting)
        self.boundary = Boundary(setting)
        self.kept: tuple[Node, ...] = ()
        self.parts = Division((), ())
        self.fields: dict[Node, str] = {}
        self.kept_sizes: tuple[str, ...] = ()
        self.keeps_dtype = False
        self.seeds: dict[str, str] = {}
        self.directions: dict[str, str] = {}
        self.explanations: Explanations = {}

    def write(self) -> list[list[str]]:
        """The functions in the order of the module, each as its lines."""
        scope = self.forward()
        if not self.compilation.seeds:
            self.kept, self.fields = (), {}
        self.parts = divided(self.compilation.graphs.both, self.kept)
        backward = [self.backward()] if self.compilation.seeds else []
        functions = [self.finish_forward(scope), *backward]
        if self.compilation.graphs.at_once is not None:
            functions.append(self.value_and_grad())
        entry = self.entry.function()
        return [*([entry] if entry else []), *functions]

    def scope(self, graph: Graph, *reserved: str) -> FunctionScope:
        scope = FunctionScope(graph, self.setting.renderer(graph), self.setting.names(*reserved))
        for name, node in graph.inputs.items():
            scope.give(node, self.setting.parameters[name])
        return scope

    def parameters(self) -> list[str]:
        parts = []
        for i in self.setting.inputs:
            parts.append(f"{self.setting.parameters[i.name]}: {self.setting.accepted(i.type)}")
        if self.interface.open_sizes:
            parts += ["*", *(f"{self.setting.sizes[n]}: int" for n in self.interface.open_sizes)]
        return parts

    def locals(self, scope: FunctionScope, sizes: set[str], dtype: bool) -> list[str]:
        """The sizes and the dtype that a function with inputs refers to."""
        lines = []
        needed = self.entry.with_needs(sizes)
        for name, value in self.entry.size_expressions.items():
            if name in needed:
                lines.append(f"{INDENT}{self.setting.sizes[name]} = {value}")
        if dtype and not self.setting.hands_on_dtype:
            lines.append(f"{INDENT}{self.setting.dtype} = {self.dtype_source()}")
        return lines

    def dtype_source(self) -> str:
        floats = [i for i in self.setting.inputs
                  if i.type.is_float and (i.type.rank or not self.setting.scalar)]  # fmt: skip
        if floats:
            return f"{self.setting.parameters[floats[0].name]}.dtype"
        np = self.setting.module("np")
        return f"{np}.dtype({np}.float64)"

    def result_texts(self, scope: FunctionScope, nodes: list[Node], given: list[Node]) -> list[str]:
        """The texts of results, copied where two values would share memory."""
        if self.setting.scalar:
            return self.boundary.results(nodes, scope.renderer, scope.names, scope.lines)
        taken = {owner for node in given for owner in owners_of(node)}
        texts = []
        for node in nodes:
            text = scope.renderer.expression(node).text
            if node.type.rank:
                owners = owners_of(node)
                inputs = any(owner.op.name == "input" for owner in owners)
                text += ".copy()" * (bool(owners & taken) or inputs or repeats(node))
                taken |= owners
            elif node.type.is_float and is_weak(node):
                scope.renderer.uses.dtype = True
                text = f"{self.setting.dtype}.type({text})"
            texts.append(text)
        return texts

    def forward(self) -> FunctionScope:
        graph = self.compilation.graphs.both
        outputs = list(graph.outputs.values())
        given = self.boundary.given(graph.inputs.values(), outputs)
        available = computed(self.boundary.parts(outputs), given)
        level, machine = self.compilation.options.level, self.compilation.machine
        self.kept = kept_for_backward(graph, available, level, machine)
        results = [*outputs, *(node for node in self.kept if node.op.name != "input")]
        scope = self.scope(graph)
        self.compute(scope, results, graph.inputs.values())
        self.fields = {node: scope.renderer.names[node] for node in self.kept}
        return scope

    def seed_parameters(self, names: Names) -> tuple[list[str], dict[str, str]]:
        """The parameters of ``backward`` for arriving gradients, and their names by output."""
        seeds = self.compilation.seeds
        written = {output: names.fresh(name) for output, name in seeds.items()}
        parts = []
        for output, name in written.items():
            type_ = self.compilation.output_type(output)
            number = "float" if self.setting.plain else "float | Scalar"
            annotation = "ArrayLike" if type_.rank else number
            default = ""
            if len(seeds) > 1:
                default = " = 1.0" if output == self.interface.objective else " = 0.0"
            elif not type_.rank:
                default = " = 1.0"
            parts.append(f"{name}: {annotation}{default}")
        return (["*", *parts] if len(parts) > 1 else parts), written

    def seed_checks(self, scope: FunctionScope, written: dict[str, str]) -> list[str]:
        """Statements that convert what arrives at each output."""
        lines = []
        for output, name in written.items():
            type_ = self.compilation.output_type(output)
            lines += self.converted(scope, name, type_, spread=len(written) > 1)
        return lines

    def converted(self, scope: FunctionScope, name: str, type_: Type, *, spread: bool) -> list[str]:
        """Statements that convert an argument of a type; with ``spread``, a number stands for an
        array of it."""
        if not type_.rank:
            return [f"{INDENT}{name} = {self.seed_scalar(scope, name)}"]
        scope.renderer.uses.dtype = True
        np = scope.renderer.module("np")
        lines = [f"{INDENT}{name} = {np}.asarray({name}, {self.setting.dtype})"]
        if not spread and not self.compilation.options.checks:
            return lines
        shape = scope.renderer.shape(type_.shape)
        if spread:
            lines += [f"{INDENT}if {name}.ndim == 0:",
                      f"{INDENT * 2}{name} = {np}.broadcast_to({name}, {shape})"]  # fmt: skip
        if self.compilation.options.checks:
            message = f'f"{name}: expected {type_}, got shape {{{name}.shape}}"'
            lines.append(f"{INDENT}if {name}.shape != {shape}:")
            lines += bracketed("raise ValueError(", [message], ")", INDENT * 2)
        return lines

    def has_dtype(self, node: Node) -> bool:
        """Whether a value has a dtype to take over: an array or a scalar of NumPy."""
        numpy = bool(node.type.rank or not self.setting.scalar)
        return node.type.is_float and numpy and not is_plain(node)

    def compute(
        self,
        scope: FunctionScope,
        results: Iterable[Node],
        given: Iterable[Node],
        *,
        explained: bool = False,
        parts: Division | None = None,
    ) -> None:
        """Writes the statements that compute results, with comments where that is ``explained``.
        Where a graph is computed in two ``parts``, this is the second one."""
        graph, results = scope.graph, list(results)
        given = self.boundary.given(given, results)
        scope.lines += self.boundary.opened(given, scope.renderer, scope.names)
        order, done = (parts.backward, parts.forward) if parts else (graph.nodes, ())
        function = plan(order, self.boundary.parts(results), given, branching=self.setting.scalar)
        comment = self.comments(function, graph, done) if explained else no_comment
        scope.write(function, comment, quick=self.setting.quick)

    def comments(self, function: Function, graph: Graph, done: Iterable[Node]) -> BackwardComments:
        source, sharing = self.interface.source, _sharing(graph)
        return BackwardComments(source, function.nodes, sharing, self.explanations, done)

    def seed_scalar(self, scope: FunctionScope, name: str) -> str:
        """A seed as a number of the working precision."""
        if self.setting.scalar:
            return f"float({name})"
        scope.renderer.uses.dtype = True
        return f"{self.setting.dtype}.type(float({name}))"

    def backward(self) -> list[str]:
        graph = self.compilation.graphs.both
        names = self.setting.names(*self.fields.values())
        cache = names.fresh("cache")
        parameters, written = self.seed_parameters(names)
        self.seeds = written
        scope = FunctionScope(graph, self.setting.renderer(graph), names)
        for node, name in self.fields.items():
            scope.give(node, name)
        for output, name in written.items():
            scope.give(graph.seeds[output], name)
        given = [*self.kept, *graph.seeds.values()]
        checks = self.seed_checks(scope, written)
        results = list(graph.gradients.values())
        self.compute(scope, results, given, explained=True, parts=self.parts)
        texts = self.result_texts(scope, results, given)
        uses = scope.renderer.uses
        self.kept_sizes = tuple(n for n in self.setting.sizes if n in uses.sizes)
        arrays = [name for node, name in self.fields.items() if self.has_dtype(node)]
        self.keeps_dtype = uses.dtype and not arrays
        self.setting.merge(uses)
        head = bracketed("def backward(", [f"{cache}: Cache", *parameters], ") -> Gradients:")
        lines = [*head, *docstring(self.backward_doc(written), INDENT)]
        lines += self.unpack(cache)
        if uses.dtype and arrays:
            typed = f": {self.kind_of_dtype()}" if self.hands_on_seeds() else ""
            lines.append(f"{INDENT}{self.setting.dtype}{typed} = {arrays[0]}.dtype")
        lines += [*checks, *scope.lines]
        return lines + self.made("return ", "Gradients", texts)

    def unpack(self, cache: str) -> list[str]:
        fields = self.cache_fields()
        if not fields:
            return []
        names = [name for name, _ in fields]
        left = f"({names[0]},)" if len(names) == 1 else ", ".join(names)
        line = f"{INDENT}{left} = {cache}"
        return [line] if fits(line) else [f"{INDENT}{n} = {cache}.{n}" for n in names]

    def cache_fields(self) -> list[tuple[str, str]]:
        fields = [(name, self.setting.kept(node)) for node, name in self.fields.items()]
        fields += [(self.setting.sizes[name], "int") for name in self.kept_sizes]
        if self.keeps_dtype:
            fields.append((self.setting.dtype, self.kind_of_dtype()))
        return fields

    def kind_of_dtype(self) -> str:
        return f"{self.setting.module('np')}.dtype[{'Scalar' if self.hands_on_seeds() else 'Any'}]"

    def hands_on_seeds(self) -> bool:
        """Whether a gradient may be a number that arrives, or one made of such numbers alone: its
        type is what the type of the dtype makes of them."""
        graph = self.compilation.graphs.both
        ends = [[*graph.seeds.values()], [*graph.gradients.values()]]
        return not self.setting.scalar and all(any(not n.type.rank for n in e) for e in ends)

    def finish_forward(self, scope: FunctionScope) -> list[str]:
        graph = self.compilation.graphs.both
        outputs = list(graph.outputs.values())
        texts = self.result_texts(scope, outputs, list(self.kept))
        uses = scope.renderer.uses
        value = texts[0]
        if len(outputs) > 1:
            value = f"Outputs({', '.join(texts)})"
        fields = [name for name, _ in self.cache_fields()]
        self.setting.merge(uses)
        head = bracketed(
            "def forward(", self.parameters(), f") -> tuple[{self.result_type()}, Cache]:"
        )
        lines = [*head, *docstring(self.forward_doc(), INDENT), *self.entry.call()]
        dtype = uses.dtype or self.keeps_dtype
        lines += self.locals(scope, uses.sizes | set(self.kept_sizes), dtype)
        lines += scope.lines
        only = self.made(f"return {value}, ", "Cache", fields)
        if len(only) == 1 and fits(only[0]):
            return lines + only
        if len(outputs) > 1:
            name = scope.names.fresh("out")
            lines += bracketed(f"{name} = Outputs(", texts, ")", INDENT)
            value = name
        name = scope.names.fresh("cache")
        lines += self.made(f"{name} = ", "Cache", fields)
        return [*lines, f"{INDENT}return {value}, {name}"]

    def result_type(self) -> str:
        outputs = self.interface.outputs
        if len(outputs) > 1:
            return "Outputs"
        return self.setting.annotation(self.compilation.output_type(outputs[0]))

    def value_and_grad(self) -> list[str]:
        graph = self.compilation.graphs.at_once
        assert graph is not None and self.interface.objective is not None
        value = graph.outputs[self.interface.objective]
        gradients = list(graph.gradients.values())
        reserved = [] if self.setting.plain else ["out"]
        scope = self.scope(graph, *reserved)
        self.compute(scope, [value, *gradients], graph.inputs.values(), explained=True)
        result, *texts = self.result_texts(scope, [value, *gradients], [])
        uses = scope.renderer.uses
        self.setting.merge(uses)
        parameters = self.parameters()
        arrays = [n for n, node in graph.gradients.items() if node.type.rank]
        into = None
        if arrays:
            into = self.setting.names().fresh("out")
            at = parameters.index("*") if "*" in parameters else len(parameters)
            parameters.insert(at, f"{into}: Gradients | None = None")
        annotation = self.setting.annotation(value.type)
        head = bracketed("def value_and_grad(", parameters, f") -> tuple[{annotation}, Gradients]:")
        lines = [*head, *docstring(self.value_and_grad_doc(into), INDENT), *self.entry.call()]
        lines += self.locals(scope, uses.sizes, uses.dtype)
        lines += scope.lines
        if into is not None:
            lines += self.write_into(into, result, texts)
        only = self.made(f"return {result}, ", "Gradients", texts)
        if len(only) == 1 and fits(only[0]):
            return lines + only
        name = scope.names.fresh("gradients")
        lines += self.made(f"{name} = ", "Gradients", texts)
        return [*lines, f"{INDENT}return {result}, {name}"]

    def made(self, head: str, name: str, fields: list[str]) -> list[str]:
        """``head`` and a named tuple: by its class, or faster where that counts."""
        if self.setting.quick and fields:
            values = ", ".join(fields) + "," * (len(fields) == 1)
            lines = bracketed(f"{head}_new(", [name, f"({values})"], ")", INDENT)
            if all(map(fits, lines)):
                return lines
        return bracketed(f"{head}{name}(", fields, ")", INDENT)

    def write_into(self, into: str, result: str, texts: list[str]) -> list[str]:
        """The return for a caller who brings arrays."""
        helper = self.setting.kernel("_into")
        kept = []
        for name, text in zip(self.wrt, texts, strict=True):
            if self.interface.input(name).type.rank:
                field = self.setting.parameters[name]
                text = f"{helper}({into}.{field}, {text.removesuffix('.copy()')})"
            kept.append(text)
        lines = [f"{INDENT}if {into} is not None:"]
        return lines + bracketed(f"return {result}, Gradients(", kept, ")", INDENT * 2)

    @property
    def wrt(self) -> tuple[str, ...]:
        return tuple(self.compilation.graphs.both.gradients)

    # ── Words ───────────────────────────────────────────────────────────────

    def argument_lines(self) -> str:
        lines = []
        for i in self.setting.inputs:
            domain = f" {i.domain.text}" if i.domain else ""
            doc = f": {' '.join(i.doc.split())}" if i.doc else ""
            lines.append(f"    {self.setting.parameters[i.name]}: {i.type}{domain}{doc}")
        for name in self.interface.open_sizes:
            lines.append(f"    {self.setting.sizes[name]}: a size")
        return "\n".join(["  Arguments:", *lines]) if lines else ""

    def forward_doc(self) -> list[str]:
        what = " and ".join(
            f"{name} ({self.compilation.output_type(name)})" for name in self.interface.outputs
        )
        closing = "The cache refers to the inputs: do not change them before ``backward``."
        if self.setting.plain:
            closing = ""
        return [f"The value of {what}, and the cache for ``backward``.",
                self.argument_lines(), closing]  # fmt: skip

    def backward_doc(self, written: dict[str, str]) -> list[str]:
        parts = [f"``{name}`` is the gradient arriving at {o}" for o, name in written.items()]
        return ["The gradients of the inputs, from the cache of ``forward``.",
                f"{'; '.join(parts)}. May be called again with the same cache."]  # fmt: skip

    def value_and_grad_doc(self, into: str | None) -> list[str]:
        paragraphs = [f"The value of {self.interface.objective} and its gradients, in one pass.",
                      self.argument_lines()]  # fmt: skip
        if into is not None:
            paragraphs.append(f"``{into}`` takes arrays to write the gradients into.")
        return paragraphs


def _sharing(graph: Graph) -> dict[Node, list[str]]:
    """The names of the spec whose gradients are one and the same node."""
    names: dict[Node, list[str]] = {}
    for name, node in graph.adjoints.items():
        names.setdefault(node, []).append(name)
    return names
