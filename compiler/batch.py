"""``--batch x,y``: the function for many values of some inputs at once.

The inputs named get a leading axis, and so does everything that depends on them. It is one more
index over which the graph is spread, as in ``node y[b] = f(x[b])``: no loop is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..dsl.graph import Graph, Node, make, map_nodes
from ..dsl.indices.spread import Spread
from ..dsl.indices.variables import Variable
from ..dsl.indices.vectorise import Vectoriser
from ..dsl.lower import lower
from ..dsl.sizes import ZERO, Size

SIZE = "batch"


def batched(graph: Graph, names: Sequence[str]) -> Graph:
    """The lowered graph with a leading axis on some inputs, and on what depends on them.

    The size of the axis is called ``batch``, or with underscores where that name is taken.
    """
    interface = graph.interface
    taken = {*interface.sizes, *interface.open_sizes, *(i.name for i in interface.inputs)}
    name = SIZE
    while name in taken:
        name += "_"
    size = Size.of(name)
    inputs = tuple(
        replace(i, type=i.type.with_shape((size, *i.type.shape))) if i.name in names else i
        for i in interface.inputs
    )
    variable = Variable(name, interface.source.span(0, 0), ZERO, size)
    known: dict[Node, Spread] = {}
    for declared in inputs:
        node = graph.inputs[declared.name]
        if declared.name in names:
            attributes = {**node.attributes, "type": declared.type}
            known[node] = Spread(make("input", (), node.span, attributes), (variable,))
    vectoriser = Vectoriser(known)
    vectoriser.all([*graph.inputs.values(), *graph.outputs.values(), *graph.landmarks])
    replaced = {node: spread.node for node, spread in vectoriser.spreads.items()}
    more = tuple(vectoriser.conditions)
    interface = replace(
        interface,
        inputs=inputs,
        sizes=(*interface.sizes, name),
        conditions=(*interface.conditions, *more),
    )
    return lower(replace(map_nodes(graph, replaced), interface=interface))
