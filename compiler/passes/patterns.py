"""Rewrites written as equations in the language: ``a * (1 / b) -> a / b``.

A name on the left stands for any node, the same one each time; a number for itself. Inner nodes of
a pattern must be unnamed: what a reader named is not taken apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from ...dsl import ast
from ...dsl.alike import alike
from ...dsl.constants import literal
from ...dsl.frozen import frozen
from ...dsl.graph import Node, constant, make
from ...dsl.ops import OPS
from ...dsl.parse import parse_expression
from ...dsl.shapes import Mismatch
from ...dsl.source import Source, Span
from .rewrite import anonymous

_OPERATORS = {
    "+": "add", "-": "subtract", "*": "multiply", "/": "divide", "==": "equal", "^": "power",
    "and": "logical_and", "or": "logical_or",
}  # fmt: skip
_SIGNS = {"-": "negative", "not": "logical_not"}
Binding = dict[str, Node]


@frozen()
class Pattern:
    """An operation over patterns, a number, or a name."""

    op: str = ""
    operands: tuple[Pattern, ...] = ()
    number: float | bool | None = None
    name: str = ""


@frozen(slots=False)
class Rewriting:
    left: Pattern
    right: Pattern
    through_names: bool = False

    @property
    def below(self) -> tuple[str, ...]:
        """The operations that the operands must be, nothing where they may be any."""
        return tuple(
            pattern.op or ("constant" if pattern.number is not None else "")
            for pattern in self.left.operands
        )

    def may_match(self, operands: tuple[str, ...]) -> bool:
        """A quick look at the operations of operands, before anything is bound."""
        pairs = zip(self.below, operands, strict=True)
        return all(not wanted or wanted == found for wanted, found in pairs)

    def may_hold(self, operands: tuple[Node, ...]) -> bool:
        """A quick look at the operands themselves: the numbers, and whether ``a`` and ``a`` can be
        the same."""
        for pattern, node in zip(self.left.operands, operands, strict=True):
            if pattern.number is not None and not node.is_constant(pattern.number):
                return False
        if not self.twins or self.through_names:
            return True
        first, second = operands
        return first is second or first.op.name == second.op.name == "constant"

    @cached_property
    def twins(self) -> bool:
        """Whether the operands are one and the same name."""
        names = [pattern.name for pattern in self.left.operands]
        return len(names) == 2 and bool(names[0]) and names[0] == names[1]

    def apply(self, node: Node, swap: bool = False) -> Node | None:
        """The right-hand side for a node that the left one matches, if its type is the same, or
        a scalar to be repeated.

        With ``swap``, the operands of the node are taken in reverse.
        """
        operands = node.operands[::-1] if swap else node.operands
        if not self.may_hold(operands):
            return None
        for binding in _match_all(self.left.operands, operands, {}, self.through_names):
            try:
                result = _build(self.right, binding, node.span)
            except Mismatch:
                continue
            if result.type == node.type:
                return result
            if result.type.kind is node.type.kind and not result.type.rank:
                return make("broadcast_to", [result], node.span, {"shape": node.type.shape})
        return None


class Rewritings:
    """A table of rewrites, tried in order at each node."""

    def __init__(self, text: str, *, through_names: bool = False) -> None:
        self.text = text
        self.through_names = through_names

        self._candidates: dict[tuple[str, tuple[str, ...]], list[tuple[Rewriting, bool]]] = {}

    @cached_property
    def by_op(self) -> dict[str, list[Rewriting]]:
        table: dict[str, list[Rewriting]] = {}
        for line in self.text.strip().splitlines():
            equation = line.partition("#")[0].strip()
            if equation:
                left, _, right = equation.partition("->")
                rewriting = Rewriting(_pattern(left), _pattern(right), self.through_names)
                table.setdefault(rewriting.left.op, []).append(rewriting)
        return table

    def step(self, node: Node) -> Node | None:
        for rewriting, swap in self.candidates(node):
            result = rewriting.apply(node, swap)
            if result is not None:
                return result
        return None

    def candidates(self, node: Node) -> list[tuple[Rewriting, bool]]:
        """The rewrites that may match, with whether the operands are exchanged for it. They depend
        on the operations of the node and its operands, and are kept for each such combination."""
        name = node.op.name
        if name not in self.by_op:
            return []
        below = tuple([operand.op.name for operand in node.operands])
        found = self._candidates.get((name, below))
        if found is None:
            swaps = (False, True) if node.op.commutative else (False,)
            found = [
                (rewriting, swap) for swap in swaps for rewriting in self.by_op[name]
                if rewriting.may_match(below[::-1] if swap else below)
            ]  # fmt: skip
            self._candidates[name, below] = found
        return found


def _pattern(text: str) -> Pattern:
    return _from_tree(parse_expression(Source(text.strip(), "<rewrite>")))


def _from_tree(tree: ast.Expr) -> Pattern:
    number = literal(tree)
    if number is not None:
        return Pattern(number=number)
    match tree:
        case ast.Name():
            return Pattern(name=tree.id)
        case ast.Unary():
            return Pattern(_SIGNS[tree.operator], (_from_tree(tree.operand),))
        case ast.Binary():
            op = _OPERATORS[tree.operator]
            return Pattern(op, (_from_tree(tree.left), _from_tree(tree.right)))
        case ast.IfElse():
            parts = (tree.condition, tree.then, tree.otherwise)
            return Pattern("where", tuple(map(_from_tree, parts)))
        case ast.Call():
            return Pattern(tree.function.id, tuple(map(_from_tree, tree.arguments)))
    raise AssertionError(f"not a pattern: {tree}")


def _matches(pattern: Pattern, node: Node, binding: Binding, through: bool) -> Iterator[Binding]:
    if pattern.name:
        bound = binding.get(pattern.name)
        if bound is None:
            yield {**binding, pattern.name: node}
        elif (
            bound is node
            or (bound.is_constant() and _same_constant(bound, node))
            or (through and alike(bound, node))
        ):
            yield binding
        return
    if pattern.number is not None:
        if node.is_constant(pattern.number):
            yield binding
        return
    if node.op.name != pattern.op or not (through or anonymous(node)):
        return
    orders: Iterable[tuple[Node, ...]] = [node.operands]
    if OPS[pattern.op].commutative and len(node.operands) == 2:
        orders = [node.operands, node.operands[::-1]]
    for operands in orders:
        yield from _match_all(pattern.operands, operands, binding, through)


def _same_constant(a: Node, b: Node) -> bool:
    return b.is_constant(a.attributes["value"]) and a.type == b.type


def _match_all(
    patterns: tuple[Pattern, ...], nodes: tuple[Node, ...], binding: Binding, through: bool
) -> Iterator[Binding]:
    if len(patterns) != len(nodes):
        return
    bindings: list[Binding] = [binding]
    for pattern, node in zip(patterns, nodes, strict=True):
        bindings = [found for b in bindings for found in _matches(pattern, node, b, through)]
    yield from bindings


def _build(pattern: Pattern, binding: Binding, span: Span) -> Node:
    if pattern.name:
        return binding[pattern.name]
    if pattern.number is not None:
        return constant(pattern.number, span)
    operands = [_build(operand, binding, span) for operand in pattern.operands]
    return make(pattern.op, operands, span)
