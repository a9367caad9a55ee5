"""Minimum cuts of networks, by Dinic's algorithm, and what they say about values to keep.

Importing networkx, which the tests hold this against, takes longer than compiling a specification.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

_Value = TypeVar("_Value", bound=Hashable)
_Price = Callable[[_Value], int | None]


class Network:
    """Arcs with whole numbers as capacities; ``None`` is without bound."""

    def __init__(self, source: Hashable, sink: Hashable) -> None:
        self.source, self.sink = source, sink
        self.arcs: dict[Hashable, list[int]] = {source: [], sink: []}
        # Each arc is followed by its reverse: arc i goes back as arc i ^ 1.
        self.heads: list[Hashable] = []
        self.free: list[float] = []

    def arc(self, tail: Hashable, head: Hashable, capacity: int | None = None) -> None:
        for own, other, free in ((tail, head, capacity), (head, tail, 0)):
            self.arcs.setdefault(own, []).append(len(self.heads))
            self.heads.append(other)
            self.free.append(float("inf") if free is None else free)

    def source_side(self) -> set[Hashable]:
        """The fewest vertices with the source such that the arcs that leave them cost least.

        There must be a way to cut at all: each path has an arc with a bound.
        """
        levels = self._levels()
        while self.sink in levels:
            self._block(levels)
            levels = self._levels()
        return set(levels)

    def _levels(self) -> dict[Hashable, int]:
        """How many arcs that have room lead from the source to what can be reached."""
        levels = {self.source: 0}
        waiting = deque([self.source])
        while waiting:
            vertex = waiting.popleft()
            for i in self.arcs[vertex]:
                if self.free[i] and self.heads[i] not in levels:
                    levels[self.heads[i]] = levels[vertex] + 1
                    waiting.append(self.heads[i])
        return levels

    def _block(self, levels: dict[Hashable, int]) -> None:
        """Fills the shortest paths to the sink."""
        following = {vertex: iter(self.arcs[vertex]) for vertex in levels}
        path: list[int] = []
        vertex = self.source
        while True:
            if vertex == self.sink:
                most = min(self.free[i] for i in path)
                for i in path:
                    self.free[i] -= most
                    self.free[i ^ 1] += most
                path, vertex = [], self.source
            for i in following[vertex]:
                if self.free[i] and levels.get(self.heads[i]) == levels[vertex] + 1:
                    path.append(i)
                    vertex = self.heads[i]
                    break
            else:
                if not path:
                    return
                vertex = self.heads[path.pop() ^ 1]


def cheapest(
    needed: Iterable[_Value],
    operands: Callable[[_Value], Iterable[_Value]],
    keeping: _Price[_Value],
    again: _Price[_Value],
) -> list[_Value]:
    """The values to keep, so that all that are ``needed`` are kept or made again of others that
    are, for the least price. A price is a whole number, or ``None`` where that must not be."""
    settled, waiting = _settled(needed, operands, keeping, again)
    network = Network("needed", "given")
    seen = dict.fromkeys(waiting)
    for value in waiting:
        network.arc("needed", ("there", value))
    while waiting:
        value = waiting.pop()
        network.arc(("there", value), ("again", value), keeping(value))
        price = again(value)
        network.arc(("again", value), "given", price)
        for operand in operands(value) if price is not None else ():
            if operand in settled:
                continue
            network.arc(("again", value), ("there", operand))
            if operand not in seen:
                seen[operand] = None
                waiting.append(operand)
    side = network.source_side()
    chosen = [v for v in seen if ("there", v) in side and ("again", v) not in side]
    return [value for value, kept in settled.items() if kept] + chosen


def _settled(
    needed: Iterable[_Value],
    operands: Callable[[_Value], Iterable[_Value]],
    keeping: _Price[_Value],
    again: _Price[_Value],
) -> tuple[dict[_Value, bool], list[_Value]]:
    """What is needed in any case: the values without a choice, with whether they are kept, and the
    others. A value that cannot be kept is made again, for which its operands are needed."""
    settled: dict[_Value, bool] = {}
    others: dict[_Value, None] = {}
    waiting = list(needed)
    while waiting:
        value = waiting.pop()
        if value in settled or value in others:
            continue
        if again(value) is None:
            settled[value] = True
        elif keeping(value) is None:
            settled[value] = False
            waiting += operands(value)
        else:
            others[value] = None
    return settled, list(others)
