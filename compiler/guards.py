"""Guards, the conditions under which an adjoint or an index counts, in their simplest form.

A guard says where what arrives may differ from 0. Where there are no entries nothing arrives, so
that one that counts for no entries may be said to count as well: whether any of entries that are
all the same holds is what one of them says, however many there are.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from ..dsl.graph import Node, constant, make, topological
from ..dsl.ops import Attributes
from ..dsl.shapes import Kind, Shape
from ..dsl.sizes import ONE

_MOVING = ("expand_dims", "transpose", "squeeze", "reshape")
_LOGIC = ("logical_and", "logical_or", "logical_not")
_COMBINING = ("any", "broadcast_to", *_MOVING, *_LOGIC)
_ORDERS = ("less_equal", "greater_equal", "equal")


class Guards:
    """The guards of one walk: those that say the same are one node."""

    def __init__(self) -> None:
        self._lighter: dict[Node, Node] = {}
        self._made: dict[Hashable, Node] = {}

    def lightened(self, guard: Node | None) -> Node | None:
        """The same guard, of a shape that broadcasts to its own; ``None`` if it always holds."""
        if guard is None:
            return None
        self._keep_conditions(guard)
        for node in topological([guard], self._lighter):
            operands = tuple(self._lighter[operand] for operand in node.operands)
            self._lighter[node] = self._again(node, operands)
        found = _source(self._lighter[guard])
        return None if found.is_constant(True) else found

    def _keep_conditions(self, guard: Node) -> None:
        """What guards are made of stays as it is."""
        stack, seen = [guard], set()
        while stack:
            node = stack.pop()
            if node in seen or node in self._lighter:
                continue
            seen.add(node)
            if node.op.name in _COMBINING and node.type.kind is Kind.BOOL:
                stack.extend(node.operands)
            else:
                self._lighter[node] = node

    def _again(self, node: Node, operands: tuple[Node, ...]) -> Node:
        """A node of operands that are light already."""
        if node.op.name == "any":
            return self._any(node, *operands)
        if node.op.name == "broadcast_to":
            return self._spread(_source(*operands), node.type.shape)
        if node.op.name in _MOVING:
            return self._rearranged(node, *operands)
        return self._combined(node, operands)

    def _same(self, node: Node) -> Node:
        """The node that says this, if there is one already."""
        options = tuple(node.attributes.items())
        return self._made.setdefault((node.op.name, node.operands, options, node.type), node)

    def _make(self, op: str, x: Node, **attributes: object) -> Node:
        return self._same(make(op, [x], x.span, attributes, cause=x.cause, position=x.position))

    def _spread(self, x: Node, shape: Shape) -> Node:
        return x if x.type.shape == shape else self._make("broadcast_to", x, shape=shape)

    def _full(self, x: Node, rank: int) -> Node:
        """With axes of size 1 in front."""
        missing = rank - x.type.rank
        if not missing:
            return x
        return self._make("expand_dims", x, axis=tuple(range(-rank, -rank + missing)))

    def _any(self, node: Node, x: Node) -> Node:
        axes = node.attributes["axis"]
        inner = self._full(_source(x), x.type.rank)
        varying = tuple(a for a in axes if inner.type.shape[a] != ONE)
        if varying and _each_holds_once(inner, varying):
            return self._spread(constant(True, node.span), node.type.shape)
        found = self._make("any", inner, axis=varying, keepdims=True) if varying else inner
        if not node.attributes["keepdims"] and axes:
            found = self._make("squeeze", found, axis=axes)
            found = self._rearranged(found, *found.operands)
        return self._spread(found, node.type.shape)

    def _rearranged(self, node: Node, x: Node) -> Node:
        """The rearrangement of what is repeated, then repeated; none where one undoes another."""
        inner = _source(x)
        if inner is not x:
            if not inner.type.rank:
                return self._spread(inner, node.type.shape)
            if node.op.name != "reshape":
                moved = self._make(node.op.name, self._full(inner, x.type.rank), **node.attributes)
                return self._spread(self._rearranged(moved, *moved.operands), node.type.shape)
        if x.op.name in ("expand_dims", "squeeze", "reshape") and x.operands[0].type == node.type:
            if node.op.name != "transpose":
                return x.operands[0]
        return self._same(node.with_operands((x,)))

    def _combined(self, node: Node, operands: tuple[Node, ...]) -> Node:
        inner = tuple(_source(operand) for operand in operands)
        if len(inner) == 2:
            decided = node.op.name == "logical_or"
            for one, other in (inner, inner[::-1]):
                if one is other or one.is_constant(not decided):
                    return self._spread(other, node.type.shape)
                if one.is_constant(decided):
                    return self._spread(one, node.type.shape)
        elif inner[0].op.name == "logical_not":
            return self._spread(inner[0].operands[0], node.type.shape)
        made = make(node.op, inner, node.span, cause=node.cause, position=node.position)
        return self._spread(self._same(made), node.type.shape)


def _source(node: Node) -> Node:
    """What is repeated, if a node is no more than that."""
    while node.op.name == "broadcast_to":
        node = node.operands[0]
    return node


def _each_holds_once(node: Node, axes: tuple[int, ...]) -> bool:
    """Whether along an axis some entry is true for each place along another, as of a triangle: two
    indices that run over the same values are compared, and equal ones count."""
    if len(axes) != 1 or node.op.name not in _ORDERS:
        return False
    one, other = (_counted(operand) for operand in node.operands)
    if one is None or other is None or one[0] != other[0]:
        return False
    return one[1] != other[1] and axes[0] in (one[1], other[1])


def _counted(node: Node) -> tuple[Attributes, int] | None:
    """What ``arange`` counts along which axis, the only one."""
    axis = -1
    if node.op.name == "expand_dims":
        axes = node.attributes["axis"]
        axis = next(a for a in range(-1, -node.type.rank - 1, -1) if a not in axes)
        node = node.operands[0]
    return (node.attributes, axis) if node.op.name == "arange" else None


def either(model: Node, guards: Iterable[Node | None]) -> Node | None:
    """A guard that holds where any of them does; the two branches of an ``if`` are everywhere."""
    found: list[Node] = []
    for guard in guards:
        if guard is None:
            return None
        joined: Node | None = guard
        for other in found:
            joined = _joined(other, guard)
            if joined is not guard:
                found.remove(other)
                break
        if joined is None:
            return None
        found.append(joined)
    total = found[0]
    for guard in found[1:]:
        both = [total, guard]
        total = make("logical_or", both, model.span, cause=model.cause, position=model.position)
    return total


def _joined(a: Node, b: Node) -> Node | None:
    """``None`` for a condition and its opposite, what both are under if they are branches of one
    ``if``, else ``b``."""
    if _opposite(a, b):
        return None
    if a.op.name == b.op.name == "logical_and" and a.operands[0] is b.operands[0]:
        if _opposite(a.operands[1], b.operands[1]):
            return a.operands[0]
    return b


def _opposite(a: Node, b: Node) -> bool:
    return any(
        n.op.name == "logical_not" and n.operands[0] is other for n, other in ((a, b), (b, a))
    )
