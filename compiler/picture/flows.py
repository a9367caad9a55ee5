"""The values and gradients of what a picture shows, and what comes back along each edge."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from ...dsl.graph import Graph, Node, constant, topological
from ...dsl.loops import loop_key
from ..evaluate import Evaluation
from ..outline import Item, Outline
from ..reverse import along_edge, along_loop, gradients
from .quantity import Quantity


class Flows:
    """Reads them off an evaluated graph; what a step of a loop computes has types alone."""

    def __init__(self, evaluation: Evaluation | None) -> None:
        self.interpreter = evaluation.interpreter if evaluation is not None else None
        self.arriving = _arriving(evaluation.graph) if evaluation is not None else {}
        self.known = set(evaluation.graph.nodes) if evaluation is not None else set()

    def value(self, item: Item) -> Quantity:
        computed = self.interpreter is not None and item.node in self.known
        return Quantity(item.node.type, self.run(item.node) if computed else None)

    def gradient(self, item: Item) -> Quantity | None:
        """What arrives at an item from all its uses together."""
        return self.quantity(self.arriving.get(item.operation))

    def quantity(self, node: Node | None) -> Quantity | None:
        return Quantity(node.type, self.run(node)) if node is not None else None

    def run(self, node: Node) -> Any:
        assert self.interpreter is not None
        (value,) = self.interpreter.run([node])
        return value

    def uses(self, item: Item, outline: Outline) -> Iterator[tuple[Item, Quantity | None]]:
        """The items that an operation is computed from, and what it sends back to each."""
        node = item.operation
        arriving = self.arriving.get(node)
        for position, operand in enumerate(node.operands):
            source = outline.of.get(operand)
            if source is None:
                continue
            back = along_edge(node, position, arriving) if arriving is not None else None
            yield source, self.quantity(self.followed(back, operand, source))

    def followed(self, back: Node | None, operand: Node, source: Item) -> Node | None:
        """What comes back to an operand, followed through broadcasts that go without saying."""
        if source.operation not in self.arriving:
            return None
        while back is not None and operand not in (source.node, source.operation):
            back = along_edge(operand, 0, back)
            operand = operand.operands[0]
        return back

    def into_loop(
        self, item: Item, outline: Outline, drawn: Collection[int]
    ) -> Iterator[tuple[int, Item, Quantity | None]]:
        """What a loop is given at these positions, and what all of its results send back to it."""
        node = item.operation
        key = loop_key(node)
        results = [i.operation for i in outline.items if i.loop and loop_key(i.operation) == key]
        arriving = {r: self.arriving[r] for r in results if r in self.arriving}
        back = along_loop(arriving) if arriving else {}
        for position, operand in enumerate(node.operands):
            source = outline.of.get(operand)
            if source is not None and position in drawn:
                followed = self.followed(back.get(position), operand, source)
                yield position, source, self.quantity(followed)


def _arriving(graph: Graph) -> dict[Node, Node]:
    """The gradient of the objective with respect to all that an input reaches."""
    objective = graph.interface.objective
    if objective is None:
        return {}
    root = graph.outputs[objective]
    order = topological([root])
    found = gradients(graph, {objective: constant(1.0, root.span)}, order).gradients
    active = _reached(order, graph.interface.differentiated)
    return {node: found[node] for node in order if node in active and node in found}


def _reached(order: Iterable[Node], names: Collection[str]) -> set[Node]:
    """The float nodes that an input of these names reaches: what is data alone has no gradient."""
    active: set[Node] = set()
    for node in order:
        named = node.op.name == "input" and node.attributes["name"] in names
        if named or (node.type.is_float and any(operand in active for operand in node.operands)):
            active.add(node)
    return active
