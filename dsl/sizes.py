"""Sizes: natural numbers written as polynomials of size names.

A size is kept in its normal form, a polynomial with rational coefficients whose values are
integers, so two sizes are equal when they are the same function: ``D*(D-1)//2`` equals
``(D*D - D)//2``. A floor division that is not exact for every value is an opaque atom of its own.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import cache
from typing import TypeAlias

from .frozen import frozen


@frozen()
class FloorDivision:
    """``numerator // denominator`` where it is not known to be exact."""

    numerator: Size
    denominator: Size

    @property
    def natural(self) -> bool:
        return self.numerator.natural and self.denominator.natural


Atom: TypeAlias = str | FloorDivision
Monomial: TypeAlias = tuple[Atom, ...]  # with repetition, sorted by text; () is 1
Terms: TypeAlias = tuple[tuple[Monomial, Fraction], ...]


@frozen()
class Size:
    """A polynomial; ``terms`` are sorted by degree, then text, without zero coefficients."""

    terms: Terms

    @staticmethod
    def of(value: int | str | Size) -> Size:
        if isinstance(value, Size):
            return value
        if isinstance(value, str):
            return Size((((value,), Fraction(1)),))
        return _number(value)

    @property
    def constant(self) -> int | None:
        """The value, if it depends on no name."""
        if not self.terms:
            return 0
        if len(self.terms) == 1 and not self.terms[0][0]:
            return int(self.terms[0][1])
        return None

    @property
    def natural(self) -> bool:
        """Whether it is shown never to be negative, sizes being natural numbers."""
        return _natural(self)

    @property
    def name(self) -> str | None:
        """The name, if the size is just that."""
        if len(self.terms) == 1 and self.terms[0][1] == 1 and len(self.terms[0][0]) == 1:
            atom = self.terms[0][0][0]
            return atom if isinstance(atom, str) else None
        return None

    def names(self) -> frozenset[str]:
        found: set[str] = set()
        for monomial, _ in self.terms:
            for atom in monomial:
                if isinstance(atom, str):
                    found.add(atom)
                else:
                    found |= atom.numerator.names() | atom.denominator.names()
        return frozenset(found)

    def __add__(self, other: Size | int) -> Size:
        terms = dict(self.terms)
        for monomial, coefficient in Size.of(other).terms:
            terms[monomial] = terms.get(monomial, Fraction(0)) + coefficient
        return _normal(terms)

    def __sub__(self, other: Size | int) -> Size:
        return self + Size.of(other) * -1

    def __mul__(self, other: Size | int) -> Size:
        if self is ONE or other is ONE:  # Most sizes are those of scalars.
            return Size.of(other) if self is ONE else self
        terms: dict[Monomial, Fraction] = {}
        for (m1, c1), (m2, c2) in itertools.product(self.terms, Size.of(other).terms):
            monomial = tuple(sorted(m1 + m2, key=_atom_key))
            terms[monomial] = terms.get(monomial, Fraction(0)) + c1 * c2
        return _normal(terms)

    def __floordiv__(self, other: Size | int) -> Size:
        """Exact where the quotient is an integer for all values, else opaque.

        Raises ``ZeroDivisionError`` for a constant zero.
        """
        other = Size.of(other)
        if other.constant is not None and self.constant is not None:
            return Size.of(self.constant // other.constant)
        quotient = _exact_quotient(self, other)
        if quotient is not None:
            return quotient
        return Size((((FloorDivision(self, other),), Fraction(1)),))

    def evaluate(self, values: Mapping[str, int]) -> int:
        """The size for given values of its names. Raises ``KeyError`` for a missing one."""
        total = Fraction(0)
        for monomial, coefficient in self.terms:
            product = coefficient
            for atom in monomial:
                product *= _atom_value(atom, values)
            total += product
        return int(total)

    def substitute(self, values: Mapping[str, Size]) -> Size:
        if not self.names() & values.keys():
            return self
        total = _ZERO
        for monomial, coefficient in self.terms:
            product = Size((((), coefficient),))
            for atom in monomial:
                if isinstance(atom, str):
                    product = product * values.get(atom, Size.of(atom))
                else:
                    product = product * (
                        atom.numerator.substitute(values) // atom.denominator.substitute(values)
                    )
            total = total + product
        return total

    def __str__(self) -> str:
        return size_text(self)


def size_text(size: Size, rename: Callable[[str], str] = str, power: str = "^") -> str:
    """The size as an expression of the language, or of Python (``power="**"``)."""
    if not size.terms:
        return "0"
    alone = size.terms[0][0]
    if len(size.terms) == 1 and size.terms[0][1] == 1 and len(alone) == 1:
        return _atom_text(alone[0], 1, rename, power, alone=True)
    scale = math.lcm(*(coefficient.denominator for _, coefficient in size.terms))
    spaced = " " if power == "**" else ""
    text = ""
    for monomial, coefficient in sorted(size.terms, key=lambda term: term[1] < 0):
        number = int(coefficient * scale)
        factors = [_atom_text(a, n, rename, power) for a, n in _powers(monomial)]
        if abs(number) != 1 or not factors:
            factors.insert(0, str(abs(number)))
        term = (" * " if spaced else "*").join(factors)
        sign = "-" if number < 0 else "+"
        text += (f" {sign} " if text else sign.strip("+")) + term
    if scale == 1:
        return text
    grouped = f"({text})" if len(size.terms) > 1 else text
    return f"{grouped}{spaced}//{spaced}{scale}"


def _powers(monomial: Monomial) -> list[tuple[Atom, int]]:
    return [(atom, len(list(group))) for atom, group in itertools.groupby(monomial)]


def _atom_text(
    atom: Atom, exponent: int, rename: Callable[[str], str], power: str, *, alone: bool = False
) -> str:
    if isinstance(atom, str):
        text = rename(atom)
    else:
        top = size_text(atom.numerator, rename, power)
        bottom = size_text(atom.denominator, rename, power)
        spaced = " " if power == "**" else ""
        text = f"{_grouped(top)}{spaced}//{spaced}{_grouped(bottom)}"
        text = text if alone else f"({text})"
    return text if exponent == 1 else f"{text}{power}{exponent}"


def _grouped(text: str) -> str:
    return text if text.isidentifier() or text.isdigit() else f"({text})"


def _atom_key(atom: Atom) -> str:
    return atom if isinstance(atom, str) else _atom_text(atom, 1, str, "^")


def _atom_value(atom: Atom, values: Mapping[str, int]) -> int:
    if isinstance(atom, str):
        return values[atom]
    return atom.numerator.evaluate(values) // atom.denominator.evaluate(values)


def _normal(terms: Mapping[Monomial, Fraction]) -> Size:
    kept = [(m, c) for m, c in terms.items() if c]
    kept.sort(key=lambda term: (-len(term[0]), [_atom_key(a) for a in term[0]]))
    return Size(tuple(kept))


@cache
def _number(value: int) -> Size:
    return Size((((), Fraction(value)),)) if value else _ZERO


_ZERO = Size(())
ONE = Size.of(1)
ZERO = Size.of(0)


def product(sizes: Iterable[Size]) -> Size:
    result = ONE
    for size in sizes:
        result = result * size
    return result


def total(sizes: Iterable[Size]) -> Size:
    """Their sum. Most are those of scalars, which are added as numbers."""
    result, numbers = ZERO, 0
    for size in sizes:
        number = 1 if size is ONE else size.constant
        if number is None:
            result = result + size
        else:
            numbers += number
    return result + numbers


def rounded_root(number: int) -> int:
    """The square root of a natural number, rounded up; 1 of 0."""
    return math.isqrt(max(number - 1, 0)) + 1


def _exact_quotient(numerator: Size, denominator: Size) -> Size | None:
    """The quotient by a single term, if it is an integer-valued polynomial."""
    if len(denominator.terms) != 1:
        return None
    divisor, scale = denominator.terms[0]
    terms: dict[Monomial, Fraction] = {}
    for monomial, coefficient in numerator.terms:
        rest = list(monomial)
        for atom in divisor:
            if atom not in rest:
                return None
            rest.remove(atom)
        terms[tuple(rest)] = coefficient / scale
    quotient = _normal(terms)
    return quotient if _integer_valued(quotient) else None


def _integer_valued(size: Size) -> bool:
    """Whether the polynomial is an integer at all integers.

    A polynomial of degree d in each variable is, exactly when it is on a grid of d + 1
    consecutive integers in each (Pólya, 1915).
    """
    values = _on_grid(size)
    numbers = values.values() if values is not None else (c for _, c in size.terms)
    return all(number.denominator == 1 for number in numbers)


def _natural(size: Size) -> bool:
    """Whether the polynomial is shown to be no less than 0 where its atoms are natural numbers.

    It is a sum of products of binomials such as ``D*(D-1)//2``, whose factors are its differences
    at 0 (Newton): if none of those is negative, it is not.
    """
    if any(
        isinstance(atom, FloorDivision) and not atom.natural for m, _ in size.terms for atom in m
    ):
        return False
    if all(coefficient > 0 for _, coefficient in size.terms):
        return True
    differences = _on_grid(size)
    if differences is None:
        return False
    for axis in range(len(next(iter(differences)))):
        for order in range(1, max(point[axis] for point in differences) + 1):
            for point in sorted(differences, key=lambda p: -p[axis]):
                if point[axis] >= order:
                    before = (*point[:axis], point[axis] - 1, *point[axis + 1 :])
                    differences[point] -= differences[before]
    return all(difference >= 0 for difference in differences.values())


def _on_grid(size: Size) -> dict[tuple[int, ...], Fraction] | None:
    """The values where each atom is 0 .. its degree, unless those are too many."""
    degrees: dict[Atom, int] = {}
    for monomial, _ in size.terms:
        for atom, exponent in _powers(monomial):
            degrees[atom] = max(degrees.get(atom, 0), exponent)
    if math.prod(degree + 1 for degree in degrees.values()) > 4096:
        return None
    found = {}
    for point in itertools.product(*(range(degree + 1) for degree in degrees.values())):
        values = dict(zip(degrees, point, strict=True))
        terms = (c * math.prod(values[a] for a in m) for m, c in size.terms)
        found[point] = sum(terms, start=Fraction(0))
    return found
