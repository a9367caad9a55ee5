"""What it costs to keep a value for the gradient, and to make it again, in ns."""

from __future__ import annotations

from ..dsl.graph import Node
from ..dsl.loops import is_plain
from ..dsl.shapes import Kind
from .machine import Machine, entries

# What keeping a byte is worth: a number of 8 bytes about eight additions.
_BYTE = 0.5
# A number of Python in a list: the object, and the place of it.
_LISTED = 32
# What is made again costs no more an entry: about as much as reading and writing it.
_CHEAP = 0.75


def width(node: Node, of_float: int = 8) -> int:
    """The bytes of an entry."""
    if node.type.rank and is_plain(node):
        return _LISTED
    return {Kind.BOOL: 1, Kind.INT: 8, Kind.FLOAT: of_float}[node.type.kind]


def worth(node: Node) -> float:
    """What the memory of a value is worth."""
    return entries(node) * width(node) * _BYTE


def is_cheap(node: Node, machine: Machine) -> bool:
    """Whether a value may be made again: arithmetic, comparisons, and what has no operands."""
    return (node.op.by_entry or not node.operands) and machine.of(node.op.name) <= _CHEAP


def again(node: Node, machine: Machine) -> float:
    """What it costs to compute an array from its operands."""
    return machine.call * 1e3 + entries(node) * machine.of(node.op.name)
