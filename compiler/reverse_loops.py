"""The gradient of a loop: a loop that runs the other way.

A step of the reversed loop is the pullback of a step. What it needs of the forward steps is kept in
stacks, states as they were before the step among it, or made again of what is kept: whatever costs
less. The gradient of what every step sees is a sum over the steps. A term of it that is a product
is not added up step by step, but is one product over all steps after the loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from ..dsl.frozen import frozen
from ..dsl.graph import Node, constant, make
from ..dsl.loops import Draft, Loop, Result, called, loop_key, placeholder, result
from ..dsl.shapes import Type
from .cut import cheapest
from .machine import AVX512
from .prices import again, is_cheap, worth

# What it costs a step to write a row of a stack and to read it, in ns.
_ROW = 300.0
Pullback = Callable[[Iterable[tuple[Node, Node]], Iterable[Node]], Mapping[Node, Node]]


def through_loop(
    arriving: Mapping[Node, Node], wanted: Iterable[int], pullback: Pullback
) -> dict[int, Node]:
    """The gradients of the ``wanted`` operands of a loop, given what arrives at its results.

    ``pullback`` gives the gradients of nodes of a step from pairs of nodes and what arrives there.
    Operands that nothing comes back to are left out.
    """
    return _Reversed(arriving, pullback).operands(list(wanted))


@frozen()
class _Product:
    """A term of a sum over the steps, ``left`` times ``right``."""

    op: str
    left: Node
    right: Node


@dataclass(slots=True)
class _Sum:
    """What is summed over the steps: products, and other terms as a step computes them."""

    products: list[_Product] = field(default_factory=list)
    rest: list[Node] = field(default_factory=list)


@frozen()
class _Results:
    """The reversed loop, of which ``cause`` is a result the other way."""

    loop: Loop
    operands: tuple[Node, ...]
    draft: Draft
    cause: Node

    def _of(self, which: Result) -> Node:
        return result(self.loop, self.operands, self.cause.span, which, cause=self.cause)

    def final(self, state: Node) -> Node:
        return self._of(("final", self.loop.states.index(state)))

    def stack(self, node: Node) -> Node:
        """The values of a node in all steps."""
        return self.draft.rows.get(node) or self._of(("stack", node))


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
        self.kept: set[Node] = set()
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
                self.placed[node] = leaf or node.with_operands(
                    tuple(self.placed[o] for o in node.operands)
                )
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
        if self.loop.replays:
            return False
        if node.op.name == "scan" and loop_key(node) in self.inner:
            return True
        return node in self.kept

    def _choose(self, roots: Iterable[Node]) -> None:
        """Decides which values of forward steps are kept, given what a reversed step computes."""
        needed: list[Node] = []
        seen: set[Node] = set()
        stack = list(roots)
        while stack:
            node = stack.pop()
            if node not in seen:
                seen.add(node)
                if node in self.forward or node in self.loop.states:
                    needed.append(node)
                else:
                    stack += node.operands
        self.kept = set(cheapest(needed, lambda n: n.operands, self._keeping, self._again))

    def _keeping(self, node: Node) -> int | None:
        """What a stack costs a step, in ps; ``None`` where there is none."""
        if node in self.forward or node in self.loop.states:
            return None if self._is_free(node) else round((_ROW + worth(node)) * 1e3)
        return 0  # What all steps see, and rows of arrays.

    def _again(self, node: Node) -> int | None:
        """What it costs to make a value again in a step, in ps; ``None`` where that must not be."""
        if node not in self.forward:
            return None
        if self._is_free(node):
            return 0
        # Of numbers alone a stack is as fast (measured), and takes little.
        if not node.type.rank or not is_cheap(node, AVX512):
            return None
        return round(again(node, AVX512) * 1e3)

    def _is_free(self, node: Node) -> bool:
        """Whether a value of a step is made again in any case: views, casts, single integers."""
        few = not node.type.rank and not node.type.is_float and node.op.name != "scan"
        cast = node.op.name == "as_float"
        return node in self.forward and (node.op.view or cast or few or not node.operands)

    def _result(self, which: Result) -> Node:
        """One more result of the forward loop."""
        return result(self.loop, self.node.operands, self.span, which, cause=self.node.cause)

    # ── The loop ────────────────────────────────────────────────────────────

    def operands(self, wanted: list[int]) -> dict[int, Node]:
        places = self.loop.placeholders[1:]
        asked = [places[p] for p in wanted if places[p] not in self.loop.states]
        found = self._stepped(asked)
        self._choose(found[n] for n in (*self.ends, *asked) if n in found)
        for state, seed in self.ends.items():
            gradient = found.get(state)
            after = self._zeros(state.type) if gradient is None else self._inside(gradient)
            self.draft.nexts[seed] = after
        rows = {p: self._inside(found[p]) for p in asked if p in self.loop.rows and p in found}
        sums = {p: self._split(found[p]) for p in asked if p in self.loop.captured and p in found}
        factors = {f for own in sums.values() for t in own.products for f in (t.left, t.right)}
        totals = {p: self._added_up(p, own, factors) for p, own in sums.items()}
        reverse = self._reverse_loop()
        back = {state: reverse.final(seed) for state, seed in self.ends.items()}
        back |= {place: reverse.stack(node) for place, node in rows.items()}
        for place, own in sums.items():
            parts = [self._over_steps(term, reverse) for term in own.products]
            parts += [self._made("sum", reverse.stack(node), axis=(-1 - node.type.rank,),
                                 keepdims=False) for node in own.rest]  # fmt: skip
            total = totals[place]
            parts += [reverse.final(total)] if total is not None else []
            back[place] = self._sum(parts)
        return {p: back[places[p]] for p in wanted if places[p] in back}

    def _reverse_loop(self) -> _Results:
        steps = self.node.operands[len(self.loop.placeholders) - 1 :]
        if self.loop.dynamic and not steps:
            steps = (self._result(("steps", 0)),)
        loop, operands = self.draft.loop(backwards=not self.loop.backwards, counted=bool(steps))
        return _Results(loop, (*operands, *steps), self.draft, self.node)

    # ── Sums over the steps ─────────────────────────────────────────────────

    def _split(self, gradient: Node) -> _Sum:
        """The terms of a gradient: those that are products of what the step computes, the rest."""
        found = _Sum()
        marked = gradient.adjoint_of is not None  # The name is that of the whole sum.
        stack = [replace(gradient, adjoint_of=None) if marked else gradient]
        while stack:
            node = stack.pop()
            if node.op.name == "add" and all(o.type == node.type for o in node.operands):
                stack += reversed(node.operands)
                continue
            product = self._product(node)
            if product is not None:
                found.products.append(product)
            else:
                found.rest.append(self._inside(node))
        return found

    def _product(self, node: Node) -> _Product | None:
        if node.op.name not in ("vecouter", "matmul") or node.type.rank != 2:
            return None
        if self.loop.replays:  # Stacks of all blocks are what it is to save.
            return None
        left, right = (self._inside(operand) for operand in node.operands)
        fixed = any(factor in self.draft.captured for factor in (left, right))
        return None if fixed else _Product(node.op.name, left, right)

    def _added_up(self, place: Node, own: _Sum, stacked: set[Node]) -> Node | None:
        """The state that adds up what is neither a product nor stacked anyway."""
        rest = [node for node in own.rest if node not in stacked]
        own.rest = [node for node in own.rest if node in stacked]
        if not rest:
            return None
        total = placeholder(f"d_{called(place)}", place.type, place.span)
        self.draft.states[total] = self._zeros(place.type)
        self.draft.nexts[total] = replace(self._sum([total, *rest]), adjoint_of=place)
        return total

    def _over_steps(self, product: _Product, reverse: _Results) -> Node:
        """The sum of a product over all steps, as one product of stacks."""
        left, right = product.left, product.right
        if product.op == "vecouter":
            columns = self._made("transpose", reverse.stack(left), axes=(-1, -2))
            return self._made("matmul", columns, reverse.stack(right))
        (left, a), (right, b) = _upright(left, "ik"), _upright(right, "kj")
        options = {"left": f"t{a}", "right": f"t{b}", "out": "ij"}
        return self._made("contract", reverse.stack(left), reverse.stack(right), **options)

    def _sum(self, parts: list[Node]) -> Node:
        total = parts[0]
        for part in parts[1:]:
            total = self._made("add", total, part)
        return total

    def _made(self, op: str, *operands: Node, **attributes: object) -> Node:
        return make(op, operands, self.span, attributes, cause=self.node)

    def _zeros(self, type_: Type) -> Node:
        if not type_.rank:
            return constant(0.0, self.span)
        return make("zeros", (), self.span, {"shape": type_.shape})


def _upright(factor: Node, letters: str) -> tuple[Node, str]:
    """A factor and the letters of its axes; of a transpose what it is made of."""
    while factor.op.name == "transpose" and factor.type.rank == 2:
        if factor.attributes["axes"] == (-1, -2):
            letters = letters[::-1]
        factor = factor.operands[0]
    return factor, letters
