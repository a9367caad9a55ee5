"""Loops with carried state. What a step does is a graph of its own, ``dsl/loops.py``."""

from __future__ import annotations

from collections.abc import Sequence

from .. import intervals as iv
from ..shapes import Kind, Mismatch, Type
from .declare import Attributes, Table

TABLE = Table()


def _scan_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    loop, (sort, which) = attributes["loop"], attributes["result"]
    if sort == "final":
        return loop.nexts[which].type, attributes
    if sort == "steps":
        return Type(Kind.INT), attributes
    if loop.chunk is not None:
        whole = (loop.length if size == loop.chunk.size else size for size in which.type.shape)
        return which.type.with_shape(tuple(whole)), attributes
    return which.type.with_shape((loop.length, *which.type.shape)), attributes


TABLE.declare(
    "scan", "*xs, loop:string",
    "A loop: initial states, then what every step sees, then what each sees a row of.",
    infer=_scan_type, numpy="", family="loop", public=False,
    paper="scan", latex=r"\mathrm{scan}", values=lambda _: iv.REAL,
)  # fmt: skip


def _put_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    x, place, row = types
    axis = attributes["axis"]
    after = x.shape[axis + 1 :] if axis < -1 else ()
    if place != Type(Kind.INT) or row.shape != (*x.shape[:axis], *after):
        raise Mismatch("G210", f"cannot put {row} into {x} at {place}")
    return x.with_kind(max(x.kind, row.kind)), attributes


def _put_text(types: Sequence[Type], attributes: Attributes) -> str:
    axis = types[0].rank + attributes["axis"]
    return f"_put({{x}}, {{place}}, {{row}}{f', axis={axis}' if axis else ''})"


TABLE.declare(
    "put", "x, place, row, axis:axis", "The array with the entries at one place of an axis "
    "replaced.", infer=_put_type, numpy=_put_text, public=False, places=("place",),
    linear="x + row", paper="put({x})", latex=r"\mathrm{put}({x})",
    rules={"x": "put(dy, place, zeros_like(row), axis=axis)", "row": "take(dy, place, axis=axis)"},
    reach={"x": "true_like(x, any(dy))", "row": "true_like(row, any(dy))"},
    tangent="put(dx, place, drow, axis=axis)",
)  # fmt: skip
