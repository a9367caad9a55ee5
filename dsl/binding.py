"""Which lengths give which sizes: solving the dimensions of arrays for the names in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .frozen import frozen
from .sizes import Size


@frozen()
class Solution:
    """``name = (dimension - offset) / factor``, from a dimension that equals it."""

    name: str
    offset: Size
    factor: int

    def value(self, length: Size, sizes: Mapping[str, Size]) -> Size | None:
        """The size where the dimension has a length; ``None`` where no natural number fits."""
        rest = length - self.offset.substitute(sizes)
        value = rest // self.factor
        negative = value.constant is not None and value.constant < 0
        return None if negative or value * self.factor != rest else value


@frozen()
class Binding:
    """A size that an axis of an array gives."""

    array: str
    axis: int
    solution: Solution

    @property
    def size(self) -> str:
        return self.solution.name


def solve(dimension: Size, known: Iterable[str]) -> Solution | None:
    """The one unknown name that ``dimension`` contains linearly, if there is exactly one."""
    unknown = dimension.names() - set(known)
    if len(unknown) != 1:
        return None
    (name,) = unknown
    factor = dict(dimension.terms).get((name,))
    if factor is None or factor.denominator != 1:
        return None
    offset = dimension - Size.of(name) * int(factor)
    if name in offset.names():
        return None
    return Solution(name, offset, int(factor))


def bind(shapes: Mapping[str, Sequence[Size]], known: Iterable[str]) -> tuple[Binding, ...]:
    """Which axis of which array gives each size that is not known, in an order of computation.

    A size is taken from where it stands alone, if there is such a place, and solved for elsewhere:
    if a shape is wrong, messages then blame the array that depends on the sizes of others.
    """
    bound = set(known)
    places = [(array, axis, size) for array, shape in shapes.items()
              for axis, size in enumerate(shape)]  # fmt: skip
    alone = [place for place in places if place[2].name is not None]
    found: list[Binding] = []

    def take(candidates: Iterable[tuple[str, int, Size]]) -> bool:
        for array, axis, size in candidates:
            solution = solve(size, bound)
            if solution is not None:
                bound.add(solution.name)
                found.append(Binding(array, axis, solution))
                return True
        return False

    while take(alone) or take(places):
        pass
    return tuple(found)
