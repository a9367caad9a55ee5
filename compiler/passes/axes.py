"""Along which axis of an operation's operands one axis of its result runs.

Axes are counted from the end. ``None`` for an operand means that it is needed whole; a rule that
gives ``None`` altogether says that no single axis of the operands runs along this one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from ...dsl.graph import Node
from ...dsl.sizes import ONE, Size
from ...dsl.subscripts import Cut

Along: TypeAlias = "list[int | None]"
Rule = Callable[[Node, int], "Along | None"]
_RULES: dict[str, Rule] = {}


def along(node: Node, axis: int) -> Along | None:
    """The axes of the operands that an axis of the result runs along."""
    if node.op.family in ("elementwise", "pointwise"):
        return [_same(operand, axis, node.type.shape[axis]) for operand in node.operands]
    rule = _RULES.get(node.op.name)
    return rule(node, axis) if rule is not None else None


def _rule(*names: str) -> Callable[[Rule], Rule]:
    def register(rule: Rule) -> Rule:
        for name in names:
            _RULES[name] = rule
        return rule

    return register


def _same(operand: Node, axis: int, size: Size) -> int | None:
    """The axis itself, unless the operand is repeated along it."""
    has = operand.type.rank >= -axis and operand.type.shape[axis] == size
    return axis if has and size != ONE else None


def _kept(node: Node, axis: int, gone: Sequence[int]) -> int:
    """The axis of an operand from which others are taken away."""
    rank = node.operands[0].type.rank
    left = [a for a in range(-rank, 0) if a not in gone]
    return left[axis]


@_rule("sum", "mean", "max", "peak", "min", "prod", "any", "all", "logsumexp", "norm")
def _reduction(node: Node, axis: int) -> Along | None:
    axes = node.attributes["axis"]
    if node.attributes["keepdims"]:
        return None if axis in axes else [axis]
    return [_kept(node, axis, axes)]


@_rule("argmin", "argmax")
def _place(node: Node, axis: int) -> Along | None:
    own = node.attributes["axis"]
    if own is None or (node.attributes["keepdims"] and axis == own):
        return None
    return [axis if node.attributes["keepdims"] else _kept(node, axis, (own,))]


@_rule("softmax", "log_softmax")
def _normalised(node: Node, axis: int) -> Along | None:
    return None if axis in node.attributes["axis"] else [axis]


@_rule("transpose")
def _transpose(node: Node, axis: int) -> Along | None:
    own: int = node.attributes["axes"][axis]
    return [own]


@_rule("stack")
def _stack(node: Node, axis: int) -> Along | None:
    new = node.attributes["axis"]
    return None if axis == new else [axis + 1 if axis < new else axis] * len(node.operands)


@_rule("concat")
def _concat(node: Node, axis: int) -> Along | None:
    return None if axis == node.attributes["axis"] else [axis] * len(node.operands)


@_rule("expand_dims")
def _expand_dims(node: Node, axis: int) -> Along | None:
    new = node.attributes["axis"]
    left = [a for a in range(-node.type.rank, 0) if a not in new]
    return [left.index(axis) - len(left)] if axis in left else None


@_rule("squeeze")
def _squeeze(node: Node, axis: int) -> Along | None:
    return [_kept(node, axis, node.attributes["axis"])]


@_rule("broadcast_to")
def _broadcast_to(node: Node, axis: int) -> Along | None:
    return [_same(node.operands[0], axis, node.type.shape[axis])]


@_rule("zeros", "ones")
def _made(node: Node, axis: int) -> Along | None:
    return []


@_rule("getitem")
def _getitem(node: Node, axis: int) -> Along | None:
    (x,) = node.operands
    items = [*node.attributes["index"], *[Cut()] * (x.type.rank - len(node.attributes["index"]))]
    left = [i - x.type.rank for i, item in enumerate(items) if isinstance(item, Cut)]
    own = left[axis]
    return [own] if items[own] == Cut() else None


@_rule("reshape")
def _reshape(node: Node, axis: int) -> Along | None:
    shape, own = node.type.shape, node.operands[0].type.shape
    before = axis + len(shape)
    if own[: before + 1] == shape[: before + 1]:
        return [before - len(own)]
    return [axis] if own[axis:] == shape[axis:] else None


@_rule("matmul")
def _matmul(node: Node, axis: int) -> Along | None:
    if axis == -2:
        return [-2, None]
    if axis == -1:
        return [None, -1]
    return [_same(operand, axis, node.type.shape[axis]) for operand in node.operands]


@_rule("matvec")
def _matvec(node: Node, axis: int) -> Along | None:
    if axis == -1:
        return [-2, None]
    a, b = node.operands
    size = node.type.shape[axis]
    return [_same(a, axis - 1, size), _same(b, axis, size)]


@_rule("vecdot")
def _vecdot(node: Node, axis: int) -> Along | None:
    return [_same(operand, axis - 1, node.type.shape[axis]) for operand in node.operands]


@_rule("vecouter")
def _vecouter(node: Node, axis: int) -> Along | None:
    if axis > -3:
        return [None, -1] if axis == -1 else [-1, None]
    return [_same(operand, axis + 1, node.type.shape[axis]) for operand in node.operands]


@_rule("contract")
def _contract(node: Node, axis: int) -> Along | None:
    letter = node.attributes["out"][axis]
    sides = (node.attributes["left"], node.attributes["right"])
    return [side.index(letter) - len(side) if letter in side else None for side in sides]


@_rule("take_along_axis", "scatter_along")
def _take_along_axis(node: Node, axis: int) -> Along | None:
    if axis == node.attributes["axis"]:
        return None
    return [_same(operand, axis, node.type.shape[axis]) for operand in node.operands]


@_rule("take")
def _take(node: Node, axis: int) -> Along | None:
    indices = node.operands[1]
    place = node.attributes["axis"]
    after = -place - 1
    if axis >= -after:
        return [axis, None]
    if axis >= -after - indices.type.rank:
        return [None, axis + after]
    return [axis + indices.type.rank - 1, None]


# ── Sums along an axis ──────────────────────────────────────────────────────


def summed(node: Node) -> list[Along]:
    """The ways in which an operation adds up along an axis of its operands: for each way, the
    axis of each operand. What it computes for parts of that axis adds up to its result."""
    match node.op.name:
        case "sum":
            return [[axis] for axis in node.attributes["axis"]]
        case "sum_squares":
            return [[axis] for axis in range(-node.operands[0].type.rank, 0)]
        case "matmul":
            return [[-1, -2]]
        case "matvec" | "vecdot":
            return [[-1, -1]]
        case "contract":
            left, right, out = (node.attributes[k] for k in ("left", "right", "out"))
            return [[left.index(c) - len(left), right.index(c) - len(right)]
                    for c in left if c in right and c not in out]  # fmt: skip
    return []
