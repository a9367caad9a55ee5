"""From an evaluated graph to its explanation."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...dsl import ast
from ...dsl.graph import Node
from ...dsl.loops import called, loop_key, placeholder
from ..backflow import from_objective, reached, reached_by_inputs
from ..evaluate import Evaluation
from ..outline import Item, outline
from ..paper import mirrored, seen, spec_text
from ..reverse import pullback
from ..rules import rule_of
from .edges import Edges
from .naming import letters
from .rules import text_of
from .steps import Edge, Explanation, NodeSteps, Use
from .terms import Name, Term, Total
from .values import FIXED, applied, arguments


def explain(evaluation: Evaluation, program: ast.Program, digits: int | None) -> Explanation:
    """All values of a specification from the output down."""
    graph = evaluation.graph
    whole = outline(graph, program)
    objective = graph.interface.objective
    if objective is None:
        builder = Builder(whole, None, set(), evaluation.interpreter, digits)
        return builder.explanation(program_name(program), _NO_OBJECTIVE)
    found, active = from_objective(graph), reached_by_inputs(graph)
    builder = Builder(whole, found, active, evaluation.interpreter, digits)
    builder.data = {i.name for i in graph.interface.inputs if not i.differentiated}
    builder.objective = objective
    whole_story = builder.explanation(program_name(program))
    nothing = f"No input with a gradient goes into {objective}: there is nothing to go back to."
    goes_back = any(entry.edges for entry in whole_story.entries)
    return whole_story if goes_back else replace(whole_story, sentence=nothing)


_NO_OBJECTIVE = (
    "There is no objective: gradients are those of one number, an output that is alone or named "
    "by `objective`."
)


def program_name(program: ast.Program) -> str:
    return program.source.name.rpartition("/")[2]


class Builder(Edges):
    """The entries of an outline, given what arrives at its nodes and what each use sends back."""

    def explanation(self, title: str, sentence: str = "") -> Explanation:
        entries = tuple(self.entries())
        return Explanation(title, self.outline, entries, self.names, self.digits, sentence)

    def entries(self) -> Iterator[NodeSteps]:
        told: set[Item] = set()
        for item in reversed(self.outline.items):
            if item in told:
                continue
            entry = self.loop(item) if item.loop is not None else self.entry(item)
            told.update(entry.items)
            yield entry

    # ── One value ───────────────────────────────────────────────────────────

    def entry(self, item: Item) -> NodeSteps:
        node = item.operation
        leaves = self.sum_of(item)
        if len(leaves) > len(node.operands):
            return self.long_sum(item, leaves)
        definition = function = None
        own: dict[Node, Term] = {}
        if not item.is_input:
            own = self.letters(node)
            if not (mirrored(node) and not item.node.name):
                definition = applied(node, [self.term(o) for o in node.operands])
            function = applied(node, [own[o] for o in node.operands])
        edges = [self.edge(node, position, own) for position in self.positions(node)]
        for edge in edges:
            self.used(edge.operand, self.names[item], edge.result)
        shown = [own[o] for o in dict.fromkeys(arguments(node)) if seen(o).op.name not in FIXED]
        return self.steps(item, (item,), definition, shown, function, edges)

    def steps(
        self, item: Item, items: tuple[Item, ...], definition: Term | None,
        shown: Sequence[Term], function: Term | None, edges: Sequence[Edge],
    ) -> NodeSteps:  # fmt: skip
        uses = self.uses.get(item, [])
        written = "" if item.is_input else spec_text(item.operation)
        if item.operation.cause is not None:
            written = f"for the gradient of {written}"
        return NodeSteps(
            item, items, self.names[item], definition, written,
            tuple(t for t in shown if isinstance(t, Name)), function, self.value(item.node),
            self.adjoint(item), tuple(edges), tuple(reversed(uses)), self.remarks(item),
        )  # fmt: skip

    def remarks(self, item: Item) -> tuple[str, ...]:
        """Why nothing arrives at a value, where nothing does."""
        name = self.names[item].text
        if self.adjoints is None:
            return ()
        if item.operation in self.adjoints.gradients and item.operation in self.active:
            stops = f"{item.operation.op.name} sends nothing back: its derivative is taken as 0."
            return (stops,) if self.stops(item) else ()
        if item.is_input and item.label in self.data:
            return (f"{name} is data: no gradient is asked for.",)
        if not item.node.type.is_float:
            return (f"{name} is made of {_kind(item.node)}: it has no gradient.",)
        if item.operation in self.active or item.is_input:
            goal = self.objective or "the result"
            return (f"{goal} does not change with {name}: its gradient is 0.",)
        return (f"No input with a gradient goes into {name}: nothing is sent back through it.",)

    def stops(self, item: Item) -> bool:
        """Whether something arrives, but nothing goes on, though operands could have gradients."""
        node = item.operation
        could = any(o in self.active for o in node.operands) and self.adjoint(item) is not None
        return could and not any(True for _ in self.positions(node))

    def used(self, operand: Item, user: Name, value: Any) -> None:
        self.uses.setdefault(operand, []).append(Use(user, value))

    # ── Sums of many terms ──────────────────────────────────────────────────

    def sum_of(self, item: Item) -> list[tuple[bool, Node, int, Node]]:
        """The terms of a sum, through sums that nothing else uses: whether each is taken away, the
        operation it stands in, its position there, and the term."""
        found: list[tuple[bool, Node, int, Node]] = []
        stack = [(False, item.operation, p) for p in reversed(range(len(item.operation.operands)))]
        if not _is_sum(item.operation):
            return []
        while stack:
            minus, node, position = stack.pop()
            operand = node.operands[position]
            minus ^= text_of(node, position) == "-1"
            inner = self.outline.of.get(operand)
            if inner is not None and self.is_part(inner, operand):
                places = reversed(range(len(operand.operands)))
                stack += [(minus, operand, place) for place in places]
            else:
                found.append((minus, node, position, operand))
        return found

    def is_part(self, item: Item, operand: Node) -> bool:
        whole = item.node is operand is item.operation and not operand.name
        return whole and _is_sum(operand) and self.users.get(item, 0) == 1

    def long_sum(self, item: Item, leaves: Sequence[tuple[bool, Node, int, Node]]) -> NodeSteps:
        node = item.operation
        free = [leaf for leaf in leaves if seen(leaf[3]).op.name not in FIXED]
        own: dict[Node, Term] = dict(
            zip(dict.fromkeys(o for *_, o in free), letters([0] * len(free), False), strict=False)
        )
        body = Total(tuple((m, own.get(o) or self.fixed(seen(o))) for m, _, _, o in leaves))
        definition = Total(tuple((m, self.term(o)) for m, _, _, o in leaves))
        edges = []
        for minus, inner, position, operand in leaves:
            if position in self.positions(inner):
                edges.append(self.term_edge(node, inner, position, minus, own[operand]))
                self.used(edges[-1].operand, self.names[item], edges[-1].result)
        inside = {self.outline.of[inner] for _, inner, _, _ in leaves}
        items = (item, *(i for i in reversed(self.outline.items) if i in inside and i is not item))
        return self.steps(item, items, definition, list(own.values()), body, edges)

    # ── Loops ───────────────────────────────────────────────────────────────

    def loop(self, item: Item) -> NodeSteps:
        """All results of a loop: what goes back through its steps at once."""
        items = self.loops[loop_key(item.operation)]
        loop = item.loop
        assert loop is not None
        edges = [self.through(item, result.operation, position)
                 for result in items for position in self.positions(result.operation)]  # fmt: skip
        for edge in edges:
            self.used(edge.operand, self.names[item], edge.result)
        head = self.steps(item, tuple(reversed(items)), Name(f"scan {loop}"), (), None, edges)
        return replace(head, inside=self.last_step(item, items) if edges else None)

    def last_step(self, item: Item, results: Sequence[Item]) -> Explanation | None:
        """What goes back through the step that was taken last."""
        loop = item.loop
        assert loop is not None and self.adjoints is not None
        stacked = [which for sort, which in map(_result, results) if sort == "stack"]
        with np.errstate(all="ignore"):
            taken = deque(self.interpreter.steps(item.operation, stacked), maxlen=1)
        if not taken:
            return None
        ((step, inner),) = taken
        pairs = []
        for result in results:
            if (arriving := self.adjoints.gradients.get(result.operation)) is None:
                continue
            sort, which = _result(result)
            node = loop.nexts[which] if sort == "final" else which
            seed = placeholder(f"d_{called(node)}", node.type, node.span)
            value = self.value(arriving)
            inner.values[seed] = value if sort == "final" else value[step]
            pairs.append((node, seed))
        outside = dict(zip(loop.placeholders[1:], item.operation.operands, strict=False))
        free = {p for p, o in outside.items() if o in self.active or p in loop.states}
        body = [*loop.placeholders, *loop.body(stacked)]
        found = pullback(pairs, body)
        active = reached(body, {p for p in free if p.type.is_float})
        builder = Builder(self.outline.step(item), found, active, inner, self.digits,
                          nexts=loop.nexts)  # fmt: skip
        index = f"{loop.index.label} = {int(inner.values[loop.index])}"
        sentence = f"The last step, {index}, is the first that the gradient goes back through."
        return builder.explanation(f"scan {loop}", sentence)


def _result(item: Item) -> Any:
    """Which result of its loop an item is."""
    return item.operation.attributes["result"]


def _is_sum(node: Node) -> bool:
    """Whether a node is a sum or difference of its operands."""
    rules = [rule_of(node, position) for position in range(len(node.operands))]
    return (
        bool(rules)
        and node.op.family == "elementwise"
        and node.op.name != "alias"
        and all(rule in ("1", "-1") for rule in rules)
    )


def _kind(node: Node) -> str:
    return "truth values" if "bool" in str(node.type) else "whole numbers"
