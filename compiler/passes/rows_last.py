"""The entries of a block along the last axis of the arrays that its step computes.

NumPy runs along the last axis: what is done with one number a row, or with all entries of a row,
then runs over the rows of the block, not over a few columns at a time (1.3 to 2 times as fast in a
mixture of Gaussians, measured). Products of small matrices take either order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import count

from ...dsl.graph import Graph, Node, make
from ...dsl.sizes import Size
from .contract import labelled, letters
from .log import note

_PRODUCTS = ("matmul", "matvec", "vecdot", "vecouter", "contract")
_REDUCTIONS = ("sum", "max", "min", "peak", "any", "all", "norm", "logsumexp")
_NORMALISED = ("softmax", "log_softmax")


def rows_last(step: Graph, rows: Size) -> Graph:
    """The step of a block of so many rows, in the order of axes that costs least."""
    return _Turned(step, rows).graph() if _pays(step, rows) else step


def _axis(node: Node, rows: Size) -> int | None:
    """The axis of the rows, if there is one, counted from the end."""
    shape = node.type.shape
    return shape.index(rows) - len(shape) if rows in shape else None


def _is_elementwise(node: Node) -> bool:
    return node.op.family in ("elementwise", "pointwise")


# ── Whether it pays ─────────────────────────────────────────────────────────


def _pays(step: Graph, rows: Size) -> bool:
    """Whether more runs along short rows than has to be turned on the way in and out."""
    if any(node.op.name == "matmul" and node.type.rank == 2 for node in step.nodes):
        return False  # The products are the work, and cost a tenth more the other way round.
    wide = {node for node in step.nodes if _axis(node, rows) not in (None, -1)}
    short = sum(_is_short(node, rows, wide) for node in step.nodes)
    turned = {node for node in step.outputs.values() if node in wide}
    for node in step.nodes:
        if node.op.name not in (*_PRODUCTS, "transpose"):
            turned.update(o for o in node.operands if o in wide and not _is_known(o))
    return short > 2 * len(turned)


def _is_known(node: Node) -> bool:
    """Whether the rows can be last in what an operation computes."""
    return _is_elementwise(node) or node.op.view or node.op.name in (
        *_PRODUCTS, *_REDUCTIONS, *_NORMALISED)  # fmt: skip


def _is_short(node: Node, rows: Size, wide: set[Node]) -> bool:
    """Whether NumPy would run along what comes after the rows, entry by entry of a row: a number
    for each row is combined with all of it, or all of it is made one number."""
    for operand in node.operands:
        axis = _axis(operand, rows)
        if operand not in wide or axis is None:
            continue
        if _is_elementwise(node) and operand.type.shape[axis:] != node.type.shape[axis:]:
            return True
        if node.op.name in (*_REDUCTIONS, *_NORMALISED) and max(node.attributes["axis"]) > axis:
            return True
        if node.op.name == "vecdot":
            return True
    return False


# ── The step with its axes in another order ─────────────────────────────────


def _moved(axis: int, rows: int) -> int:
    """Where an axis is after the rows were taken from their place to the end."""
    return -1 if axis == rows else axis - (axis > rows)


def _all_moved(axes: Iterable[int], rows: int) -> tuple[int, ...]:
    return tuple(sorted(_moved(axis, rows) for axis in axes))


class _Turned:
    def __init__(self, step: Graph, rows: Size) -> None:
        self.step, self.rows = step, rows
        self.plain: dict[Node, Node] = {}
        """By node of the step, what has its order of axes."""
        self.last: dict[Node, Node] = {}
        """By node of the step, what has the rows last."""

    def graph(self) -> Graph:
        known: dict[Node, Node] = {}
        for node in self.step.nodes:
            made = self._made(node) if node.operands else None
            if made is None:
                made = self.plain[node] = node.with_operands(tuple(map(self._plain, node.operands)))
            else:
                if made is not self.last.get(node.operands[0]):  # Else nothing is left to be done.
                    made = made.known_as(node)
                kept = self.plain if _axis(node, self.rows) is None else self.last
                kept[node] = made
                note("rows_last", node, made)
            known[node] = made
        return replace(
            self.step,
            outputs={name: self._plain(node) for name, node in self.step.outputs.items()},
            landmarks=tuple(dict.fromkeys(known[node] for node in self.step.landmarks)),
        )

    def _plain(self, node: Node) -> Node:
        if node not in self.plain:
            axis, rank = _axis(node, self.rows), node.type.rank
            assert axis is not None
            axes = tuple(_moved(a, axis) for a in range(-rank, 0))
            self.plain[node] = _permuted(self.last[node], axes)
        return self.plain[node]

    def _turned(self, node: Node) -> Node:
        if node not in self.last:
            axis, rank = _axis(node, self.rows), node.type.rank
            assert axis is not None
            axes = (*(a for a in range(-rank, 0) if a != axis), axis)
            plain = self.plain[node]
            if rank == 2 and not node.operands and axis != -1:
                # In memory, too: results would take the order of the operand.
                plain = make("by_column", [plain], node.span)
            self.last[node] = _permuted(plain, axes)
        return self.last[node]

    def _aligned(self, operand: Node, axis: int) -> Node:
        """An operand of something elementwise whose rows were along an axis."""
        if _axis(operand, self.rows) is not None:
            return self._turned(operand)
        plain = self._plain(operand)
        if plain.type.rank >= -axis:
            plain = make("squeeze", [plain], operand.span, {"axis": (axis,)})
        return (
            make("expand_dims", [plain], operand.span, {"axis": (-1,)})
            if plain.type.rank
            else plain
        )

    def _made(self, node: Node) -> Node | None:
        """The same with the rows last in operands and result, where that is known."""
        name, axis = node.op.name, _axis(node, self.rows)
        if name in _PRODUCTS:
            return self._product(node)
        first = _axis(node.operands[0], self.rows)
        if name in _REDUCTIONS and first is not None:
            return self._reduced(node, first)
        if axis is None:
            return None
        if _is_elementwise(node):
            return make(node.op, [self._aligned(o, axis) for o in node.operands], node.span,
                        node.attributes)  # fmt: skip
        if name == "broadcast_to":
            shape = _shape_last(node, axis)
            return make(name, [self._aligned(node.operands[0], axis)], node.span, {"shape": shape})
        return self._rearranged(node, axis, first) if first is not None else None

    def _rearranged(self, node: Node, axis: int, first: int) -> Node | None:
        """What keeps the entries of a row, ``first`` being the axis of the operand."""
        name, (x, *_) = node.op.name, node.operands
        if name in _NORMALISED and axis not in node.attributes["axis"]:
            axes = _all_moved(node.attributes["axis"], axis)
            return make(name, [self._turned(x)], node.span, {"axis": axes})
        if name in ("expand_dims", "squeeze"):
            places = axis if name == "expand_dims" else first
            axes = _all_moved(node.attributes["axis"], places)
            return make(name, [self._turned(x)], node.span, {"axis": axes})
        if name == "transpose":
            order = [_moved(a, first) for a in node.attributes["axes"]]
            order.remove(-1)
            return _permuted(self._turned(x), (*order, -1))
        own, shape = x.type.shape, node.type.shape
        if name == "reshape" and (own[:first] == shape[:axis] or own[first:] == shape[axis:]):
            return make(name, [self._turned(x)], node.span, {"shape": _shape_last(node, axis)})
        return None

    def _reduced(self, node: Node, first: int) -> Node | None:
        axes, keepdims = node.attributes["axis"], node.attributes["keepdims"]
        if keepdims and first in axes:
            return None
        options = {"axis": _all_moved(axes, first), "keepdims": keepdims}
        return make(node.op, [self._turned(node.operands[0])], node.span, options)

    def _product(self, node: Node) -> Node | None:
        """By its letters, which take any order."""
        rank = node.type.rank
        out = tuple(range(rank))
        sides = labelled(node, out, count(rank))
        sizes: dict[int, Size] = {}
        operands, orders = [], []
        for operand, labels in sides:
            for label, size in zip(labels, operand.type.shape, strict=True):
                if sizes.setdefault(label, size) != size:
                    return None  # A batch that is only repeated.
            axis = _axis(operand, self.rows)
            operands.append(self._plain(operand) if axis is None else self._turned(operand))
            orders.append(_label_last(labels, axis))
        orders.append(_label_last(out, _axis(node, self.rows)))
        numbers = {label: i for i, label in enumerate(dict.fromkeys(sum(orders, ())))}
        left, right, result = (letters(numbers[label] for label in order) for order in orders)
        return make("contract", operands, node.span, {"left": left, "right": right, "out": result})


def _label_last(labels: tuple[int, ...], axis: int | None) -> tuple[int, ...]:
    if axis is None:
        return labels
    place = axis + len(labels)
    return (*labels[:place], *labels[place + 1 :], labels[place])


def _shape_last(node: Node, axis: int) -> tuple[Size, ...]:
    place, shape = axis + node.type.rank, node.type.shape
    return (*shape[:place], *shape[place + 1 :], shape[place])


def _permuted(x: Node, axes: tuple[int, ...]) -> Node:
    if axes == tuple(range(-x.type.rank, 0)):
        return x
    return make("transpose", [x], x.span, {"axes": axes})
