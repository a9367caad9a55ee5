"""Operations that combine the entries along axes, and their weights.

``axis`` and ``keepdims`` are as in NumPy; all axes by default. In rules, ``spread`` undoes a
reduction: it repeats what arrives along the reduced axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import intervals as iv
from ..intervals import Interval
from ..shapes import Kind, Mismatch, Type, normal_axes, reduced
from .declare import Attributes, Infer, Table, by_entry_of_operand

TABLE = Table()
_SIGNATURE = "x, axis:axes=all, keepdims:flag=false"
_SPREAD = "spread({}, x, axis=axis, keepdims=keepdims)"


def _reduced(minimum: Kind) -> Infer:
    def infer(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
        (x,) = types
        axes = normal_axes(attributes["axis"], x.rank)
        keepdims = attributes["keepdims"]
        kind = max(x.kind, minimum)
        return Type(kind, reduced(x.shape, axes, keepdims)), {"axis": axes, "keepdims": keepdims}

    return infer


def _normalised(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    (x,) = types
    return Type(Kind.FLOAT, x.shape), {"axis": normal_axes(attributes["axis"], x.rank)}


def _reduction(name: str, doc: str, **declaration: Any) -> None:
    minimum = declaration.pop("minimum", Kind.FLOAT)
    declaration.setdefault("numpy", f"np.{name}({{x}}{{, axis}}{{, keepdims}})")
    declaration.setdefault("paper", f"{name}({{x}})")
    declaration.setdefault("latex", rf"\{name}({{x}})")
    declaration.setdefault("flops", by_entry_of_operand)
    TABLE.declare(name, _SIGNATURE, doc, infer=_reduced(minimum), **declaration)


_dy, _y = _SPREAD.format("dy"), _SPREAD.format("y")

_reduction(
    "sum", "The sum.", minimum=Kind.INT, family="linear", latex=r"\sum {x}",
    rules={"x": _dy}, values=iv.scaled_by_count,
)  # fmt: skip
_reduction(
    "mean", "The arithmetic mean.", family="linear", latex=r"\mathrm{mean}({x})",
    rules={"x": f"{_dy} / count(x, axis=axis)"}, reach={"x": _dy}, values=iv.averaged,
)  # fmt: skip
for _name, _doc in (
    ("max", "The largest entry; ties share the gradient evenly."),
    ("min", "The smallest entry; ties share the gradient evenly."),
):
    _reduction(
        _name, _doc, minimum=Kind.INT, values=iv.same,
        convention=f"ties of {_name} share the gradient evenly",
        rules={"x": f"{_dy} * hits(x, {_y}, axis=axis)"}, reach={"x": _dy},
        tangent=f"sum(dx * hits(x, {_y}, axis=axis), axis=axis, keepdims=keepdims)",
    )  # fmt: skip
_reduction(
    "peak", "The largest entry, -inf of none: what keeps exponentials from overflowing.",
    numpy="np.max({x}{, axis}{, keepdims}, initial=-np.inf)", values=iv.constant(iv.REAL),
    rules={"x": f"{_dy} * hits(x, {_y}, axis=axis)"}, reach={"x": _dy}, public=False,
    tangent=f"sum(dx * hits(x, {_y}, axis=axis), axis=axis, keepdims=keepdims)",
)  # fmt: skip
_reduction(
    "prod", "The product; the gradient is exact, also where entries are 0.", minimum=Kind.INT,
    latex=r"\prod {x}", numpy="np.prod({x}, axis=-1)",
    rules={"x": "expand_dims(dy, axis=-1) * prod_others(x)"},
    reach={"x": "expand_dims(dy, axis=-1)"},
    tangent="sum(dx * prod_others(x), axis=-1)",
)  # fmt: skip
_reduction(
    "norm", "The Euclidean (Frobenius) norm; the slope at 0 is 0.",
    numpy="np.linalg.norm({x}{, axis}{, keepdims})", paper="‖{x}‖", latex=r"\lVert {x} \rVert",
    convention="norm has slope 0 at 0",
    rules={"x": f"if {_y} == 0 then 0 else {_dy} * x / {_y}"}, reach={"x": _dy},
    tangent="if y == 0 then 0 else sum(x * dx, axis=axis, keepdims=keepdims) / y",
    values=iv.constant(iv.NON_NEGATIVE),
)  # fmt: skip
_reduction(
    "logsumexp", "`log(sum(exp(x)))`, without overflow; -inf if all entries are.",
    numpy="_logsumexp({x}{, axis}{, keepdims})", latex=r"\mathrm{logsumexp}({x})",
    rules={"x": f"{_dy} * softmax(x, axis=axis)"}, reach={"x": _dy},
    tangent="sum(dx * softmax(x, axis=axis), axis=axis, keepdims=keepdims)", cost=(4.0, 8.0),
)  # fmt: skip

TABLE.declare(
    "softmax", "x, axis:axes=-1", "`exp(x) / sum(exp(x))` along the axis; 0 if all are -inf.",
    sample="softmax(x: [N, D])",
    infer=_normalised, numpy="_softmax({x}, {axis})", paper="softmax({x})",
    latex=r"\mathrm{softmax}({x})", values=iv.constant(Interval(0.0, 1.0)),
    rules={"x": "y * (dy - sum(dy * y, axis=axis, keepdims=true))"},
    reach={"x": "any(dy, axis=axis, keepdims=true)"},
    tangent="y * (dx - sum(dx * y, axis=axis, keepdims=true))", cost=(3.5, 8.0),
)  # fmt: skip
TABLE.declare(
    "log_softmax", "x, axis:axes=-1", "`log(softmax(x))` along the axis, without overflow.",
    sample="log_softmax(x: [N, D])",
    infer=_normalised, numpy="_log_softmax({x}, {axis})", paper="log_softmax({x})",
    latex=r"\log\mathrm{softmax}({x})", values=iv.constant(Interval(high=0.0)),
    rules={"x": "dy - exp(y) * sum(dy, axis=axis, keepdims=true)"},
    reach={"x": "any(dy, axis=axis, keepdims=true)"},
    tangent="dx - sum(exp(y) * dx, axis=axis, keepdims=true)", cost=(4.0, 8.0),
)  # fmt: skip


# ── What only rules and rewrites use ────────────────────────────────────────


def _sum_squares_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    return Type(types[0].kind), attributes


def _sum_squares_text(types: Sequence[Type], attributes: Attributes) -> str:
    return "np.dot({x}, {x})" if types[0].rank == 1 else "np.dot({x}.ravel(), {x}.ravel())"


TABLE.declare(
    "sum_squares", "x", "`norm(x)^2` over all axes, exact at 0.", infer=_sum_squares_type,
    numpy=_sum_squares_text, paper="‖{x}‖²", latex=r"\lVert {x} \rVert^2", public=False,
    rules={"x": "2 * x * dy"}, shown={"x": "2 * x"},
    tangent="2 * sum(x * dx)", values=iv.constant(iv.NON_NEGATIVE),
    flops=lambda *call: by_entry_of_operand(*call) * 2,
)  # fmt: skip


def _same_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    return types[0], attributes


_MASKED = "if diagonal_mask(x) then 1 else expand_dims(x, axis=-2)"
TABLE.declare(
    "prod_others", "x", "Along the last axis, the product of all other entries.",
    infer=_same_type, numpy="_prod_others({x})", paper="prod_others({x})", public=False,
    latex=r"\prod_{j \ne i} {x}_j",
    rules={
        "x": "sum(if diagonal_mask(x) then 0 else"
        f" expand_dims(dy, axis=-1) * prod_others({_MASKED}), axis=-2)"
    },
    reach={"x": "any(dy, axis=-1, keepdims=true)"},
    tangent="sum(if diagonal_mask(x) then 0 else"
    f" expand_dims(dx, axis=-2) * prod_others({_MASKED}), axis=-1)",
)  # fmt: skip


def _spread_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    return Type(types[0].kind, types[1].shape), attributes


TABLE.declare(
    "spread", "dx, x, axis:axes, keepdims:flag", "`dx` repeated along the axes reduced from `x`.",
    infer=_spread_type, numpy="", public=False, canonical=False,
)  # fmt: skip


def _hits_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    return Type(Kind.FLOAT, types[0].shape), attributes


TABLE.declare(
    "hits", "x, best, axis:axes", "1 where x is the best, shared evenly among ties.",
    infer=_hits_type, numpy="", public=False, canonical=False,
)  # fmt: skip


def _count_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    return Type(Kind.INT), attributes


TABLE.declare(
    "count", "x, axis:axes", "How many entries a reduction combines.",
    infer=_count_type, numpy="", public=False, canonical=False,
)  # fmt: skip


def _mask_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    last = types[0].shape[-1]
    return Type(Kind.BOOL, (last, last)), attributes


TABLE.declare(
    "diagonal_mask", "x", "The identity matrix of the last axis, as truth values.",
    infer=_mask_type, numpy="", public=False, canonical=False,
)  # fmt: skip


def _any_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    (x,) = types
    if x.kind is not Kind.BOOL:
        hint = "compare it, for example with `!= 0`"
        raise Mismatch("G301", f"truth values are needed here, not {x}", f"this is {x}", hint, 0)
    axes = normal_axes(attributes["axis"], x.rank)
    shape = reduced(x.shape, axes, attributes["keepdims"])
    return Type(Kind.BOOL, shape), {"axis": axes, "keepdims": attributes["keepdims"]}


for _name, _doc in (("any", "Whether any entry is true."), ("all", "Whether all entries are.")):
    TABLE.declare(
        _name, _SIGNATURE, _doc, infer=_any_type,
        flops=by_entry_of_operand, paper=f"{_name}({{x}})",
        numpy=f"np.{_name}({{x}}{{, axis}}{{, keepdims}})", latex=rf"\mathrm{{{_name}}}({{x}})",
    )  # fmt: skip
