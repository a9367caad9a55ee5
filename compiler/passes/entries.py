"""What the pass ``unroll`` is made of: arrays of nodes, and what makes the parts of an entry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...dsl.graph import Node, constant, make
from ...dsl.shapes import Kind

Entries: TypeAlias = NDArray[Any]


class Stays(Exception):
    """An operation that has no expansion."""


@dataclass
class Maker:
    """Makes the parts of one node, which belong to the same line and the same derivative."""

    node: Node

    def __call__(self, op: str, *operands: Node, **attributes: Any) -> Node:
        own = self.node
        more = {"cause": own.cause, "position": own.position}
        return make(op, operands, own.span, attributes, **more)

    def number(self, value: float | bool) -> Node:
        return constant(value, self.node.span)

    def filler(self, value: float) -> Node:
        """A number of the node's own kind."""
        return self.number((bool, int, float)[self.node.type.kind](value))

    def of_kind(self, entry: Node) -> Node:
        """The entry as one of the node's own kind."""
        kind = self.node.type.kind
        if entry.type.kind is kind:
            return entry
        return self("as_float" if kind is Kind.FLOAT else "as_int", entry)

    def chain(self, op: str, entries: Sequence[Node], empty: float | bool) -> Node:
        """The entries combined from left to right."""
        if not entries:
            return self.filler(empty)
        return self.of_kind(reduce(lambda a, b: self(op, a, b), entries))

    def total(self, entries: Sequence[Node]) -> Node:
        if self.node.type.kind is Kind.BOOL:  # NumPy's sum of two truth values.
            return self.chain("logical_or", entries, False)
        return self.chain("add", entries, 0)


Expansion = Callable[[Maker, list[Entries]], Entries]


def lengths(node: Node) -> tuple[int, ...]:
    """The shape in numbers. Raises ``Stays`` where a size is not one."""
    found = []
    for size in node.type.shape:
        if size.constant is None:
            raise Stays
        found.append(size.constant)
    return tuple(found)


def collected(entries: Sequence[Node], shape: Sequence[int]) -> Entries:
    result = np.empty(len(entries), object)
    result[:] = entries
    return result.reshape(shape)
