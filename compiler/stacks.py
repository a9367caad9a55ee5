"""Where a loop keeps what its steps make: arrays of NumPy, or lists of numbers."""

from __future__ import annotations

from ..dsl.graph import Node
from ..dsl.loops import Loop
from ..dsl.shapes import Kind
from .render import Renderer
from .templates import SIGNED, Expression

_DTYPES = {Kind.INT: "int64", Kind.BOOL: "bool_"}
_ZEROS = {Kind.FLOAT: "0.0", Kind.INT: "0", Kind.BOOL: "False"}


def room(stack: Node, loop: Loop, renderer: Renderer, count: Expression | None) -> str:
    """Room for all steps, zeros where there may be fewer; ``count`` says how many a loop takes that
    knows it from another one."""
    if loop.numbers:
        return _listed(stack, loop, renderer, count)
    shape = renderer.shape(stack.type.shape)
    shape = shape[1:-2] if len(stack.type.shape) == 1 else shape
    np = renderer.module("np")
    if stack.type.is_float:
        renderer.uses.dtype = True
        dtype = renderer.dtype
    else:
        dtype = f"{np}.{_DTYPES[stack.type.kind]}"
    return f"{np}.{'zeros' if loop.dynamic else 'empty'}({shape}, {dtype})"


def _listed(stack: Node, loop: Loop, renderer: Renderer, count: Expression | None) -> str:
    """A list for all steps, or for those that will have been taken."""
    if loop.until is not None:
        return f"list[{stack.type.kind}]()"
    length = count or renderer.size(loop.length)
    return f"[{_ZEROS[stack.type.kind]}] * {length.at(SIGNED)}"
