"""Matrices that are symmetric by how they are made: their symmetric part is themselves."""

from __future__ import annotations

from collections.abc import Callable

from ...dsl.graph import Node

_DEPTH = 8


def concerns(name: str, family: str) -> bool:
    return name == "symmetric"


def step(node: Node) -> Node | None:
    if node.op.name == "symmetric" and is_symmetric(node.operands[0]):
        return node.operands[0]
    return None


def is_symmetric(node: Node, depth: int = _DEPTH) -> bool:
    """Whether the last two axes can be exchanged; not found out for deeper expressions."""
    if not node.type.rank:
        return True
    if not depth:
        return False
    proof = _PROOFS.get(node.op.name)
    if proof is not None:
        return proof(node, depth - 1)
    if node.op.family != "elementwise":
        return False
    # An axis is lost where one of the operands is a vector: a row is no column.
    return all(
        not operand.type.rank
        or (operand.type.shape == node.type.shape and is_symmetric(operand, depth - 1))
        for operand in node.operands
    )


def _product(node: Node, depth: int) -> bool:
    """``B @ B.T`` and ``B.T @ B``."""
    a, b = node.operands
    return _are_transposes(a, b) or _are_transposes(b, a)


def _are_transposes(a: Node, b: Node) -> bool:
    return b.op.name == "transpose" and b.operands[0] is a and _exchanges_last(b)


def _exchanges_last(node: Node) -> bool:
    rank = node.type.rank
    axes: tuple[int, ...] = node.attributes["axes"]
    return axes == (*range(-rank, -2), -1, -2)


def _square_eye(node: Node, depth: int) -> bool:
    return node.type.shape[-1] == node.type.shape[-2]


def _of_operand(node: Node, depth: int) -> bool:
    return node.type.rank == node.operands[0].type.rank and is_symmetric(node.operands[0], depth)


def _outer(node: Node, depth: int) -> bool:
    return node.operands[0] is node.operands[1]


def _always(node: Node, depth: int) -> bool:
    return True


_PROOFS: dict[str, Callable[[Node, int], bool]] = {
    "symmetric": _always,
    "matmul": _product,
    "vecouter": _outer,
    "eye": _square_eye,
    "zeros": _square_eye,
    "ones": _square_eye,
    "inv": _of_operand,
    "transpose": lambda node, depth: _exchanges_last(node) and _of_operand(node, depth),
    "where": lambda node, depth: all(
        o.type.shape in ((), node.type.shape) and is_symmetric(o, depth) for o in node.operands
    ),
}
