"""The graph evaluated node by node with NumPy: the judge of what the generated code computes.

It reads the same table of operations as the emitters, but none of the passes, schedules or names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import cache
from typing import Any

import numpy as np

from ..dsl.graph import Node, topological
from ..dsl.kernels import namespace
from ..dsl.loops import Loop, by_loop, loop_key
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
        self.codes: dict[Node, tuple[Any, list[int]]] = {}
        self.names = {**namespace(), "np": np, "dtype": self.dtype}

    def _inner(self) -> Interpreter:
        """One for a step of a loop."""
        inner = copy(self)
        inner.values = {}
        return inner

    def run(self, roots: Iterable[Node]) -> list[Value]:
        roots = list(roots)
        with np.errstate(all="ignore"):
            self.follow(topological(roots, self.values))
        return [self.values[root] for root in roots]

    def follow(self, order: Sequence[Node]) -> None:
        """Evaluates nodes that come in an order of computation."""
        loops = by_loop(order)
        for node in order:
            if node.op.name != "scan":
                self.values[node] = self.evaluate(node)
            elif node not in self.values:
                self.values |= self.loop(loops[loop_key(node)])

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
                stack[_place(loop, node, step, inner)] = inner.values[node]
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
        order = loop.body(more)
        if loop.chunk is not None:
            yield from self.chunks(loop, states, captured, rows, order)
            return
        for step in reversed(range(count)) if loop.backwards else range(count):
            inner = self._inner()
            held = zip(loop.states, states, strict=True)
            inner.values = {place: self.convert(value, place) for place, value in held}
            inner.values |= zip(loop.captured, captured, strict=True)
            inner.values |= {r: row[step] for r, row in zip(loop.rows, rows, strict=True)}
            inner.values[loop.index] = self.convert(start + step, loop.index)
            inner.follow(order)
            yield step, inner
            states = [inner.values[after] for after in loop.nexts]
            if loop.until is not None and inner.values[loop.until]:
                return

    def chunks(
        self, loop: Loop, states: list[Value], captured: list[Value], rows: list[Value],
        order: Sequence[Node],
    ) -> Iterator[tuple[int, Interpreter]]:  # fmt: skip
        """Blocks of a few entries, the last one perhaps shorter."""
        assert loop.chunk is not None
        length = loop.length.evaluate(self.sizes)
        for start in range(0, length, _BLOCK):
            count = min(_BLOCK, length - start)
            inner = self._inner()
            inner.sizes = {**self.sizes, str(loop.chunk.size): count}
            inner.codes = {}
            inner.values = dict(zip(loop.states, states, strict=True))
            inner.values |= zip(loop.captured, captured, strict=True)
            inner.values[loop.index] = self.convert(start, loop.index)
            for place, row in zip(loop.rows, rows, strict=True):
                inner.values[place] = row[_place(loop, place, start, inner)]
            inner.follow(order)
            yield start, inner
            states = [inner.values[after] for after in loop.nexts]

    def evaluate(self, node: Node) -> Value:
        """One node, its operands being known."""
        if node.op.name == "input":
            return self.convert(self.inputs[node.attributes["name"]], node)
        function, floats = self.codes.get(node) or self._coded(node)
        operands = [self.values[operand] for operand in node.operands]
        for position in floats:
            operands[position] = np.asarray(operands[position], self.dtype)
        return self.convert(function(*operands), node)

    def _coded(self, node: Node) -> tuple[Any, list[int]]:
        """A node as a function of its operands, and which of those are floats first: NumPy has no
        negative powers of integers, and takes truth values for float16."""
        variables = ", ".join(f"v{i}" for i in range(len(node.operands)))
        text = f"lambda {variables}: {expression(node, self.sizes)}"
        floats = [i for i in range(len(node.operands))
                  if node.op.operand_name(i) not in node.op.places]  # fmt: skip
        wanted = node.type.is_float and node.op.name != "where"
        self.codes[node] = eval(_compiled(text), self.names), floats if wanted else []
        return self.codes[node]

    def convert(self, value: Value, node: Node) -> Value:
        """The value in the dtype of the node: floats all have the working precision."""
        dtypes = (np.dtype(bool), np.dtype(np.int64), self.dtype)
        return np.asarray(value, dtypes[node.type.kind])


_BLOCK = 2


def _place(loop: Loop, node: Node, step: int, inner: Interpreter) -> Any:
    """Where the value of a step lies in the array of all."""
    if loop.chunk is None:
        return step
    axis = loop.chunk.axis(node.type)
    count = inner.sizes[str(loop.chunk.size)]
    return (slice(None),) * axis + (slice(step, step + count),)


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
