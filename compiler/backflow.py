"""What goes back through an evaluated graph, for explanations and pictures of it."""

from __future__ import annotations

from collections.abc import Iterable

from ..dsl.graph import Graph, Node, constant, topological
from .paper import seen
from .reverse import Adjoints, gradients, pullback


def from_objective(graph: Graph) -> Adjoints | None:
    """The gradient of the objective, if there is one, with respect to all that it is computed
    from, and what each use sends back."""
    objective = graph.interface.objective
    if objective is None:
        return None
    root = graph.outputs[objective]
    return gradients(graph, {objective: constant(1.0, root.span)}, topological([root]))


def reached(nodes: Iterable[Node], inputs: Iterable[Node]) -> set[Node]:
    """The float nodes that an input reaches, which come in an order of computation: what is made
    of numbers and data has no gradient."""
    active = set(inputs)
    for node in nodes:
        if node.type.is_float and any(operand in active for operand in node.operands):
            active.add(node)
    return active


def reached_by_inputs(graph: Graph) -> set[Node]:
    """The same for the inputs with a gradient."""
    names = graph.interface.differentiated
    inputs = (n for n in graph.nodes if n.op.name == "input" and n.attributes["name"] in names)
    return reached(graph.nodes, inputs)


def as_seen(operand: Node, back: Node) -> Node:
    """What goes back to an operand, at what a reader sees of it: through broadcasts that go without
    saying."""
    base = seen(operand)
    return back if base is operand else pullback([(operand, back)], [base]).gradients[base]
