"""``gradc trace``: where a value or gradient that is not finite comes from.

The specification is run forward and backward as a graph, before any pass. From the first output
that is not finite, or else the first gradient, the operands are followed back to the operation that
made it from finite numbers, entry by entry; into a branch only where it is taken.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..dsl.check import Checked
from ..dsl.errors import Diagnostic
from ..dsl.errors.diagnostic import Label
from ..dsl.frozen import frozen
from ..dsl.graph import Graph, Node, constant, make
from ..dsl.loops import Loop, called
from . import driver, paper
from .compilation import DEFAULT
from .differentiate import with_gradients
from .given import Inputs
from .interpret import Interpreter

Place = tuple[int, ...]


@frozen()
class Trace:
    """What was found: the origins, that of an infinity behind a NaN among them; or nothing."""

    what: str
    origins: tuple[Diagnostic, ...]
    largest: str


def trace(program: Checked, inputs: Inputs) -> Trace:
    """The first output or gradient that is not finite, traced to its origin."""
    graph = driver.differentiable(program, DEFAULT)
    floats = {name: node for name, node in graph.outputs.items() if node.type.is_float}
    objective = graph.interface.objective
    seeded = [objective] if objective is not None else list(floats)
    seeds = {name: _ones(floats[name]) for name in seeded}
    wrt = [i.name for i in graph.interface.inputs if i.differentiated and i.type.is_float]
    whole = with_gradients(graph, seeds, wrt)
    interpreter = Interpreter(inputs.values, inputs.sizes)
    roots = dict(whole.outputs)
    roots |= {f"the gradient of {name}": node for name, node in whole.gradients.items()}
    interpreter.run(roots.values())
    for name, node in roots.items():
        place = _first(interpreter.values[node])
        if place is not None:
            value = interpreter.values[node][place]
            tracer = _Tracer(interpreter, whole)
            what = f"{name}{_at(place)} is {_number(value)}"
            return Trace(what, tuple(tracer.origins(node, place)), "")
    return Trace("", (), _largest(interpreter.values, roots))


def _ones(node: Node) -> Node:
    one = constant(1.0, node.span)
    shape = {"shape": node.type.shape}
    return make("broadcast_to", [one], node.span, shape) if node.type.rank else one


def _first(value: Any, only_nan: bool = False) -> Place | None:
    """The place of the first entry that is not finite, NaN before infinities."""
    array = np.asarray(value)
    if array.dtype.kind != "f":
        return None
    tests = [np.isnan(array)] if only_nan else [np.isnan(array), ~np.isfinite(array)]
    for test in tests:
        if np.any(test):
            return tuple(int(i) for i in np.argwhere(test)[0])
    return None


def _largest(values: Mapping[Node, Any], roots: Mapping[str, Node]) -> str:
    """The largest number among what is returned, and where it is."""
    best, words = -1.0, ""
    for name, node in roots.items():
        array = np.abs(np.asarray(values[node], float))
        if array.size and float(np.max(array)) > best:
            place = np.unravel_index(int(np.argmax(array)), array.shape)
            best = float(np.max(array))
            words = f"{best:.6g} in {name}{_at(tuple(int(i) for i in place))}"
    return words


class _Tracer:
    def __init__(self, interpreter: Interpreter, graph: Graph) -> None:
        self.interpreter = interpreter
        self.values = interpreter.values
        self.graph = graph

    def origins(self, node: Node, place: Place) -> Iterator[Diagnostic]:
        """Where it begins; and, where a NaN is made of an infinity, where that begins."""
        node, place = self.back(node, place)
        if node.op.name == "scan":
            found = self.in_step(node)
            if found is not None:
                yield found
                return
        yield self.report(node, place)
        behind = next(self.worse(node, place, nan=False), None)
        if behind is not None:
            source, at = self.back(*behind)
            if source.op.name != "constant":
                yield self.report(source, at)

    def back(self, node: Node, place: Place) -> tuple[Node, Place]:
        """Along operands that are as bad, as far as they go."""
        while True:
            nan = bool(np.isnan(self.values[node][place]))
            step = next(self.worse(node, place, nan), None)
            if step is None:
                return node, place
            node, place = step

    def in_step(self, node: Node) -> Diagnostic | None:
        """Where it begins in a loop: the first step that makes what is not finite."""
        loop: Loop = node.attributes["loop"]
        sort, which = node.attributes["result"]
        stacked = [which] if sort == "stack" else []
        with np.errstate(all="ignore"):
            steps = list(self.interpreter.steps(node, stacked))
        for step, inner in steps:
            for part in loop.body(stacked):
                place = _first(inner.values[part])
                if place is not None:
                    found = next(_Tracer(inner, self.graph).origins(part, place))
                    at = loop.start.evaluate(self.interpreter.sizes) + step
                    text = f"at {called(loop.index)} = {at}, {found.message}"
                    return replace(found, message=text)
        return None

    def worse(self, node: Node, place: Place, nan: bool) -> Iterator[tuple[Node, Place]]:
        """The operands that are NaN, or not finite, where the entry comes from."""
        for position, operand in enumerate(node.operands):
            value = np.asarray(self.values[operand])
            if value.dtype.kind != "f" or not self.is_taken(node, position, place):
                continue
            if node.op.family in ("elementwise", "pointwise"):
                at = _entry(place, value.shape)
                found = np.isnan(value[at]) if nan else not np.isfinite(value[at])
                if found:
                    yield operand, at
                continue
            first = _first(value, only_nan=nan)
            if first is not None:
                yield operand, first

    def is_taken(self, node: Node, position: int, place: Place) -> bool:
        if node.op.name != "where" or position == 0:
            return True
        condition = np.asarray(self.values[node.operands[0]])
        return bool(condition[_entry(place, condition.shape)]) == (position == 1)

    # ── Words ───────────────────────────────────────────────────────────────

    def report(self, node: Node, place: Place) -> Diagnostic:
        value = _number(self.values[node][place])
        cause = node.cause
        if node.op.name == "input":
            what = f"{node.label}{_at(place)} is {value} as it is given"
            return Diagnostic("", what, Label(node.span))
        if cause is None:
            name = node.name.rpartition(".")[2] or "this"
            message = f"{name}{_at(place)} is {value}: {self.words(node, place)}"
            return Diagnostic("", message, Label(node.span, self.operands(node, place)))
        return self.gradient_report(node, cause, place, value)

    def gradient_report(self, node: Node, cause: Node, place: Place, value: str) -> Diagnostic:
        """A value that a derivative rule made: through which operation, and with which numbers."""
        words = self.words(node, place)
        position = node.position
        if position is not None and position < len(cause.operands):
            operand = cause.operands[position]
            at = _entry(place, np.shape(self.values[operand])) if operand in self.values else ()
            known = self.values.get(operand)
            number = f" = {_number(known[at])}" if known is not None else ""
            point = f"{paper.label(operand)}{_at(at)}{number}"
            if value in ("inf", "-inf"):
                words = f"`{cause.op.name}` has an infinite slope at {point} ({words})"
            else:
                words = f"the rule of `{cause.op.name}` at {point} gives {words}"
            message = f"the gradient of {paper.label(operand)}{_at(place)} is {value}: {words}"
            return Diagnostic("", message, Label(cause.span, paper.rule_on_paper(cause, position)))
        message = f"the gradient{_at(place)} is {value}: {words}"
        return Diagnostic("", message, Label(cause.span, self.operands(node, place)))

    def numbers(self, node: Node, place: Place) -> list[float]:
        """The entries of the operands, where the operation acts entry by entry."""
        if node.op.family not in ("elementwise", "pointwise"):
            return []
        arrays = [np.asarray(self.values[operand], float) for operand in node.operands]
        return [float(array[_entry(place, array.shape)]) for array in arrays]

    def words(self, node: Node, place: Place) -> str:
        """What went wrong in one operation."""
        name, values = node.op.name, self.numbers(node, place)
        result = float(self.values[node][place])
        shown = [_number(value) for value in values]
        if name == "divide":
            return f"{shown[0]} / {shown[1]}"
        if name == "multiply" and math.isnan(result):
            return f"{shown[0]} * {shown[1]}"
        if name in ("add", "subtract") and math.isnan(result):
            return "inf - inf"
        if not values:
            if any(_first(self.values[operand]) is not None for operand in node.operands):
                return f"`{name}` of infinities"
            return f"`{name}` overflows" if math.isinf(result) else f"`{name}` has no value here"
        if math.isinf(result) and all(map(math.isfinite, values)) and name not in ("log", "power"):
            return f"`{name}` overflows at {', '.join(shown)}"
        return f"`{name}` of {', '.join(shown)}"

    def operands(self, node: Node, place: Place) -> str:
        """The numbers behind an entry, by the names of the specification."""
        values = self.numbers(node, place)
        pairs = zip(node.operands, values, strict=False)
        named = [f"{paper.label(o)} = {_number(v)}" for o, v in pairs if not o.is_constant()]
        return ", ".join(dict.fromkeys(named))


def _entry(place: Place, shape: Iterable[int]) -> Place:
    """The entry of an operand that was broadcast to an entry of the result."""
    shape = tuple(shape)
    own = place[len(place) - len(shape) :] if len(shape) <= len(place) else place
    return tuple(0 if size == 1 else i for i, size in zip(own, shape, strict=False))


def _at(place: Place) -> str:
    return f"[{', '.join(map(str, place))}]" if place else ""


def _number(value: Any) -> str:
    return f"{float(value):.6g}"
