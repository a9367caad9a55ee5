"""Whole Jacobians and Hessians: from a graph of their own, or made of products with the columns or
rows of the identity."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..dsl.graph import Graph
from .compilation import block_of
from .directions import is_wide
from .functions import Functions
from .python import INDENT, bracketed, docstring, fits


class Matrices:
    """Writes ``jacobian`` and ``hessian`` and the named tuples they return."""

    def __init__(self, functions: Functions) -> None:
        self.functions = functions
        self.setting = functions.setting
        self.compilation = functions.compilation
        self.interface = functions.interface
        self.wrt = {self.setting.parameters[name]: name for name in functions.wrt}
        self.inputs = list(self.wrt)
        self.names = self.setting.names()
        self.chosen: dict[str, str] = {}
        self.arguments = [self.setting.parameters[i.name] for i in self.setting.inputs]
        sizes = [self.setting.sizes[n] for n in self.interface.open_sizes]
        self.given = [*self.arguments, *(f"{name}={name}" for name in sizes)]

    # ── Jacobian ────────────────────────────────────────────────────────────

    def jacobian(self) -> list[list[str]]:
        """A row of the identity for each entry of the outputs, or a column for each input's."""
        outputs = [self.setting.outputs[name] for name in self.compilation.seeds]
        block = self.tuple_class("JacobianRow", "The derivative of one output.", self.inputs)
        whole = [f"{INDENT}{name}: JacobianRow" for name in outputs]
        doc = "The derivative of each output with respect to each input."
        top = ["class Jacobian(NamedTuple):", f'{INDENT}"""{doc}"""', "", *whole]
        wide = is_wide(self.compilation.forward, self.compilation.seeds, self.wrt.values())
        mode = "forward" if wide else "reverse"
        paragraphs = [
            f"The derivatives of the outputs with respect to the inputs, in {mode} mode.",
            self.functions.argument_lines(),
            "``J.output.input`` has the axes of the output, then those of the input.",
        ]
        head = bracketed("def jacobian(", self.functions.parameters(), ") -> Jacobian:")
        lines = [*head, *docstring(paragraphs, INDENT)]
        graph = self.compilation.graphs.jacobian
        if graph is not None:
            lines += self.at_once(graph, self.compilation.seeds, "Jacobian")
        else:
            lines += self.by_columns() if wide else self.by_rows()
        return [block, top, lines]

    def at_once(self, graph: Graph, results: Iterable[str], name: str) -> list[str]:
        """The statements that compute all derivatives, and return them as named tuples."""
        scope = self.functions.scope(graph)
        blocks = [graph.outputs[block_of(r, i)] for r in results for i in self.wrt.values()]
        self.functions.compute(scope, blocks, graph.inputs.values())
        given = iter(self.functions.result_texts(scope, blocks, []))
        uses = scope.renderer.uses
        self.setting.merge(uses)
        lines = self.functions.entry.call()
        lines += self.functions.locals(scope, uses.sizes, uses.dtype)
        lines += scope.lines
        rows = [[next(given) for _ in self.inputs] for _ in results]
        names = [scope.names.fresh(f"row_{written}") for written in results]
        for row, texts in zip(names, rows, strict=True):
            lines += bracketed(f"{row} = {name}Row(", texts, ")", INDENT)
        return [*lines, *bracketed(f"return {name}(", names, ")", INDENT)]

    def by_rows(self) -> list[str]:
        seeds = self.compilation.seeds
        lines = bracketed(
            f"{self.first_result()}, {self.local('cache')} = forward(", self.given, ")", INDENT
        )
        rows = []
        for output in seeds:
            name = self.setting.outputs[output]
            row = self.local(f"row_{name}")
            rows.append(row)
            if not self.rank(output):
                sent = self.seeded(output, "1.0")
                lines += bracketed(f"{row} = JacobianRow(*backward(", sent, "))", INDENT)
                continue
            units, value = self.setting.kernel("_units"), self.value(output)
            sent = self.seeded(output, self.local("unit"))
            several = self.local(f"rows_{name}")
            unit, one = self.local("unit"), self.local("row")
            lines += comprehension(several, "backward(", sent, ")", f"{unit} in {units}({value})")
            parts = [(f"[{one}.{n} for {one} in {several}]", value, n) for n in self.inputs]
            helper = self.setting.kernel("_rows")
            lines += calls(f"{row} = JacobianRow(", f"{helper}(", parts)
        return [*lines, *bracketed("return Jacobian(", rows, ")", INDENT)]

    def first_result(self) -> str:
        """``out``, where a row needs the shape of an output."""
        ranked = any(self.rank(output) for output in self.compilation.seeds)
        return self.local("out") if ranked else "_"

    def value(self, output: str) -> str:
        out = self.local("out")
        return f"{out}.{self.setting.outputs[output]}" if len(self.interface.outputs) > 1 else out

    def seeded(self, output: str, seed: str) -> list[str]:
        """The arguments of ``backward`` that send ``seed`` to one output and 0 to the others."""
        names = self.functions.seeds
        cache = self.local("cache")
        if len(names) == 1:
            return [cache] if seed == "1.0" else [cache, seed]
        parts = [cache]
        for other, name in names.items():
            wanted = seed if other == output else "0.0"
            default = "1.0" if other == self.interface.objective else "0.0"
            if wanted != default:
                parts.append(f"{name}={wanted}")
        return parts

    def by_columns(self) -> list[str]:
        units, helper = self.setting.kernel("_units"), self.setting.kernel("_columns")
        several = len(self.interface.outputs) > 1
        lines = bracketed(f"{self.local('out')}, _ = forward(", self.given, ")", INDENT)
        for name in self.inputs:
            unit = self.local("unit")
            direction = self.direction("d", name)
            columns, source = self.local(f"columns_{name}"), f"{unit} in {units}({name})"
            given = [*self.given, f"{direction}={unit}"]
            lines += comprehension(columns, "jvp(", given, ")[1]", source)
        rows = []
        for output in self.compilation.seeds:
            column = f"c.{self.setting.outputs[output]}" if several else "c"
            parts = []
            for name in self.inputs:
                columns = self.local(f"columns_{name}")
                columns = f"[{column} for c in {columns}]" if several else columns
                parts.append((columns, self.value(output), name))
            rows.append(self.local(f"row_{self.setting.outputs[output]}"))
            lines += calls(f"{rows[-1]} = JacobianRow(", f"{helper}(", parts)
        return [*lines, *bracketed("return Jacobian(", rows, ")", INDENT)]

    # ── Hessian ─────────────────────────────────────────────────────────────

    def hessian(self) -> list[list[str]]:
        """A column for each entry of each input, forward over reverse."""
        row = self.tuple_class("HessianRow", "The derivative of one gradient.", self.inputs)
        doc = "The second derivatives with respect to each pair of inputs."
        whole = [f"{INDENT}{name}: HessianRow" for name in self.inputs]
        top = ["class Hessian(NamedTuple):", f'{INDENT}"""{doc}"""', "", *whole]
        paragraphs = [
            f"The second derivatives of {self.interface.objective}, forward over reverse.",
            self.functions.argument_lines(),
            "``H.first.second`` has the axes of the first input, then those of the second.",
        ]
        head = bracketed("def hessian(", self.functions.parameters(), ") -> Hessian:")
        lines = [*head, *docstring(paragraphs, INDENT)]
        graph = self.compilation.graphs.hessian
        if graph is not None:
            return [row, top, [*lines, *self.at_once(graph, self.wrt.values(), "Hessian")]]
        for name in self.inputs:
            units = self.setting.kernel("_units")
            unit = self.local("unit")
            direction = self.direction("v_", name)
            columns, source = self.local(f"columns_{name}"), f"{unit} in {units}({name})"
            given = [*self.given, f"{direction}={unit}"]
            lines += comprehension(columns, "hvp(", given, ")", source)
        rows = [self.local(f"row_{name}") for name in self.inputs]
        for first, row_name in zip(self.inputs, rows, strict=True):
            lines += self.second_derivatives(first, f"{row_name} = HessianRow(")
        return [row, top, [*lines, *bracketed("return Hessian(", rows, ")", INDENT)]]

    def second_derivatives(self, first: str, head: str) -> list[str]:
        """The statement that makes a row of the Hessian."""
        parts = [
            (f"[c.{first} for c in {self.local(f'columns_{second}')}]", first, second)
            for second in self.inputs
        ]
        return calls(head, f"{self.setting.kernel('_columns')}(", parts)

    def local(self, name: str) -> str:
        """A variable of these functions, under a name that no argument has."""
        if name not in self.chosen:
            self.chosen[name] = self.names.fresh(name)
        return self.chosen[name]

    def direction(self, prefix: str, name: str) -> str:
        """The parameter of ``jvp`` or ``hvp`` for an input."""
        return self.functions.directions[prefix + self.wrt[name]]

    # ── Helpers ─────────────────────────────────────────────────────────────

    def rank(self, output: str) -> int:
        return self.compilation.output_type(output).rank

    def tuple_class(self, name: str, doc: str, fields: Iterable[str]) -> list[str]:
        lines = [f"class {name}(NamedTuple):", f'{INDENT}"""{doc}"""', ""]
        return lines + [f"{INDENT}{field}: {self.kind(field)}" for field in fields]

    def kind(self, field: str) -> str:
        """The Python type of a block: with an input that has axes, it is an array."""
        if self.setting.plain:
            return "float"
        ranked = self.interface.input(self.wrt[field]).type.rank
        return "Array" if ranked else "Array | Scalar"


