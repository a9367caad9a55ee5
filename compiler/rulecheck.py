"""The rules that a specification gives, against numerical derivatives of their functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..dsl.check import Checked
from ..dsl.frozen import frozen
from ..dsl.graph import Node, make
from ..dsl.lower import lower
from ..dsl.ruled import ruled_nodes
from .gradcheck import Comparison, compare
from .interpret import Interpreter
from .nested import expand
from .rules import apply_rule, rule_of


@frozen()
class RuleCheck:
    """One result of one call; ``comparisons`` are named after the parameters."""

    function: str
    line: int
    comparisons: tuple[Comparison, ...]


def unchecked_rules(program: Checked) -> list[str]:
    """The functions in use whose rule is not meant to be the derivative."""
    nodes = ruled_nodes(tuple(program.graph.outputs.values()))
    return list(dict.fromkeys(_function(node) for node in nodes if not node.op.checked))


def check_rules(
    program: Checked, inputs: Mapping[str, Any], sizes: Mapping[str, int]
) -> Iterator[RuleCheck]:
    """Every call of a function with a rule that is to be checked, at the values of an example."""
    graph = expand(lower(program.graph))
    for node in ruled_nodes(tuple(graph.outputs.values())):
        if node.op.checked:
            comparisons = _Call(node, inputs, sizes).comparisons()
            yield RuleCheck(_function(node), node.span.line, tuple(comparisons))


def _function(node: Node) -> str:
    return node.op.name.removeprefix("rule ")


class _Call:
    """One result of a call: its body as a function of the arguments, and its rule."""

    def __init__(self, node: Node, inputs: Mapping[str, Any], sizes: Mapping[str, int]) -> None:
        self.node = node
        self.inputs = inputs
        self.sizes = sizes
        count = len(node.op.result_names(node.attributes))
        self.body = node.operands[node.attributes["result"]]
        self.arguments = list(dict.fromkeys(node.operands[count:]))
        values = Interpreter(inputs, sizes).run([*self.arguments, self.body])
        self.values = {str(i): value for i, value in enumerate(values[:-1])}
        self.seed = np.random.default_rng(0).uniform(0.5, 1.5, np.shape(values[-1]))

    def comparisons(self) -> list[Comparison]:
        gradients = self.by_rule()
        moving = {name: self.values[name] for name in gradients}
        return [
            c._replace(name=self.parameter(c.name))
            for c in compare(self.by_body, {**self.values, **moving}, gradients)
        ]

    def parameter(self, name: str) -> str:
        argument = self.arguments[int(name)]
        return self.node.op.operand_name(self.node.operands.index(argument))

    def by_body(self, moved: Mapping[str, Any]) -> float:
        interpreter = Interpreter(self.inputs, self.sizes)
        for name, argument in enumerate(self.arguments):
            interpreter.values[argument] = np.asarray(moved[str(name)])
        (value,) = interpreter.run([self.body])
        return float(np.sum(self.seed * value))

    def by_rule(self) -> dict[str, Any]:
        """What goes back to each argument; to one that is given twice, the sum."""
        node = self.node
        arriving = {"name": "what arrives", "type": node.type}
        seed = make("input", (), node.span, arriving)
        interpreter = Interpreter({**self.inputs, "what arrives": self.seed}, self.sizes)
        found: dict[str, Any] = {}
        for position, operand in enumerate(node.operands):
            rule = rule_of(node, position)
            if rule is None:
                continue
            (value,) = interpreter.run([apply_rule(rule, node, position, {"dy": seed})])
            name = str(self.arguments.index(operand))
            found[name] = found.get(name, 0.0) + value
        return found
