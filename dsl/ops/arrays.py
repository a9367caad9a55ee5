"""Operations that make, rearrange, join and cut arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import intervals as iv
from ..intervals import Interval
from ..shapes import (
    Kind,
    Mismatch,
    Type,
    broadcast,
    concatenated,
    normal_axes,
    normal_axis,
    promote,
    reshape,
    same_shapes,
    shape_text,
)
from ..sizes import ONE, Size
from ..subscripts import index_shape
from .declare import Attributes, Table

TABLE = Table()
_LIKE = "reshape_like(dy, x)"


def _declare(name: str, signature: str, doc: str, **declaration: Any) -> None:
    declaration.setdefault("family", "linear")
    declaration.setdefault("paper", f"{name}({{x}})")
    declaration.setdefault("latex", rf"\mathrm{{{name}}}({{x}})")
    declaration.setdefault("values", iv.same)
    TABLE.declare(name, signature, doc, **declaration)


# ── Rearranging ─────────────────────────────────────────────────────────────


def _permuted(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    (x,) = types
    axes = attributes["axes"]
    if axes is None:
        axes = tuple(reversed(range(-x.rank, 0)))
    if len(axes) != x.rank:
        raise Mismatch("G204", f"all {x.rank} axes must be named, not {len(axes)}", operand=0)
    normal = tuple(normal_axis(axis, x.rank) for axis in axes)
    if len(set(normal)) != len(normal):
        raise Mismatch("G204", "an axis is named twice")
    return x.with_shape(tuple(x.shape[axis] for axis in normal)), {"axes": normal}


def _permute_text(types: Sequence[Type], attributes: Attributes) -> str:
    """The last two axes exchanged are a matrix transposed; two others are named."""
    rank, axes = types[0].rank, attributes["axes"]
    if rank == 2:
        return "{x}.T"
    if axes == (*range(-rank, -2), -1, -2):
        return "{x}.mT"
    moved = [axis + rank for i, axis in enumerate(axes, -rank) if axis != i]
    if len(moved) == 2:
        return f"np.swapaxes({{x}}, {min(moved)}, {max(moved)})"
    return f"np.transpose({{x}}, {tuple(axis + rank for axis in axes)})"


_declare(
    "transpose", "x, axes:axes=all", "The axes in another order, reversed by default.",
    sample="transpose(x: [L, M, N], axes=[1, 2, 0])",
    infer=_permuted, numpy=_permute_text, view=True, paper="{x}ᵀ", latex=r"{x}^\top",
    rules={"x": "untranspose(dy, axes=axes)"},
)  # fmt: skip


def _inverse_permuted(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    rank = types[0].rank
    axes = [axis + rank for axis in attributes["axes"]]
    inverse = tuple(axes.index(axis) - rank for axis in range(rank))
    return _permuted(types, {"axes": inverse})


_declare(
    "untranspose", "x, axes:axes", "What undoes `transpose`.", infer=_inverse_permuted,
    numpy="", public=False, canonical=False,
)  # fmt: skip


def _matrix_transposed(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    (x,) = types
    if x.rank < 2:
        raise Mismatch(
            "G210",
            f"`.T` needs a matrix, not {shape_text(x.shape)}",
            "a vector has no transpose" if x.rank else "a scalar has no transpose",
            "write expand_dims(x, 0) for a row, outer(a, b) for a product of vectors"
            if x.rank
            else "",
            0,
        )
    return x.with_shape((*x.shape[:-2], x.shape[-1], x.shape[-2])), attributes


_declare(
    "matrix_transpose", "x", "The last two axes exchanged; also written `x.T`.",
    sample="matrix_transpose(x: [B, M, N])",
    infer=_matrix_transposed, numpy="", canonical=False,
)  # fmt: skip


def _reshaped(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    (x,) = types
    shape = reshape(x.shape, attributes["shape"])
    return x.with_shape(shape), {"shape": shape}


def _reshape_text(types: Sequence[Type], attributes: Attributes) -> str:
    if attributes["shape"]:
        return "np.reshape({x}, {shape})"
    return f"{{x}}[{', '.join('0' * types[0].rank)}]"  # The only entry.


_declare(
    "reshape", "x, shape:shape", "The same entries, in order, in another shape; -1 is computed.",
    sample="reshape(x: [M, N], [N, -1])",
    infer=_reshaped, numpy=_reshape_text, view=True, rules={"x": _LIKE},
)  # fmt: skip


def _expanded(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    (x,) = types
    rank = x.rank + len(attributes["axis"])
    axes = normal_axes(attributes["axis"], rank, "the result")
    rest = iter(x.shape)
    shape = tuple(ONE if axis in axes else next(rest) for axis in range(-rank, 0))
    return x.with_shape(shape), {"axis": axes}


def _expand_text(types: Sequence[Type], attributes: Attributes) -> str:
    if not types[0].rank:
        return "np.expand_dims({x}, {axis})"  # A number of Python has no subscripts.
    rank = types[0].rank + len(attributes["axis"])
    items = ["None" if axis in attributes["axis"] else ":" for axis in range(-rank, 0)]
    while items[-1] == ":" and "None" in items[:-1] and rank > 2:
        items.pop()
    return f"{{x}}[{', '.join(items)}]"


_declare(
    "expand_dims", "x, axis:axes", "An axis of size 1 inserted at each given position.",
    sample="expand_dims(x: [M, N], axis=0)",
    infer=_expanded, numpy=_expand_text, view=True, rules={"x": _LIKE}, paper="{x}", latex="{x}",
)  # fmt: skip


def _squeezed(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    (x,) = types
    axes = attributes["axis"]
    if axes is None:
        axes = tuple(axis for axis in range(-x.rank, 0) if x.shape[axis] == ONE)
    axes = normal_axes(axes, x.rank)
    for axis in axes:
        if x.shape[axis] != ONE:
            raise Mismatch(
                "G213", f"cannot squeeze an axis of size {x.shape[axis]}",
                f"this is {x}", "only axes of size 1 can be squeezed", 0,
            )  # fmt: skip
    kept = tuple(x.shape[axis] for axis in range(-x.rank, 0) if axis not in axes)
    return x.with_shape(kept), {"axis": axes}


def _squeeze_text(types: Sequence[Type], attributes: Attributes) -> str:
    rank = types[0].rank
    items = ["0" if axis in attributes["axis"] else ":" for axis in range(-rank, 0)]
    while items[-1] == ":":
        items.pop()
    return f"{{x}}[{', '.join(items)}]"


_declare(
    "squeeze", "x, axis:axes=all", "The axes of size 1 removed: the given ones, or all.",
    sample="squeeze(x: [1, N])",
    infer=_squeezed, numpy=_squeeze_text, view=True, rules={"x": _LIKE},
    paper="{x}", latex="{x}",
)  # fmt: skip


def _broadcast_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    (x,) = types
    shape = tuple(Size.of(size) for size in attributes["shape"])
    if broadcast([x.shape, shape]) != shape:
        raise Mismatch(
            "G201", f"cannot broadcast {shape_text(x.shape)} to {shape_text(shape)}", operand=0
        )
    return x.with_shape(shape), {"shape": shape}


_declare(
    "broadcast_to", "x, shape:shape", "The entries repeated to a larger shape.",
    sample="broadcast_to(x: [N], [M, N])",
    infer=_broadcast_type, numpy="np.broadcast_to({x}, {shape})", view=True, rules={"x": "dy"},
    paper="{x}", latex="{x}",
)  # fmt: skip

_declare(
    "by_column", "x", "The same entries, in memory column by column.",
    infer=lambda types, attributes: (types[0], attributes), numpy="np.asfortranarray({x})",
    rules={"x": "dy"}, public=False, flops=lambda types, attributes, result: Size.of(0),
    paper="{x}", latex="{x}",
)  # fmt: skip


def _like_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    return Type(types[0].kind, types[1].shape), attributes


_declare(
    "reshape_like", "dx, x", "`dx` in the shape of `x`.", infer=_like_type,
    numpy="", public=False, canonical=False,
)  # fmt: skip


# ── Joining ─────────────────────────────────────────────────────────────────


def _concat_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    if any(t.rank == 0 for t in types):
        position = next(i for i, t in enumerate(types) if t.rank == 0)
        raise Mismatch(
            "G209", "cannot concat a scalar", "this is a scalar",
            "stack joins scalars into a vector", position,
        )  # fmt: skip
    axis = normal_axis(attributes["axis"], types[0].rank, "each of them")
    shape = concatenated([t.shape for t in types], axis)
    return Type(promote([t.kind for t in types]), shape), {"axis": axis}


_declare(
    "concat", "*xs, axis:axis=0", "Arrays joined along an existing axis.",
    sample="concat(a: [M, D], b: [N, D])",
    infer=_concat_type, numpy="np.concatenate([{*xs}]{, axis})", paper="concat({*xs})",
    latex=r"\mathrm{concat}({*xs})", rules={"xs": "part(dy, start=start, stop=stop, axis=axis)"},
)  # fmt: skip


def _stack_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    shape = same_shapes([t.shape for t in types], "stack")
    axis = normal_axis(attributes["axis"], len(shape) + 1, "the result")
    at = axis + len(shape) + 1
    count = Size.of(len(types))
    stacked = (*shape[:at], count, *shape[at:])
    return Type(promote([t.kind for t in types]), stacked), {"axis": axis}


def _stack_text(types: Sequence[Type], attributes: Attributes) -> str:
    """``np.array`` does the same along the first axis in a quarter of the time."""
    first = attributes["axis"] == -types[0].rank - 1
    return "np.array([{*xs}])" if first else "np.stack([{*xs}]{, axis})"


_declare(
    "stack", "*xs, axis:axis=0", "Arrays of one shape joined along a new axis.",
    sample="stack(a: [N], b: [N])",
    infer=_stack_type, numpy=_stack_text, paper="stack({*xs})",
    latex=r"\mathrm{stack}({*xs})", rules={"xs": "entry(dy, position=position, axis=axis)"},
)  # fmt: skip


def _array_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    return Type(promote([t.kind for t in types]), attributes["shape"]), attributes


_DTYPES = {Kind.BOOL: "np.bool_", Kind.INT: "np.int64", Kind.FLOAT: "{dtype}"}


def _array_text(types: Sequence[Type], attributes: Attributes) -> str:
    return f"np.array({{array}}, {_DTYPES[promote([t.kind for t in types])]})"


_declare(
    "array", "*xs, shape:shape", "An array literal of scalars.", infer=_array_type,
    numpy=_array_text, paper="{array}", latex=r"[{*xs}]", public=False,
    rules={"xs": "entry(reshape(dy, [-1]), position=position, axis=0)"},
)  # fmt: skip

# ── Cutting ─────────────────────────────────────────────────────────────────


def _index_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    return types[0].with_shape(index_shape(types[0].shape, attributes["index"])), attributes


_declare(
    "getitem", "x, index:index", "Entries and slices, as NumPy's subscripts.",
    infer=_index_type, numpy="{x}[{index}]", view=True, public=False, paper="{x}[{index}]",
    latex="{x}_{{index}}", rules={"x": "place_like(dy, x, index=index)"},
)  # fmt: skip


def _placed_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    return types[0].with_shape(attributes["shape"]), attributes


_declare(
    "place", "x, shape:shape, index:index", "Zeros of a shape, with `x` put at a subscript.",
    infer=_placed_type, numpy="_place({x}, {shape}, {index_object})", public=False,
    rules={"x": "getitem(dy, index=index)"},
    values=lambda v: v[0].hull(iv.point(0.0)),
)  # fmt: skip
_declare(
    "place_like", "dx, x, index:index", "Zeros like `x`, with `dx` put at a subscript.",
    infer=_like_type, numpy="", public=False, canonical=False,
)  # fmt: skip


def _entry_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    (x,) = types
    axis = normal_axis(attributes["axis"], x.rank)
    kept = tuple(size for at, size in enumerate(x.shape, start=-x.rank) if at != axis)
    return x.with_shape(kept), {**attributes, "axis": axis}


_declare(
    "entry", "x, position:integer, axis:axis", "One entry along an axis.", infer=_entry_type,
    numpy="", public=False, canonical=False,
)  # fmt: skip


def _part_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    (x,) = types
    axis = normal_axis(attributes["axis"], x.rank)
    shape = list(x.shape)
    shape[axis] = attributes["stop"] - attributes["start"]
    return x.with_shape(tuple(shape)), {**attributes, "axis": axis}


_declare(
    "part", "x, start:size, stop:size, axis:axis", "A stretch of an axis.", infer=_part_type,
    numpy="", public=False, canonical=False,
)  # fmt: skip

# ── Making ──────────────────────────────────────────────────────────────────


def _filled(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    shape = tuple(Size.of(size) for size in attributes["shape"])
    return Type(Kind.FLOAT, shape), {**attributes, "shape": shape}


def _eye_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    result, attributes = _filled(types, attributes)
    if result.rank not in (1, 2):
        raise Mismatch("G210", "eye takes one size or two", hint="write eye(N) or eye(N, M)")
    shape = result.shape if result.rank == 2 else result.shape * 2
    return Type(Kind.FLOAT, shape), {**attributes, "shape": shape}


def _eye_text(types: Sequence[Type], attributes: Attributes) -> str:
    rows, columns = attributes["shape"]
    return f"np.eye({'{rows}' if rows == columns else '{*shape}'}, dtype={{dtype}})"


_declare("zeros", "*shape:sizes", "An array of zeros.", sample="zeros(M, N)",
    infer=_filled,
         numpy="np.zeros({shape}, {dtype})", paper="zeros({shape})", latex="0",
         values=iv.constant(iv.point(0.0)))  # fmt: skip
_declare("ones", "*shape:sizes", "An array of ones.", sample="ones(M, N)",
    infer=_filled,
         numpy="np.ones({shape}, {dtype})", paper="ones({shape})", latex=r"\mathbf{1}",
         values=iv.constant(iv.point(1.0)))  # fmt: skip
_declare("eye", "*shape:sizes", "The identity matrix.", sample="eye(N)",
    infer=_eye_type,
         numpy=_eye_text, paper="eye({shape})", latex="I",
         values=iv.constant(Interval(0.0, 1.0)))  # fmt: skip


# ── Random values, in examples only ─────────────────────────────────────────


def _random_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    if (Size.of(attributes["seed"]).constant or 0) < 0:
        raise Mismatch("G310", "a seed is a natural number", f"this is {attributes['seed']}")
    result, normal = _filled(types, attributes)
    return result, {**attributes, **normal}


def _integers_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    result, normal = _random_type(types, attributes)
    low, high = Size.of(attributes["low"]), Size.of(attributes["high"])
    if ((high - low).constant or 0) <= 0 and (high - low).constant is not None:
        raise Mismatch("G306", f"there is no integer in {low}..{high}", "this range is empty")
    return Type(Kind.INT, result.shape), normal


def _linspace_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    count = Size.of(attributes["count"])
    if (count.constant or 0) < 0:
        raise Mismatch("G212", f"a size cannot be {count}", "sizes are natural numbers")
    return Type(Kind.FLOAT, (count,)), attributes


for _name, _doc, _signature, _text in (
    ("normal", "Standard normal numbers", "shape:shape, seed:integer=0",
     "standard_normal({shape})"),
    ("uniform", "Numbers uniform in 0..1", "shape:shape, seed:integer=0", "random({shape})"),
    ("integers", "Integers uniform in low..high",
     "low:integer, high:integer, shape:shape, seed:integer=0",
     "integers({low}, {high}, {shape})"),
):  # fmt: skip
    _declare(
        _name, _signature, f"{_doc}, of `numpy.random.default_rng(seed)`; in `given` only.",
        infer=_integers_type if _name == "integers" else _random_type,
        numpy=f"np.random.default_rng({{seed}}).{_text}", given_only=True,
    )  # fmt: skip
_declare(
    "linspace", "low:number, high:number, count:integer", "Evenly spaced numbers, ends included.",
    sample="linspace(0, 1, 5)",
    infer=_linspace_type,
    numpy="np.linspace({low}, {high}, {count}, dtype={dtype})",
)  # fmt: skip

# ── Leaves of a graph ───────────────────────────────────────────────────────


def _scalar_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    value = attributes["value"]
    kind = Kind.BOOL if isinstance(value, bool) else Kind.INT if isinstance(value, int) else None
    return Type(Kind.FLOAT if kind is None else kind), attributes


def _size_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    return Type(Kind.INT), attributes


def _input_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    return attributes["type"], attributes


_declare("constant", "value:number", "A number written in the text.", infer=_scalar_type,
         numpy="{value}", math="{value}", paper="{value}", latex="{value}",
         public=False)  # fmt: skip
_declare("size", "size:size", "A size, as an integer.", infer=_size_type,
         numpy="{size}", math="{size}", paper="{size}", latex="{size}", public=False,
         values=iv.constant(iv.NON_NEGATIVE))  # fmt: skip
_declare("input", "name:string, type:type", "A value given from outside.", infer=_input_type,
         numpy="{name}", math="{name}", paper="{name}", latex="{name}", public=False)  # fmt: skip
