"""The statements of one generated function, with the comments that explain them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect, bisect_left
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

from ..dsl.graph import Node
from .branches import Branch, Unit
from .guarded import QUIET, risky_nodes
from .names import Names, legal, temporary
from .python import INDENT, fits
from .records import Records, records
from .render import Renderer, whole_call
from .schedule import Function, call_key, is_leaf
from .templates import NOT, Expression

# So many statements that cannot warn may stand in a block that must not.
_GAP = 3
Commenter = Callable[[Node, list[Node]], list[str]]


def no_comment(node: Node, inside: list[Node]) -> list[str]:
    return []


@dataclass
class Line:
    text: str
    risky: bool = False
    harmless: bool = False

    @property
    def may_move(self) -> bool:
        """Whether a block that is indented may have it as well."""
        return self.harmless and (fits(INDENT + self.text) or not fits(self.text))

    @property
    def is_comment(self) -> bool:
        return self.text.lstrip().startswith("#")


class Body(ABC):
    """Writes the statements of a function or of a block; where a block stands in a ``quiet`` one,
    no line of it needs one of its own, and all will be indented once more."""

    def __init__(
        self, renderer: Renderer, names: Names, indent: str = INDENT, quiet: bool = False
    ) -> None:
        self.renderer = renderer
        self.names = names
        self.indent = indent
        self.quiet = quiet
        self.function = Function((), (), (), frozenset())
        self.records = Records()
        self.risky: set[Node] = set()
        self._lines: list[Line] = []
        self._written: set[Node] = set()
        self._chosen: dict[Node, str] = {}
        self._signs: dict[Node, str] = {}
        self._calls: dict[Hashable, list[Node]] = {}

    def take(self, function: Function, order: Sequence[Node], results: Iterable[Node]) -> None:
        """The statements to write, what they are given having names already.

        What only branches use is known from all nodes, in ``order``, and what is made of them.
        """
        self.function = function
        self.records = records(function)
        silent = self.renderer.scalar or self.quiet
        self.risky = set() if silent else risky_nodes(order, results)
        self._written = set(self.renderer.names)
        self._calls = {}
        for node in function.statements:
            if node.op.results:
                self._calls.setdefault(call_key(node), []).append(node)
        for node in function.statements:
            if node in self._chosen:
                self.renderer.names[node] = self._chosen[node]
            elif node.name and "." not in node.name:
                self.renderer.names[node] = self.names.fresh(legal(node.name))

    def is_written(self, node: Node) -> bool:
        return node in self._written

    def indented(
        self, quiet: bool, renderer: Renderer | None = None, names: Names | None = None
    ) -> Self:
        """The body of a block inside this one."""
        renderer, names = renderer or self.renderer, names or self.names
        inside = type(self)(renderer, names, self.indent + INDENT, quiet or self.quiet)
        inside.records = self.records
        return inside

    def begin(self, text: str) -> None:
        """A statement that comes before all others."""
        self._lines.append(Line(f"{self.indent}{text}"))

    def choose(self, node: Node, name: str, sign: str = "=") -> None:
        """The variable that a node is assigned or, with ``+=``, added to."""
        self._chosen[node] = name
        self._signs[node] = sign

    def write(self, comment: Commenter) -> list[str]:
        """All statements; ``comment`` gives the lines above one, from what it computes."""
        self._units(self.function.units, comment)
        return self._with_quiet_blocks()

    def _units(self, units: Iterable[Unit], comment: Commenter) -> None:
        for unit in units:
            if isinstance(unit, Branch):
                self._branch(unit, comment)
            else:
                self.statement(unit, comment)

    def statement(self, node: Node, comment: Commenter) -> None:
        """One assignment, preceded by those of parts that must stand alone."""
        if node in self._written:
            return None  # Another result of the same call, which came before.
        if node.op.name == "scan":
            return self.loop(node, comment)
        inside = list(self.inside(node))
        repeated = self.repeated_part(inside)
        if repeated is not None:
            return self.apart(repeated, node, comment)
        targets = self.targets(node)
        sign = self._signs.get(node, "=")
        right = self.right_side(node, targets)
        line = f"{self.indent}{self.left_side(node, targets)} {sign} {right}"
        quiet = any(part in self.risky for part in inside)
        shift = INDENT * (quiet or self.quiet)
        if not fits(shift + line):
            longest = self.longest_part(node)
            if longest is not None:
                return self.apart(longest, node, comment)
            line += "  # fmt: skip"
        self._lines += self._remarks(node, inside, comment)
        harmless = bool(self.risky) and all(p.op.name in QUIET or p.op.view for p in inside)
        self._lines.append(Line(self.with_place(line, node, shift), quiet, harmless))
        for target in targets:
            self.renderer.names[target] = self.name_of(target)
            self._written.add(target)
        return None

    def _branch(self, branch: Branch, comment: Commenter) -> None:
        """An ``if``, where one side may have nothing to do."""
        condition = self._ready(branch.condition, comment)
        marked: set[Node] = set()
        sides = [self._side(branch, side, marked, comment) for side in (0, 1)]
        if not sides[0]:
            sides.reverse()
            condition = Expression(f"not {condition.at(NOT)}", NOT)
        self._lines += [Line(f"{self.indent}if {condition.text}:"), *sides[0]]
        if sides[1]:
            self._lines += [Line(f"{self.indent}else:"), *sides[1]]
        self._written.update(branch.choices)

    def _ready(self, condition: Node, comment: Commenter) -> Expression:
        """A condition as it stands behind ``if``: what does not fit there stands before."""
        if not (condition in self._written or is_leaf(condition)):
            text = self.renderer.expression(condition).text
            repeated = self.repeated_part(list(self.inside(condition)))
            if repeated is not None or not fits(f"{self.indent}if not ({text}):"):
                self.statement(condition, comment)
        return self.renderer.expression(condition)

    def _side(self, branch: Branch, side: int, marked: set[Node], comment: Commenter) -> list[Line]:
        """The lines of a side; ``marked`` are the choices that have a comment already."""
        outside, above, indent = set(self._written), self._lines, self.indent
        self._lines, self.indent = [], indent + INDENT
        self._units(branch.sides[side], comment)
        for choice in branch.choices:
            self._assign(choice, choice.operands[side + 1], marked, comment)
            self.renderer.names[choice] = self.name_of(choice)
        for node in self._written - outside:  # Written numbers among them, which others use too.
            del self.renderer.names[node]
        lines, self._lines, self.indent, self._written = self._lines, above, indent, outside
        return lines

    def _assign(self, choice: Node, value: Node, marked: set[Node], comment: Commenter) -> None:
        """What is chosen on one side of a branch; nothing for what stays as it is."""
        there = value in self._written or is_leaf(value)
        inside = [] if there else list(self.inside(value))
        repeated = self.repeated_part(inside)
        if repeated is not None:
            self.statement(repeated, comment)
            return self._assign(choice, value, marked, comment)
        name, sign = self.name_of(choice), self._signs.get(choice, "=")
        text = self.renderer.expression(value).text
        if (text == name and sign == "=") or (value.is_constant(0.0) and sign == "+="):
            return None
        line = f"{self.indent}{name} {sign} {text}"
        shift = INDENT * self.quiet
        if not fits(shift + line):
            longest = None if there else self.longest_part(value)
            if longest is not None:
                self.statement(longest, comment)
                return self._assign(choice, value, marked, comment)
            line += "  # fmt: skip"
        if choice not in marked and not is_leaf(value):
            marked.add(choice)
            self._lines += self._remarks(choice, [choice, *inside], comment)
            line = self.with_place(line, choice, shift)
        self._lines.append(Line(line))
        return None

    @abstractmethod
    def loop(self, node: Node, comment: Commenter) -> None:
        """A loop, with all its results that are wanted."""

    def _remarks(self, node: Node, inside: list[Node], comment: Commenter) -> list[Line]:
        deeper = self.indent.removeprefix(INDENT)
        return [Line(deeper + text) for text in comment(node, inside)]

    def targets(self, node: Node) -> list[Node]:
        """The results that one statement computes: those of the node's call that are wanted."""
        if not node.op.results:
            return [node]
        return self._calls.get(call_key(node)) or [
            node
        ]  # Alone, it may have been meant to stand inside another statement.

    def left_side(self, node: Node, targets: list[Node]) -> str:
        if len(targets) == 1:
            return self.name_of(node)
        names = {target.attributes["result"]: self.name_of(target) for target in targets}
        count = len(node.op.result_names(node.attributes))
        return ", ".join(names.get(result, "_") for result in range(count))

    def right_side(self, node: Node, targets: list[Node]) -> str:
        if len(targets) == 1:
            return self.renderer.computed(node).text
        return self.renderer.filled(node, whole_call(node)).text

    def apart(self, part: Node, node: Node, comment: Commenter) -> None:
        self.statement(part, comment)
        self.statement(node, comment)

    def inside(self, node: Node) -> Iterator[Node]:
        """The node and what is written inside its statement."""
        stack = [node]
        while stack:
            current = stack.pop()
            yield current
            stack += [
                operand
                for operand in reversed(current.operands)
                if operand not in self._written and not is_leaf(operand)
            ]

    def repeated_part(self, inside: list[Node]) -> Node | None:
        """A part of a statement whose text would stand in it more than once."""
        parts = set(inside[1:])
        for parent in inside if parts else ():
            for operand in parent.operands:
                if operand in parts and self.renderer.uses_twice(parent, operand):
                    return operand
        return None

    def longest_part(self, node: Node) -> Node | None:
        parts = [part for part in self.inside(node) if part is not node]
        direct = [part for part in parts if part in node.operands]
        return max(direct, key=lambda p: len(self.renderer.computed(p).text), default=None)

    def name_of(self, node: Node) -> str:
        """The variable of a node; chosen once, however often its line is tried."""
        name = self.renderer.names.get(node) or self._chosen.get(node)
        if name is None:
            name = self.names.numbered(temporary(node, self.renderer.names))
            self._chosen[node] = name
        return name

    def with_place(self, line: str, node: Node, shift: str) -> str:
        """The line of the specification behind a named statement, where it fits."""
        if not node.name or node.cause is not None or "." in node.name or "# fmt" in line:
            return line
        marked = f"{line}  # line {node.span.line}"
        return marked if fits(shift + marked) else line

    def _with_quiet_blocks(self) -> list[str]:
        """Statements of branches that may not be taken, under ``np.errstate``; between two of them
        what cannot warn stays in the block."""
        if not any(line.risky for line in self._lines):
            return [line.text for line in self._lines]
        own = [i for i, line in enumerate(self._lines) if not line.is_comment]
        quiet = {i for i in own if self._lines[i].risky}
        for last, following in pairwise(sorted(quiet)):
            between = own[bisect(own, last) : bisect_left(own, following)]
            if len(between) <= _GAP and all(self._lines[i].may_move for i in between):
                quiet.update(between)
        lines: list[str] = []
        inside = False
        below = iter(own)
        statement = -1
        for position, line in enumerate(self._lines):
            if statement < position:  # A comment goes with the statement below it.
                statement = next(below, position)
            if statement in quiet and not inside:
                np = self.renderer.module("np")
                lines.append(f"{self.indent}# A branch that is not taken must not warn.")
                lines.append(f'{self.indent}with {np}.errstate(all="ignore"):')
            inside = statement in quiet
            lines.append(INDENT * inside * bool(line.text) + line.text)
        return lines
