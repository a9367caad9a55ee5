"""Operations that reorder, repeat and pad entries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import intervals as iv
from ..shapes import Kind, Mismatch, Type, normal_axes, normal_axis, promote
from ..sizes import ONE, Size, product
from .declare import Attributes, Table

TABLE = Table()


def _declare(name: str, signature: str, doc: str, **declaration: Any) -> None:
    declaration.setdefault("family", "linear")
    declaration.setdefault("paper", f"{name}({{x}})")
    declaration.setdefault("latex", rf"\mathrm{{{name}}}({{x}})")
    declaration.setdefault("values", iv.same)
    declaration.setdefault("numpy", "")
    TABLE.declare(name, signature, doc, **declaration)


def shown_axis(axis: int, rank: int) -> int:
    """The axis as a person writes it: counted from 0, but -1 for the last of several."""
    return -1 if axis == -1 and rank > 1 else axis + rank


def _sent_back(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    if any(t.kind is not Kind.INT for t in types[2:]):
        raise Mismatch("G214", f"indices are integers, not {types[2]}", operand=2)
    return types[1].with_kind(types[0].kind), attributes


def _any_sent_back(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    if types[0].kind is not Kind.BOOL:
        raise Mismatch("G301", f"truth values are needed here, not {types[0]}", operand=0)
    return _sent_back(types, attributes)


def declare_adjoint(table: Table, name: str, signature: str, doc: str) -> None:
    """What goes back through an operation that may use an entry several times: ``name`` adds up
    what arrives for each entry of ``x``, and ``name_any`` tells of truth values if any is true."""
    signature = f"dx, x, {signature}"
    table.declare(name, signature, f"{doc}, added up for each entry.", infer=_sent_back, numpy="",
                  public=False, canonical=False)  # fmt: skip
    table.declare(f"{name}_any", signature, f"{doc}: whether any for an entry is true.",
                  infer=_any_sent_back, numpy="", public=False, canonical=False)  # fmt: skip


# ── The same entries in another order ───────────────────────────────────────


def _raveled(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    return types[0].with_shape((product(types[0].shape),)), attributes


_declare(
    "ravel",
    "x",
    "All entries, in order, in one axis.",
    sample="ravel(x: [M, N])",
    infer=_raveled,
    canonical=False,
)


def moved_axes(rank: int, source: Sequence[int], destination: Sequence[int]) -> tuple[int, ...]:
    """The order of axes in which each of ``source`` stands at its ``destination``."""
    if len(source) != len(destination):
        raise Mismatch(
            "G204", f"{len(source)} axes cannot move to {len(destination)} places",
            hint="write as many places as axes, as in moveaxis(x, [0, 1], [-2, -1])",
        )  # fmt: skip
    origins = [normal_axis(axis, rank) for axis in source]
    places = [normal_axis(axis, rank, "the result") for axis in destination]
    if len(set(origins)) != len(origins) or len(set(places)) != len(places):
        raise Mismatch("G204", "an axis is named twice")
    rest = iter(axis for axis in range(-rank, 0) if axis not in origins)
    moving = dict(zip(places, origins, strict=True))
    return tuple(moving[at] if at in moving else next(rest) for at in range(-rank, 0))


def _moved_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    (x,) = types
    axes = moved_axes(x.rank, attributes["source"], attributes["destination"])
    return x.with_shape(tuple(x.shape[axis] for axis in axes)), attributes


_declare(
    "moveaxis", "x, source:axes, destination:axes",
    "Axes moved to other places, the rest in order.", sample="moveaxis(x: [L, M, N], 0, -1)",
    infer=_moved_type, canonical=False,
)  # fmt: skip


def _swapped_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    (x,) = types
    first, second = (normal_axis(attributes[name], x.rank) for name in ("first", "second"))
    shape = list(x.shape)
    shape[first], shape[second] = shape[second], shape[first]
    return x.with_shape(tuple(shape)), {"first": first, "second": second}


_declare(
    "swapaxes", "x, first:axis, second:axis", "Two axes exchanged.",
    sample="swapaxes(x: [L, M, N], 0, 2)",
    infer=_swapped_type,
    canonical=False,
)  # fmt: skip


def _flip_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    return types[0], {"axis": normal_axes(attributes["axis"], types[0].rank)}


_declare(
    "flip", "x, axis:axes=all", "The entries in reverse along the axes, by default all.",
    sample="flip(x: [N, D], axis=0)",
    infer=_flip_type, numpy="np.flip({x}{, axis})", view=True, rules={"x": "flip(dy, axis=axis)"},
)  # fmt: skip


def _needed_axis(name: str, given: Any, x: Type) -> Any:
    """The axis, which only a vector may leave out. Raises ``Mismatch``."""
    if not x.rank:
        raise Mismatch("G210", f"`{name}` takes an array, not a scalar", "this is a scalar",
                       "broadcast_to and full repeat a scalar", 0)  # fmt: skip
    if given is None and x.rank > 1:
        raise Mismatch(
            "G204", f"`{name}` of an array of {x.rank} axes needs the axis", f"this is {x}",
            f"write {name}(..., axis=0), or ravel the array first", 0,
        )  # fmt: skip
    return -1 if given is None else given


def _roll_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    (x,) = types
    given = attributes["axis"]
    if given is None:
        given = (_needed_axis("roll", None, x),)
    return x, {**attributes, "axis": normal_axes(given, x.rank)}


def _roll_text(types: Sequence[Type], attributes: Attributes) -> str:
    if types[0].rank == 1:
        return "np.roll({x}, {shift})"
    axes = [shown_axis(axis, types[0].rank) for axis in attributes["axis"]]
    return f"np.roll({{x}}, {{shift}}, axis={axes[0] if len(axes) == 1 else tuple(axes)})"


_declare(
    "roll", "x, shift:integer, axis:axes=all",
    "The entries moved along the axes; what leaves at the end comes in at the start.",
    sample="roll(x: [N], 1)",
    infer=_roll_type, numpy=_roll_text, rules={"x": "unroll(dy, shift=shift, axis=axis)"},
)  # fmt: skip
_declare(
    "unroll", "x, shift:integer, axis:axes", "What undoes `roll`.", infer=_roll_type,
    public=False, canonical=False,
)  # fmt: skip

# ── Entries repeated ────────────────────────────────────────────────────────


def _natural(name: str, count: Size) -> Size:
    if (count.constant or 0) < 0:
        raise Mismatch("G212", f"`{name}` cannot repeat {count} times", "sizes are natural numbers")
    return count


def _tile_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    (x,) = types
    reps = tuple(_natural("tile", Size.of(count)) for count in attributes["reps"])
    rank = max(len(reps), x.rank)
    reps = (ONE,) * (rank - len(reps)) + reps
    shape = (ONE,) * (rank - x.rank) + x.shape
    return x.with_shape(tuple(n * s for n, s in zip(reps, shape, strict=True))), {"reps": reps}


_declare(
    "tile", "x, reps:shape", "The whole array repeated along each axis, the last ones if fewer.",
    sample="tile(x: [N], 3)",
    infer=_tile_type, numpy="np.tile({x}, {reps})", rules={"x": "untile(dy, x, reps=reps)"},
    reach={"x": "untile_any(dy, x, reps=reps)"},
)  # fmt: skip
declare_adjoint(TABLE, "untile", "reps:shape", "What arrives from `tile`")


def _repeat_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    (x,) = types
    axis = normal_axis(_needed_axis("repeat", attributes["axis"], x), x.rank)
    repeats = _natural("repeat", Size.of(attributes["repeats"]))
    shape = list(x.shape)
    shape[axis] = shape[axis] * repeats
    return x.with_shape(tuple(shape)), {"repeats": repeats, "axis": axis}


def _repeat_text(types: Sequence[Type], attributes: Attributes) -> str:
    rank = types[0].rank
    if rank == 1:
        return "np.repeat({x}, {repeats})"
    return f"np.repeat({{x}}, {{repeats}}, axis={shown_axis(attributes['axis'], rank)})"


_declare(
    "repeat", "x, repeats:integer, axis:axis=all", "Each entry repeated along the axis.",
    sample="repeat(x: [N], 3)",
    infer=_repeat_type, numpy=_repeat_text,
    rules={"x": "unrepeat(dy, x, repeats=repeats, axis=axis)"},
    reach={"x": "unrepeat_any(dy, x, repeats=repeats, axis=axis)"},
)  # fmt: skip
declare_adjoint(TABLE, "unrepeat", "repeats:integer, axis:axis", "What arrives from `repeat`")

# ── Padding ─────────────────────────────────────────────────────────────────

Pair = tuple[Size, Size]


def _pairs(widths: Any, rank: int) -> tuple[Pair, ...]:
    """NumPy's forms of widths as one pair an axis. Raises ``Mismatch``."""
    if isinstance(widths, Size):
        widths = (widths, widths)
    forms = "a size, [before, after], or a list of one such pair for each axis"
    if all(isinstance(width, Size) for width in widths):
        widths = (widths,)
    for pair in widths:
        if not isinstance(pair, tuple) or len(pair) != 2 or any(isinstance(w, tuple) for w in pair):
            raise Mismatch("G210", f"the widths of `pad` are {forms}")
    if len(widths) == 1:
        widths = widths * rank
    if len(widths) != rank:
        raise Mismatch(
            "G210", f"an array of {rank} axes is padded by {rank} pairs, not {len(widths)}",
            hint="write [0, 0] for an axis that stays as it is",
        )  # fmt: skip
    return tuple((before, after) for before, after in widths)


