"""Sums of products over named axes, two operands at a time, as matrix products where they are."""

from __future__ import annotations

import string
from collections.abc import Iterable, Sequence

from ..graph import Node, make
from ..source import Span
from .pairing import Tree, pairing
from .table import lowering, swap_last

Lettered = tuple[Node, str]
"""An array, and a letter for each of its axes."""


@lowering("einsum")
def _einsum(node: Node, operands: tuple[Node, ...]) -> Node:
    left, _, result = node.attributes["subscripts"].partition("->")
    return contracted(operands, left.split(","), result, node.span)


def contracted(factors: Sequence[Node], terms: Sequence[str], result: str, span: Span) -> Node:
    """The sum of products of factors, whose axes have the letters of ``terms``, over the letters
    that are not in the result."""
    needed = [set(result).union(*terms[i + 1 :], *terms[:i]) for i in range(len(terms))]
    single = [
        _alone(factor, term, others, span)
        for factor, term, others in zip(factors, terms, needed, strict=True)
    ]
    sizes = {c: s for x, term in single for c, s in zip(term, x.type.shape, strict=True)}
    tree = pairing([term for _, term in single], result, sizes)
    total, letters = _multiplied(tree, single, set(result), result, span)
    return arranged(total, letters, result, span)


def _multiplied(
    tree: Tree, single: Sequence[Lettered], needed: set[str], wanted: str, span: Span
) -> Lettered:
    """The product of the factors of a tree, with the letters that are ``needed`` besides; in the
    order ``wanted``, or the one that comes by itself if that is empty."""
    if isinstance(tree, int):
        return single[tree]
    first, second = tree
    beside = [needed.union(*(single[i][1] for i in _leaves(side))) for side in (second, first)]
    a, left = _multiplied(first, single, beside[0], "", span)
    b, right = _multiplied(second, single, beside[1], "", span)
    kept = [c for c in dict.fromkeys(left + right) if c in needed]
    kept.sort(key=lambda c: (c not in left or c not in right, c not in left))
    out = wanted if set(wanted) == set(kept) else "".join(kept)
    return pair(a, b, left, right, out, span), out


def _leaves(tree: Tree) -> list[int]:
    return [tree] if isinstance(tree, int) else [*_leaves(tree[0]), *_leaves(tree[1])]


def _alone(x: Node, term: str, others: set[str], span: Span) -> Lettered:
    """An operand without letters that stand twice in it, or only in it."""
    for letter in dict.fromkeys(term):
        while term.count(letter) > 1:
            first = term.index(letter)
            second = term.index(letter, first + 1)
            rest = [i for i in range(len(term)) if i not in (first, second)]
            x = _permuted(x, [*rest, first, second], span)
            x = make("diagonal", [x], span, {"offset": 0})
            term = "".join(term[i] for i in rest) + letter
    summed = tuple(i - len(term) for i, letter in enumerate(term) if letter not in others)
    if summed:
        x = make("sum", [x], span, {"axis": summed, "keepdims": False})
    return x, "".join(letter for letter in term if letter in others)


def _permuted(x: Node, order: Sequence[int], span: Span) -> Node:
    rank = len(order)
    if list(order) == list(range(rank)):
        return x
    return make("transpose", [x], span, {"axes": tuple(i - rank for i in order)})


def arranged(x: Node, letters: str, wanted: str, span: Span) -> Node:
    return _permuted(x, [letters.index(letter) for letter in wanted], span)


def pair(a: Node, b: Node, left: str, right: str, out: str, span: Span) -> Node:
    """Two operands, as a product of matrices and vectors where the axes already lie so."""
    product = _as_product(a, b, left, right, out, span)
    if product is not None:
        return product
    return make("contract", [a, b], span, {"left": left, "right": right, "out": out})


def _as_product(a: Node, b: Node, left: str, right: str, out: str, span: Span) -> Node | None:
    batch = "".join(c for c in out if c in left and c in right)
    summed = "".join(c for c in left if c in right and c not in out)
    rows = "".join(c for c in left if c not in right)
    columns = "".join(c for c in right if c not in left)
    if not summed:
        return entrywise(a, b, left, right, out, span)
    if max(map(len, (summed, rows, columns))) > 1:
        return None
    if not all(letters.startswith(batch) for letters in (left, right, out)):
        return None
    n = len(batch)
    if not rows and not columns:
        return make("vecdot", [a, b], span)
    if not columns:
        return make("matvec", [_turned(a, left[n:] != rows + summed, span), b], span)
    if not rows:
        return make("matvec", [_turned(b, right[n:] != columns + summed, span), a], span)
    a = _turned(a, left[n:] != rows + summed, span)
    b = _turned(b, right[n:] != summed + columns, span)
    return _turned(make("matmul", [a, b], span), out[n:] != rows + columns, span)


def _turned(x: Node, turn: bool, span: Span) -> Node:
    return swap_last(x, span) if turn else x


def entrywise(a: Node, b: Node, left: str, right: str, out: str, span: Span) -> Node:
    """A product without a sum."""
    if len(left) == len(right) == 1 and out == left + right:
        return make("vecouter", [a, b], span)
    return make(
        "multiply", [aligned_axes(a, left, out, span), aligned_axes(b, right, out, span)], span
    )


def aligned_axes(x: Node, letters: str, out: str, span: Span) -> Node:
    """The axes in the order of the result, with new ones where there are none."""
    x = arranged(x, letters, "".join(c for c in out if c in letters), span)
    missing = tuple(i - len(out) for i, letter in enumerate(out) if letter not in letters)
    leading = missing == tuple(range(-len(out), -len(letters)))
    return make("expand_dims", [x], span, {"axis": missing}) if missing and not leading else x


@lowering("tensordot")
def _tensordot(node: Node, operands: tuple[Node, ...]) -> Node:
    a, b = operands
    letters = iter(string.ascii_letters)
    left = _letters(letters, a.type.rank)
    right = _letters(letters, b.type.rank)
    for i, j in zip(*node.attributes["axes"], strict=True):
        right[j] = left[i]
    out = [c for c in left if c not in right] + [c for c in right if c not in left]
    return pair(a, b, "".join(left), "".join(right), "".join(out), node.span)


def _letters(letters: Iterable[str], count: int) -> list[str]:
    return [letter for letter, _ in zip(letters, range(count), strict=False)]


@lowering("blocks")
def _blocks(node: Node, operands: tuple[Node, ...]) -> Node:
    return make("reshape", operands[:1], node.span, {"shape": node.type.shape})


@lowering("true_like")
def _true_like(node: Node, operands: tuple[Node, ...]) -> Node:
    shape = node.type.shape
    if not shape:
        return operands[1]
    return make("broadcast_to", operands[1:], node.span, {"shape": shape})
