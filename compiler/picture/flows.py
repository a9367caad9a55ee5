"""The values and gradients of what a picture shows, and what comes back along each edge."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from ...dsl.graph import Graph, Node, constant, topological
from ...dsl.loops import loop_key
from ..evaluate import Evaluation
from ..outline import Item, Outline
from ..reverse import Adjoints, along_edge, gradients
from .quantity import Quantity


class Flows:
    """Reads them off an evaluated graph; what a step of a loop computes has types alone."""

    def __init__(self, evaluation: Evaluation | None) -> None:
        self.interpreter = evaluation.interpreter if evaluation is not None else None
        self.known = set(evaluation.graph.nodes) if evaluation is not None else set()
        self.adjoints = _adjoints(evaluation.graph) if evaluation is not None else None
        self.active = _active(evaluation.graph) if evaluation is not None else set()

    def value(self, item: Item) -> Quantity:
        computed = self.interpreter is not None and item.node in self.known
        found = self.quantity(item.node) if computed else None
        return found or Quantity(item.node.type)

    def gradient(self, item: Item) -> Quantity | None:
        """What arrives at an item from all its uses together."""
        if self.adjoints is None or item.operation not in self.active:
            return None
        return self.quantity(self.adjoints.gradients.get(item.operation))

    def uses(self, item: Item, outline: Outline) -> Iterator[tuple[Item, Quantity | None]]:
        """The items that an operation is computed from, and what it sends back to each."""
        for position, operand in enumerate(item.operation.operands):
            source = outline.of.get(operand)
            if source is not None:
                yield source, self.sent(item.operation, position, source)

    def into_loop(
        self, item: Item, outline: Outline, drawn: Collection[int]
    ) -> Iterator[tuple[int, Item, Quantity | None]]:
        """What a loop is given at these positions, and what all of its results send back to it."""
        key = loop_key(item.operation)
        results = [i.operation for i in outline.items if i.loop and loop_key(i.operation) == key]
        for position, operand in enumerate(item.operation.operands):
            source = outline.of.get(operand)
            if source is not None and position in drawn:
                sent = (self.sent(result, position, source) for result in results)
                yield position, source, next((s for s in sent if s is not None), None)

    def sent(self, node: Node, position: int, source: Item) -> Quantity | None:
        """What a node sends back to an operand, followed through broadcasts that go without
        saying."""
        if self.adjoints is None or source.operation not in self.active:
            return None
        use = self.adjoints.uses.get((node, position))
        back = use.selected() if use is not None else None
        operand = node.operands[position]
        while back is not None and operand not in (source.node, source.operation):
            back = along_edge(operand, 0, back)
            operand = operand.operands[0]
        return self.quantity(back)

    def quantity(self, node: Node | None) -> Quantity | None:
        return Quantity(node.type, self.run(node), node) if node is not None else None

    def run(self, node: Node) -> Any:
        assert self.interpreter is not None
        (value,) = self.interpreter.run([node])
        return value


def _adjoints(graph: Graph) -> Adjoints | None:
    """The gradient of the objective with respect to all that it is computed from."""
    objective = graph.interface.objective
    if objective is None:
        return None
    root = graph.outputs[objective]
    return gradients(graph, {objective: constant(1.0, root.span)}, topological([root]))


def _active(graph: Graph) -> set[Node]:
    """The float nodes that an input reaches: what is data alone has no gradient."""
    names = graph.interface.differentiated
    active: set[Node] = set()
    for node in graph.nodes:
        named = node.op.name == "input" and node.attributes["name"] in names
        if named or (node.type.is_float and any(operand in active for operand in node.operands)):
            active.add(node)
    return active
