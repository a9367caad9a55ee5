"""Contractions as NumPy's products of matrices and vectors, with views of what they multiply.

The letters of a contraction are of four sorts: those of both operands and the result (a batch),
those that are summed over, and those of one operand alone (rows and columns). Several letters of
one sort become one axis by ``reshape``, so that as much as can be is one product. Sums by entry
that do not run along the last axis stay: they are faster as NumPy's ``einsum``.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...dsl.graph import Node, make
from ...dsl.lowering.contractions import arranged, entrywise
from ...dsl.lowering.table import swap_last
from ...dsl.shapes import Shape
from ...dsl.sizes import Size, product
from ...dsl.source import Span


def step(node: Node) -> Node | None:
    if node.op.name != "contract":
        return None
    left, right, out = (node.attributes[k] for k in ("left", "right", "out"))
    sizes = dict(zip(out, node.type.shape, strict=True))
    first, second = node.operands
    if not set(left + right) - set(out):
        return entrywise(first, second, left, right, out, node.span)
    a, b = _Operand(first, left, sizes, node.span), _Operand(second, right, sizes, node.span)
    alone = [c for c in out if (c in left) != (c in right)]
    if (alone and alone[0] in right) or set(left) <= set(right):
        a, b = b, a
    return _product(a, b, out, node)


@dataclass
class _Operand:
    """An array with a letter for each axis; ``sizes`` are known to both operands."""

    node: Node
    letters: str
    sizes: dict[str, Size]
    span: Span

    def __post_init__(self) -> None:
        self.sizes.update(zip(self.letters, self.node.type.shape, strict=True))

    def grouped(self, *groups: str) -> Node:
        """An axis for each group of letters, in their order. The last two lie in memory as they
        do in the array."""
        shown = groups
        if self._exchanged(groups):
            groups = (*groups[:-2], groups[-1], groups[-2])
        letters = "".join(groups)
        node = arranged(self.node, self.letters, letters, self.span)
        shape = tuple(merged(group, self.sizes) for group in groups)
        if len(shape) != len(letters):
            node = make("reshape", [node], self.span, {"shape": shape})
        return node if groups == shown else swap_last(node, self.span)

    def lies(self, batch: str, *groups: str) -> bool:
        """Whether each group is one axis without a copy."""
        return all(group in self.letters for group in groups)

    def _exchanged(self, groups: tuple[str, ...]) -> bool:
        """Whether the last two groups lie the other way round."""
        places = [self.letters.index(group[0]) for group in groups[-2:]]
        return places != sorted(places)


def merged(letters: str, sizes: dict[str, Size]) -> Size:
    return product(sizes[letter] for letter in letters)


def _product(a: _Operand, b: _Operand, out: str, node: Node) -> Node | None:
    batch = "".join(c for c in out if c in a.letters and c in b.letters)
    summed = "".join(c for c in a.letters if c in b.letters and c not in out)
    rows = "".join(c for c in a.letters if c not in b.letters)
    columns = "".join(c for c in b.letters if c not in a.letters)
    if not rows:
        return _dots(a, b, batch, summed, node)
    first = summed[0]
    if columns and len(summed) > 1 and a.letters[0] == b.letters[0] == first:
        parts = (batch, rows, summed), (batch, columns, summed)
        apart = (batch + first, rows, summed[1:]), (batch + first, columns, summed[1:])
        if (
            not (a.lies(*parts[0]) and b.lies(*parts[1]))
            and a.lies(*apart[0])
            and b.lies(*apart[1])
        ):
            # Products for each value of the outermost letter, then added up: nothing is copied.
            each = _matrices(a, b, first + batch, rows, summed[1:], columns, first + out)
            return make("sum", [each], node.span, {"axis": (-each.type.rank,), "keepdims": False})
    return _matrices(a, b, batch, rows, summed, columns, out)


def _matrices(
    a: _Operand, b: _Operand, batch: str, rows: str, summed: str, columns: str, out: str
) -> Node:
    """One ``matmul`` or ``matvec``. A batch is an axis for each letter: it is never copied."""
    direct = not batch and len(summed) == 1 and len(columns) <= 1 and a.letters[-1] == summed
    first = a.node if direct else a.grouped(*batch, rows, summed)
    if columns:
        made = make("matmul", [first, b.grouped(*batch, summed, columns)], a.span)
    else:
        made = make("matvec", [first, b.grouped(*batch, summed)], a.span)
    letters = batch + rows + columns
    shape: Shape = tuple(a.sizes[letter] for letter in letters)
    if made.type.shape != shape:
        made = make("reshape", [made], a.span, {"shape": shape})
    return arranged(made, letters, out, a.span)


def _dots(a: _Operand, b: _Operand, batch: str, summed: str, node: Node) -> Node | None:
    """Sums by entry: of vectors along the last axis, of all entries, or left to ``einsum``."""
    if len(summed) == 1 and a.letters[-1] == b.letters[-1] == summed:
        batch = a.letters[:-1]
        made = make("vecdot", [a.node, b.grouped(*batch, summed)], node.span)
        return arranged(made, batch, node.attributes["out"], node.span)
    if not batch and a.letters != b.letters:
        second = arranged(b.node, b.letters, a.letters, node.span)
        options = {"left": a.letters, "right": a.letters, "out": ""}
        return make("contract", [a.node, second], node.span, options)
    return None
