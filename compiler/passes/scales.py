"""Numbers by which blocks would be scaled one after the other.

Where a product multiplies what runs along the blocks by something that is there before them, that
is scaled in place of the block, once: ``2 * x[part] @ c.T`` is ``x[part] @ (2 * c.T)``.
"""

from __future__ import annotations

from collections import Counter
from functools import partial

from ...dsl.graph import Graph, Node, make
from .parts import Part
from .rewrite import anonymous, rewrite

_SCALING = ("multiply", "divide")
_PRODUCTS = ("matmul", "matvec", "contract")


def scaled_outside(graph: Graph, part: Part) -> Graph:
    uses = Counter(operand for node in graph.nodes for operand in node.operands)
    uses.update([*graph.outputs.values(), *graph.gradients.values()])
    once = {node for node in part.axis if anonymous(node) and uses[node] == 1}
    step = partial(_step, part=part, once=once)
    return rewrite(graph, step, "blocks", only=(*_PRODUCTS, *_SCALING))


def _step(node: Node, part: Part, once: set[Node]) -> Node | None:
    if node.op.name in _PRODUCTS and node in part.axis:
        for x in node.operands:
            if x in once and x.op.name in _SCALING:
                return _scaled(node, x, part)
    elif node.op.name in _SCALING:
        for x in node.operands:
            if x in once and x.op.name in _PRODUCTS:
                return _scaled(x, node, part)
    return None


def _scaled(product: Node, scale: Node, part: Part) -> Node | None:
    """A product, what it has whole scaled by a number as ``scale`` is."""
    x, number = scale.operands
    if scale.op.name == "multiply" and not x.type.rank:
        x, number = number, x
    if number.type.rank or number in part.ways or x.type != scale.type:
        return None
    operands = [x if operand is scale else operand for operand in product.operands]
    for i, (operand, way) in enumerate(zip(operands, part.ways[product], strict=True)):
        if way is None:
            pair = [operand, number] if scale.op.name == "divide" else [number, operand]
            operands[i] = make(scale.op, pair, scale.span)
            return make(product.op, operands, product.span, product.attributes)
    return None
