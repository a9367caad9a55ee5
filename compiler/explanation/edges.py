"""What goes back from a value to those it is computed from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ...dsl import ast
from ...dsl.graph import Node, sibling
from ..outline import Item
from ..paper import slope_on_paper
from .index import index_form
from .numbers import is_small
from .rules import adjoint_rule, is_constant, is_reshaping, mentioned, options
from .steps import Edge
from .terms import Amount, Applied, Formula, Name, Term
from .values import Values, applied


class Edges(Values):
    """The edges of an explanation, one by one."""

    def edge(self, node: Node, position: int, own: Mapping[Node, Term]) -> Edge:
        operand = node.operands[position]
        item = self.outline.of[operand]
        name, result = self.names[item], self.sent(node, position)
        assert self.adjoints is not None
        arriving = Amount(self.value(self.adjoints.gradients[node]))
        copies = self.copies(node, position)
        summed = copies > 1
        notes = [self.broadcast(name, copies)] if summed else []
        if self.adjoints.uses[node, position].guard is not None and node.op.name != "where":
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

    def broadcast(self, name: Name, copies: int) -> str:
        each = f"Each entry of {name.text}" if name.rank else name.text
        return f"{each} is used {copies} times: the sum adds up what the copies receive."
