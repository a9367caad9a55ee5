"""What options change in a graph: sizes fixed to numbers, domains that nobody checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ..dsl.domains import Domain
from ..dsl.graph import Graph, Node, map_nodes, topological, with_mapped_rules
from ..dsl.loops import Loop
from ..dsl.shapes import Type
from ..dsl.sizes import Size
from ..dsl.subscripts import Condition, Cut


class UnmetCondition(Exception):
    """A subscript does not fit the sizes asked for."""


def specialise(graph: Graph, sizes: Mapping[str, Size]) -> Graph:
    """The graph with some sizes replaced. Raises ``UnmetCondition``."""
    fixing = _Fixing(sizes)
    fixing.all(graph.nodes)
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
    return replace(map_nodes(graph, fixing.replaced), interface=interface)


class _Fixing:
    """Nodes with sizes replaced, in the steps of loops and in rules as well."""

    def __init__(self, sizes: Mapping[str, Size]) -> None:
        self.sizes = sizes
        self.replaced: dict[Node, Node] = {}
        self.loops: dict[Loop, Loop] = {}

    def all(self, roots: Iterable[Node]) -> list[Node]:
        """What becomes of some nodes, and of all that they need."""
        roots = list(roots)
        for node in topological(roots, self.replaced):
            operands = tuple(self.replaced[operand] for operand in node.operands)
            self.replaced[node] = self.node(node, operands)
        return [self.replaced[root] for root in roots]

    def node(self, node: Node, operands: tuple[Node, ...]) -> Node:
        attributes = {name: _value(v, self.sizes) for name, v in node.attributes.items()}
        if node.op.name == "scan":
            sort, which = node.attributes["result"]
            attributes["loop"] = self.loop(node.attributes["loop"])
            attributes["result"] = (sort, self.all([which])[0] if sort == "stack" else which)
        op = with_mapped_rules(node.op, self.node) if node.op.family == "ruled" else node.op
        type_ = _value(node.type, self.sizes)
        return replace(node, op=op, operands=operands, attributes=attributes, type=type_)

    def loop(self, loop: Loop) -> Loop:
        if loop not in self.loops:
            index, *_ = self.all([loop.index])
            states, captured, rows, nexts = (
                tuple(self.all(nodes))
                for nodes in (loop.states, loop.captured, loop.rows, loop.nexts)
            )
            self.loops[loop] = replace(
                loop,
                index=index,
                start=_value(loop.start, self.sizes),
                stop=_value(loop.stop, self.sizes),
                states=states,
                captured=captured,
                rows=rows,
                nexts=nexts,
                until=self.all([loop.until])[0] if loop.until is not None else None,
                extends=self.loop(loop.extends) if loop.extends is not None else None,
            )
        return self.loops[loop]


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
