"""Entries taken at computed places, sorting, and sliding windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import intervals as iv
from ..intervals import Transfer
from ..shapes import Kind, Mismatch, Shape, Type, broadcast, normal_axis, shape_text
from ..sizes import Size
from ..subscripts import Condition, undecided
from .declare import Attributes, Table
from .shaping import declare_adjoint, shown_axis

TABLE = Table()
_NATURAL = {"indices": iv.NON_NEGATIVE}


def _of_first(transfer: Transfer) -> Transfer:
    """For operations whose other operands are places."""
    return lambda operands: transfer(operands[:1])


def _indices(name: str, t: Type) -> None:
    if t.kind is not Kind.INT:
        raise Mismatch(
            "G214", f"`{name}` takes integers as indices, not {t}", f"this is {t}",
            "if c then a else b chooses by truth values" if t.kind is Kind.BOOL
            else "declare the indices as data of type int", 1,
        )  # fmt: skip


def _array(name: str, x: Type) -> None:
    if not x.rank:
        raise Mismatch("G210", f"`{name}` takes an array, not a scalar", "this is a scalar", "", 0)


# ── Along one axis ──────────────────────────────────────────────────────────


def _take_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    x, indices = types
    _array("take", x)
    _indices("take", indices)
    axis = normal_axis(attributes["axis"], x.rank)
    after = x.shape[axis + 1 :] if axis < -1 else ()
    return x.with_shape((*x.shape[:axis], *indices.shape, *after)), {"axis": axis}


def _axis_text(attributes: Attributes, rank: int) -> str:
    return f", axis={shown_axis(attributes['axis'], rank)}" if rank > 1 else ""


def _take_text(types: Sequence[Type], attributes: Attributes) -> str:
    rank = types[0].rank
    first = attributes["axis"] == -rank
    return f"_take({{x}}, {{indices}}{'' if first else _axis_text(attributes, rank)})"


def _take_direct(types: Sequence[Type], attributes: Attributes) -> str:
    return f"np.take({{x}}, {{indices}}{_axis_text(attributes, types[0].rank)})"


TABLE.declare(
    "take", "x, indices, axis:axis=0",
    "The entries at integer `indices` along the axis, whose place the axes of `indices` take.",
    sample="take(x: [N, D], indices: int[K])",
    infer=_take_type, numpy=_take_text, direct=_take_direct, safe=_NATURAL, places=("indices",),
    paper="take({x}, {indices})", latex="{x}_{{indices}}", values=_of_first(iv.same),
    rules={"x": "untake(dy, x, indices, axis=axis)"},
    reach={"x": "untake_any(dy, x, indices, axis=axis)"},
    linear="x",
)  # fmt: skip
declare_adjoint(TABLE, "untake", "indices, axis:axis", "What arrives from `take`")


def _scatter_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    x, indices = types
    _indices("scatter", indices)
    after = -attributes["axis"] - 1
    before = x.rank - after - indices.rank
    shape = (*x.shape[:before], Size.of(attributes["count"]), *x.shape[x.rank - after :])
    return x.with_shape(shape), attributes


def _scatter_text(types: Sequence[Type], attributes: Attributes) -> str:
    x, indices = types
    axis = x.rank - indices.rank + 1 + attributes["axis"]
    return f"_scatter({{x}}, {{indices}}, {{count}}{f', axis={axis}' if axis else ''})"


TABLE.declare(
    "scatter", "x, indices, count:size, axis:axis",
    "Zeros, with the entries of `x` added at `indices` along an axis.", infer=_scatter_type,
    numpy=_scatter_text, public=False, places=("indices",), paper="scatter({x}, {indices})",
    latex=r"\mathrm{scatter}({x}, {indices})", values=_of_first(iv.scaled_by_count),
    rules={"x": "take(dy, indices, axis=axis)"},
    linear="x",
)  # fmt: skip

# ── Along one axis, for each position of the others ─────────────────────────


def along_shapes(x: Shape, indices: Shape, axis: int) -> tuple[Shape, Shape]:
    """Both shapes with all axes but one broadcast. Raises ``Mismatch``."""
    without = [(*shape[:axis], *shape[len(shape) + axis + 1 :]) for shape in (x, indices)]
    common = broadcast(without)
    at = len(common) + axis + 1
    return tuple((*common[:at], shape[axis], *common[at:]) for shape in (x, indices))  # type: ignore[return-value]


def _along_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    x, indices = types
    _array("take_along_axis", x)
    _indices("take_along_axis", indices)
    if x.rank != indices.rank:
        raise Mismatch(
            "G210", f"{shape_text(x.shape)} and {shape_text(indices.shape)} have different axes",
            f"this is {indices}",
            "the indices have as many axes as the array: expand_dims(k, -1) takes one entry of"
            " each row",
            1,
        )  # fmt: skip
    axis = normal_axis(attributes["axis"], x.rank)
    return x.with_shape(along_shapes(x.shape, indices.shape, axis)[1]), {"axis": axis}


def _along_text(name: str) -> Any:
    def text(types: Sequence[Type], attributes: Attributes) -> str:
        axis = shown_axis(attributes["axis"], types[0].rank)
        return f"{name}({{x}}, {{indices}}, axis={axis})"

    return text


TABLE.declare(
    "take_along_axis", "x, indices, axis:axis=-1",
    "The entries at `indices` along the axis, each position of the other axes by itself.",
    sample="take_along_axis(x: [N, D], indices: int[N, K])",
    infer=_along_type, numpy=_along_text("_take_along_axis"),
    direct=_along_text("np.take_along_axis"), safe=_NATURAL, places=("indices",),
    paper="take_along_axis({x}, {indices})", latex="{x}_{{indices}}", values=_of_first(iv.same),
    rules={"x": "untake_along(dy, x, indices, axis=axis)"},
    reach={"x": "untake_along_any(dy, x, indices, axis=axis)"},
    linear="x",
)  # fmt: skip
declare_adjoint(TABLE, "untake_along", "indices, axis:axis", "What arrives from `take_along_axis`")


def _scatter_along_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    (x, indices), axis = types, attributes["axis"]
    _indices("scatter", indices)
    shape = list(x.shape)
    shape[axis] = Size.of(attributes["count"])
    return x.with_shape(tuple(shape)), attributes


def _scatter_along_text(types: Sequence[Type], attributes: Attributes) -> str:
    axis = shown_axis(attributes["axis"], types[0].rank)
    return f"_scatter_along({{x}}, {{indices}}, {{count}}, {axis})"


TABLE.declare(
    "scatter_along", "x, indices, count:size, axis:axis",
    "Zeros, with the entries of `x` added at `indices`, each position of the other axes by itself.",
    infer=_scatter_along_type, numpy=_scatter_along_text, public=False, places=("indices",),
    paper="scatter({x}, {indices})", latex=r"\mathrm{scatter}({x}, {indices})",
    values=_of_first(iv.scaled_by_count),
    rules={"x": "take_along_axis(dy, indices, axis=axis)"},
    linear="x",
)  # fmt: skip

# ── Order ───────────────────────────────────────────────────────────────────


def _sort_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    _array("sort", types[0])
    return types[0], {"axis": normal_axis(attributes["axis"], types[0].rank)}


def _argsort_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    sorted_, attributes = _sort_type(types, attributes)
    return Type(Kind.INT, sorted_.shape), attributes


def _sort_text(name: str, more: str = "") -> Any:
    def text(types: Sequence[Type], attributes: Attributes) -> str:
        last = attributes["axis"] == -1
        return f"np.{name}({{x}}{'' if last else _axis_text(attributes, types[0].rank)}{more})"

    return text


TABLE.declare(
    "sort", "x, axis:axis=-1", "The entries in increasing order along the axis.",
    sample="sort(x: [N, D])",
    infer=_sort_type, numpy=_sort_text("sort"), paper="sort({x})",
    latex=r"\mathrm{sort}({x})", values=iv.same,
    convention="sort passes the gradient back to where each entry came from, ties in order",
    rules={"x": "untake_along(dy, x, argsort(x, axis=axis), axis=axis)"},
    reach={"x": "untake_along_any(dy, x, argsort(x, axis=axis), axis=axis)"},
    tangent="take_along_axis(dx, argsort(x, axis=axis), axis=axis)",
)  # fmt: skip
TABLE.declare(
    "argsort", "x, axis:axis=-1", "The places from which `sort` takes its entries, ties in order.",
    sample="argsort(x: [N, D])",
    infer=_argsort_type, numpy=_sort_text("argsort", ', kind="stable"'), paper="argsort({x})",
    latex=r"\mathrm{argsort}({x})", values=iv.constant(iv.NON_NEGATIVE),
)  # fmt: skip

# ── Sliding windows ─────────────────────────────────────────────────────────


def _windows_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    (x,) = types
    window, step = attributes["window"], attributes["step"]
    if len(window) > x.rank or not window:
        raise Mismatch(
            "G210", f"windows of {len(window)} axes in an array of {x.rank}", f"this is {x}",
            "the last axes have windows, one size for each", 0,
        )  # fmt: skip
    if not isinstance(step, int) or step < 1:
        raise Mismatch("G212", f"the step of windows is a positive number, not {step}")
    counts = []
    for whole, size in zip(x.shape[-len(window) :], window, strict=True):
        slack = (whole - size).constant
        if size.constant == 0:
            raise Mismatch("G206", "a window of size 0 holds nothing")
        if slack is not None and slack < 0:
            raise Mismatch("G206", f"no window of size {size} in an axis of size {whole}",
                           f"this is {x}", "pad(x, ...) makes the array larger", 0)  # fmt: skip
        counts.append((whole - size) // step + 1)
    return x.with_shape((*x.shape[: -len(window)], *counts, *window)), attributes


def _window_conditions(types: Sequence[Type], attributes: Attributes) -> Sequence[Condition]:
    whole = types[0].shape[-len(attributes["window"]) :]
    pairs = zip(attributes["window"], whole, strict=True)
    return undecided([(size, axis, f"a window of {size} in {axis}") for size, axis in pairs])


def _windows_text(types: Sequence[Type], attributes: Attributes) -> str:
    return f"_windows({{x}}, {{window}}{', {step}' if attributes['step'] > 1 else ''})"


TABLE.declare(
    "windows", "x, window:shape, step:integer=1",
    "All windows of a size along the last axes: their positions first, then their entries.",
    sample="windows(x: [N, L], K)",
    infer=_windows_type, needs=_window_conditions, numpy=_windows_text, family="linear",
    paper="windows({x})",
    latex=r"\mathrm{windows}({x})", values=iv.same,
    rules={"x": "unwindow(dy, x, window=window, step=step)"},
    reach={"x": "unwindow_any(dy, x, window=window, step=step)"},
)  # fmt: skip
declare_adjoint(TABLE, "unwindow", "window:shape, step:integer", "What arrives from `windows`")


def _overlap_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    (x,) = types
    whole = attributes["whole"]
    return x.with_shape((*x.shape[: x.rank - 2 * len(whole)], *whole)), attributes


TABLE.declare(
    "overlap", "x, window:shape, step:integer, whole:shape",
    "Windows added up where they overlap: what `windows` sends back.", infer=_overlap_type,
    numpy="_overlap({x}, {whole}, {step})", public=False, family="linear", paper="overlap({x})",
    latex=r"\mathrm{overlap}({x})", values=iv.scaled_by_count,
    rules={"x": "windows(dy, window, step=step)"},
)  # fmt: skip
