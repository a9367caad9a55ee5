"""Examples evaluated by interpretation: values, gradients, expectations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..dsl.check import Checked
from ..dsl.examples import Example, Expectation
from ..dsl.frozen import frozen
from ..dsl.graph import Graph, Node, constant
from ..dsl.lower import lower, lower_nodes
from .differentiate import zeros_like
from .interpret import Interpreter
from .nested import expand
from .passes.shelter import shelter
from .passes.stabilise import stabilise
from .reverse import gradients
from .rounding import as_on_paper

Values = Mapping[str, Any]


@frozen()
class Evaluation:
    """The value and the gradient of every named node and input, by name.

    ``gradients`` is empty without an objective. ``graph`` is what was interpreted, ``adjoints``
    its gradient nodes, ``interpreter`` holds the value of each node.
    """

    values: Values
    gradients: Values
    graph: Graph
    adjoints: Mapping[str, Node]
    interpreter: Interpreter


def given_values(example: Example) -> dict[str, Any]:
    """The inputs of an example as arrays."""
    nodes = list(example.given.values())
    lowered = lower_nodes(nodes)
    values = Interpreter({}, example.sizes).run(lowered[node] for node in nodes)
    return dict(zip(example.given, values, strict=True))


def evaluate(
    program: Checked, inputs: Values, sizes: Mapping[str, int], digits: int | None = None
) -> Evaluation:
    """Interprets the graph and its gradients, before any pass; rounded as on paper if asked."""
    lowered = shelter(lower(program.graph))
    graph = expand(lowered if digits is not None else stabilise(lowered))
    targets: dict[str, Node] = {**graph.inputs}
    targets |= {node.name: node for node in graph.landmarks}
    if digits is not None:
        paper = as_on_paper(graph, digits)
        graph = paper.graph
        shown = {node.name: node for node in graph.landmarks}
        targets |= paper.operations
    else:
        shown = dict(targets)
    interpreter = Interpreter(inputs, sizes)
    shown = {**graph.inputs, **shown}
    values = dict(zip(shown, interpreter.run(shown.values()), strict=True))
    adjoints = _adjoints(graph, targets)
    if digits is None and graph.nodes != lowered.nodes:
        # What a formula looked through has its gradient where none does.
        whole = expand(stabilise(lowered, lowered.landmarks))
        inner = _adjoints(whole, {node.name: node for node in whole.landmarks})
        adjoints |= {name: node for name, node in inner.items() if name not in graph.inputs}
    found = dict(zip(adjoints, interpreter.run(adjoints.values()), strict=True))
    return Evaluation(values, found, graph, adjoints, interpreter)


def _adjoints(graph: Graph, targets: Mapping[str, Node]) -> dict[str, Node]:
    """The gradient of the objective with respect to every float target."""
    objective = graph.interface.objective
    if objective is None:
        return {}
    node = graph.outputs[objective]
    one = constant(1.0, node.span)
    floats = {name: target for name, target in targets.items() if target.type.is_float}
    found = gradients(graph, {objective: one}, floats.values()).gradients
    return {name: found.get(target) or zeros_like(target) for name, target in floats.items()}


@frozen()
class Outcome:
    """Whether an expectation holds; ``worst`` says where it does not."""

    expectation: Expectation
    holds: bool
    expected: Any
    actual: Any
    worst: str = ""


def outcomes(example: Example, evaluation: Evaluation) -> list[Outcome]:
    results = []
    for expectation in example.expectations:
        table = evaluation.gradients if expectation.gradient else evaluation.values
        lowered = lower_nodes([expectation.value])[expectation.value]
        (wanted,) = Interpreter({}, example.sizes).run([lowered])
        results.append(_compare(expectation, wanted, table[expectation.name]))
    return results


def _compare(expectation: Expectation, expected: Any, actual: Any) -> Outcome:
    expected, actual = np.asarray(expected, float), np.asarray(actual, float)
    wanted = np.broadcast_to(expected, actual.shape)
    halves: Any = np.zeros(actual.shape)
    if any(expectation.halves):
        own = np.asarray(expectation.halves)
        halves = np.broadcast_to(own.reshape(expected.shape), actual.shape)
    with np.errstate(invalid="ignore"):
        close = np.abs(actual - wanted) <= _limits(expectation, wanted, halves)
        close = np.where(np.isfinite(wanted), close, actual == wanted)
    if np.all(close):
        return Outcome(expectation, True, expected, actual)
    first = tuple(int(i) for i in np.argwhere(~close)[0])
    place = f"[{', '.join(map(str, first))}]" if first else ""
    worst = f"{expectation.label}{place}: expected {wanted[first]:.10g}, got {actual[first]:.10g}"
    return Outcome(expectation, False, expected, actual, worst)


def _limits(expectation: Expectation, wanted: Any, halves: Any) -> Any:
    """How far each entry may be off."""
    size = np.abs(np.where(np.isfinite(wanted), wanted, 0.0))
    if expectation.within is not None:
        return expectation.within * (1.0 + size)
    # A decimal is half a unit off at most; a last bit more for its own rounding.
    exact = 1e-9 * np.maximum(1.0, size)
    return np.where(halves > 0.0, halves * (1.0 + 1e-9) + 1e-15 * size, exact)