def comprehension(
    name: str, call: str, arguments: Sequence[str], tail: str, source: str
) -> list[str]:
    """``name = [call(arguments) for source]`` in the layout of Black; ``tail`` closes the call."""
    item = f"{call}{', '.join(arguments)}{tail}"
    line = f"{INDENT}{name} = [{item} for {source}]"
    if fits(line):
        return [line]
    deeper = INDENT * 2
    inner = f"{deeper}{item} for {source}"
    own = bracketed(call, arguments, tail, deeper)
    body = [inner] if fits(inner) else [*own, f"{deeper}for {source}"]
    return [f"{INDENT}{name} = [", *body, f"{INDENT}]"]


def calls(head: str, call: str, arguments: Sequence[Sequence[str]]) -> list[str]:
    """``head`` with a call for each of ``arguments``, in the layout of Black."""
    items = [f"{call}{', '.join(parts)})" for parts in arguments]
    lines = bracketed(head, items, ")", INDENT)
    if all(map(fits, lines)):
        return lines
    inside = INDENT * 2
    laid_out = [
        line
        for item, parts in zip(items, arguments, strict=True)
        for line in (
            [f"{inside}{item},"]
            if fits(f"{inside}{item},")
            else bracketed(call, parts, "),", inside)
        )
    ]
    return [lines[0], *laid_out, lines[-1]]
