"""All mistakes that can be made in the gradient of a graph."""

from __future__ import annotations

from collections.abc import Iterable

from ...dsl.graph import Graph, Node
from ..rules import rule_of
from .mutations import Kind, Place, counts, factor, forgotten, powers, sign, slopes, sums
from .products import masks, products, softmax
from .uses import uses
from .walk import Slip, places

KINDS: tuple[Kind, ...] = (
    sums, products, masks, softmax, forgotten, counts, slopes, powers, sign, factor,
)  # fmt: skip


def slips(graph: Graph) -> list[Slip]:
    """Every mistake that could be made in a gradient, each once."""
    found: list[Slip] = []
    fixed = _constant(graph)
    for number, node in enumerate(places(graph)):
        if node.op.name == "scan":
            continue
        for position, operand in enumerate(node.operands):
            moves = operand.type.is_float and operand not in fixed
            if moves and rule_of(node, position):
                place = Place(number, node, position)
                found += [slip for kind in KINDS for slip in kind(place)]
    return [*found, *uses(graph)]


def _constant(graph: Graph) -> set[Node]:
    """The nodes, outside of steps of loops, that no differentiated input changes."""
    moving = {graph.inputs[name] for name in graph.interface.differentiated}
    found: set[Node] = set()
    for node in graph.nodes:
        if node not in moving and found.issuperset(node.operands):
            found.add(node)
    return found


def everywhere(found: Iterable[Slip]) -> list[tuple[Slip, ...]]:
    """The mistakes that a person would make again wherever they can be made."""
    groups: dict[tuple[str, str], list[Slip]] = {}
    for slip in found:
        if slip.kind in _AGAIN:
            groups.setdefault((slip.kind, slip.variant), []).append(slip)
    return [tuple(group) for group in groups.values() if len(group) > 1]


_AGAIN = (
    "missing-sum", "mean-for-sum", "keepdims", "elementwise-product", "missing-transpose",
    "swapped", "transposed", "overwritten", "missing-count", "wrong-point", "mask-missing",
    "mask-inverted", "mask-of-gradient", "mask-inclusive", "softmax-elementwise", "softmax-sum",
)  # fmt: skip
