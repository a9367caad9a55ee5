"""Which values are chosen by one condition, and what only one side of it needs: an ``if``.

Choices that read the same condition are made together where none of them needs another, and what
is used on one side alone is computed there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from ..dsl.frozen import frozen
from ..dsl.graph import Node

# So many choices beyond the first, and operations on the sides, make an `if`: fewer are as fast as
# conditional expressions, and shorter.
_LEAST = 4
# What stands further apart than so many statements is not joined: it may be looked through in vain.
_FAR = 200
# Branches inside each other: Python allows 100 indents, a reader fewer.
_MAX_DEPTH = 6


@frozen(eq=False)
class Branch:
    """``choices`` are ``where`` nodes of the condition; ``sides`` are what is computed for them
    alone where it holds, and where it does not."""

    condition: Node
    choices: tuple[Node, ...]
    sides: tuple[tuple[Unit, ...], tuple[Unit, ...]]


Unit: TypeAlias = Node | Branch


def arranged(order: Iterable[Node], results: Iterable[Node]) -> tuple[Unit, ...]:
    """Nodes in an order of computation, with branches in it."""
    nodes = list(order)
    if not any(_condition(node) for node in nodes):
        return tuple(nodes)
    return _Arrangement(nodes, set(results), _MAX_DEPTH).units()


def flat(units: Iterable[Unit]) -> Iterator[Node]:
    """The nodes of units in order; of a branch both sides, then what is chosen."""
    for unit in units:
        if isinstance(unit, Branch):
            for side in unit.sides:
                yield from flat(side)
            yield from unit.choices
        else:
            yield unit


def branches(units: Iterable[Unit]) -> Iterator[Branch]:
    """All branches, also those inside others."""
    for unit in units:
        if isinstance(unit, Branch):
            yield unit
            for side in unit.sides:
                yield from branches(side)


def only(units: Iterable[Unit], wanted: set[Node]) -> tuple[Unit, ...]:
    """The units of those nodes that are ``wanted``, all choices among them."""
    found: list[Unit] = []
    for unit in units:
        if isinstance(unit, Branch):
            sides = only(unit.sides[0], wanted), only(unit.sides[1], wanted)
            found.append(Branch(unit.condition, unit.choices, sides))
        elif unit in wanted:
            found.append(unit)
    return tuple(found)


def on_sides(units: Iterable[Unit]) -> set[Node]:
    """The nodes that are computed on one side of a condition alone."""
    return {node for branch in branches(units) for side in branch.sides for node in flat(side)}


def _condition(node: Node) -> Node | None:
    """The truth value that a node chooses by, if it is only one."""
    if node.op.name != "where" or node.operands[0].type.rank:
        return None
    return node.operands[0]


class _Arrangement:
    """Makes branches, the outermost first: those of what is chosen last.

    The units stand in slots in an order of computation; a branch stands where the last of what it
    consists of stood.
    """

    def __init__(self, nodes: list[Node], results: set[Node], depth: int) -> None:
        self.results = results
        self.depth = depth
        self.slots: list[Unit | None] = list(nodes)
        self.place: dict[Unit, int] = {node: i for i, node in enumerate(nodes)}
        self.users: dict[Node, list[tuple[Node, int]]] = {}
        self.choices: dict[Node, list[Node]] = {}
        """By condition what it chooses, the outermost condition first."""
        self.owner: dict[Node, Branch] = {}
        """By node the branch that it stands in."""
        self.needs: dict[Branch, list[Node]] = {}
        """What the nodes in a branch refer to."""
        for node in reversed(nodes):
            condition = _condition(node)
            if condition is not None:
                self.choices.setdefault(condition, []).append(node)
            for position, operand in enumerate(node.operands):
                self.users.setdefault(operand, []).append((node, position))

    def units(self) -> tuple[Unit, ...]:
        for condition in self.choices:
            for group in self._groups(condition):
                sides = self._sides(group)
                if len(group) - 1 + len(sides) >= _LEAST:
                    self._join(condition, group, sides)
        return tuple(unit for unit in self.slots if unit is not None)

    def _groups(self, condition: Node) -> Iterator[list[Node]]:
        """What the condition chooses, in groups of which no member needs another one."""
        wanted = [node for node in self.choices[condition] if node not in self.owner]
        wanted.sort(key=self.place.__getitem__)
        near: list[Node] = []
        for node in wanted:
            if near and self.place[node] - self.place[near[-1]] > _FAR:
                yield from self._independent(near)
                near = []
            near.append(node)
        if near:
            yield from self._independent(near)

    def _independent(self, wanted: list[Node]) -> list[list[Node]]:
        groups: list[list[Node]] = [[]]
        behind: set[Unit] = set()  # What needs a member of the last group.
        members = set(wanted)
        for unit in self.slots[self.place[wanted[0]] : self.place[wanted[-1]] + 1]:
            if unit is None:
                continue
            needing = any(self._unit(operand) in behind for operand in self._operands(unit))
            if unit in members:
                if needing:
                    groups.append([])
                    behind = set()
                groups[-1].append(unit)
                behind.add(unit)
            elif needing:
                behind.add(unit)
        return groups

    def _unit(self, node: Node) -> Unit:
        return self.owner.get(node, node)

    def _operands(self, unit: Unit) -> Iterable[Node]:
        return self.needs[unit] if isinstance(unit, Branch) else unit.operands

    def _sides(self, group: list[Node]) -> dict[Node, int]:
        """By node that only members of the group need, and only on one side, that side."""
        found: dict[Node, int] = {}
        members = set(group)
        first = max(min(self.place[node] for node in group) - _FAR, 0)
        waiting = [(node.operands[side + 1], side) for node in group for side in (0, 1)]
        while waiting:
            node, side = waiting.pop()
            if node in found or self.place.get(node, -1) < first or not self._may_move(node):
                continue
            if all(
                found.get(user) == side or (user in members and position == side + 1)
                for user, position in self.users[node]
            ):
                found[node] = side
                waiting += [(operand, side) for operand in node.operands]
        return found

    def _may_move(self, node: Node) -> bool:
        """Whether a node, which has a place, is computed once and for nothing but its users."""
        if node in self.owner or node in self.results:
            return False
        return bool(node.operands) and node.op.name != "scan" and not node.op.results

    def _join(self, condition: Node, group: list[Node], sides: dict[Node, int]) -> None:
        members = sorted([*group, *sides], key=self.place.__getitem__)
        inside = set(members)
        units = []
        for side in (0, 1):
            nodes = [node for node in members if sides.get(node) == side]
            chosen = {choice.operands[side + 1] for choice in group}
            inner = _Arrangement(nodes, chosen, self.depth - 1).units() if self.depth else nodes
            units.append(tuple(inner))
        choices = tuple(node for node in members if node not in sides)
        branch = Branch(condition, choices, (units[0], units[1]))
        operands = dict.fromkeys(o for node in members for o in node.operands)
        self.needs[branch] = [operand for operand in operands if operand not in inside]
        first, last = self.place[members[0]], self.place[members[-1]]
        for node in members:
            self.slots[self.place.pop(node)] = None
            self.owner[node] = branch
        self.slots[last] = branch
        self.place[branch] = last
        self._sort(first, last)

    def _sort(self, first: int, last: int) -> None:
        """Puts what a branch needs before it, and what needs it behind it."""
        order: dict[Unit, None] = {}
        for unit in self.slots[first : last + 1]:
            stack = [unit] if unit is not None else []
            while stack:
                top = stack[-1]
                needed = (self._unit(operand) for operand in self._operands(top))
                missing = [
                    n for n in needed if n not in order and first <= self.place.get(n, -1) <= last
                ]
                if missing:
                    stack += missing
                else:
                    order[stack.pop()] = None
        self.slots[first : last + 1] = [*order, *[None] * (last + 1 - first - len(order))]
        self.place.update({unit: first + i for i, unit in enumerate(order)})
