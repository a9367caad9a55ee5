"""The gradient of a loop: a loop that runs the other way.

A step of the reversed loop is the pullback of a step. What it needs of the forward steps is kept:
each state as it was before the step, and each value of the step that is not ``cheap`` to make
again. The gradient of what every step sees is a sum over the steps. A term of it that is a product
is not added up step by step, but is one product over all steps after the loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from ..dsl.graph import Node, constant, make
from ..dsl.loops import Draft, Loop, Result, called, loop_key, placeholder, result
from ..dsl.shapes import Type

Pullback = Callable[[Iterable[tuple[Node, Node]], Iterable[Node]], Mapping[Node, Node]]


def through_loop(
    arriving: Mapping[Node, Node], wanted: Iterable[int], pullback: Pullback
) -> dict[int, Node]:
    """The gradients of the ``wanted`` operands of a loop, given what arrives at its results.

    ``pullback`` gives the gradients of nodes of a step from pairs of nodes and what arrives there.
    Operands that nothing comes back to are left out.
    """
    return _Reversed(arriving, pullback).operands(list(wanted))


@dataclass(frozen=True, slots=True)
class _Product:
    """A term of a sum over the steps, ``left`` times ``right``."""

    node: Node
    left: Node
    right: Node


class _Reversed:
    def __init__(self, arriving: Mapping[Node, Node], pullback: Pullback) -> None:
        self.node = next(iter(arriving))
        self.span = self.node.span
        self.loop: Loop = self.node.attributes["loop"]
        places = self.loop.placeholders[1:]
        self.outside = dict(zip(places, self.node.operands, strict=False))
        self.pullback = pullback
        loop = self.loop
        self.draft = Draft(loop.index, loop.start, loop.stop)
        self.seeds: dict[Node, Node] = {}
        """What arrives at nodes of a step: at the states after it, and at what is stacked."""
        self.ends: dict[Node, Node] = {}
        """By state, the placeholder of what arrives at it."""
        self._seed(arriving)
        stacked = [n for n in self.seeds if n not in loop.nexts]
        self.forward = set(loop.body(stacked))
        self.inner = {loop_key(n) for n in self.forward if n.op.name == "scan"}
        self.placed: dict[Node, Node] = {}

    # ── One step ────────────────────────────────────────────────────────────

    def _seed(self, arriving: Mapping[Node, Node]) -> None:
        self.pairs: list[tuple[Node, Node]] = []
        for node, adjoint in arriving.items():
            sort, which = node.attributes["result"]
            if sort == "final":
                self._end(self.loop.states[which], adjoint)
            elif sort == "stack":
                row = placeholder(f"d_{called(which)}", which.type, which.span)
                self.draft.rows[row] = adjoint
                self.seeds[which] = row
                self.pairs.append((which, row))

    def _end(self, state: Node, arriving: Node) -> None:
        self.ends[state] = placeholder(f"d_{called(state)}", state.type, state.span)
        self.draft.states[self.ends[state]] = arriving

    def _stepped(self, wanted: list[Node]) -> Mapping[Node, Node]:
        """The pullback of a step. States at which nothing arrives at the end, but through which
        something arrives from the step after, are found on the way."""
        floats = [state for state in self.loop.states if state.type.is_float]
        while True:
            nexts = dict(zip(self.loop.states, self.loop.nexts, strict=True))
            ends = [(nexts[state], seed) for state, seed in self.ends.items()]
            found = self.pullback([*ends, *self.pairs], [*floats, *wanted])
            new = [state for state in floats if state in found and state not in self.ends]
            if not new:
                return found
            for state in new:
                self._end(state, self._zeros(state.type))

    # ── What a reversed step sees ───────────────────────────────────────────

    def _inside(self, root: Node) -> Node:
        """A node of the pullback as a reversed step computes it."""
        stack = [root]
        while stack:
            node = stack[-1]
            if node not in self.placed:
                leaf = self._leaf(node)
                waiting = [] if leaf else [o for o in node.operands if o not in self.placed]
                if waiting:
                    stack += waiting
                    continue
                operands = tuple(self.placed[o] for o in node.operands) if not leaf else ()
                same = leaf is None and operands == node.operands
                self.placed[node] = leaf or (node if same else replace(node, operands=operands))
            stack.pop()
        return self.placed[root]

    def _leaf(self, node: Node) -> Node | None:
        """What a reversed step has in place of a node that it does not compute."""
        if node is self.loop.index or node in self.draft.states or node in self.draft.rows:
            return node
        if node in self.loop.captured:
            self.draft.captured[node] = self.outside[node]
        elif node in self.loop.rows:
            self.draft.rows[node] = self.outside[node]
        elif node in self.loop.states:
            self.draft.rows[node] = self._result(("stack", node))
        elif self._is_kept(node):
            kept = placeholder(called(node), node.type, node.span, of=node)
            self.draft.rows[kept] = self._result(("stack", node))
            return kept
        else:
            return None
        return node

    def _is_kept(self, node: Node) -> bool:
        """Whether a value of a forward step is kept rather than made again."""
        if node.op.name == "scan" and loop_key(node) in self.inner:
            return True
        return node in self.forward and not self._is_cheap(node)

    def _is_cheap(self, node: Node) -> bool:
        """Whether a value is made again: comparisons, views, and single integers."""
        few = not node.type.rank and not node.type.is_float and node.op.name != "scan"
        return node.op.cheap or node.op.view or few or not node.operands

    def _result(self, which: Result) -> Node:
        """One more result of the forward loop."""
        return result(self.loop, self.node.operands, self.span, which, cause=self.node.cause)

    # ── The loop ────────────────────────────────────────────────────────────

    def operands(self, wanted: list[int]) -> dict[int, Node]:
        places = self.loop.placeholders[1:]
        asked = [places[p] for p in wanted if places[p] not in self.loop.states]
        found = self._stepped(asked)
        for state, seed in self.ends.items():
            gradient = found.get(state)
            nexts = self._zeros(state.type) if gradient is None else self._inside(gradient)
            self.draft.nexts[seed] = nexts
        rows = {p: self._inside(found[p]) for p in asked if p in self.loop.rows and p in found}
        products: dict[Node, list[_Product]] = {}
        sums: dict[Node, Node] = {}
        for place in asked:
            if place in self.loop.captured and place in found:
                products[place], rest = self._split(found[place])
                if rest is not None:
                    sums[place] = self._summed(place, rest)
        factors = [f for terms in products.values() for t in terms for f in (t.left, t.right)]
        steps = self.node.operands[len(places) :]
        if self.loop.dynamic and not steps:
            steps = (self._result(("steps", 0)),)
        loop, operands = self.draft.loop(backwards=not self.loop.backwards, counted=bool(steps))
        self.of = lambda which: result(loop, (*operands, *steps), self.span, which, cause=self.node)
        states = list(self.draft.states)
        back: dict[Node, Node] = {
            state: self.of(("final", states.index(seed))) for state, seed in self.ends.items()
        }
        back |= {place: self.of(("stack", node)) for place, node in rows.items()}
        for place in products:
            parts = [self._over_steps(term) for term in products[place]]
            if place in sums:
                parts.append(self.of(("final", states.index(sums[place]))))
            total = parts[0]
            for part in parts[1:]:
                total = self._made("add", total, part)
            back[place] = total
        return {p: back[places[p]] for p in wanted if places[p] in back}

    def _summed(self, place: Node, term: Node) -> Node:
        """A state that adds up a term over the steps."""
        total = placeholder(f"d_{called(place)}", place.type, place.span)
        self.draft.states[total] = self._zeros(place.type)
        self.draft.nexts[total] = replace(self._made("add", total, term), adjoint_of=place)
        return total

    # ── Sums of products ────────────────────────────────────────────────────

    def _split(self, gradient: Node) -> tuple[list[_Product], Node | None]:
        """The terms of a gradient that are products of what the step computes, and the rest."""
        products: list[_Product] = []
        rest: Node | None = None
        stack = [gradient]
        while stack:
            node = stack.pop()
            if node.op.name == "add" and all(o.type == node.type for o in node.operands):
                stack += reversed(node.operands)
                continue
            product = self._product(node)
            if product is not None:
                products.append(product)
            else:
                inside = self._inside(node)
                rest = inside if rest is None else self._made("add", rest, inside)
        return products, rest

    def _product(self, node: Node) -> _Product | None:
        if node.op.name not in ("vecouter", "matmul") or node.type.rank != 2:
            return None
        left, right = (self._inside(operand) for operand in node.operands)
        varying = [factor for factor in (left, right) if factor not in self.draft.captured]
        return _Product(node, left, right) if len(varying) == 2 else None

    def _over_steps(self, product: _Product) -> Node:
        """The sum of a product over all steps, as one product of stacks."""
        left, right = product.left, product.right
        if product.node.op.name == "vecouter":
            columns = self._made("transpose", self._stack(left), axes=(-1, -2))
            return self._made("matmul", columns, self._stack(right))
        (left, a), (right, b) = _upright(left, "ik"), _upright(right, "kj")
        options = {"left": f"t{a}", "right": f"t{b}", "out": "ij"}
        return self._made("contract", self._stack(left), self._stack(right), **options)

    def _stack(self, factor: Node) -> Node:
        if factor in self.draft.rows:
            return self.draft.rows[factor]
        return self.of(("stack", factor))

    def _made(self, op: str, *operands: Node, **attributes: object) -> Node:
        return make(op, operands, self.span, attributes, cause=self.node)

    def _zeros(self, type_: Type) -> Node:
        if not type_.rank:
            return constant(0.0, self.span)
        return make("zeros", (), self.span, {"shape": type_.shape})


def _upright(factor: Node, letters: str) -> tuple[Node, str]:
    """A factor and the letters of its axes; of a transpose what it is made of."""
    if factor.op.name == "transpose" and factor.type.rank == 2:
        return factor.operands[0], letters[::-1]
    return factor, letters
