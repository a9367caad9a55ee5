"""Sums over indices: as products of matrices wherever a body is a product.

``sum[j](W[k, j] * x[j])`` is ``W @ x``: the product itself, an array over ``k`` and ``j``, is never
made. A sum of such products is taken term by term.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..frozen import frozen
from ..graph import Node, make
from ..lowering.table import size_node
from ..shapes import Kind, Shape, broadcast
from ..sizes import ONE
from ..source import Span
from .spread import Spread, aligned, union
from .variables import Variable

Spreads = Callable[[Node], Spread]
_MAX_FACTORS = 12


def applied(op: str, parts: Sequence[Spread], span: Span) -> Spread:
    """An elementwise operation on values that may depend on different indices."""
    axes = union(parts)
    rank = max(part.entry_rank for part in parts)
    nodes = [aligned(part, axes, rank, span) for part in parts]
    return Spread(make(op, nodes, span), axes)


@frozen()
class Sum:
    """The sum over ``variables`` of a body, ``kind`` being that of the result."""

    variables: tuple[Variable, ...]
    spread: Spreads
    kind: Kind
    span: Span

    def of(self, body: Node) -> Spread:
        terms = _terms(body)
        if not any(self._contracts(_factors(term)) for _, term in terms):
            return self._term(body)
        total: Spread | None = None
        for sign, term in terms:
            part = self._term(term)
            if total is not None:
                total = applied("add" if sign > 0 else "subtract", [total, part], self.span)
            else:
                total = part if sign > 0 else applied("negative", [part], self.span)
        assert total is not None
        return total

    def _contracts(self, factors: Sequence[Node]) -> bool:
        """Whether a product over the indices is larger than what it is made of."""
        parts = [self.spread(factor) for factor in factors]
        inside = [_extent(part) for part in parts if not self._outside(part)]
        return any(extent != inside[0] for extent in inside)

    def _outside(self, part: Spread) -> bool:
        return set(part.axes).isdisjoint(self.variables)

    def _term(self, body: Node) -> Spread:
        divisors = []
        while body.op.name == "divide" and not body.name:
            divisor = self.spread(body.operands[1])
            if not self._outside(divisor):
                break
            divisors.append(divisor)
            body = body.operands[0]
        result = self._numerator(body)
        for divisor in divisors:
            result = applied("divide", [result, divisor], self.span)
        return result

    def _numerator(self, body: Node) -> Spread:
        factors = _factors(body)
        parts = [self._number(self.spread(factor)) for factor in factors]
        inside = [part for part in parts if not self._outside(part)]
        outside = [part for part in parts if self._outside(part)]
        one_axis = len(inside) == 2 and len(union(inside)) == 1
        if self._contracts(factors) or (one_axis and not inside[0].entry_rank):
            result: Spread | None = self._product(inside)
        elif outside and inside:
            result = reduced("sum", _times(inside, self.span), self.variables, self.span)
        else:
            result, outside = self._whole(body), []
        for part in outside:
            result = part if result is None else applied("multiply", [part, result], self.span)
        assert result is not None
        absent = [v for v in self.variables if v not in union(inside)]
        for variable in absent:  # Each value of such an index adds the same.
            count = self._number(Spread(size_node(variable.length, self.span)))
            result = applied("multiply", [result, count], self.span)
        return result

    def _whole(self, body: Node) -> Spread:
        return reduced("sum", self._number(self.spread(body)), self.variables, self.span)

    def _number(self, part: Spread) -> Spread:
        """A factor in the kind of the sum."""
        if part.node.type.kind == self.kind:
            return part
        op = "as_float" if self.kind is Kind.FLOAT else "as_int"
        return Spread(make(op, [part.node], self.span), part.axes)

    def _product(self, parts: Sequence[Spread]) -> Spread:
        """The sum of a product of several factors, in Einstein's notation."""
        letters = Letters()
        shape = broadcast([part.entry_shape for part in parts])
        terms = [letters.term(part, shape, self.span) for part in parts]
        axes = tuple(v for v in union(parts) if v not in self.variables)
        out = letters.of([*axes, *range(-len(shape), 0)])
        text = f"{','.join(term for _, term in terms)}->{out}"
        node = make("einsum", [x for x, _ in terms], self.span, {"subscripts": text})
        return Spread(node, axes)


class Letters:
    """A letter for each index and each axis of an entry, counted from the end."""

    def __init__(self) -> None:
        self.letters: dict[Any, str] = {}

    def of(self, labels: Iterable[Any]) -> str:
        free = string.ascii_letters
        return "".join(self.letters.setdefault(label, free[len(self.letters)]) for label in labels)

    def term(self, part: Spread, shape: Shape, span: Span) -> tuple[Node, str]:
        """A factor without the entry axes along which it is only repeated, and its letters."""
        own = range(-part.entry_rank, 0)
        repeated = tuple(i for i in own if part.entry_shape[i] == ONE and shape[i] != ONE)
        node = part.node
        if repeated:
            node = make("squeeze", [node], span, {"axis": repeated})
        return node, self.of([*part.axes, *(i for i in own if i not in repeated)])


def reduced(op: str, part: Spread, variables: Iterable[Variable], span: Span) -> Spread:
    """A reduction over the axes of indices, each of which the value depends on."""
    chosen = set(variables) & set(part.axes)
    if not chosen:
        return part
    rank = part.node.type.rank
    axis = tuple(i - rank for i, v in enumerate(part.axes) if v in chosen)
    node = make(op, [part.node], span, {"axis": axis, "keepdims": False})
    return Spread(node, tuple(v for v in part.axes if v not in chosen))


def _extent(part: Spread) -> set[object]:
    """The axes along which a value is not only repeated."""
    entry = (i - part.entry_rank for i, size in enumerate(part.entry_shape) if size != ONE)
    return {*part.axes, *entry}


def _times(parts: Sequence[Spread], span: Span) -> Spread:
    total = parts[0]
    for part in parts[1:]:
        total = applied("multiply", [total, part], span)
    return total


def _terms(body: Node) -> list[tuple[int, Node]]:
    """A body as a sum of terms with signs; what has a name of its own stays whole."""
    found: list[tuple[int, Node]] = []
    stack = [(1, body)]
    while stack:
        sign, node = stack.pop()
        if node.name or node.op.name not in ("add", "subtract", "negative"):
            found.append((sign, node))
        elif node.op.name == "negative":
            stack.append((-sign, node.operands[0]))
        else:
            last = -sign if node.op.name == "subtract" else sign
            stack += [(last, node.operands[1]), (sign, node.operands[0])]
    return found


def _factors(body: Node) -> list[Node]:
    """A term as a product of factors."""
    found: list[Node] = []
    stack = [body]
    while stack:
        node = stack.pop()
        if len(found) + len(stack) > _MAX_FACTORS or node.name:
            found.append(node)
        elif node.op.name == "multiply":
            stack += [node.operands[1], node.operands[0]]
        elif node.op.name == "square":
            stack += [node.operands[0]] * 2
        else:
            found.append(node)
    return found
