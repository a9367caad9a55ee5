"""The functions written on request: jvp, hvp, and the whole matrices made with them."""

from __future__ import annotations

from ..dsl.graph import Graph, Node
from ..dsl.shapes import Kind
from .compilation import tangent_of
from .functions import Functions, FunctionScope
from .matrices import Matrices
from .python import INDENT, bracketed, docstring


class Directional:
    """Writes the functions that ``--emit`` asks for, beside those that are always there."""

    def __init__(self, functions: Functions) -> None:
        self.functions = functions
        self.setting = functions.setting
        self.compilation = functions.compilation
        self.interface = functions.interface

    def write(self) -> list[list[str]]:
        emit = self.compilation.options.emit
        written = []
        if self.compilation.graphs.jvp is not None:
            written.append(self.jvp(self.compilation.graphs.jvp))
        if self.compilation.graphs.hvp is not None:
            written.append(self.hvp(self.compilation.graphs.hvp))
        matrices = Matrices(self.functions)
        if "jacobian" in emit:
            written += matrices.jacobian()
        if "hessian" in emit:
            written += matrices.hessian()
        return written

    # ── Directions ──────────────────────────────────────────────────────────

    def begin(self, graph: Graph, prefix: str) -> tuple[FunctionScope, dict[str, str], list[str]]:
        """A scope, the names of the directions by input, and the parameters."""
        scope = self.functions.scope(graph)
        names = {n: scope.names.fresh(f"{prefix}{self.setting.parameters[n]}") for n in graph.seeds}
        for name, node in graph.seeds.items():
            scope.give(node, names[name])
            self.functions.directions[prefix + name] = names[name]
        parameters = self.functions.parameters()
        if "*" not in parameters and names:
            parameters.append("*")
        for name, written in names.items():
            rank = self.interface.input(name).type.rank
            number = "float" if self.setting.plain else "float | Scalar"
            parameters.append(f"{written}: {'ArrayLike' if rank else number} = 0.0")
        return scope, names, parameters

    def body(self, scope: FunctionScope, names: dict[str, str], results: list[Node]) -> list[str]:
        """The lines between the docstring and the results."""
        graph = scope.graph
        conversions = []
        for name, written in names.items():
            type_ = self.interface.input(name).type
            conversions += self.functions.converted(scope, written, type_, spread=True)
        self.functions.compute(scope, results, [*graph.inputs.values(), *graph.seeds.values()])
        return conversions

    def assembled(
        self, scope: FunctionScope, head: list[str], doc: list[str], conversions: list[str]
    ) -> list[str]:
        uses = scope.renderer.uses
        self.setting.merge(uses)
        lines = [*head, *docstring(doc, INDENT), *self.functions.entry.call()]
        lines += self.functions.locals(scope, uses.sizes, uses.dtype)
        return [*lines, *conversions, *scope.lines]

    def jvp(self, graph: Graph) -> list[str]:
        scope, names, parameters = self.begin(graph, "d")
        outputs = self.interface.outputs
        values = [graph.outputs[name] for name in outputs]
        tangents = [graph.outputs[tangent_of(n)] for n in outputs if tangent_of(n) in graph.outputs]
        conversions = self.body(scope, names, [*values, *tangents])
        given = [*graph.seeds.values()]
        texts = self.functions.result_texts(scope, [*values, *tangents], given)
        out, moved = texts[: len(values)], iter(texts[len(values) :])
        along = [next(moved) if tangent_of(n) in graph.outputs else self.unmoved(graph, n, text)
                 for n, text in zip(outputs, out, strict=True)]  # fmt: skip
        kind = self.functions.result_type()
        head = bracketed("def jvp(", parameters, f") -> tuple[{kind}, {kind}]:")
        doc = ["The outputs, and their derivative along a direction.",
               self.functions.argument_lines(),
               _direction(names)]  # fmt: skip
        lines = self.assembled(scope, head, doc, conversions)
        if len(outputs) == 1:
            return [*lines, f"{INDENT}return {out[0]}, {along[0]}"]
        value, tangent = scope.names.fresh("out"), scope.names.fresh("along")
        lines += bracketed(f"{value} = Outputs(", out, ")", INDENT)
        lines += bracketed(f"{tangent} = Outputs(", along, ")", INDENT)
        return [*lines, f"{INDENT}return {value}, {tangent}"]

    def unmoved(self, graph: Graph, output: str, text: str) -> str:
        """The derivative of what is no float: zeros of its kind, for steps do not slope."""
        type_ = graph.outputs[output].type
        if type_.rank:
            return f"{self.setting.module('np')}.zeros_like({text})"
        return "False" if type_.kind is Kind.BOOL else "0"

    def hvp(self, graph: Graph) -> list[str]:
        scope, names, parameters = self.begin(graph, "v_")
        results = list(graph.gradients.values())
        conversions = self.body(scope, names, results)
        texts = self.functions.result_texts(scope, results, [*graph.seeds.values()])
        head = bracketed("def hvp(", parameters, ") -> Gradients:")
        doc = [f"The Hessian of {self.interface.objective} times a direction.",
               self.functions.argument_lines(),
               _direction(names)]  # fmt: skip
        lines = self.assembled(scope, head, doc, conversions)
        return lines + bracketed("return Gradients(", texts, ")", INDENT)


def _direction(names: dict[str, str]) -> str:
    return f"The direction is {_listed(list(names.values()))}; what is left out is zero."


def _listed(names: list[str]) -> str:
    quoted = [f"``{name}``" for name in names]
    return quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + f" and {quoted[-1]}"
