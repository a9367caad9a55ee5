"""The values and gradients of what a picture shows, and what comes back along each edge."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from ...dsl.graph import Node
from ...dsl.loops import loop_key
from ..backflow import as_seen, from_objective, reached_by_inputs
from ..evaluate import Evaluation
from ..outline import Item, Outline
from .quantity import Quantity


class Flows:
    """Reads them off an evaluated graph; what a step of a loop computes has types alone."""

    def __init__(self, evaluation: Evaluation | None) -> None:
        self.interpreter = evaluation.interpreter if evaluation is not None else None
        self.known = set(evaluation.graph.nodes) if evaluation is not None else set()
        self.adjoints = from_objective(evaluation.graph) if evaluation is not None else None
        self.active = reached_by_inputs(evaluation.graph) if evaluation is not None else set()

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
        return self.quantity(as_seen(node.operands[position], use.selected())) if use else None

    def quantity(self, node: Node | None) -> Quantity | None:
        return Quantity(node.type, self.run(node), node) if node is not None else None

    def run(self, node: Node) -> Any:
        assert self.interpreter is not None
        (value,) = self.interpreter.run([node])
        return value