def _pad_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    (x,) = types
    if not x.rank:
        raise Mismatch("G210", "cannot pad a scalar", "this is a scalar", "", 0)
    value = attributes["value"]
    pairs = _pairs(attributes["widths"], x.rank)
    shape = tuple(s + before + after for s, (before, after) in zip(x.shape, pairs, strict=True))
    own = Kind.FLOAT if isinstance(value, float) else Kind.INT
    return Type(promote([x.kind, own]) if value else x.kind, shape), {
        "widths": pairs,
        "value": value,
    }


def _pad_text(types: Sequence[Type], attributes: Attributes) -> str:
    if not attributes["value"]:
        return "np.pad({x}, {widths})"
    return "np.pad({x}, {widths}, constant_values={value})"


_declare(
    "pad", "x, widths:widths, value:number=0",
    "`value` put around the entries: as many before and after as given, for all axes or each.",
    sample="pad(x: [N], [1, 2])",
    infer=_pad_type, numpy=_pad_text, family="general", rules={"x": "unpad(dy, widths=widths)"},
    tangent="pad(dx, widths=widths)", values=iv.constant(iv.REAL),
)  # fmt: skip


def _unpad_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    (x,) = types
    pairs = attributes["widths"]
    shape = tuple(s - before - after for s, (before, after) in zip(x.shape, pairs, strict=True))
    return x.with_shape(shape), attributes


_declare(
    "unpad", "x, widths:widths", "What `pad` has put around taken off.", infer=_unpad_type,
    public=False, canonical=False,
)  # fmt: skip
