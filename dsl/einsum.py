"""Subscripts in Einstein's notation: ``"ij,jk->ik"``, and ``...`` for leading axes."""

from __future__ import annotations

import string
from collections.abc import Sequence

from .frozen import frozen
from .shapes import Mismatch, Shape, shape_text
from .sizes import Size

_HINT = 'write a letter for each axis, as in einsum("ij,jk->ik", A, B)'


@frozen()
class Subscripts:
    """The letters of each operand's axes and of the result's; sizes by letter."""

    operands: tuple[str, ...]
    result: str
    sizes: dict[str, Size]

    @property
    def result_shape(self) -> Shape:
        return tuple(self.sizes[letter] for letter in self.result)

    def __str__(self) -> str:
        return f"{','.join(self.operands)}->{self.result}"


def subscripts_of(text: str, shapes: Sequence[Shape]) -> Subscripts:
    """The subscripts for operands of these shapes, all axes lettered and the result written.

    Raises ``Mismatch`` G218 where the text does not fit, G203 where sizes differ.
    """
    left, arrow, result = text.replace(" ", "").partition("->")
    terms = left.split(",")
    _check_text(terms, result, shapes)
    free = [c for c in string.ascii_letters if c not in text]
    leading = _leading(terms, shapes)
    letters = "".join(free[:leading])
    operands = tuple(_without_dots(t, s, letters) for t, s in zip(terms, shapes, strict=True))
    if not arrow:
        once = [c for c in sorted(set(left) - set(",.")) if left.count(c) == 1]
        result = ("..." if leading else "") + "".join(once)
    if leading and "..." not in result:
        raise Mismatch("G218", "the axes of `...` must be in the result", hint=_HINT)
    result = result.replace("...", letters)
    sizes: dict[str, Size] = {}
    for position, (term, shape) in enumerate(zip(operands, shapes, strict=True)):
        for letter, size in zip(term, shape, strict=True):
            if sizes.setdefault(letter, size) != size:
                raise Mismatch("G203", f"the axis `{letter}` has two sizes",
                               f"sizes {sizes[letter]} and {size} do not match",
                               operand=position)  # fmt: skip
    for letter in result:
        if letter not in sizes:
            raise Mismatch("G218", f"no operand has the axis `{letter}`", hint=_HINT)
    if len(set(result)) != len(result):
        raise Mismatch("G218", "an axis stands twice in the result", hint=_HINT)
    return Subscripts(operands, result, sizes)


def _check_text(terms: Sequence[str], result: str, shapes: Sequence[Shape]) -> None:
    plain = [part.replace("...", "", 1) for part in (*terms, result)]
    if any(part and not (part.isascii() and part.isalpha()) for part in plain):
        raise Mismatch("G218", "these are not subscripts", hint=_HINT)
    if len(terms) != len(shapes):
        raise Mismatch("G218", f"subscripts of {len(terms)} operands, {len(shapes)} given",
                       hint=_HINT)  # fmt: skip


def _leading(terms: Sequence[str], shapes: Sequence[Shape]) -> int:
    """How many axes ``...`` stands for: the same in all operands that have it."""
    found = set()
    for position, (term, shape) in enumerate(zip(terms, shapes, strict=True)):
        letters = len(term.replace("...", ""))
        dots = "..." in term
        if letters > len(shape) or (letters < len(shape) and not dots):
            raise Mismatch("G218", f"{letters} letters for {shape_text(shape)}",
                           f"`{term}` stands for this", _HINT, position)  # fmt: skip
        if dots:
            found.add(len(shape) - letters)
    if len(found) > 1:
        raise Mismatch("G218", "`...` stands for different numbers of axes", hint=_HINT)
    return found.pop() if found else 0


def _without_dots(term: str, shape: Shape, letters: str) -> str:
    return term.replace("...", letters)
