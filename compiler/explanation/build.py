"""From an evaluated graph to its explanation."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...dsl import ast
from ...dsl.graph import Node, attribute_text, constant, sibling, topological
from ...dsl.loops import called, loop_key, placeholder
from ..evaluate import Evaluation
from ..interpret import Interpreter
from ..outline import Item, Outline, outline
from ..paper import mirrored, seen, slope_on_paper, spec_text
from ..reverse import Adjoint, Adjoints, gradients, pullback
from ..rules import rule_of
from .index import index_form
from .naming import letters, names_of
from .numbers import is_small
from .rules import adjoint_rule, is_constant, is_reshaping, mentioned, options, text_of
from .steps import Edge, Explanation, NodeSteps, Use
from .terms import Amount, Applied, Formula, Name, Term, Total

_FIXED = ("constant", "size")
_ENTRYWISE = ("elementwise", "pointwise")


def explain(evaluation: Evaluation, program: ast.Program, digits: int | None) -> Explanation:
    """All values of a specification from the output down."""
    graph = evaluation.graph
    whole = outline(graph, program)
    objective = graph.interface.objective
    if objective is None:
        builder = Builder(whole, None, set(), evaluation.interpreter, digits)
        return builder.explanation(program_name(program), _NO_OBJECTIVE)
    root = graph.outputs[objective]
    order = topological([root])
    found = gradients(graph, {objective: constant(1.0, root.span)}, order)
    inputs = {graph.inputs[name] for name in graph.interface.differentiated}
    # On paper, an input is rounded as it is given.
    inputs |= {node.operands[0] for node in inputs if node.op.name == "given_on_paper"}
    builder = Builder(whole, found, _reached(order, inputs), evaluation.interpreter, digits)
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


def _reached(order: Sequence[Node], inputs: set[Node]) -> set[Node]:
    """The float nodes that an input reaches: what is made of numbers and data sends nothing."""
    active = set(inputs)
    for node in order:
        if node.type.is_float and any(operand in active for operand in node.operands):
            active.add(node)
    return active


@dataclass
class Builder:
    """The entries of an outline, given what arrives at its nodes and what each use sends back."""

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

    # ── Values ──────────────────────────────────────────────────────────────

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
        if seen(node).op.name in _FIXED:
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
        shown = [own[o] for o in own if seen(o).op.name not in _FIXED]
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

    def letters(self, node: Node) -> dict[Node, Term]:
        """Letters for the operands, numbers as they are."""
        found = dict.fromkeys(o for o in node.operands if seen(o).op.name not in _FIXED)
        entrywise = node.op.family in _ENTRYWISE
        own = letters([o.type.rank for o in found], not entrywise)
        terms: dict[Node, Term] = dict(zip(found, own, strict=True))
        return terms | {o: self.fixed(seen(o)) for o in node.operands if o not in terms}

    def used(self, operand: Item, user: Name, value: Any) -> None:
        self.uses.setdefault(operand, []).append(Use(user, value))

    def positions(self, node: Node) -> Iterator[int]:
        """The operands that something goes back to."""
        if self.adjoints is None or node not in self.active:
            return
        for position, operand in enumerate(node.operands):
            sent = (node, position) in self.adjoints.sent
            if sent and operand in self.active and operand in self.outline.of:
                yield position

    def sent_back(self) -> Mapping[tuple[Node, int], Adjoint]:
        return self.adjoints.sent if self.adjoints is not None else {}

    def sent(self, node: Node, position: int) -> Any:
        """What goes back along an edge, to what a reader sees there."""
        operand = node.operands[position]
        back = self.backs[node, position]
        base = seen(operand)
        if base is not operand:
            back = pullback([(operand, back)], [base]).gradients[base]
        return self.value(back)

    # ── One edge ────────────────────────────────────────────────────────────

    def edge(self, node: Node, position: int, own: Mapping[Node, Term]) -> Edge:
        operand = node.operands[position]
        item = self.outline.of[operand]
        name, result = self.names[item], self.sent(node, position)
        assert self.adjoints is not None
        arriving = Amount(self.value(self.adjoints.gradients[node]))
        copies = self.copies(node, position)
        summed = copies > 1
        notes = [self.broadcast(name, copies)] if summed else []
        if self.adjoints.sent[node, position].guard is not None and node.op.name != "where":
            notes.append("It counts only where the branch that it stands in is taken.")
        slope = slope_on_paper(node, position)
        if slope is not None:
            letter = own[operand]
            assert isinstance(letter, Name)
            return Edge(
                item, name, result, arriving, letter,
                Formula(slope, self.given(node, [own[o] for o in node.operands])),
                Formula(slope, self.numbers(node)),
                self.prime(node, slope, name), summed=summed, notes=tuple(notes),
            )  # fmt: skip
        tree, zero = adjoint_rule(node, position, lambda n: self.count(n, position))
        terms = self.given(node, [self.term(o) for o in node.operands])
        arrives = replace(self.name(node), arriving=True)
        rule = Formula(tree, terms | self.arrivals(node, arrives))
        numbers = Formula(tree, self.numbers(node) | self.arrivals(node, arriving))
        amounts = [t for t in mentioned(numbers).values() if isinstance(t, Amount)]
        whole = all(is_small(amount.value) for amount in amounts)
        plain = not whole or isinstance(tree, ast.IfElse) or is_reshaping(tree) or is_constant(tree)
        where = Formula(zero, rule.terms) if zero is not None else None
        if is_reshaping(tree):
            notes.append("The entries stay what they are, only the shape changes.")
        index = index_form(node, position, self.name(node), [self.term(o) for o in node.operands])
        return Edge(item, name, result, arriving, rule=rule, worked=None if plain else numbers,
                    where=where, index=index, summed=summed, notes=tuple(notes))  # fmt: skip

    def prime(self, node: Node, slope: ast.Expr, name: Name) -> tuple[Applied, Name, Term] | None:
        """The derivative of a function of each entry of an array, with a prime."""
        if not name.rank or name.turned or len(node.operands) != 1:
            return None
        at = Name(name.text)
        function = applied(node, [at])
        if not function.function:
            return None
        parameter = node.op.operands[0].name
        return function, at, Formula(slope, {parameter: at, "y": function})

    def given(self, node: Node, terms: Sequence[Term]) -> dict[str, Term]:
        """What the names in a rule stand for, given the operands."""
        found: dict[str, Term] = options(node)
        if not node.op.variadic:
            found |= {p.name: t for p, t in zip(node.op.operands, terms, strict=True)}
        found["y"] = applied(node, terms)
        return found

    def numbers(self, node: Node) -> dict[str, Term]:
        found = self.given(node, [self.amount(o) for o in node.operands])
        return found | {"y": self.amount(node)}

    def arrivals(self, node: Node, arriving: Term) -> dict[str, Term]:
        """The result and what arrives, by the names that rules have for them."""
        numeric = isinstance(arriving, Amount)
        own: Term = self.amount(node) if numeric else self.name(node)
        found: dict[str, Term] = {"y": own, "dy": arriving}
        names = node.op.result_names(node.attributes)
        for place, name in enumerate(names):
            other = sibling(node, place)
            if place == node.attributes["result"]:
                found |= {name: own, f"d{name}": arriving}
            elif numeric:
                found[name] = self.amount(other)
            elif other in self.outline.of:
                found[name] = self.name(other)
        return found

    def count(self, node: Node, position: int) -> int:
        """How many entries of the operand go into one of the result."""
        whole = int(np.size(self.value(node.operands[position])))
        return whole // max(int(np.size(self.value(node))), 1)

    def copies(self, node: Node, position: int) -> int:
        """How often each entry of an operand was repeated; what the copies receive is added up."""
        operand = node.operands[position]
        whole, own = np.shape(self.value(node)), np.shape(self.value(seen(operand)))
        notation = node.op.einstein
        if node.op.family not in _ENTRYWISE and text_of(node, position) != "dy":
            if not isinstance(notation, str) or not notation:
                return 1
            # Only leading axes repeat an operand of a product.
            inside, _, out = notation.partition("->")
            whole = whole[: len(whole) - len(out)]
            own = own[: len(own) - len(inside.split(",")[position])]
        return int(math.prod(whole) // max(math.prod(own), 1))

    def broadcast(self, name: Name, copies: int) -> str:
        each = f"Each entry of {name.text}" if name.rank else name.text
        return f"{each} is used {copies} times: the sum adds up what the copies receive."

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
        free = [leaf for leaf in leaves if seen(leaf[3]).op.name not in _FIXED]
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

    def term_edge(self, node: Node, inner: Node, position: int, minus: bool, letter: Term) -> Edge:
        item = self.outline.of[inner.operands[position]]
        assert self.adjoints is not None and isinstance(letter, Name)
        result = self.sent(inner, position)
        copies = self.copies(inner, position)
        arriving = Amount(self.value(self.adjoints.gradients[node]))
        slope = Amount(-1 if minus else 1, exact=True)
        notes = (self.broadcast(self.names[item], copies),) if copies > 1 else ()
        return Edge(item, self.names[item], result, arriving, letter, slope, slope,
                    summed=copies > 1, notes=notes)  # fmt: skip

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
        active = _reached(body, {p for p in free if p.type.is_float})
        builder = Builder(self.outline.step(item), found, active, inner, self.digits,
                          nexts=loop.nexts)  # fmt: skip
        index = f"{loop.index.label} = {int(inner.values[loop.index])}"
        sentence = f"The last step, {index}, is the first that the gradient goes back through."
        return builder.explanation(f"scan {loop}", sentence)

    def through(self, item: Item, node: Node, position: int) -> Edge:
        loop = item.loop
        assert loop is not None
        places = (len(loop.states), len(loop.states) + len(loop.captured))
        operand = self.outline.of[node.operands[position]]
        index = loop.index.label
        if position < places[0]:
            note = "What is left at the state before the first step, after going back through all."
        elif position < places[1]:
            note = "Every step sees it: what the steps send back is added up."
        else:
            note = f"The step for {index} sees one row: each row receives what its step sends back."
        return Edge(operand, self.names[operand], self.sent(node, position), notes=(note,))


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
