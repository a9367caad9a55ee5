"""Sums over products with the identity whose rows are directions: one term each is left.

Such an identity says that where it is 0 there is nothing, so that an infinite factor stays out.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from itertools import count

from ...dsl.graph import Graph, Node, make
from ...dsl.lowering.contractions import aligned_axes, contracted
from .contract import WRAPPERS, Labels, bare, labelled, unwrapped
from .rewrite import rewrite

_SUMS = ("sum", "contract", "matmul", "matvec", "vecdot")
_MAX_DEPTH = 8
_Labelled = tuple[Node, Labels]


def units(graph: Graph) -> Graph:
    if not any(map(_is_units, graph.nodes)):
        return graph
    return rewrite(graph, _step, "units")


def _is_units(node: Node) -> bool:
    return node.op.name == "eye" and "units" in node.attributes


def _step(node: Node) -> Node | None:
    if node.op.name not in _SUMS or node.attributes.get("keepdims"):
        return None
    for position, operand in enumerate(node.operands):
        if _holds(operand):
            return _distributed(node, position) or _Product(node).result()
    return None


def _holds(node: Node, depth: int = _MAX_DEPTH) -> bool:
    """Whether a value is a product with such an identity, or a sum of them."""
    if _is_units(node):
        return True
    if not depth:
        return False
    parts = [_holds(operand, depth - 1) for operand in node.operands[:2]]
    match node.op.name:
        case "add" | "subtract":
            return all(parts)
        case "contract" if _sums(node):
            return False
        case "multiply" | "vecouter" | "contract":
            return any(parts)
        case "negative" | "divide" | "expand_dims" | "transpose" | "broadcast_to":
            return parts[0]
    return False


def _sums(node: Node) -> bool:
    left, right, out = (node.attributes[key] for key in ("left", "right", "out"))
    return not set(out).issuperset(left + right)


def _distributed(node: Node, position: int) -> Node | None:
    """The sum of what each of two terms gives, where both become less."""
    total = node.operands[position]
    if total.op.name not in ("add", "subtract") or node.op.name == "sum":
        return None
    parts = []
    for term in total.operands:
        if term.type != total.type:
            return None
        operands = list(node.operands)
        operands[position] = term
        part = _step(node.with_operands(tuple(operands)))
        if part is None:
            return None
        parts.append(part)
    return make(total.op, parts, node.span)


class _Product:
    """A sum of a product, the axes of whose factors have labels: numbers of axes of the body, or
    others of their own."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.own = count(node.operands[0].type.rank + node.type.rank)
        self.factors: list[_Labelled] = []
        self.divisors: list[_Labelled] = []
        self.negative = False
        if node.op.name == "sum":
            (body,), rank = node.operands, node.operands[0].type.rank
            axes = {axis + rank for axis in node.attributes["axis"]}
            self.kept = tuple(label for label in range(rank) if label not in axes)
            self._take(body, tuple(range(rank)))
        else:
            self.kept = tuple(range(node.type.rank))
            for factor, labels in labelled(node, self.kept, self.own):
                self._take(factor, labels)

    def _take(self, node: Node, labels: Sequence[int]) -> None:
        """The factors of a product that holds an identity; others are whole."""
        stack = [(node, tuple(labels))]
        while stack:
            factor, own = stack.pop()
            name = factor.op.name
            if _is_units(factor) or name in ("add", "subtract") or not _holds(factor):
                self.factors.append(bare(factor, own) if factor.type.rank else (factor, ()))
            elif name == "negative":
                self.negative = not self.negative
                stack.append((factor.operands[0], own))
            elif name == "divide":
                x, divisor = factor.operands
                self.divisors.append((divisor, own[len(own) - divisor.type.rank :]))
                stack.append((x, own[len(own) - x.type.rank :]))
            elif name in WRAPPERS:
                inner, rest = unwrapped(factor, own)
                stack.append((inner, rest))
            else:
                stack += labelled(factor, own, self.own)

    def result(self) -> Node | None:
        factors, divisors, folded = list(self.factors), list(self.divisors), False
        for unit, labels in self.factors:
            if not _is_units(unit) or len(set(labels)) < 2:
                continue
            gone = next((label for label in labels if label not in self.kept), None)
            if gone is None:
                continue
            (stays,) = set(labels) - {gone}
            factors.remove((unit, labels))
            factors = [(f, _renamed(own, gone, stays)) for f, own in factors]
            divisors = [(f, _renamed(own, gone, stays)) for f, own in divisors]
            folded = True
        if not folded or not self._fits(factors, divisors):
            return None
        span, out = self.node.span, _letters(self.kept)
        total = contracted([f for f, _ in factors], [_letters(o) for _, o in factors], out, span)
        for divisor, own in divisors:
            by = aligned_axes(divisor, _letters(own), out, span)
            total = make("divide", [total, by], span)
        total = make("negative", [total], span) if self.negative else total
        return total if total.type == self.node.type else None

    def _fits(self, factors: Sequence[_Labelled], divisors: Sequence[_Labelled]) -> bool:
        used = {label for _, own in factors for label in own}
        apart = all(len(set(own)) == len(own) and used.issuperset(own) for _, own in divisors)
        inside = all(set(own) <= set(self.kept) for _, own in divisors)
        floats = all(f.type.is_float for f, _ in factors)
        return floats and apart and inside and used.issuperset(self.kept)


def _renamed(labels: Labels, old: int, new: int) -> Labels:
    return tuple(new if label == old else label for label in labels)


def _letters(labels: Sequence[int]) -> str:
    return "".join(string.ascii_letters[label] for label in labels)
