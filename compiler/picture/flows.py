"""The values and gradients of what a picture shows, and what comes back along each edge."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from ...dsl.graph import Graph, Node, constant, topological
from ...dsl.loops import loop_key
from ..evaluate import Evaluation
from ..outline import Item, Outline
from ..reverse import Adjoint, gradients, pullback
from .quantity import Quantity


class Flows:
    """Reads them off an evaluated graph; what a step of a loop computes has types alone."""

    def __init__(self, evaluation: Evaluation | None) -> None:
        self.interpreter = evaluation.interpreter if evaluation is not None else None
        self.arriving: Mapping[Node, Node] = {}
        self.sent: Mapping[tuple[Node, int], Adjoint] = {}
        if evaluation is not None:
            self.arriving, self.sent = _adjoints(evaluation.graph)
        self.known = set(evaluation.graph.nodes) if evaluation is not None else set()

    def value(self, item: Item) -> Quantity:
        computed = self.interpreter is not None and item.node in self.known
        found = self.quantity(item.node) if computed else None
        return found or Quantity(item.node.type)

    def gradient(self, item: Item) -> Quantity | None:
        """What arrives at an item from all its uses together."""
        return self.quantity(self.arriving.get(item.operation))

    def quantity(self, node: Node | None) -> Quantity | None:
        return Quantity(node.type, self.run(node), node) if node is not None else None

    def run(self, node: Node) -> Any:
        assert self.interpreter is not None
        (value,) = self.interpreter.run([node])
        return value

    def uses(self, item: Item, outline: Outline) -> Iterator[tuple[Item, Quantity | None]]:
        """The items that an operation is computed from, and what it sends back to each."""
        node = item.operation
        for position, operand in enumerate(node.operands):
            source = outline.of.get(operand)
            if source is not None:
                back = self.sent.get((node, position)) if node in self.arriving else None
                yield source, self.quantity(self.followed(back, operand, source))

    def followed(self, back: Adjoint | None, operand: Node, source: Item) -> Node | None:
        """What comes back to an operand, followed through broadcasts that go without saying."""
        if source.operation not in self.arriving or back is None:
            return None
        if operand in (source.node, source.operation):
            return back.selected()
        return pullback([(operand, back.selected())], [source.node]).gradients.get(source.node)

    def into_loop(
        self, item: Item, outline: Outline, drawn: Collection[int]
    ) -> Iterator[tuple[int, Item, Quantity | None]]:
        """What a loop is given at these positions, and what all of its results send back to it."""
        node = item.operation
        key = loop_key(node)
        results = [i.operation for i in outline.items if i.loop and loop_key(i.operation) == key]
        seeds = [(result, self.arriving[result]) for result in results if result in self.arriving]
        sources = {o: outline.of[o] for o in node.operands if o in outline.of}
        wanted = [source.node for source in sources.values() if source.operation in self.arriving]
        found = pullback(seeds, wanted).gradients if seeds else {}
        given: set[Item] = set()
        for position, operand in enumerate(node.operands):
            source = sources.get(operand)
            if source is None or position not in drawn:
                continue
            # What is given twice, as a state and as it is, gets back the sum of both.
            back = found.get(source.node) if source not in given else None
            given.add(source)
            yield position, source, self.quantity(back)


def _adjoints(graph: Graph) -> tuple[dict[Node, Node], Mapping[tuple[Node, int], Adjoint]]:
    """The gradient of the objective with respect to all that an input reaches, and what each use
    of a node sends back to it."""
    objective = graph.interface.objective
    if objective is None:
        return {}, {}
    root = graph.outputs[objective]
    order = topological([root])
    found = gradients(graph, {objective: constant(1.0, root.span)}, order)
    active = _reached(order, graph.interface.differentiated)
    arriving = {n: found.gradients[n] for n in order if n in active and n in found.gradients}
    return arriving, found.sent


def _reached(order: Iterable[Node], names: Collection[str]) -> set[Node]:
    """The float nodes that an input of these names reaches: what is data alone has no gradient."""
    active: set[Node] = set()
    for node in order:
        named = node.op.name == "input" and node.attributes["name"] in names
        if named or (node.type.is_float and any(operand in active for operand in node.operands)):
            active.add(node)
    return active
