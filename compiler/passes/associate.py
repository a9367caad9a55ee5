"""Products of several matrices in the order that costs least, where one of them is a vector or of
rank one: ``(A @ B) @ v`` is ``A @ (B @ v)``, ``outer(a, b) @ v`` is ``a * dot(b, v)``.

A product that a reader named, or that is needed as a matrix as well, is computed anyway and stays.
"""

from __future__ import annotations

from collections import Counter

from ...dsl.graph import Graph, Node, make
from .rewrite import anonymous, rewrite

_FACTORED = ("matmul", "vecouter")


def associate(graph: Graph) -> Graph:
    if graph.operations.isdisjoint(_FACTORED):
        return graph
    uses: Counter[Node] = Counter((*graph.outputs.values(), *graph.gradients.values()))
    acting: Counter[Node] = Counter()
    for node in graph.nodes:
        uses.update(node.operands)
        acting.update(_action(node))
    # Matrices of which only what they do to vectors, or to other matrices, is used.
    free = {n for n in acting if acting[n] == uses[n] and anonymous(n) and n.type.rank == 2}
    free |= {n for n in uses if _is_turned(n) and anonymous(n) and uses[n] == acting[n]}

    def step(node: Node) -> Node | None:
        if node.op.name == "matvec" and node.type.rank == 1:
            return _on_vector(node, free)
        return _with_outer(node) if node.op.name == "matmul" and node.type.rank == 2 else None

    return rewrite(graph, step, "associate")


def _action(node: Node) -> list[Node]:
    """The matrices that a node only applies to something."""
    if node.op.name == "matvec" and node.type.rank == 1:
        return [node.operands[0]]
    return list(node.operands) if _is_turned(node) else []


def _is_turned(node: Node) -> bool:
    return node.op.name == "transpose" and node.attributes["axes"] == (-1, -2)


def _on_vector(node: Node, free: set[Node]) -> Node | None:
    """A product, or its transpose, times a vector: its factors one after the other."""
    matrix, vector = node.operands
    turned = _is_turned(matrix) and matrix in free
    inner = matrix.operands[0] if turned else matrix
    if inner not in free or inner.op.name not in _FACTORED:
        return None
    a, b = inner.operands[::-1] if turned else inner.operands
    if inner.op.name == "vecouter":
        dot = make("vecdot", [b, vector], node.span, cause=node.cause, position=node.position)
        return make("multiply", [a, dot], node.span)
    first, second = (_transposed(a), _transposed(b)) if turned else (a, b)
    applied = make("matvec", [second, vector], node.span, cause=node.cause, position=node.position)
    return make("matvec", [first, applied], node.span)


def _with_outer(node: Node) -> Node | None:
    """A product with a matrix of rank one, which is of rank one."""
    a, b = node.operands
    if b.op.name == "vecouter" and anonymous(b):
        column, row = b.operands
        return make("vecouter", [make("matvec", [a, column], node.span), row], node.span)
    if a.op.name == "vecouter" and anonymous(a):
        column, row = a.operands
        return make(
            "vecouter", [column, make("matvec", [_transposed(b), row], node.span)], node.span
        )
    return None


def _transposed(node: Node) -> Node:
    if _is_turned(node):
        return node.operands[0]
    return make("transpose", [node], node.span, {"axes": (-1, -2)})
