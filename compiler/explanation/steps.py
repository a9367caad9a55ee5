"""The record of an explanation: for each value what it computes, its local derivatives, and what
goes back along each use, with numbers. Formats print it; nothing here depends on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...dsl.frozen import frozen
from ..outline import Item, Outline
from .index import IndexForm
from .terms import Amount, Applied, Name, Term


@frozen()
class Edge:
    """What goes back from a value to one that it is computed from.

    ``slope`` is the local derivative in ``letter``, of which ``factor`` is that with numbers; or
    ``rule`` says how what arrives becomes what goes back, ``worked`` with numbers.
    """

    operand: Item
    name: Name
    result: Any
    arriving: Amount | None = None
    letter: Name | None = None
    slope: Term | None = None
    factor: Term | None = None
    prime: tuple[Applied, Name, Term] | None = None
    """``σ'(m) = (1 - σ(m)) σ(m)``: the function, where, and the derivative."""
    rule: Term | None = None
    worked: Term | None = None
    where: Term | None = None
    """Where it is 0 instead."""
    index: IndexForm | None = None
    summed: bool = False
    """Whether the sum undoes a broadcast."""
    notes: tuple[str, ...] = ()


@frozen()
class Use:
    """What one use of a value sends back to it."""

    user: Name
    value: Any


@frozen()
class NodeSteps:
    """One value. ``items`` are those that the entry is about: more than one where a sum of many
    terms is told at once, or where a loop has several results."""

    item: Item
    items: tuple[Item, ...]
    name: Name
    definition: Term | None
    """The operation with the names of its operands."""
    written: str
    """The text of the specification."""
    letters: tuple[Name, ...]
    function: Term | None
    """The same in letters."""
    value: Any
    adjoint: Any
    edges: tuple[Edge, ...]
    uses: tuple[Use, ...]
    notes: tuple[str, ...] = ()
    inside: Explanation | None = None
    """For a loop, its last step: the first that a gradient goes back through."""

    @property
    def line(self) -> int:
        return self.item.span.line

    @property
    def group(self) -> str:
        """The calls that it stands in."""
        return " › ".join(self.item.group)

    @property
    def place(self) -> str:
        """Where it stands in the specification."""
        return f"line {self.line}" + (f", in {self.group}" if self.group else "")

    @property
    def is_told(self) -> bool:
        """Whether there is something to say of its gradient."""
        ends = self.item.is_input or self.adjoint is not None
        return bool(self.edges) or len(self.uses) > 1 or (ends and bool(self.notes))


@frozen()
class Explanation:
    """All values of a function from the output down. ``sentence`` says why there is no gradient,
    or what is shown of more."""

    title: str
    outline: Outline
    entries: tuple[NodeSteps, ...]
    names: Mapping[Item, Name]
    digits: int | None
    sentence: str = ""
    only: bool = False
    """Whether it was asked for one value: then all there is to say of it is shown."""

    @property
    def told(self) -> tuple[NodeSteps, ...]:
        """The entries that say something of a gradient."""
        return tuple(entry for entry in self.entries if entry.is_told or self.only)
