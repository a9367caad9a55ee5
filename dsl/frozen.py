"""Dataclasses that nothing changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(
    *, eq: bool = True, repr: bool = True, slots: bool = True
) -> Callable[[type[T]], type[T]]:
    """As ``dataclass(frozen=True, slots=True)``, guarded by the type checker alone.

    Python's own guard makes up four fifths of the time it takes to make an object, and there are
    many of these: nodes, types, intervals, spans and syntax trees, of which passes make millions.
    And it compiles the text of six methods for each class, which was a quarter of the time that
    importing the compiler took: here the constructor is the only one.
    """

    def decorate(cls: type[T]) -> type[T]:
        made = dataclass(slots=slots, eq=False, repr=False)(cls)
        if eq:
            _compare(made)
        if repr:
            made.__repr__ = _written  # type: ignore[method-assign]
        return made

    return decorate


def _compare(cls: Any) -> None:
    """Objects of the class are equal, and hash so, where the fields are that are compared."""
    names = [f.name for f in fields(cls) if f.compare]
    values = attrgetter(*names) if names else lambda _: ()

    def equal(self: object, other: object) -> Any:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self is other or values(self) == values(other)

    cls.__eq__ = equal
    cls.__hash__ = lambda self: hash(values(self))


def _written(self: Any) -> str:
    shown = [f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if f.repr]
    return f"{type(self).__qualname__}({', '.join(shown)})"
