"""Statistics along axes: spread, order, and running sums and products."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import intervals as iv
from ..intervals import Interval
from ..shapes import Kind, Mismatch, Type, normal_axes, normal_axis, reduced
from .declare import Attributes, Infer, Table, by_entry_of_operand

TABLE = Table()
_REDUCTION = "x, axis:axes=all, keepdims:flag=false"
_DY, _Y = (f"spread({name}, x, axis=axis, keepdims=keepdims)" for name in ("dy", "y"))
_OPTIONS = "axis=axis, keepdims=keepdims"


def _reduced(minimum: Kind) -> Infer:
    def infer(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
        (x,) = types
        axes = normal_axes(attributes["axis"], x.rank)
        shape = reduced(x.shape, axes, attributes["keepdims"])
        return Type(max(x.kind, minimum), shape), {**attributes, "axis": axes}

    return infer


# ── Spread ──────────────────────────────────────────────────────────────────


def _with_correction(name: str) -> Callable[[Sequence[Type], Attributes], str]:
    def text(types: Sequence[Type], attributes: Attributes) -> str:
        correction = ", ddof={correction}" if attributes["correction"] else ""
        return f"np.{name}({{x}}{{, axis}}{correction}{{, keepdims}})"

    return text


def _spread_of(name: str, doc: str, **declaration: Any) -> None:
    TABLE.declare(
        name, f"{_REDUCTION}, correction:number=0", doc, infer=_reduced(Kind.FLOAT),
        numpy=_with_correction(name), paper=f"{name}({{x}})", latex=rf"\mathrm{{{name}}}({{x}})",
        reach={"x": _DY}, values=iv.constant(iv.NON_NEGATIVE), **declaration,
    )  # fmt: skip


_DEVIATION = "(x - mean(x, axis=axis, keepdims=true))"
_FREEDOM = "(count(x, axis=axis) - correction)"
_SCORE = f"(if varies(x, axis=axis) and {_Y} != 0 then {_DEVIATION} / {_Y} else 0)"
_spread_of(
    "var", "The mean squared deviation from the mean; the sum is divided by n - correction.",
    rules={"x": f"2 * {_DY} / {_FREEDOM} * {_DEVIATION}"},
    tangent=f"2 * sum({_DEVIATION} * dx, {_OPTIONS}) / {_FREEDOM}",
)  # fmt: skip
_spread_of(
    "std", "The root of `var`, the standard deviation; where all entries are equal the slope is 0.",
    convention="std has slope 0 where all entries are equal",
    rules={"x": f"{_DY} / {_FREEDOM} * {_SCORE}"},
    tangent=f"sum({_SCORE} * dx, {_OPTIONS}) / {_FREEDOM}",
)  # fmt: skip


def _varies_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    (x,) = types
    if not x.is_float:
        raise Mismatch("G301", f"floats are needed here, not {x}", f"this is {x}", operand=0)
    axes = normal_axes(attributes["axis"], x.rank)
    return Type(Kind.BOOL, reduced(x.shape, axes, True)), {"axis": axes}


TABLE.declare(
    "varies", "x, axis:axes", "Whether entries along the axes differ.", infer=_varies_type,
    numpy="_varies({x}, {axis})", paper="varies({x})", latex=r"\mathrm{varies}({x})",
    public=False,
)  # fmt: skip
TABLE.declare(
    "ptp", _REDUCTION, "The largest entry less the smallest; ties share as those of `max`.",
    infer=_reduced(Kind.INT), numpy="", canonical=False,
)  # fmt: skip

# ── Order ───────────────────────────────────────────────────────────────────


def _median_text(types: Sequence[Type], attributes: Attributes) -> str:
    return "np.median({x})" if types[0].rank == 1 else "np.median({x}, axis=-1)"


TABLE.declare(
    "median", _REDUCTION, "The middle entry in order, or the mean of the middle two.",
    infer=_reduced(Kind.FLOAT), flops=by_entry_of_operand, numpy=_median_text, paper="median({x})",
    latex=r"\mathrm{median}({x})", values=iv.averaged,
    convention="median gives the middle entry 1, or the middle two 1/2; the first come first",
    rules={"x": "expand_dims(dy, axis=-1) * median_weights(x)"},
    reach={"x": "expand_dims(dy, axis=-1)"}, tangent="sum(dx * median_weights(x), axis=-1)",
)  # fmt: skip


def _weights_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    return Type(Kind.FLOAT, types[0].shape), attributes


TABLE.declare(
    "median_weights", "x", "1 at the median of the last axis, or 1/2 at each of two.",
    infer=_weights_type, numpy="_median_weights({x})", paper="median_weights({x})",
    latex=r"\partial\,\mathrm{median}({x})", values=iv.constant(Interval(0.0, 1.0)),
    public=False,
)  # fmt: skip


def _place_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    (x,) = types
    axis, keepdims = attributes["axis"], attributes["keepdims"]
    axis = -1 if axis is None and x.rank == 1 else axis
    axis = None if axis is None else normal_axis(axis, x.rank)
    axes = normal_axes(None if axis is None else [axis], x.rank)
    return Type(Kind.INT, reduced(x.shape, axes, keepdims)), {**attributes, "axis": axis}


def _place_text(name: str) -> Callable[[Sequence[Type], Attributes], str]:
    def text(types: Sequence[Type], attributes: Attributes) -> str:
        axis = attributes["axis"]
        along = (
            ""
            if axis is None or types[0].rank == 1
            else f", axis={_from_front(axis, types[0].rank)}"
        )
        return f"np.{name}({{x}}{along}{{, keepdims}})"

    return text


def _from_front(axis: int, rank: int) -> int:
    return axis if axis == -1 else axis + rank


for _name, _best in (("argmax", "largest"), ("argmin", "smallest")):
    TABLE.declare(
        _name, "x, axis:axis=all, keepdims:flag=false",
        f"Where the {_best} entry is, the first of several; without an axis, among all in order.",
        sample=f"{_name}(x: [N, D], axis=1)",
        infer=_place_type, flops=by_entry_of_operand,
        numpy=_place_text(_name), paper=f"{_name}({{x}})",
        latex=rf"\arg\{_name[3:]}({{x}})", values=iv.constant(iv.NON_NEGATIVE),
    )  # fmt: skip

# ── Running sums and products ───────────────────────────────────────────────


def _running(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    x, axis = types[-1], attributes["axis"]
    if not x.rank:
        raise Mismatch("G204", "a scalar has no axis to run along", f"this is {x}", operand=0)
    if axis is None and x.rank > 1:
        raise Mismatch(
            "G204", f"which of the {x.rank} axes to run along is not said", f"this is {x}",
            "write axis=0, or axis=-1 for the last", 0,
        )  # fmt: skip
    axis = -1 if axis is None else normal_axis(axis, x.rank)
    kind = max(Kind.INT, *(t.kind for t in types))
    return Type(kind, x.shape), {**attributes, "axis": axis}


def _shifted(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    (x,) = types
    return x, {**attributes, "axis": normal_axis(attributes["axis"], x.rank)}


def _along(template: str, vector: str = "") -> Callable[[Sequence[Type], Attributes], str]:
    """A template in which AXIS stands for the axis, counted as people do; another for vectors."""

    def text(types: Sequence[Type], attributes: Attributes) -> str:
        if vector and types[0].rank == 1:
            return vector
        return template.replace("AXIS", str(_from_front(attributes["axis"], types[0].rank)))

    return text


def _running_text(types: Sequence[Type], attributes: Attributes) -> str:
    forwards = attributes["step"] > 0
    whole = "np.cumsum({x}, axis=AXIS)" if forwards else (
        "np.flip(np.cumsum(np.flip({x}, AXIS), axis=AXIS), AXIS)"
    )  # fmt: skip
    vector = "np.cumsum({x})" if forwards else "np.cumsum({x}[::-1])[::-1]"
    return _along(whole, vector)(types, attributes)


def _reach(step: str) -> str:
    """An entry counts for the results after it, or before it for a negative step."""
    some = "any(dy, axis=[axis], keepdims=true)"
    return f"{some} and running_sum(dy, axis=axis, step={step}) > 0"


def _running_op(name: str, signature: str, doc: str, **declaration: Any) -> None:
    declaration.setdefault("infer", _running)
    declaration.setdefault("latex", rf"\mathrm{{{name}}}({{x}})")
    declaration.setdefault("paper", f"{name}({{x}})")
    TABLE.declare(name, signature, doc, **declaration)


_running_op(
    "cumsum", "x, axis:axis=all", "The sums of the entries up to each one along an axis.",
    sample="cumsum(x: [N, D], axis=0)",
    numpy=_along("np.cumsum({x}, axis=AXIS)", "np.cumsum({x})"), family="linear",
    values=iv.scaled_by_count, rules={"x": "running_sum(dy, axis=axis, step=-1)"},
    reach={"x": _reach("-1")},
)  # fmt: skip
_running_op(
    "running_sum", "x, axis:axis, step:integer", "`cumsum`, or from the end for a step of -1.",
    numpy=_running_text, family="linear", values=iv.scaled_by_count, public=False,
    rules={"x": "running_sum(dy, axis=axis, step=-step)"}, reach={"x": _reach("-step")},
)  # fmt: skip

# With p the products before each entry, dx = p * g, where g[j] = dy[j] + x[j + 1] * g[j + 1]: no
# division, so that it is exact where entries are 0.
_PRODUCTS_BEFORE = "cumprod(shift(x, axis=axis, step=1, fill=1), axis=axis)"
_running_op(
    "cumprod", "x, axis:axis=all",
    "The products of the entries up to each one; the gradient is exact, also where they are 0.",
    sample="cumprod(x: [N, D], axis=0)",
    numpy=_along("np.cumprod({x}, axis=AXIS)", "np.cumprod({x})"),
    rules={
        "x": f"{_PRODUCTS_BEFORE} *"
        " recurrence(shift(x, axis=axis, step=-1, fill=0), dy, axis=axis, step=-1)"
    },
    reach={"x": _reach("-1")},
    tangent=f"recurrence(x, {_PRODUCTS_BEFORE} * dx, axis=axis, step=1)",
)  # fmt: skip
_running_op(
    "recurrence", "a, b, axis:axis, step:integer",
    "`y[i] = a[i] * y[i - step] + b[i]`, beginning with 0.",
    numpy=_along("_recurrence({a}, {b}, axis=AXIS, step={step})"), paper="recurrence({a}, {b})",
    latex=r"\mathrm{recurrence}({a}, {b})", public=False,
    rules={
        "a": "shift(y, axis=axis, step=step, fill=0) * recurrence("
        "shift(a, axis=axis, step=-step, fill=0), dy, axis=axis, step=-step)",
        "b": "recurrence(shift(a, axis=axis, step=-step, fill=0), dy, axis=axis, step=-step)",
    },
    reach={"a": _reach("-step"), "b": _reach("-step")},
    tangent="recurrence(a, da * shift(y, axis=axis, step=step, fill=0) + db,"
    " axis=axis, step=step)",
)  # fmt: skip
_running_op(
    "shift", "x, axis:axis, step:integer, fill:number",
    "The entries moved one step along an axis; `fill` comes in.",
    numpy=_along("_shift({x}, axis=AXIS, step={step}, fill={fill})"), infer=_shifted, public=False,
    rules={"x": "shift(dy, axis=axis, step=-step, fill=0)"},
    tangent="shift(dx, axis=axis, step=step, fill=0)",
    values=lambda v: v[0].hull(iv.point(0.0)).hull(iv.point(1.0)),
)  # fmt: skip
