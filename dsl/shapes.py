"""Types, and shape rules as pure functions of them.

A rule raises ``Mismatch`` with the words of the message; the checker adds the place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from .frozen import frozen
from .sizes import ONE, Size, product


class Kind(IntEnum):
    """What the entries are, ordered by promotion."""

    BOOL = 0
    INT = 1
    FLOAT = 2

    __hash__ = int.__hash__  # Enum's own is slow, and types are in the keys of tables.

    def __str__(self) -> str:
        return self.name.lower()


Shape: TypeAlias = tuple[Size, ...]


@frozen()
class Type:
    kind: Kind
    shape: Shape = ()

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def is_float(self) -> bool:
        return self.kind is Kind.FLOAT

    def with_shape(self, shape: Shape) -> Type:
        return Type(self.kind, shape)

    def with_kind(self, kind: Kind) -> Type:
        return Type(kind, self.shape)

    def __str__(self) -> str:
        if not self.shape:
            return str(self.kind)
        return f"{self.kind}[{', '.join(map(str, self.shape))}]"


FLOAT = Type(Kind.FLOAT)
INT = Type(Kind.INT)
BOOL = Type(Kind.BOOL)


@dataclass
class Mismatch(Exception):
    """A shape or type rule does not hold.

    ``operand`` is the position of the one to point at, ``pair`` those of the two that disagree.
    """

    code: str
    message: str
    label: str = ""
    hint: str = ""
    operand: int | None = None
    pair: tuple[int, int] = (0, 1)


def shape_text(shape: Shape) -> str:
    return f"[{', '.join(map(str, shape))}]" if shape else "a scalar"


def broadcast(shapes: Sequence[Shape]) -> Shape:
    """NumPy's broadcasting: sizes are equal or literally 1. Raises ``Mismatch`` G201."""
    if not any(shapes):
        return ()
    if all(shape == shapes[0] for shape in shapes):
        return shapes[0]
    rank = max(len(shape) for shape in shapes)
    result = [ONE] * rank
    owner = [0] * rank
    for position, shape in enumerate(shapes):
        for axis in range(-len(shape), 0):
            size = shape[axis]
            if size == ONE or size == result[axis]:
                continue
            if result[axis] != ONE:
                first = owner[axis]
                raise Mismatch(
                    "G201",
                    f"cannot broadcast {shape_text(shapes[first])} with {shape_text(shape)}",
                    f"sizes {result[axis]} and {size} do not match",
                    "two sizes broadcast when they are equal or one of them is the number 1",
                    pair=(first, position),
                )
            result[axis] = size
            owner[axis] = position
    return tuple(result)


def summed_axes(shape: Shape, target: Shape) -> tuple[int, ...] | None:
    """The axes to sum over so that ``shape`` becomes what was broadcast to it; ``None`` where it
    is not larger than ``target``."""
    if broadcast([shape, target]) != shape:
        return None
    return tuple(
        axis
        for axis in range(-len(shape), 0)
        if axis < -len(target) or (target[axis] == ONE and shape[axis] != ONE)
    )


def grows_both(a: Shape, b: Shape) -> bool:
    """Whether broadcasting makes both shapes larger, as ``[N]`` with ``[N, 1]`` does."""
    if not a or not b:
        return False
    result = broadcast([a, b])
    return product(result) != product(a) and product(result) != product(b)


def promote(kinds: Sequence[Kind]) -> Kind:
    return max(kinds, default=Kind.BOOL)


def normal_axis(axis: int, rank: int, what: str = "this") -> int:
    """The axis counted from the end. Raises ``Mismatch`` G204."""
    if not -rank <= axis < rank:
        if rank == 0:
            raise Mismatch("G204", f"axis {axis} of a scalar", f"{what} has no axes", operand=0)
        possible = f"{rank} axes: 0 to {rank - 1}, or -{rank} to -1"
        raise Mismatch(
            "G204",
            f"axis {axis} is out of range",
            f"{what} has {'1 axis: 0, or -1' if rank == 1 else possible}",
            operand=0,
        )
    return axis - rank if axis >= 0 else axis


