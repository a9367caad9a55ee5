"""What becomes of the states of a loop in a step: assigned where they are computed, changed in
place, or all together at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property

from ..dsl.graph import Node, topological
from ..dsl.loops import Loop
from .schedule import Function, call_key, is_weak


class States:
    """The states of a loop; ``first`` are their values before it, ``stacked`` what is stacked."""

    def __init__(self, loop: Loop, first: Mapping[Node, Node], stacked: Sequence[Node]) -> None:
        self.loop, self.first, self.stacked = loop, first, stacked
        self.nexts = dict(zip(loop.states, loop.nexts, strict=True))
        body = loop.body(stacked)
        self.used = Counter(operand for node in body for operand in node.operands)

    @cached_property
    def buffers(self) -> set[Node]:
        """States of which a step replaces one row."""
        return {state for state in self.nexts if self._is_buffer(state)}

    @cached_property
    def sums(self) -> set[Node]:
        """States that only add up what steps make, in an array of their own."""
        return {state for state in self.nexts if self._adds_up(state)}

    @property
    def in_place(self) -> set[Node]:
        return self.buffers | self.sums

    def _is_buffer(self, state: Node) -> bool:
        after = self.nexts[state]
        whole = after.op.name == "put" and after.operands[0] is state
        return whole and after.operands[2].type.kind is state.type.kind

    def _adds_up(self, state: Node) -> bool:
        after, first = self.nexts[state], self.first[state]
        if after.op.name != "add" or after.operands[0] is not state or after.type != state.type:
            return False
        own = first.op.name in ("zeros", "constant") or not state.type.rank
        others = [n for s, n in self.nexts.items() if s is not state]
        asked = {*self.stacked, *others, self.loop.until}
        alone = self.used[state] == 1 and not self.used[after] and not {state, after} & asked
        return own and alone and after.operands[1].type == state.type

    def direct(self, function: Function) -> dict[Node, Node]:
        """By its next value the state that can be assigned where that is computed, since nothing
        needs the old one any more."""
        position: dict[Node, int] = {}
        first: dict[Hashable, int] = {}
        for i, node in enumerate(function.statements):
            # All results of a loop are computed where the first one is.
            own = first.setdefault(call_key(node), i) if node.op.name == "scan" else i
            position[node] = own
        last: dict[Node, int] = {}
        for node in function.statements:
            for part in topological([node], [*self.loop.placeholders, *position.keys() - {node}]):
                for operand in part.operands:
                    if operand in self.nexts:
                        last[operand] = max(position[node], last.get(operand, 0))
        nexts = Counter(self.nexts.values())
        found: dict[Node, Node] = {}
        for state, after in self.nexts.items():
            if state in self.in_place or state in self._taken_at_end or after.op.name == "scan":
                continue
            alone = nexts[after] == 1 and after in position and not is_weak(after)
            if alone and last.get(state, -1) <= position[after]:
                found[after] = state
        return found

    @cached_property
    def _taken_at_end(self) -> set[Node]:
        """What the assignments at the end of a step take as it is."""
        taken = {after for state, after in self.nexts.items() if after is not state}
        for state in self.in_place:
            taken.update(self.nexts[state].operands[1:])
        return taken

    def added(self, function: Function) -> dict[Node, Node]:
        """By term the sum it is added to where it is computed: nothing else needs it."""
        terms = Counter(self.nexts[state].operands[1] for state in self.sums)
        used = {operand for node in function.nodes for operand in node.operands}
        used |= {*self.stacked, *self.nexts.values()}
        found: dict[Node, Node] = {}
        for state in self.nexts:
            term = self.nexts[state].operands[1] if state in self.sums else None
            if term in function.statements and term not in used and terms[term] == 1:
                if term.op.name != "scan" and not term.name:
                    found[term] = state
        return found
