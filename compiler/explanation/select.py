"""Parts of an explanation: one value, or what leads to the gradients of some inputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ...dsl.scope import nearest
from ..outline import Item
from .naming import places
from .steps import Explanation, NodeSteps


class UnknownValue(Exception):
    """Nothing is called so; the message says what is near."""


def select(explanation: Explanation, node: str | None, wrt: Sequence[str]) -> Explanation:
    """The entry of ``node``, which may stand in the step of a loop, and of the entries those on the
    way to ``wrt``. Raises ``UnknownValue``."""
    if wrt:
        explanation = _towards(explanation, wrt)
    return _one(explanation, node) if node is not None else explanation


def _towards(explanation: Explanation, wrt: Sequence[str]) -> Explanation:
    known = places(explanation.names)
    for name in wrt:
        if name not in known:
            raise UnknownValue(_unknown(name, known))
    on_way = {known[name] for name in wrt}
    for item in explanation.outline.items:
        if any(operand in on_way for operand in item.operands):
            on_way.add(item)
    entries = tuple(
        _with_edges(entry, on_way) for entry in explanation.entries if on_way & set(entry.items)
    )
    return replace(explanation, entries=entries)


def _with_edges(entry: NodeSteps, on_way: set[Item]) -> NodeSteps:
    return replace(entry, edges=tuple(e for e in entry.edges if e.operand in on_way))


def _one(explanation: Explanation, name: str) -> Explanation:
    known: dict[str, Item] = {}
    for part in _levels(explanation):
        own = places(part.names)
        meant = {own[called] for called in (name, f"next {name}") if called in own}
        if meant:
            entries = tuple(entry for entry in part.entries if meant & set(entry.items))
            return replace(part, entries=entries, only=True)
        known |= own
    raise UnknownValue(_unknown(name, known))


def _levels(explanation: Explanation) -> Iterator[Explanation]:
    """An explanation, and the steps of its loops."""
    yield explanation
    for entry in explanation.entries:
        if entry.inside is not None:
            yield from _levels(entry.inside)


def _unknown(name: str, known: dict[str, Item]) -> str:
    near = nearest(name, known)
    hint = f"; did you mean `{near}`?" if near else ""
    return f"there is no value `{name}`{hint}"
