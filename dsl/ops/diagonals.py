"""Triangles and diagonals of matrices: the last two axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import intervals as iv
from ..shapes import Kind, Mismatch, Type, shape_text
from ..sizes import Size
from ..subscripts import Condition, undecided
from .declare import Attributes, Infer, Table

TABLE = Table()
Text = Callable[[Sequence[Type], Attributes], str]


def _declare(name: str, signature: str, doc: str, **declaration: Any) -> None:
    declaration.setdefault("paper", f"{name}({{x}})")
    declaration.setdefault("latex", rf"\mathrm{{{name}}}({{x}})")
    declaration.setdefault("values", lambda v: v[0].hull(iv.point(0.0)))
    declaration.setdefault("numpy", "")
    TABLE.declare(name, signature, doc, family="linear", **declaration)


def _matrix(name: str, x: Type) -> None:
    if x.rank < 2:
        raise Mismatch(
            "G210", f"`{name}` takes a matrix, not {shape_text(x.shape)}", f"this is {x}",
            "diag(v) is the matrix with v on its diagonal" if x.rank else "", 0,
        )  # fmt: skip


def _offset(name: str, value: Any) -> int:
    if not isinstance(value, int):
        raise Mismatch("G303", f"`{name}` needs a number here, not the size {value}")
    return value


# ── Triangles ───────────────────────────────────────────────────────────────


def _triangle_type(name: str) -> Infer:
    def infer(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
        _matrix(name, types[0])
        return types[0], {"k": _offset(name, attributes["k"])}

    return infer


def _triangle_text(name: str) -> Text:
    return lambda _, attributes: f"np.{name}({{x}}{', {k}' if attributes['k'] else ''})"


for _name, _doc in (
    ("triu", "The upper triangle, zeros below: from the `k`-th diagonal on."),
    ("tril", "The lower triangle, zeros above: up to the `k`-th diagonal."),
):
    _declare(
        _name, "x, k:integer=0", _doc, sample=f"{_name}(x: [M, N])",
        infer=_triangle_type(_name), numpy=_triangle_text(_name),
        rules={"x": f"{_name}(dy, k=k)"},
    )  # fmt: skip

# ── Diagonals ───────────────────────────────────────────────────────────────


def _length(shape: Sequence[Size], offset: int) -> Size:
    """The length of a diagonal. Raises ``Mismatch`` where no size says it."""
    rows, columns = shape[-2] + min(offset, 0), shape[-1] - max(offset, 0)
    if shape[-2] == shape[-1]:
        length = shape[-1] - abs(offset)
    elif rows.constant is None or columns.constant is None:
        raise Mismatch(
            "G212", f"no size says how long the diagonal of {shape_text(tuple(shape))} is",
            f"{shape[-2]} and {shape[-1]} may differ either way",
            "take a square part first, for example x[:N, :N]", 0,
        )  # fmt: skip
    else:
        length = min(rows, columns, key=lambda size: size.constant or 0)
    return length if (length.constant or 0) >= 0 else Size.of(0)


def _diagonal_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    (x,) = types
    _matrix("diagonal", x)
    offset = _offset("diagonal", attributes["offset"])
    return x.with_shape((*x.shape[:-2], _length(x.shape, offset))), {"offset": offset}


def _within(types: Sequence[Type], attributes: Attributes) -> Sequence[Condition]:
    offset = Size.of(abs(attributes["offset"]))
    return undecided([(offset, size, f"diagonal {offset}") for size in types[0].shape[-2:]])


def _diagonal_text(types: Sequence[Type], attributes: Attributes) -> str:
    more = ", {offset}" if attributes["offset"] else ""
    if types[0].rank == 2:
        return f"np.diagonal({{x}}{more})"
    return f"np.linalg.diagonal({{x}}{more.replace('{', 'offset={')})"


_declare(
    "diagonal", "x, offset:integer=0", "A diagonal of the last two axes, as the last axis.",
    sample="diagonal(x: [B, N, N])",
    infer=_diagonal_type, needs=_within, numpy=_diagonal_text, view=True, values=iv.same,
    rules={"x": "diagonal_like(dy, x, offset=offset)"},
)  # fmt: skip


def _placed_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    (x,) = types
    return x.with_shape((*x.shape[:-1], *attributes["shape"])), attributes


def _placed_text(types: Sequence[Type], attributes: Attributes) -> str:
    rows, columns = attributes["shape"]
    offset = ", {offset}" if attributes["offset"] else ""
    if types[0].rank == 1 and rows == columns:
        return f"np.diag({{x}}{offset})"
    return f"_diagonal_matrix({{x}}, {{shape}}{offset})"


_declare(
    "diagonal_matrix", "x, shape:shape, offset:integer",
    "Matrices of zeros, with the last axis of `x` on a diagonal.", infer=_placed_type,
    numpy=_placed_text, public=False, paper="diag({x})",
    rules={"x": "diagonal(dy, offset=offset)"},
)  # fmt: skip


def _like_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    return Type(types[0].kind, types[1].shape), attributes


_declare(
    "diagonal_like", "dx, x, offset:integer", "Zeros like `x`, with `dx` on a diagonal.",
    infer=_like_type, public=False, canonical=False,
)  # fmt: skip


def _diag_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    (x,) = types
    if x.rank == 1:
        return x.with_shape(x.shape * 2), attributes
    if x.rank == 2:
        return x.with_shape((_length(x.shape, 0),)), attributes
    raise Mismatch(
        "G210", f"`diag` takes a vector or a matrix, not {shape_text(x.shape)}", f"this is {x}",
        "diagonal(x) is the diagonal of the last two axes" if x.rank else "", 0,
    )  # fmt: skip


_declare(
    "diag", "x", "The matrix with a vector on its diagonal; of a matrix, its diagonal.",
    sample="diag(x: [N])",
    infer=_diag_type, canonical=False,
)  # fmt: skip


def _trace_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    (x,) = types
    _matrix("trace", x)
    return Type(max(x.kind, Kind.INT), x.shape[:-2]), attributes


def _trace_text(types: Sequence[Type], attributes: Attributes) -> str:
    return "np.trace({x})" if types[0].rank == 2 else "np.linalg.trace({x})"


_declare(
    "trace", "x", "The sum of the diagonal of the last two axes.", sample="trace(x: [B, N, N])",
    infer=_trace_type,
    numpy=_trace_text, latex=r"\mathrm{tr}({x})", einstein="ii->", values=iv.scaled_by_count,
    rules={"x": "trace_like(dy, x)"},
)  # fmt: skip
_declare(
    "trace_like", "dx, x", "Zeros like `x`, with `dx` at every place of the diagonal.",
    infer=_like_type, public=False, canonical=False,
)  # fmt: skip
