"""What stands for an entry under indices; ``dsl/indices`` turns it into whole arrays.

Types are those that one entry sees: an index is an integer, a subscript by indices drops axes.
"""

from __future__ import annotations

from collections.abc import Sequence

from .. import intervals as iv
from ..frozen import frozen
from ..shapes import Kind, Mismatch, Type, broadcast, shape_text
from ..sizes import Size
from ..subscripts import Cut, cut_length
from .declare import Attributes, Table
from .reductions import TABLE as REDUCTIONS

TABLE = Table()
REDUCING = ("sum", "mean", "prod", "max", "min", "logsumexp", "any", "all")
"""The functions that combine the values of a body over all values of an index."""


@frozen()
class Place:
    """An item of a subscript that is computed: the next operand says where.

    With a ``length``, that many entries from there on.
    """

    length: Size | None = None


Item = Size | Cut | Place


def _index_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    return Type(Kind.INT), attributes


TABLE.declare(
    "index", "variable:string", "The value of an index.", infer=_index_type, numpy="",
    public=False, canonical=False, paper="index", latex=r"\mathrm{index}",
)  # fmt: skip


def _at_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    base, *rest = types
    computed = sum(isinstance(item, Place) for item in attributes["items"])
    for operand, place in enumerate(rest[:computed], start=1):
        if place != Type(Kind.INT):
            hint = "take(x, k, axis=0) takes entries at an array of places" if place.rank else ""
            raise Mismatch("G216", f"a subscript is an integer, not {place}", "", hint, operand)
    shape: list[Size] = []
    for item, size in zip(attributes["items"], base.shape, strict=False):
        if isinstance(item, Cut):
            shape.append(cut_length(item, size))
        elif isinstance(item, Place) and item.length is not None:
            shape.append(item.length)
    return base.with_shape((*shape, *base.shape[len(attributes["items"]) :])), attributes


TABLE.declare(
    "at", "*xs, items:index, holds:string, guarded:flag",
    "Entries of the first operand at places that the next ones say, in a branch taken where the "
    "others hold.", infer=_at_type, numpy="",
    public=False, canonical=False, paper="at", latex=r"\mathrm{at}",
)  # fmt: skip


def _reduction_type(function: str, body: Type) -> Type:
    return REDUCTIONS[function].infer([body], {"axis": (), "keepdims": False})[0]


def _over_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    return _reduction_type(attributes["function"], types[0]), attributes


TABLE.declare(
    "over", "x, function:string, variables:string", "A body reduced over indices.",
    infer=_over_type, numpy="", public=False, canonical=False, paper="over",
    latex=r"\mathrm{over}",
)  # fmt: skip


def _entries_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    lengths = tuple(variable.length for variable in attributes["variables"])
    return types[0].with_shape((*lengths, *types[0].shape)), attributes


TABLE.declare(
    "entries", "x, variables:string", "The array of a body for all values of indices.",
    infer=_entries_type, numpy="", public=False, canonical=False, paper="{x}", latex="{x}",
)  # fmt: skip


# ── Several places as one ───────────────────────────────────────────────────


def _within_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    (indices,) = types
    if indices.kind is not Kind.INT:
        raise Mismatch("G216", f"a subscript is an integer, not {shape_text(indices.shape)}")
    return indices, attributes


TABLE.declare(
    "within", "indices, count:size", "Integers that are sure to lie in 0..count.",
    infer=_within_type, numpy="_checked({indices}, {count})", places=("indices",), public=False,
    paper="{indices}", latex="{indices}", values=iv.same,
)  # fmt: skip


def _earlier_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    indices, bound = types
    return indices.with_shape(broadcast([indices.shape, bound.shape])), attributes


TABLE.declare(
    "earlier", "indices, bound", "Integers that are sure to lie in 0..bound.",
    infer=_earlier_type, numpy="_checked({indices}, {bound})",
    places=("indices", "bound"), public=False, paper="{indices}", latex="{indices}",
    values=lambda v: v[0].intersection(iv.NON_NEGATIVE),
)  # fmt: skip
