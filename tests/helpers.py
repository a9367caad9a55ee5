"""What the tests share: texts compiled to modules and graphs, and numerical derivatives."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from gradc.compiler import driver
from gradc.compiler.compilation import DEFAULT, Compilation, Options
from gradc.compiler.interpret import Interpreter
from gradc.compiler.load import execute
from gradc.compiler.passes.stabilise import stabilise
from gradc.compiler.reverse import gradients
from gradc.dsl import ast
from gradc.dsl.check import Checked
from gradc.dsl.elaborate import Elaborator
from gradc.dsl.graph import Graph, Input, Interface, Node, constant, make
from gradc.dsl.library import prelude
from gradc.dsl.lower import lower, lower_nodes
from gradc.dsl.parse import parse_expression
from gradc.dsl.scope import Functions, Report, Scope, Static
from gradc.dsl.shapes import Kind, Type
from gradc.dsl.sizes import Size
from gradc.dsl.source import Source
from gradc.dsl.walk import run

Values = Mapping[str, Any]
_numbers = itertools.count()


# ── Texts compiled ──────────────────────────────────────────────────────────


def checked(text: str) -> Checked:
    return driver.checked(Source(text, "spec.grad"))


def load(compilation: Compilation) -> ModuleType:
    """The generated module of a compilation."""
    number = next(_numbers)
    return execute(driver.python(compilation), f"gradc_modules.test_{number}", f"<test {number}>")


@cache
def module(text: str, options: Options = DEFAULT) -> ModuleType:
    """The generated module of a specification."""
    return load(driver.compiled(checked(text), options))


def source_text(text: str) -> str:
    """The text of the generated module."""
    return driver.python(driver.compiled(checked(text)))


def fields(result: Any, name: str = "") -> dict[str, Any]:
    """A named tuple as a dictionary; a single value under ``name``."""
    return result._asdict() if hasattr(result, "_asdict") else {name: result}


def assert_clean(folder: Path) -> None:
    """The modules in a folder pass the linter, the formatter and the type checker."""
    files = sorted(map(str, folder.glob("*.py")))
    for command in (
        ["ruff", "check", "--isolated", "--no-cache"],
        ["ruff", "format", "--isolated", "--diff", "--no-cache"],
        ["mypy", "--strict", "--config-file=", "--cache-dir", str(folder / "cache")],
    ):
        result = subprocess.run([sys.executable, "-m", *command, *files], capture_output=True,
                                text=True, cwd=folder)  # fmt: skip
        assert result.returncode == 0, result.stdout + result.stderr


# ── Operations alone ────────────────────────────────────────────────────────


def type_of(text: str) -> Type:
    """``float[2, n]`` as a type."""
    word, _, rest = text.partition("[")
    kind = Kind[word.strip().upper()]
    sizes = [s.strip() for s in rest.rstrip("]").split(",")] if rest else []
    return Type(kind, tuple(Size.of(int(s) if s.isdigit() else s) for s in sizes))


def single(expression: str, operands: Mapping[str, Type], **options: Any) -> Checked:
    """A checked program whose output ``out`` is the expression, in which operations that only
    rules use are allowed too; float operands are inputs, the others data. ``options`` are
    names for constants that no text can write."""
    source = Source(expression, "operation.grad")
    tree = parse_expression(source)
    inputs = {n: make("input", (), tree.span, {"name": n, "type": t}) for n, t in operands.items()}
    scope = Scope(values={**inputs, **{name: Static(v) for name, v in options.items()}})
    scope.sizes |= {
        name: Size.of(name) for t in operands.values() for s in t.shape for name in s.names()
    }
    report = Report()
    elaborator = Elaborator(Functions({}, prelude()), report, internal=True)
    if "result" in options:
        assert isinstance(tree, ast.Call)
        node = run(elaborator.results(tree, scope))[options["result"]]
    else:
        node = elaborator.elaborate(tree, scope)
    assert node is not None, [str(d) for d in report.diagnostics]
    if node.op.name in ("input", "constant", "size"):
        node = make("alias", [node], tree.span)
    node = node.with_name("out")
    declared = tuple(
        Input(name, t, t.kind is Kind.FLOAT, None, "", tree.span) for name, t in operands.items()
    )
    objective = "out" if node.type == Type(Kind.FLOAT) else None
    interface = Interface(source, "", declared, tuple(sorted(scope.sizes)), (), ("out",), objective)
    graph = Graph(interface, inputs, {"out": node}, (node,))
    return Checked(ast.Program(source, (), (), ""), graph, (), ())


# ── Interpretation ──────────────────────────────────────────────────────────


def interpret(node: Node, values: Values, sizes: Mapping[str, int], dtype: Any = np.float64) -> Any:
    """The value of a node, before any pass."""
    (value,) = Interpreter(values, sizes, dtype).run([lower_nodes([node])[node]])
    return value


def gradient_nodes(graph: Graph, seeds: Mapping[str, Node], wrt: Sequence[str]) -> list[Node]:
    """The gradient of ``sum(seed * output)`` for each input; zeros where there is none."""
    from gradc.compiler.differentiate import zeros_like

    nodes = [graph.inputs[name] for name in wrt]
    found = gradients(graph, seeds, nodes).gradients
    return [found.get(node) or zeros_like(node) for node in nodes]


def second_derivative(text: str, name: str, **values: Any) -> Any:
    """The gradient of the sum of the gradient of the objective: ``gradients`` applied twice."""
    graph = stabilise(lower(checked(text).graph))
    objective = graph.interface.objective
    assert objective is not None
    one = constant(1.0, graph.outputs[objective].span)
    (first,) = gradient_nodes(graph, {objective: one}, [name])
    again = Graph(graph.interface, graph.inputs, {"first": first})
    seed = make("input", (), first.span, {"name": "seed", "type": first.type})
    (second,) = gradient_nodes(again, {"first": seed}, [name])
    arrays = {n: np.asarray(v) for n, v in values.items()}
    sizes = sizes_of(graph.interface.inputs, arrays)
    shape = tuple(s.evaluate(sizes) for s in first.type.shape)
    (value,) = Interpreter({**arrays, "seed": np.ones(shape)}, sizes).run([second])
    return value


def sizes_of(inputs: Sequence[Input], values: Values) -> dict[str, int]:
    """The sizes that are names alone, from the shapes of values."""
    sizes: dict[str, int] = {}
    for i in inputs:
        for size, length in zip(i.type.shape, np.shape(values[i.name]), strict=True):
            if size.name is not None:
                sizes[size.name] = length
    return sizes


# ── Numerical derivatives ───────────────────────────────────────────────────


def complex_step(function: Callable[[Values], Any], values: Values, name: str) -> Any:
    """The gradient of a real analytic function: exact to the last digits (Squire and Trapp)."""
    step = 1e-30
    point = np.asarray(values[name], complex)
    result = np.zeros(point.shape)
    for place in np.ndindex(point.shape):
        moved = point.copy()
        moved[place] += 1j * step
        result[place] = np.imag(function({**values, name: moved})) / step
    return result


def differences(
    function: Callable[[Values], Any], values: Values, name: str, step: float = 1e-2
) -> tuple[Any, Any]:
    """The gradient by central differences, extrapolated (Ridders), and an estimate of its error."""
    point = np.asarray(values[name], float)
    result, error = np.zeros(point.shape), np.zeros(point.shape)
    for place in np.ndindex(point.shape):

        def slope(h: float, place: tuple[int, ...] = place) -> float:
            up, down = point.copy(), point.copy()
            up[place] += h
            down[place] -= h
            wide = up[place] - down[place]
            return float((function({**values, name: up}) - function({**values, name: down})) / wide)

        result[place], error[place] = _ridders(slope, step * max(1.0, abs(float(point[place]))))
    return result, error


def _ridders(slope: Callable[[float], float], step: float) -> tuple[float, float]:
    best, least = np.nan, np.inf
    row = [slope(step)]
    for _ in range(7):
        step /= 2.0
        fresh = [slope(step)]
        for order, old in enumerate(row, start=1):
            fresh.append(fresh[-1] + (fresh[-1] - old) / (4.0**order - 1.0))
            error = max(abs(fresh[-1] - fresh[-2]), abs(fresh[-1] - old))
            if error <= least:
                best, least = fresh[-1], error
        row = fresh
    return best, least
