"""An array cut into several along an axis."""

from __future__ import annotations

from collections.abc import Sequence

from .. import intervals as iv
from ..shapes import Mismatch, Type, normal_axis
from ..sizes import Size
from ..subscripts import Condition, undecided
from .declare import Attributes, Table

TABLE = Table()


def _places(whole: Size, sections: int | tuple[Size, ...]) -> list[Size]:
    """Where the parts begin, and where the last one ends. Raises ``Mismatch`` G205."""
    if isinstance(sections, tuple):
        return [Size.of(0), *(Size.of(place) for place in sections), whole]
    part = whole // sections if sections > 0 else Size.of(-1)
    if part * sections != whole:
        raise Mismatch("G205", f"an axis of size {whole} has no {sections} equal parts",
                       hint="write the places to cut at: split(x, [2, 5])", operand=0)  # fmt: skip
    return [part * i for i in range(sections + 1)]


def _names(attributes: Attributes) -> tuple[str, ...]:
    sections = attributes["sections"]
    count = len(sections) + 1 if isinstance(sections, tuple) else max(sections, 1)
    return tuple(f"part{i}" for i in range(count))


def _split_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    (x,) = types
    axis = normal_axis(attributes["axis"], x.rank)
    places = _places(x.shape[axis], attributes["sections"])
    result = attributes["result"]
    length = places[result + 1] - places[result]
    if (length.constant or 0) < 0:
        raise Mismatch("G206", f"cannot cut from {places[result]} to {places[result + 1]}",
                       f"this is {x}", "the places to cut at ascend", 0)  # fmt: skip
    shape = list(x.shape)
    shape[axis] = length
    ends = {"start": places[result], "stop": places[result + 1]}
    return x.with_shape(tuple(shape)), {**attributes, "axis": axis, **ends}


def _ascending(types: Sequence[Type], attributes: Attributes) -> Sequence[Condition]:
    start, stop = attributes["start"], attributes["stop"]
    return undecided([(start, stop, f"a part from {start} to {stop}")])


TABLE.declare(
    "split", "x, sections:sections, axis:axis=0",
    "An array in so many equal parts, or cut at the given places: as many results.",
    sample="split(x: [2*N], 2)",
    infer=_split_type, needs=_ascending, numpy="", canonical=False, results=_names,
    paper="split({x})", latex=r"\mathrm{split}({x})", values=iv.same,
)  # fmt: skip
