"""Loops with carried state. What a step does is a graph of its own, ``dsl/loops.py``."""

from __future__ import annotations

from collections.abc import Sequence

from .. import intervals as iv
from ..shapes import Kind, Mismatch, Type
from ..sizes import ZERO
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


# Between NumPy and the loops that compute with Python's numbers.


def _to_python_text(types: Sequence[Type], _: Attributes) -> str:
    return "{x}.tolist()" if types[0].rank else f"{types[0].kind}({{x}})"


def _to_numpy_text(types: Sequence[Type], attributes: Attributes) -> str:
    """With a shape, the list may be shorter: steps that were not taken have 0."""
    (x,) = types
    name = {Kind.FLOAT: "{dtype}", Kind.INT: "np.int64", Kind.BOOL: "np.bool_"}[x.kind]
    if "shape" in attributes:
        return f"np.array([*{{x}}, *[0] * ({{rows}} - len({{x}}))], {name})"
    if x.rank:
        return f"np.array({{x}}, {name})"
    return f"{name}.type({{x}})" if x.kind is Kind.FLOAT else f"{name}({{x}})"


for _name, _doc, _text in (
    ("to_python", "The same as a number of Python, or a list of them.", _to_python_text),
    ("to_numpy", "The same as a number or an array of NumPy.", _to_numpy_text),
):
    TABLE.declare(
        _name, "x", _doc, infer=lambda types, attributes: (types[0], attributes), numpy=_text,
        paper="{x}", latex="{x}", linear="x", family="linear", rules={"x": "dy"}, public=False,
        flops=lambda types, attributes, result: ZERO, values=iv.same,
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
