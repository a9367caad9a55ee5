"""Which operations have a canonical form, by name; the files beside this one fill the table."""

from __future__ import annotations

from collections.abc import Callable

from ..graph import Node, constant, make
from ..sizes import Size
from ..source import Span

Lowering = Callable[[Node, tuple[Node, ...]], Node]
LOWERINGS: dict[str, Lowering] = {}


def lowering(*names: str) -> Callable[[Lowering], Lowering]:
    """Registers what makes nodes of these operations canonical, given their lowered operands."""

    def register(function: Lowering) -> Lowering:
        for name in names:
            LOWERINGS[name] = function
        return function

    return register


def swap_last(x: Node, span: Span) -> Node:
    axes = [*range(-x.type.rank, 0)]
    axes[-1], axes[-2] = axes[-2], axes[-1]
    return make("transpose", [x], span, {"axes": tuple(axes)})


def converted(node: Node, a: Node) -> Node:
    """An operand in the kind of the result."""
    if a.type.kind == node.type.kind:
        return a
    return make("as_float" if node.type.is_float else "as_int", [a], node.span)


def size_node(size: Size, span: Span) -> Node:
    if size.constant is not None:
        return constant(size.constant, span)
    return make("size", (), span, {"size": size})
