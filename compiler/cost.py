"""What a graph costs, as polynomials of its sizes."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import replace

from ..dsl.graph import Node
from ..dsl.loops import Loop
from ..dsl.sizes import ONE, ZERO, Size, product, total
from .schedule import call_key

_FREE = ("input", "constant", "size", "alias", "detach", "as_float")


def flops(nodes: Iterable[Node]) -> Size:
    """Arithmetic operations: one for each entry and function, two for each term of a product."""
    return total(times * _flops(node) for node, times in executed(nodes))


def executed(nodes: Iterable[Node]) -> Iterator[tuple[Node, Size]]:
    """What is computed, and how often: several results of a call once, the steps of a loop as
    often as there are steps (at most)."""
    nodes = list(nodes)
    calls: set[Hashable] = set()
    stacked: dict[Hashable, list[Node]] = {}
    for node in nodes:
        if node.op.name == "scan" and node.attributes["result"][0] == "stack":
            stacked.setdefault(call_key(node), []).append(node.attributes["result"][1])
    for node in nodes:
        if node.op.results or node.op.name == "scan":
            if call_key(node) in calls:
                continue
            calls.add(call_key(node))
        if node.op.name == "scan":
            loop: Loop = node.attributes["loop"]
            for part, times in executed(loop.body(stacked.get(call_key(node), ()))):
                if loop.chunk is None:
                    yield part, times * loop.length
                else:
                    yield _of_all(part, {str(loop.chunk.size): loop.length}), times
        else:
            yield node, ONE


def _of_all(node: Node, sizes: Mapping[str, Size]) -> Node:
    """What a step does for a block, for all blocks together."""

    def whole(node: Node) -> Node:
        shape = tuple(size.substitute(sizes) for size in node.type.shape)
        return replace(node, type=node.type.with_shape(shape))

    return replace(whole(node), operands=tuple(map(whole, node.operands)))


def is_free(node: Node) -> bool:
    """Whether nothing is computed: what is given, and views of it."""
    return node.op.name in _FREE or node.op.view or not node.operands


def _flops(node: Node) -> Size:
    if is_free(node):
        return ZERO
    if node.op.flops is not None:
        return node.op.flops([o.type for o in node.operands], node.attributes, node.type)
    return product(node.type.shape)


def entries_moved(node: Node) -> Size:
    """The numbers that an operation reads and writes."""
    if is_free(node):
        return Size.of(0)
    return sum((product(n.type.shape) for n in (node, *node.operands)), start=Size.of(0))
