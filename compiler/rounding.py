"""The arithmetic of an example with ``round``: as done on paper, rounded at every named step."""

from __future__ import annotations

from collections.abc import Mapping

from ..dsl.frozen import frozen
from ..dsl.graph import Graph, Node, make, map_nodes


@frozen()
class OnPaper:
    """A graph that rounds. ``operations`` are the unrounded operations under the names: their
    adjoints are the rounded gradients."""

    graph: Graph
    operations: Mapping[str, Node]


def as_on_paper(graph: Graph, digits: int) -> OnPaper:
    """Rounds every named float node, and every gradient of a named node or input.

    A rule sees rounded operands and, as its result ``y``, the operation applied to them unrounded:
    that is what stands between the two nodes made here for each name.
    """
    options = {"digits": digits}
    replaced: dict[Node, Node] = {}
    operations: dict[str, Node] = {}
    for node in graph.nodes:
        operands = tuple(replaced[operand] for operand in node.operands)
        own = node.with_operands(operands)
        is_input = node.op.name == "input"
        if not node.type.is_float or not (node.name or is_input):
            replaced[node] = own
            continue
        op = "given_on_paper" if is_input else "round_on_paper"
        operations[node.label] = own
        replaced[node] = make(op, [own], node.span, options, name=node.label)
    return OnPaper(map_nodes(graph, replaced), operations)
