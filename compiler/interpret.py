"""The graph evaluated node by node with NumPy: the judge of what the generated code computes.

It reads the same table of operations as the emitters, but none of the passes, schedules or names.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np

from ..dsl.graph import Node, topological
from ..dsl.kernels import namespace
from ..dsl.loops import Loop, loop_key
from ..dsl.sizes import Size
from ..dsl.subscripts import Cut
from .templates import Expression, fill

Value = Any


class Interpreter:
    """Evaluates nodes for given inputs and sizes; every value is kept."""

    def __init__(
        self,
        inputs: Mapping[str, Value],
        sizes: Mapping[str, int],
        dtype: Any = np.float64,
    ) -> None:
        self.inputs = inputs
        self.sizes = sizes
        self.dtype = np.dtype(dtype)
        self.values: dict[Node, Value] = {}

    def run(self, roots: Iterable[Node]) -> list[Value]:
        roots = list(roots)
        order = topological(roots, self.values)
        loops: dict[Hashable, list[Node]] = {}
        for node in order:
            if node.op.name == "scan":
                loops.setdefault(loop_key(node), []).append(node)
        with np.errstate(all="ignore"):
            for node in order:
                if node not in self.values:
                    beside = loops.get(loop_key(node)) if node.op.name == "scan" else None
                    self.values |= self.loop(beside) if beside else {node: self.evaluate(node)}
        return [self.values[root] for root in roots]

    def loop(self, results: list[Node]) -> dict[Node, Value]:
        """Some results of one loop."""
        wanted = {r.attributes["result"]: r for r in results}
        stacks = {n: self.convert(np.zeros([size.evaluate(self.sizes) for size in r.type.shape]), r)
                  for (sort, n), r in wanted.items() if sort == "stack"}  # fmt: skip
        loop: Loop = results[0].attributes["loop"]
        first, _, _, _ = loop.split([self.values[operand] for operand in results[0].operands])
        after = [self.convert(v, held) for v, held in zip(first, loop.states, strict=True)]
        done = 0
        for step, inner in self.steps(results[0], stacks):
            after = [self.convert(inner.values[n], s)
                     for n, s in zip(loop.nexts, loop.states, strict=True)]  # fmt: skip
            for node, stack in stacks.items():
                stack[step] = inner.values[node]
            done += 1
        values: dict[tuple[str, Any], Value] = {("final", i): v for i, v in enumerate(after)}
        values |= {("stack", node): stack for node, stack in stacks.items()}
        values["steps", 0] = np.asarray(done)
        return {result: values[result.attributes["result"]] for result in results}

    def steps(self, node: Node, more: Iterable[Node]) -> Iterator[tuple[int, Interpreter]]:
        """Each step that a loop takes, counted from the first value of its index, with all that
        it computes."""
        loop: Loop = node.attributes["loop"]
        operands = [self.values[operand] for operand in node.operands]
        states, captured, rows, steps = loop.split(operands)
        start = loop.start.evaluate(self.sizes)
        count = int(steps[0]) if steps else loop.length.evaluate(self.sizes)
        more = list(more)
        for step in reversed(range(count)) if loop.backwards else range(count):
            inner = Interpreter(self.inputs, self.sizes, self.dtype)
            held = zip(loop.states, states, strict=True)
            inner.values = {place: self.convert(value, place) for place, value in held}
            inner.values |= zip(loop.captured, captured, strict=True)
            inner.values |= {r: row[step] for r, row in zip(loop.rows, rows, strict=True)}
            inner.values[loop.index] = self.convert(start + step, loop.index)
            inner.run(loop.roots(more))
            yield step, inner
            states = [inner.values[after] for after in loop.nexts]
            if loop.until is not None and inner.values[loop.until]:
                return

    def evaluate(self, node: Node) -> Value:
        """One node, its operands being known."""
        if node.op.name == "input":
            return self.convert(self.inputs[node.attributes["name"]], node)
        operands = [self.values[operand] for operand in node.operands]
        if node.type.is_float and node.op.name != "where":
            # NumPy has no negative powers of integers, and takes truth values for float16.
            operands = [
                operand if parameter in node.op.places else np.asarray(operand, self.dtype)
                for operand, parameter in zip(operands, _parameters(node), strict=True)
            ]
        code = _compiled(expression(node, self.sizes))
        names = {f"v{i}": value for i, value in enumerate(operands)}
        result = eval(code, {**namespace(), "np": np, "dtype": self.dtype}, names)
        return self.convert(result, node)

    def convert(self, value: Value, node: Node) -> Value:
        """The value in the dtype of the node: floats all have the working precision."""
        dtypes = (np.dtype(bool), np.dtype(np.int64), self.dtype)
        return np.asarray(value, dtypes[node.type.kind])


def _parameters(node: Node) -> list[str]:
    return [node.op.operand_name(position) for position in range(len(node.operands))]


@cache
def _compiled(text: str) -> Any:
    return compile(text, "<operation>", "eval")


def expression(node: Node, sizes: Mapping[str, int]) -> str:
    """The NumPy text of a node over ``v0, v1, ...``, with numbers for sizes."""
    text = node.op.numpy
    if callable(text):
        text = text([o.type for o in node.operands], node.attributes)
    results = node.op.result_names(node.attributes)
    if results:
        result = node.attributes["result"]
        text = node.op.alone.get(results[result]) or f"{text}[{result}]"
    variables = [Expression(f"v{i}") for i in range(len(node.operands))]
    operands: dict[str, Expression] = {}
    if not node.op.variadic:
        operands = {p.name: v for p, v in zip(node.op.operands, variables, strict=True)}

    def option(name: str) -> str | None:
        if name == "array":
            shape = tuple(size.evaluate(sizes) for size in node.attributes["shape"])
            return f"np.reshape([{', '.join(v.text for v in variables)}], {shape})"
        if name == "dtype":
            return "dtype"
        if name == "rows":
            return _literal(node.attributes["shape"][0], sizes)
        if name == "index_object":
            return _literal(node.attributes["index"], sizes)
        value = node.attributes[name]
        if name == "axis" and value == _all_axes(node):
            return None
        return _literal(value, sizes)

    text = text.replace("[{index}]", "[{index_object}]")
    return fill(text.replace("{*shape}", "*{shape}"), operands, option, variables).text


def _all_axes(node: Node) -> tuple[int, ...] | None:
    """All axes, where that is the default: NumPy's norm takes more than two only so."""
    axis = next(p for p in node.op.parameters if p.name == "axis")
    return tuple(range(-node.operands[0].type.rank, 0)) if axis.default is None else None


def _literal(value: Any, sizes: Mapping[str, int]) -> str:
    if isinstance(value, Size):
        return str(value.evaluate(sizes))
    if isinstance(value, tuple):
        items = [_literal(v, sizes) for v in value]
        return f"({', '.join(items)}{',' * (len(items) == 1)})"
    if isinstance(value, Cut):
        start, stop = (None if v is None else v.evaluate(sizes) for v in (value.start, value.stop))
        return f"slice({start}, {stop}, {value.step})"
    if isinstance(value, float):
        return f"float({str(value)!r})"
    return repr(value)
