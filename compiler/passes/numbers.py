"""The whole numbers of a product as one: ``3 * (2 * x)`` is ``6 * x``."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from ...dsl.graph import Graph, Node, constant, make
from .rewrite import anonymous, rewrite

_LARGEST = 2**16


def together(graph: Graph) -> Graph:
    """Also ``3 * a * (2 * b)``. Nothing is rounded more often than before, and what is used
    elsewhere, too, stays as it is."""
    products = {node for node in graph.nodes if node.op.name == "multiply"
                and all(_factors(o, once=True)[0] is not None for o in node.operands)}  # fmt: skip
    if not products:
        return graph
    uses = Counter(operand for node in graph.nodes for operand in node.operands)
    uses.update([*graph.outputs.values(), *graph.gradients.values()])

    def step(node: Node) -> Node | None:
        if node not in products:
            return None  # If it has an operand that is new in this walk, its turn is in the next.
        parts = [_factors(operand, uses[operand] == 1) for operand in node.operands]
        numbers = [number for number, _ in parts if number is not None]
        rest = [other for _, other in parts if other is not None]
        # Arrays are multiplied by numbers where they are still smaller.
        alike = any(other.type.shape == node.type.shape for other in rest)
        if len(numbers) < len(parts) or not alike:
            return None
        product = _product(rest, node) if len(rest) == 2 else rest[0]
        number = constant(numbers[0] * numbers[1], node.span)
        result = make("multiply", [number, product], node.span)
        return result if result.type == node.type else None

    return rewrite(graph, step, "numbers")


def _product(factors: list[Node], node: Node) -> Node:
    """The product of what numbers were factors of, which is the gradient that one of those was."""
    before = next((o for o in node.operands if o.cause is not None), node)
    made = make("multiply", factors, node.span)
    return replace(made, cause=before.cause, position=before.position)


def _factors(node: Node, once: bool) -> tuple[float | None, Node | None]:
    """A small whole number that is a factor, if there is one, and what it multiplies."""
    if node.is_constant():
        return _whole(node), None
    if node.op.name == "multiply" and once and anonymous(node):
        for number, rest in (node.operands, node.operands[::-1]):
            if number.is_constant() and _whole(number) is not None:
                return _whole(number), rest
    return None, node


def _whole(node: Node) -> float | None:
    value: float = node.attributes["value"]
    plain = not isinstance(value, bool) and 0 < abs(value) < _LARGEST and value == int(value)
    return value if plain else None