def normal_axes(axes: Sequence[int] | None, rank: int, what: str = "this") -> tuple[int, ...]:
    """Sorted axes counted from the end; all of them for ``None``. Raises ``Mismatch`` G204."""
    if axes is None:
        return tuple(range(-rank, 0))
    normal = sorted(normal_axis(axis, rank, what) for axis in axes)
    if len(set(normal)) != len(normal):
        raise Mismatch("G204", "an axis is named twice")
    return tuple(normal)


def reduced(shape: Shape, axes: Sequence[int], keepdims: bool) -> Shape:
    rank = len(shape)
    kept = []
    for axis in range(-rank, 0):
        if axis not in axes:
            kept.append(shape[axis])
        elif keepdims:
            kept.append(ONE)
    return tuple(kept)


def matmul(a: Shape, b: Shape) -> Shape:
    """NumPy's ``matmul``: vectors have one axis. Raises ``Mismatch`` G203."""
    if not a or not b:
        raise Mismatch(
            "G203",
            "cannot multiply a scalar with @",
            "this is a scalar",
            "use * for scalars",
            0 if not a else 1,
        )
    inner_a, inner_b = a[-1], b[-2] if len(b) > 1 else b[-1]
    if inner_a != inner_b:
        raise Mismatch(
            "G203",
            f"cannot multiply {shape_text(a)} @ {shape_text(b)}",
            f"sizes {inner_a} and {inner_b} do not match",
            "the last axis of the left operand must equal the "
            + ("first" if len(b) < 3 else "second to last")
            + " axis of the right one",
        )
    batch = broadcast([a[:-2], b[:-2]])
    return batch + (a[-2:-1] if len(a) > 1 else ()) + (b[-1:] if len(b) > 1 else ())


_COMPUTED = Size.of(-1)


def reshape(shape: Shape, target: Sequence[Size]) -> Shape:
    """The target with -1 resolved. Raises ``Mismatch`` G205."""
    total = product(shape)
    unknown = [size for size in target if size == _COMPUTED]
    if len(unknown) > 1:
        raise Mismatch("G205", "only one size of a shape can be -1")
    known = product(size for size in target if size != _COMPUTED)
    if unknown:
        quotient = total // known if known.constant != 0 else None
        if quotient is None or quotient * known != total:
            raise Mismatch(
                "G205",
                f"cannot reshape {shape_text(shape)} into groups of {known}",
                f"{total} entries",
            )
        return tuple(quotient if size == _COMPUTED else size for size in target)
    result = tuple(target)
    if known != total:
        raise Mismatch(
            "G205",
            f"cannot reshape {shape_text(shape)} to {shape_text(result)}",
            f"{total} and {known} entries",
            "a reshape keeps the number of entries; write -1 for one size to have it computed",
        )
    return result


def concatenated(shapes: Sequence[Shape], axis: int) -> Shape:
    """Shapes joined along an existing axis (from the end). Raises ``Mismatch`` G209."""
    first = shapes[0]
    for position, shape in enumerate(shapes[1:], start=1):
        if len(shape) != len(first):
            raise Mismatch(
                "G209",
                f"cannot join arrays of {len(first)} and {len(shape)} axes",
                f"this is {shape_text(shape)}",
                operand=position,
            )
        for other in range(-len(first), 0):
            if other != axis and shape[other] != first[other]:
                raise Mismatch(
                    "G209",
                    f"cannot join {shape_text(first)} and {shape_text(shape)}",
                    f"sizes {first[other]} and {shape[other]} do not match",
                    "all axes but the joined one must be equal",
                    position,
                )
    total = sum((shape[axis] for shape in shapes[1:]), start=first[axis])
    joined = list(first)
    joined[axis] = total
    return tuple(joined)


def same_shapes(shapes: Sequence[Shape], what: str) -> Shape:
    for position, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise Mismatch(
                "G209",
                f"cannot {what} {shape_text(shapes[0])} and {shape_text(shape)}",
                "this shape differs",
                "all of them must have the same shape",
                position,
            )
    return shapes[0]
