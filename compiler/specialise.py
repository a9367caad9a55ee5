"""What options change in a graph: sizes fixed to numbers, domains that nobody checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..dsl.domains import Domain
from ..dsl.graph import Graph, Node, map_nodes, with_mapped_rules
from ..dsl.shapes import Type
from ..dsl.sizes import Size
from ..dsl.subscripts import Condition, Cut


class UnmetCondition(Exception):
    """A subscript does not fit the sizes asked for."""


def specialise(graph: Graph, sizes: Mapping[str, Size]) -> Graph:
    def fixed(node: Node, operands: tuple[Node, ...]) -> Node:
        attributes = {name: _value(v, sizes) for name, v in node.attributes.items()}
        type_ = _value(node.type, sizes)
        op = with_mapped_rules(node.op, fixed) if node.op.family == "ruled" else node.op
        return replace(node, op=op, operands=operands, attributes=attributes, type=type_)

    replaced: dict[Node, Node] = {}
    for node in graph.nodes:
        replaced[node] = fixed(node, tuple(replaced[operand] for operand in node.operands))
    interface = graph.interface
    inputs = tuple(
        replace(i, type=_value(i.type, sizes), domain=_value(i.domain, sizes))
        for i in interface.inputs
    )
    conditions = []
    for condition, span in interface.conditions:
        low, high = _value(condition.low, sizes), _value(condition.high, sizes)
        slack = (high - low).constant
        if slack is not None and slack < 0:
            needs = f"{condition.low} <= {condition.high}"
            raise UnmetCondition(f"line {span.line}: {span.text} needs {needs}")
        if slack is None:
            conditions.append((Condition(low, high, condition.what), span))
    open_sizes = tuple(name for name in interface.open_sizes if name not in sizes)
    bound = tuple(name for name in interface.sizes if name not in sizes)
    interface = replace(
        interface, inputs=inputs, sizes=bound, open_sizes=open_sizes, conditions=tuple(conditions)
    )
    return replace(map_nodes(graph, replaced), interface=interface)


def without_domains(graph: Graph) -> Graph:
    """The graph for code that does not check its arguments: nothing is known of them."""
    replaced: dict[Node, Node] = {}
    for node in graph.nodes:
        operands = tuple(replaced[operand] for operand in node.operands)
        attributes = node.attributes
        if node.op.name == "input":
            attributes = {**attributes, "domain": None}
        replaced[node] = replace(node, operands=operands, attributes=attributes)
    return map_nodes(graph, replaced)


def _value(value: Any, sizes: Mapping[str, Size]) -> Any:
    if isinstance(value, Size):
        return value.substitute(sizes)
    if isinstance(value, tuple):
        return tuple(_value(v, sizes) for v in value)
    if isinstance(value, Type):
        return Type(value.kind, _value(value.shape, sizes))
    if isinstance(value, Cut):
        return Cut(_value(value.start, sizes), _value(value.stop, sizes), value.step)
    if isinstance(value, Domain):
        return replace(value, low=_value(value.low, sizes), high=_value(value.high, sizes))
    return value
