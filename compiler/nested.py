"""Gradients inside a specification: each ``grad(y, x)`` becomes the graph of that gradient.

They are put in from the inside out, so that a gradient of a gradient differentiates what the inner
one became, to any order.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

from ..dsl.graph import (
    Graph,
    Interface,
    Node,
    constant,
    make,
    map_nodes,
    topological,
    with_mapped_rules,
)
from ..dsl.loops import map_loops
from ..dsl.sizes import Size
from .differentiate import zeros_like
from .forward import tangents
from .forward_loops import joined
from .reverse import gradients


def expand(graph: Graph) -> Graph:
    """The lowered graph without ``grad``."""
    graph = map_loops(graph, expand)
    # A name that a formula looked through is needed no more, but its value may be asked for.
    nodes = topological([*graph.landmarks, *graph.outputs.values()])
    if all(node.op.name != "grad" and node.op.family != "ruled" for node in nodes):
        return graph
    replaced: dict[Node, Node] = {}
    for node in nodes:
        operands = tuple(replaced[operand] for operand in node.operands)
        current = node.with_operands(operands)
        replaced[node] = _expanded(graph.interface, current)
    return joined(map_nodes(graph, replaced))


def _expanded(interface: Interface, node: Node) -> Node:
    if node.op.family == "ruled" and _mentions_grad(node):

        def transform(part: Node, operands: tuple[Node, ...]) -> Node:
            return _expanded(interface, part.with_operands(operands))

        return replace(node, op=with_mapped_rules(node.op, transform))
    return _gradient(interface, node) if node.op.name == "grad" else node


def _mentions_grad(node: Node) -> bool:
    """Whether a rule of the specification takes a gradient itself."""
    return any(part.op.name == "grad" for rule in node.op.rules.values() for part in rule.order)


def _gradient(interface: Interface, node: Node) -> Node:
    y, x = node.operands
    if node.attributes["mode"] == "forward":
        result = _forward(node, y, x)
    else:
        alone = Graph(interface, {}, {"y": y})
        found = gradients(alone, {"y": constant(1.0, node.span)}, [x]).gradients
        result = found.get(x) or zeros_like(x)
    if not node.name:
        return result
    if result.op.name in ("constant", "input") or result.name:
        result = make("alias", [result], node.span)
    return replace(
        result, name=node.name, span=node.span, cause=None, position=None, adjoint_of=None
    )


def _forward(node: Node, y: Node, x: Node) -> Node:
    """A tangent for each entry of ``x``, whose sizes are known and small; where there are many
    ``y``, each with an ``x`` of its own, all in one."""
    shape = x.type.shape[x.type.rank - node.attributes.get("entry_rank", x.type.rank) :]
    lengths = [size.constant or 0 for size in shape]
    entries = []
    for place in itertools.product(*(range(length) for length in lengths)):
        unit = constant(1.0, node.span)
        if shape:
            index = {"shape": shape, "index": tuple(Size.of(i) for i in place)}
            unit = make("place", [unit], node.span, index)
        if unit.type != x.type:
            unit = make("broadcast_to", [unit], node.span, {"shape": x.type.shape})
        entries.append(tangents([y], {x: unit}).get(y) or zeros_like(y))
    if not shape:
        return entries[0]
    if not y.type.rank:
        return make("array", entries, node.span, {"shape": shape})
    rows = make("stack", entries, node.span, {"axis": -1})
    return make("reshape", [rows], node.span, {"shape": y.type.shape + shape})
