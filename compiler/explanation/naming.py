"""What values are called in an explanation: what has no name is given one, ``t1``, ``t2``, ..."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import count

from ...dsl.graph import Node
from ...dsl.loops import called
from ..outline import Item, Outline
from ..paper import label, mirrored, seen
from .terms import Name

_SHORT = 16
_LETTERS = ("x", "y", "z", "u", "v", "w")


def names_of(outline: Outline, nexts: Collection[Node] = ()) -> dict[Item, Name]:
    """A name for each item. Transposes are written as such, and what is no float as its text.

    ``nexts`` are what the states of a loop are after a step.
    """
    taken = {item.label for item in outline.items if item.is_input}
    taken |= {item.node.name.rpartition(".")[2] for item in outline.items if item.node.name}
    free = _temporaries(taken)
    names: dict[Item, Name] = {}
    used: set[str] = set()
    for item in outline.items:
        node = item.operation
        if mirrored(node) and not item.node.name:
            below = names[outline.of[seen(node.operands[0])]]
            names[item] = Name(below.text, node.type.rank, turned=not below.turned)
            continue
        text = _own(item) or next(free)
        if node in nexts and node.name:
            text = f"next {text}"
        if item.node.name or item.is_input:
            text = next(t for t in _variants(text) if t not in used)
            used.add(text)
        names[item] = Name(text, node.type.rank)
    return names


def _own(item: Item) -> str:
    if item.is_input or item.node.name:
        return item.label
    if item.loop is not None:
        return called(item.node)
    text = label(item.node)
    return text if not item.node.type.is_float and len(text) <= _SHORT else ""


def _variants(text: str) -> Iterator[str]:
    yield text
    yield from (f"{text}_{number}" for number in count(2))


def _temporaries(taken: set[str]) -> Iterator[str]:
    """Names that the specification does not use."""
    stem = next(s for s in ("t", "v", "u", "tmp", "step", "value", "aux")
                if not any(n[: len(s)] == s and n[len(s) :].isdigit() for n in taken))  # fmt: skip
    return (f"{stem}{number}" for number in count(1))


def letters(ranks: Sequence[int], matrices: bool) -> list[Name]:
    """Letters for the operands of a function in generic form; capitals for matrices."""
    if len(ranks) > len(_LETTERS):
        return [Name(f"x{number}", rank) for number, rank in enumerate(ranks, start=1)]
    return [
        Name(letter.upper() if matrices and rank > 1 else letter)
        for letter, rank in zip(_LETTERS, ranks, strict=False)
    ]


def places(names: Mapping[Item, Name]) -> dict[str, Item]:
    """The items by what a reader may call them: names and ids."""
    found = {item.id: item for item in names}
    for item, name in names.items():
        found.setdefault(name.text + "ᵀ" * name.turned, item)
    return found
