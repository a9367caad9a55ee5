"""Sums of products as one contraction, so that the product is never an array of its own.

``sum(a * b, axis)`` is a product of matrices or vectors; a sum of ``A @ B`` over a leading axis, as
gradients of what was repeated are, is one larger product. What a reader named, and what something
else needs as well, stays as it is.
"""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from ...dsl.graph import Graph, Node, make
from ...dsl.lowering.contractions import contracted
from ...dsl.sizes import ONE
from .rewrite import anonymous, rewrite

Labels = tuple[int, ...]
_PRODUCTS = ("multiply", "square", "matmul", "matvec", "vecdot", "vecouter", "contract")


def contract(graph: Graph) -> Graph:
    if graph.operations.isdisjoint(("sum", "contract")):
        return graph
    uses: Counter[Node] = Counter((*graph.outputs.values(), *graph.gradients.values()))
    summed: Counter[Node] = Counter()
    for node in graph.nodes:
        uses.update(node.operands)
        if node.op.name == "sum":
            summed.update(node.operands)
    # Products that go into sums alone; whatever else is used once can be taken apart in them.
    bodies = {node for node in summed if summed[node] == uses[node] and anonymous(node)}
    single = {node for node, number in uses.items() if number == 1 and anonymous(node)}

    def step(node: Node) -> Node | None:
        if node.op.name in ("contract", "transpose"):
            return _straight(node, single)
        if node.op.name != "sum" or not node.type.is_float:
            return None
        (body,) = node.operands
        if body.op.name not in _PRODUCTS or body not in bodies:
            return None
        return _Sum(node, single).result()

    return rewrite(graph, step, "contract")


def _straight(node: Node, single: set[Node]) -> Node | None:
    """A contraction of what was transposed, or transposed itself, by its letters."""
    if node.op.name == "transpose":
        (x,) = node.operands
        if x.op.name != "contract" or x not in single:
            return None
        out = x.attributes["out"]
        turned = "".join(out[axis] for axis in node.attributes["axes"])
        return make("contract", x.operands, node.span, {**x.attributes, "out": turned})
    sides = [node.attributes["left"], node.attributes["right"]]
    operands = list(node.operands)
    for i, x in enumerate(node.operands):
        if x.op.name == "transpose" and anonymous(x):
            axes = [axis + x.type.rank for axis in x.attributes["axes"]]
            sides[i] = "".join(sides[i][axes.index(k)] for k in range(len(axes)))
            operands[i] = x.operands[0]
    if operands == list(node.operands):
        return None
    options = {"left": sides[0], "right": sides[1], "out": node.attributes["out"]}
    return make("contract", operands, node.span, options)


@dataclass
class _Sum:
    """A sum over some axes of a product. Each axis of a factor has a label: the number of an axis
    of the body, or one of its own."""

    node: Node
    single: set[Node]

    def result(self) -> Node | None:
        (body,), span = self.node.operands, self.node.span
        rank = body.type.rank
        self.own = count(rank)
        labels = tuple(range(rank))
        every = list(self._factors(body, labels))
        numbers = [factor for factor, own in every if not factor.type.rank]
        factors = [bare(factor, own) for factor, own in every if factor.type.rank]
        axes = {axis + rank for axis in self.node.attributes["axis"]}
        ones = {axis for axis in labels if body.type.shape[axis] == ONE}
        kept = [axis for axis in labels if axis not in axes | ones]
        used = {label for _, own in factors for label in own}
        if not used.issuperset(set(labels) - ones) or any(not f.type.is_float for f, _ in factors):
            return None
        total = contracted(
            [factor for factor, _ in factors], [letters(own) for _, own in factors],
            letters(kept), span,
        )  # fmt: skip
        for number in numbers:
            total = make("multiply", [number, total], span)
        new = [a for a in labels if a in ones and a not in axes]
        if self.node.attributes["keepdims"]:
            new = [a for a in labels if a in axes | ones]
        if new:
            places = sorted({*kept, *new})
            inserted = tuple(places.index(a) - len(places) for a in new)
            total = make("expand_dims", [total], span, {"axis": inserted})
        return total

    def _factors(self, node: Node, labels: Labels) -> Iterable[tuple[Node, Labels]]:
        """What a body is the product of, taken apart as far as nothing else needs the parts."""
        stack = list(reversed(labelled(node, labels, self.own)))
        while stack:
            factor, own = stack.pop()
            if factor.op.name == "multiply" and factor in self.single:
                stack += reversed(labelled(factor, own, self.own))
            else:
                yield factor, own


def labelled(node: Node, labels: Labels, own: Iterator[int]) -> list[tuple[Node, Labels]]:
    """What a product or a contraction is made of, given a label for each axis of it: its operands
    with their labels, those of axes that are summed over taken from ``own``."""
    a, b = node.operands if len(node.operands) == 2 else node.operands * 2
    batch: Sequence[int]
    ends: tuple[Labels, Labels]
    match node.op.name:
        case "contract":
            known = dict(zip(node.attributes["out"], labels, strict=True))
            for letter in node.attributes["left"] + node.attributes["right"]:
                if letter not in known:
                    known[letter] = next(own)
            left, right = (node.attributes[side] for side in ("left", "right"))
            return [(a, tuple(map(known.__getitem__, left))),
                    (b, tuple(map(known.__getitem__, right)))]  # fmt: skip
        case "matmul":
            (*batch, row, column), inner = labels, next(own)
            ends = (row, inner), (inner, column)
        case "matvec":
            (*batch, row), inner = labels, next(own)
            ends = (row, inner), (inner,)
        case "vecdot":
            batch, inner = labels, next(own)
            ends = (inner,), (inner,)
        case "vecouter":
            *batch, row, column = labels
            ends = (row,), (column,)
        case _:
            batch, ends = labels, ((), ())
    return [
        (x, (*_last(batch, x.type.rank - len(end)), *end))
        for x, end in zip((a, b), ends, strict=True)
    ]


def _last(labels: Sequence[int], number: int) -> Sequence[int]:
    return labels[len(labels) - number :]


def letters(labels: Iterable[int]) -> str:
    return "".join(string.ascii_letters[label] for label in labels)


WRAPPERS = ("expand_dims", "transpose", "broadcast_to")


def unwrapped(factor: Node, labels: Labels) -> tuple[Node, Labels]:
    """What an array repeats, or has in another order, and its labels."""
    (inner,), rank = factor.operands, factor.type.rank
    if factor.op.name == "expand_dims":
        new = {axis + rank for axis in factor.attributes["axis"]}
        return inner, tuple(label for i, label in enumerate(labels) if i not in new)
    if factor.op.name == "transpose":
        order: tuple[int, ...] = factor.attributes["axes"]
        return inner, tuple(labels[order.index(axis)] for axis in range(-rank, 0))
    own = _last(labels, inner.type.rank)
    return inner, tuple(own)


def bare(factor: Node, labels: Labels) -> tuple[Node, Labels]:
    """A factor without axes along which it is only repeated, in the order they lie in memory."""
    while factor.op.name in WRAPPERS and anonymous(factor):
        factor, labels = unwrapped(factor, labels)
    ones = tuple(i for i, size in enumerate(factor.type.shape) if size == ONE)
    if ones:
        axes = tuple(i - factor.type.rank for i in ones)
        factor = make("squeeze", [factor], factor.span, {"axis": axes})
        labels = tuple(label for i, label in enumerate(labels) if i not in ones)
    return factor, labels
