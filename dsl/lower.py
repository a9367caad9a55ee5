"""Checked expressions to canonical operations.

After this, every operation of a graph is marked canonical in the table: no 1-D ``matmul``, axes
counted from the end, helpers of rules expanded. What a node computes and its type never change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from .graph import Graph, Node, make, map_nodes, topological, with_mapped_rules
from .loops import rebuilt
from .lowering import LOWERINGS
from .shapes import Kind

_COUNTING = ("sum", "prod", "as_int")


def lower(graph: Graph) -> Graph:
    """The graph in canonical operations; names and places stay."""
    roots = [*graph.inputs.values(), *graph.landmarks, *graph.outputs.values()]
    return map_nodes(graph, lower_nodes(roots))


def lower_nodes(roots: Iterable[Node], stop: Iterable[Node] = ()) -> Mapping[Node, Node]:
    """Every node under the roots to its canonical form; ``stop`` are canonical already."""
    lowered: dict[Node, Node] = {node: node for node in stop}
    order = topological(roots, lowered)
    loops = rebuilt(order, lower)
    for node in order:
        operands = tuple(lowered[o] for o in node.operands)
        if node.op.name == "scan":
            lowered[node] = loops[node.attributes["loop"]].node(node, operands)
        else:
            lowered[node] = lower_node(node, operands)
    return lowered


def lower_node(node: Node, operands: tuple[Node, ...]) -> Node:
    if node.type.kind is Kind.INT and node.op.name not in _COUNTING:
        operands = _as_numbers(operands)
    if node.op.of_floats:
        operands = tuple(o if o.type.is_float else make("as_float", [o], o.span) for o in operands)
    lowering = LOWERINGS.get(node.op.name)
    if node.op.family == "ruled":
        node = replace(node, op=with_mapped_rules(node.op, lower_node))
    if lowering is None:
        return node.with_operands(operands)
    result = lowering(node, operands)
    if node.name and result in operands:
        result = make("alias", [result], node.span)
    return replace(result, name=node.name, span=node.span) if node.name else result


def _as_numbers(operands: tuple[Node, ...]) -> tuple[Node, ...]:
    """Truth values as integers where all are: NumPy's sum of two is a truth value."""
    if not operands or any(operand.type.kind is not Kind.BOOL for operand in operands):
        return operands
    return tuple(make("as_int", [operand], operand.span) for operand in operands)
