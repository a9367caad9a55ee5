"""The comments above the statements of a generated backward pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from ..dsl.graph import Node, topological
from ..dsl.loops import called, with_steps
from ..dsl.source import Source
from . import paper
from .python import INDENT, WIDTH, fits, plain

Explanations: TypeAlias = "dict[tuple[Node, tuple[int, ...]], list[str]]"


class BackwardComments:
    """Above each gradient: the line of the spec it comes from, and the rules for its operands.

    ``nodes`` are all that the function computes; ``sharing`` says which names of the spec have
    the same gradient. ``explanations`` has the lines for a node and some of its operands, which
    are the same in all functions of a module. What an earlier function has ``done`` already is
    made again here.
    """

    def __init__(
        self,
        source: Source,
        nodes: Iterable[Node],
        sharing: Mapping[Node, Sequence[str]],
        explanations: Explanations | None = None,
        done: Iterable[Node] = (),
    ) -> None:
        self.source = source
        self.sharing = sharing
        self.explanations: Explanations = {} if explanations is None else explanations
        self.positions: dict[Node, set[int]] = {}
        for node in with_steps(nodes):
            if node.cause is not None and node.position is not None:
                self.positions.setdefault(node.cause, set()).add(node.position)
        # What an operation of the specification is made of has no text of its own.
        self.parts = {
            operand
            for node in with_steps(topological(self.positions))
            for operand in node.operands
            if operand.span == node.span
        }
        self.done, self.again = set(done), False
        self.explained: set[Node] = set()
        self.added: set[Node] = set()
        self.places: set[str] = set()

    def __call__(self, node: Node, inside: list[Node]) -> list[str]:
        causes = dict.fromkeys(p.cause for p in reversed(inside) if p.position is not None)
        lines = []
        before, self.again = self.again, False
        if node in self.done:  # Views alone need no words.
            self.again = any(not part.op.view for part in inside)
        if self.again and not before:
            lines.append(f"{INDENT}# Made again, which costs less than keeping it.")
        for cause in causes:
            if cause is not None and cause not in self.explained:
                self.explained.add(cause)
                key = cause, tuple(sorted(self.positions[cause]))
                if key not in self.explanations:
                    self.explanations[key] = self.rules(*key)
                lines += self.explanations[key] or self.place(cause)
        return lines + self.remarks(node, inside)

    def rules(self, cause: Node, positions: Sequence[int]) -> list[str]:
        """The rules for some operands; nothing where the specification has no words for them."""
        if cause.op.name == "scan":
            index = cause.attributes["loop"].index
            text = f"# The loop over {index.label} (line {index.span.line}) in reverse: each step"
            return [_cut(f"{text} passes on what arrives.")]
        if cause.op.variadic:
            positions = positions[:1]
        found = dict.fromkeys(self.rule(cause, position) for position in positions)
        rules = [rule for rule in found if rule]
        if not rules:
            return []
        head = f"{self.head(cause)}:"
        line = f"{head}  {',  '.join(rules)}"
        if fits(line):
            return [line]
        return [_cut(head), *(_cut(f"{INDENT}#   {rule}") for rule in rules)]

    def head(self, cause: Node) -> str:
        """An operation as it is written, and where."""
        source, place = cause.span.source, f"(line {cause.span.line})"
        if source is not self.source:
            file = source.name.rpartition("/")[2]
            place = "(library)" if file == "prelude.grad" else f"({file}, line {cause.span.line})"
        return f"{INDENT}# {paper.definition(cause)}  {place}"

    def rule(self, cause: Node, position: int) -> str:
        """The rule for an operand in the words of the specification, if that has words for all of
        it, and if it says anything."""
        rule = paper.rule_on_paper(cause, position)
        left, _, right = rule.partition(" = ")
        spelled = all(self.has_text(node) for node in paper.mentioned(cause, position))
        vacuous = left == right or (paper.mirrored(cause) and not cause.name)
        return rule if spelled and not vacuous else ""

    def has_text(self, node: Node) -> bool:
        """Whether the label of a node is all of what it computes, in the words of the file."""
        node = paper.seen(node)
        if node.name or not node.operands:
            return not paper.stands_in(node)
        if paper.mirrored(node):
            return self.has_text(node.operands[0])
        return node.cause is None and node not in self.parts

    def place(self, cause: Node) -> list[str]:
        """Where a statement comes from, said once."""
        line = _cut(self.head(cause))
        if line in self.places:
            return []
        self.places.add(line)
        return [line]

    def remarks(self, node: Node, inside: list[Node]) -> list[str]:
        lines = []
        for part in inside:
            undoes = part.op.name == "sum" and part.cause is not None
            if undoes and part.cause is not None and part.cause.op.family == "elementwise":
                operand = paper.label(part.cause.operands[part.position or 0])
                text = (
                    f"{INDENT}# {operand} was broadcast: the sum adds up what each copy received."
                )
                lines.append(_cut(text))
            of = part.adjoint_of
            if part.op.name == "add" and of is not None and self.has_text(of):
                whole = of.attributes.get("whole", of)
                if whole in self.added:
                    continue  # Another entry of an array.
                self.added.add(whole)
                total = part.operands[0].attributes.get("name") == f"d_{called(of)}"
                often = "in every step" if total else "more than once"
                lines.append(_cut(f"# {paper.label(whole)} is used {often}: its gradients add up."))
        shared = self.sharing.get(node, [])
        if len(shared) > 1:
            lines.append(_cut(f"{INDENT}# The same gradient arrives at {_listed(shared)}."))
        return lines


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + f" and {names[-1]}"


def _cut(line: str) -> str:
    line = plain(line.strip())
    line = INDENT + line
    return line if len(line) <= WIDTH else line[: WIDTH - 3].rstrip() + "..."
