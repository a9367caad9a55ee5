"""What an explanation asks of an evaluated graph: values, names, what each use sends back."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...dsl.graph import Node, attribute_text
from ...dsl.loops import loop_key
from ..backflow import as_seen
from ..interpret import Interpreter
from ..outline import Item, Outline
from ..paper import seen
from ..reverse import Adjoint, Adjoints
from .naming import letters, names_of
from .rules import text_of
from .steps import Use
from .terms import Amount, Applied, Name, Term

FIXED = ("constant", "size")
ENTRYWISE = ("elementwise", "pointwise")


@dataclass
class Values:
    """An outline, what arrives at its nodes, and the values of all of it."""

    outline: Outline
    adjoints: Adjoints | None
    active: set[Node]
    interpreter: Interpreter
    digits: int | None
    data: set[str] = field(default_factory=set)
    objective: str = ""
    nexts: tuple[Node, ...] = ()

    def __post_init__(self) -> None:
        self.names = names_of(self.outline, self.nexts)
        self.uses: dict[Item, list[Use]] = {}
        self.users: dict[Item, int] = {}
        for item in self.outline.items:
            for operand in item.operands:
                self.users[operand] = self.users.get(operand, 0) + 1
        # All at once: what is asked for one by one is looked for among all that is known.
        self.backs = {edge: adjoint.selected() for edge, adjoint in self.sent_back().items()}
        arriving = self.adjoints.gradients if self.adjoints else {}
        self.interpreter.run([*(i.node for i in self.outline.items), *arriving.values(),
                              *self.backs.values()])  # fmt: skip
        self.loops: dict[Any, list[Item]] = {}
        for item in self.outline.items:
            if item.loop is not None:
                self.loops.setdefault(loop_key(item.operation), []).append(item)

    def value(self, node: Node) -> Any:
        known = self.interpreter.values
        return known[node] if node in known else self.interpreter.run([node])[0]

    def adjoint(self, item: Item) -> Any:
        found = self.adjoints.gradients.get(item.operation) if self.adjoints else None
        return None if found is None or item.operation not in self.active else self.value(found)

    def name(self, node: Node) -> Name:
        return self.names[self.outline.of[seen(node)]]

    def term(self, node: Node) -> Term:
        """An operand by its name, or as the number that is written."""
        if seen(node).op.name in FIXED:
            return self.fixed(seen(node))
        return self.name(node)

    def fixed(self, node: Node) -> Term:
        if node.op.name == "size":
            return Name(str(node.attributes["size"]))
        return Amount(node.attributes["value"], exact=True)

    def amount(self, node: Node) -> Term:
        if seen(node).op.name == "constant":
            return self.fixed(seen(node))
        return Amount(self.value(node))

    def letters(self, node: Node) -> dict[Node, Term]:
        """Letters for the operands, numbers as they are."""
        given = arguments(node)
        ordered = [*given, *(o for o in node.operands if o not in given)]
        found = dict.fromkeys(o for o in ordered if seen(o).op.name not in FIXED)
        entrywise = node.op.family in ENTRYWISE
        own = letters([o.type.rank for o in found], not entrywise)
        terms: dict[Node, Term] = dict(zip(found, own, strict=True))
        return terms | {o: self.fixed(seen(o)) for o in node.operands if o not in terms}

    def positions(self, node: Node) -> Iterator[int]:
        """The operands that something goes back to."""
        if self.adjoints is None or node not in self.active:
            return
        for position, operand in enumerate(node.operands):
            sent = (node, position) in self.adjoints.uses
            if sent and operand in self.active and operand in self.outline.of:
                yield position

    def sent_back(self) -> Mapping[tuple[Node, int], Adjoint]:
        return self.adjoints.uses if self.adjoints is not None else {}

    def sent(self, node: Node, position: int) -> Any:
        """What goes back along an edge, to what a reader sees there."""
        return self.value(as_seen(node.operands[position], self.backs[node, position]))

    def count(self, node: Node, position: int) -> int:
        """How many entries of the operand go into one of the result."""
        whole = int(np.size(self.value(node.operands[position])))
        return whole // max(int(np.size(self.value(node))), 1)

    def copies(self, node: Node, position: int) -> int:
        """How often each entry of an operand was repeated; what the copies receive is added up."""
        operand = node.operands[position]
        whole, own = np.shape(self.value(node)), np.shape(self.value(seen(operand)))
        notation = node.op.einstein
        if node.op.family not in ENTRYWISE and text_of(node, position) != "dy":
            if not isinstance(notation, str) or not notation:
                return 1
            # Only leading axes repeat an operand of a product.
            inside, _, out = notation.partition("->")
            whole = whole[: len(whole) - len(out)]
            own = own[: len(own) - len(inside.split(",")[position])]
        return int(math.prod(whole) // max(math.prod(own), 1))


def arguments(node: Node) -> Sequence[Node]:
    """The operands that a reader sees: of a function with a rule of its own, not its body."""
    bodies = len(node.op.result_names(node.attributes)) if node.op.family == "ruled" else 0
    return node.operands[bodies:]


def applied(node: Node, terms: Sequence[Term]) -> Applied:
    """An operation on terms in the place of its operands."""
    if node.op.variadic:
        return Applied(node.op, {}, node.attributes, tuple(terms))
    names = [p.name for p in node.op.operands]
    remark = ""
    axis = node.attributes.get("axis")
    rank = node.operands[0].type.rank if node.operands else 0
    if axis is not None and rank > 1 and axis != tuple(range(-rank, 0)):
        axes = axis if isinstance(axis, tuple) else (axis,)
        remark = f"axis={attribute_text(axes if len(axes) > 1 else axes[0])}"
    return Applied(node.op, dict(zip(names, terms, strict=True)), node.attributes, remark=remark)
