"""Back-propagation written out as on a homework sheet.

For each node, from the output down: the function in generic form, its local derivative, and what
arrives from above times that derivative with the numbers put in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..dsl.graph import Node, attribute_text, constant, topological
from ..dsl.loops import called
from .differentiate import zeros_like
from .evaluate import Evaluation
from .paper import definition, differential, label, on_paper, rule_on_paper, slope_on_paper
from .reverse import along_edge, gradients, pullback
from .rules import rule_of

_LETTERS = ("x", "y", "z", "u", "v", "w")
_MOST_ENTRIES = 9


@dataclass(frozen=True)
class Step:
    """One edge of the graph: what goes back from a node to one of its operands."""

    node: str
    operand: str
    function: str
    derivative: str
    numbers: str
    line: int


def explain(evaluation: Evaluation, digits: int | None) -> list[Step]:
    """The steps from the objective down to the inputs."""
    return list(_Explainer(evaluation, digits).steps())


def explanation_text(steps: list[Step]) -> str:
    """A line a step, in columns; long ones take a second line."""
    if not steps:
        return "There is no objective with a gradient to explain.\n"
    rows = [(s.node, s.function, s.derivative, s.numbers) for s in steps]
    widths = [min(max(len(row[i]) for row in rows), 44) for i in range(3)]
    lines = []
    previous = ""
    for row in rows:
        shown = row[0] if row[0] != previous else ""
        previous = row[0]
        cells = [shown.ljust(widths[0]), row[1].ljust(widths[1]), row[2].ljust(widths[2]), row[3]]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines) + "\n"


class _Explainer:
    def __init__(self, evaluation: Evaluation, digits: int | None) -> None:
        self.graph = evaluation.graph
        self.interpreter = evaluation.interpreter
        self.digits = digits

    def steps(self) -> Iterator[Step]:
        objective = self.graph.interface.objective
        if objective is None:
            return
        root = self.graph.outputs[objective]
        order = topological([root])
        seed = constant(1.0, root.span)
        arriving = gradients(self.graph, {objective: seed}, order).gradients
        active = self.reached_by_inputs(order)
        for node in reversed(order):
            if _only_rounds(node) or node not in arriving or node not in active:
                continue
            for position, operand in enumerate(node.operands):
                if operand in active and rule_of(node, position):
                    yield self.step(node, position, arriving[node])

    def reached_by_inputs(self, order: list[Node]) -> set[Node]:
        """The float nodes that an input reaches: constants and data get no line."""
        names = self.graph.interface.differentiated
        active = {self.graph.inputs[name] for name in names}
        for node in order:
            if node.type.is_float and any(operand in active for operand in node.operands):
                active.add(node)
        return active

    def step(self, node: Node, position: int, arriving: Node) -> Step:
        operand = node.operands[position]
        if node.op.name == "scan":
            return self.loop_step(node, operand, arriving)
        letters, numbers = self.substitutions(node)
        contribution = along_edge(node, position, arriving)
        assert contribution is not None
        result = self.value(contribution)
        slope = slope_on_paper(node, position)
        if slope is None:
            derivative = rule_on_paper(node, position)
            worked = f"{differential(label(operand))} = {result}"
        else:
            letter = letters[node.op.operand_name(position)]
            derivative = f"df/d{letter} = {on_paper(slope, letters, ' ')}"
            factor = on_paper(slope, numbers, " × ")
            worked = (
                f"{differential(label(operand))}: ({self.value(arriving)})({factor}) = {result}"
            )
        function = self.function(node, letters)
        return Step(definition(node), label(operand), function, derivative, worked,
                    node.span.line)  # fmt: skip

    def loop_step(self, node: Node, operand: Node, arriving: Node) -> Step:
        """What goes back through all steps of a loop at once."""
        loop = node.attributes["loop"]
        (found,) = self.interpreter.run(
            [gradients_of(node, arriving, operand) or zeros_like(operand)]
        )
        worked = f"{differential(label(operand))} = {self.number(found)}"
        name = node.name.rpartition(".")[2] or called(node)
        return Step(f"{name} = scan {loop}", label(operand), "each step in turn",
                    "the steps in reverse", worked, loop.index.span.line)  # fmt: skip

    def substitutions(self, node: Node) -> tuple[dict[str, str], dict[str, str]]:
        """The operands of a rule as letters, constants as they are; and all as numbers."""
        if node.op.variadic:
            return {"xs": "x"}, {"xs": "..."}
        letters: dict[str, str] = {}
        numbers: dict[str, str] = {}
        free = iter(_LETTERS)
        for parameter, operand in zip(node.op.operands, node.operands, strict=True):
            numbers[parameter.name] = self.value(operand)
            fixed = operand.op.name in ("constant", "size")
            letters[parameter.name] = numbers[parameter.name] if fixed else next(free)
        letters["y"] = self.formula(node, letters)
        numbers["y"] = self.value(node)
        return letters, numbers

    def formula(self, node: Node, letters: Mapping[str, str]) -> str:
        """The operation as written on paper, its operands being letters or numbers."""
        attributes = {k: attribute_text(v) for k, v in node.attributes.items()}
        known = {**attributes, **letters, "*xs": "x, ..."}
        text = re.sub(r"\{([*\w]+)\}", lambda m: known.get(m[1], ""), node.op.paper)
        return text.replace(" / ", "/")

    def function(self, node: Node, letters: Mapping[str, str]) -> str:
        own = dict.fromkeys(v for v in letters.values() if v in _LETTERS)
        return f"f({', '.join(own)}) = {self.formula(node, letters)}"

    # ── Numbers ─────────────────────────────────────────────────────────────

    def value(self, node: Node) -> str:
        if node.op.name == "constant":
            return str(node.attributes["value"])
        (value,) = self.interpreter.run([node])
        return self.number(value)

    def number(self, value: Any) -> str:
        array = np.asarray(value)
        if array.ndim == 0:
            return self.scalar(float(array))
        if array.size > _MOST_ENTRIES or array.ndim > 2:
            shape = "×".join(map(str, array.shape))
            return f"[{shape} array]"
        rows = np.atleast_2d(array)
        texts = [" ".join(self.scalar(float(v)) for v in row) for row in rows]
        return f"[{texts[0]}]ᵀ" if array.ndim == 1 else f"[{'; '.join(texts)}]"

    def scalar(self, value: float) -> str:
        text = f"{value:.4g}" if self.digits is None else f"{value:.{self.digits}f}"
        return text.removeprefix("-") if not float(text) else text


def gradients_of(node: Node, arriving: Node, operand: Node) -> Node | None:
    """What goes back from one node to another that it depends on."""
    return pullback([(node, arriving)], [operand]).gradients.get(operand)


def _only_rounds(node: Node) -> bool:
    return node.op.name in ("round_on_paper", "given_on_paper")
