"""Sums of products over named axes, two operands at a time, as matrix products where they are."""

from __future__ import annotations

import string
from collections.abc import Iterable, Sequence

from ..graph import Node, make
from ..source import Span
from .table import lowering, swap_last


@lowering("einsum")
def _einsum(node: Node, operands: tuple[Node, ...]) -> Node:
    left, _, result = node.attributes["subscripts"].partition("->")
    terms = left.split(",")
    needed = [set(result).union(*terms[i + 1 :], *terms[:i]) for i in range(len(terms))]
    pairs = [
        _alone(operand, term, others, node.span)
        for operand, term, others in zip(operands, terms, needed, strict=True)
    ]
    total, letters = pairs[0]
    for i, (operand, term) in enumerate(pairs[1:], start=1):
        later = set(result).union(*(t for _, t in pairs[i + 1 :]))
        kept = "".join(c for c in dict.fromkeys(letters + term) if c in later)
        if i == len(pairs) - 1:
            kept = result
        total, letters = _pair(total, operand, letters, term, kept, node.span), kept
    return _arranged(total, letters, result, node.span)


def _alone(x: Node, term: str, others: set[str], span: Span) -> tuple[Node, str]:
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


def _arranged(x: Node, letters: str, wanted: str, span: Span) -> Node:
    return _permuted(x, [letters.index(letter) for letter in wanted], span)


def _pair(a: Node, b: Node, left: str, right: str, out: str, span: Span) -> Node:
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
        return _entrywise(a, b, left, right, out, span)
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


def _entrywise(a: Node, b: Node, left: str, right: str, out: str, span: Span) -> Node:
    """A product without a sum."""
    if len(left) == len(right) == 1 and out == left + right:
        return make("vecouter", [a, b], span)
    return make("multiply", [_aligned(a, left, out, span), _aligned(b, right, out, span)], span)


def _aligned(x: Node, letters: str, out: str, span: Span) -> Node:
    """The axes in the order of the result, with new ones where there are none."""
    x = _arranged(x, letters, "".join(c for c in out if c in letters), span)
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
    return _pair(a, b, "".join(left), "".join(right), "".join(out), node.span)


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
