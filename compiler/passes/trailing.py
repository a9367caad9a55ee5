"""Operations on arrays whose last axes are few fixed entries, taken apart.

An array of shape ``[*lead, *fixed]`` is one array of shape ``lead`` for each of its entries. What
an operation does to the entries it says on its last axes alone: ``inner`` is that operation. What
it does along the axes that lead, it does to every entry: ``outer``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

from ...dsl.frozen import frozen
from ...dsl.graph import Node, make
from ...dsl.loops import placeholder
from ...dsl.shapes import Mismatch
from ...dsl.subscripts import Cut

MOST = 32  # More entries than this are an array.
# Larger products of matrices are many calls: those of 3 by 3 take 0.7 of the time for 4,096 rows,
# but 1.4 times as long for 500 and 9 times for 20 (measured).
_TERMS = 16
LONGEST = 16  # An axis as long as this is long enough to run along.
Options: TypeAlias = "dict[str, Any]"


@frozen()
class Taken:
    """An operation on the last axes alone; how many those are of its result and its operands."""

    node: Node
    own: int
    widths: tuple[int, ...]


def fixed(node: Node) -> int:
    """How many of the last axes are short and of known lengths; none where they have too many
    entries together."""
    count, entries = 0, 1
    for size in reversed(node.type.shape):
        if size.constant is None or size.constant > LONGEST:
            break
        count, entries = count + 1, entries * size.constant
    return count if 0 < entries <= MOST else 0


def short(node: Node, count: int) -> bool:
    """Whether the last ``count`` axes may be taken apart."""
    entries = 1
    for size in node.type.shape[node.type.rank - count :]:
        if size.constant is None:
            return False
        entries *= size.constant
    return 0 < entries <= MOST


def inner(node: Node) -> Taken | None:
    """The operation on the last axes, if it does nothing along those that lead."""
    own = fixed(node)
    lead = node.type.rank - own
    if not lead:
        return None
    if node.op.family in ("elementwise", "pointwise") or node.op.name == "cross":
        found = (tuple(min(own, o.type.rank) for o in node.operands), dict(node.attributes))
    elif node.op.name in _INNER:
        options = _INNER[node.op.name](node, lead)
        if options is None:
            return None
        found = options
    else:
        return None
    widths, attributes = found
    if not (own or any(widths)) or any(w < 0 for w in widths):
        return None
    if not all(short(o, w) for o, w in zip(node.operands, widths, strict=True)):
        return None
    return _taken(node, own, widths, attributes)


def _taken(node: Node, own: int, widths: tuple[int, ...], attributes: Options) -> Taken | None:
    operands = [
        placeholder("", o.type.with_shape(o.type.shape[o.type.rank - w :]), o.span)
        for o, w in zip(node.operands, widths, strict=True)
    ]
    more = {"cause": node.cause, "position": node.position, "adjoint_of": node.adjoint_of}
    try:
        made = make(node.op, operands, node.span, attributes, name=node.name, **more)
    except Mismatch:
        return None
    wanted = node.type.shape[node.type.rank - own :]
    return Taken(made, own, widths) if made.type.shape == wanted else None


_Rule = Callable[[Node, int], "tuple[tuple[int, ...], Options] | None"]
_INNER: dict[str, _Rule] = {}


def _rule(*names: str) -> Callable[[_Rule], _Rule]:
    def register(rule: _Rule) -> _Rule:
        for name in names:
            _INNER[name] = rule
        return rule

    return register


@_rule("broadcast_to")
def _broadcast_to(node: Node, lead: int) -> tuple[tuple[int, ...], Options] | None:
    own = node.type.rank - lead
    return (min(own, node.operands[0].type.rank),), {"shape": node.type.shape[lead:]}


@_rule("reshape")
def _reshape(node: Node, lead: int) -> tuple[tuple[int, ...], Options] | None:
    (x,) = node.operands
    if x.type.shape[:lead] != node.type.shape[:lead]:
        return None
    return (x.type.rank - lead,), {"shape": node.type.shape[lead:]}


@_rule("expand_dims")
def _expand_dims(node: Node, lead: int) -> tuple[tuple[int, ...], Options] | None:
    axes, own = node.attributes["axis"], node.type.rank - lead
    return ((own - len(axes),), {"axis": axes}) if min(axes) >= -own else None


@_rule("squeeze")
def _squeeze(node: Node, lead: int) -> tuple[tuple[int, ...], Options] | None:
    axes, own = node.attributes["axis"], node.operands[0].type.rank - lead
    return ((own,), {"axis": axes}) if min(axes) >= -own else None


@_rule("getitem", "place")
def _getitem(node: Node, lead: int) -> tuple[tuple[int, ...], Options] | None:
    (x,), index = node.operands, node.attributes["index"]
    if any(item != Cut() for item in index[:lead]):
        return None
    options = {"index": index[lead:]}
    if node.op.name == "place":
        options["shape"] = node.attributes["shape"][lead:]
    return (x.type.rank - lead,), options


@_rule("transpose")
def _transpose(node: Node, lead: int) -> tuple[tuple[int, ...], Options] | None:
    axes, rank = node.attributes["axes"], node.type.rank
    if axes[:lead] != tuple(range(-rank, lead - rank)):
        return None
    return (rank - lead,), {"axes": axes[lead:]}


@_rule("sum", "mean", "max", "peak", "min", "prod", "any", "all", "logsumexp", "norm", "softmax",
       "log_softmax")  # fmt: skip
def _along(node: Node, lead: int) -> tuple[tuple[int, ...], Options] | None:
    own = node.operands[0].type.rank - lead
    axes = node.attributes["axis"]
    return ((own,), dict(node.attributes)) if axes and min(axes) >= -own else None


@_rule("vecdot")
def _vecdot(node: Node, lead: int) -> tuple[tuple[int, ...], Options] | None:
    own = node.type.rank - lead + 1
    a, b = node.operands
    return (min(own, a.type.rank), min(own, b.type.rank)), {}


@_rule("stack", "concat")
def _joined(node: Node, lead: int) -> tuple[tuple[int, ...], Options] | None:
    own, axis = node.type.rank - lead, node.attributes["axis"]
    if axis < -own:
        return None
    return (own - (node.op.name == "stack"),) * len(node.operands), dict(node.attributes)


@_rule("contract")
def _contract(node: Node, lead: int) -> tuple[tuple[int, ...], Options] | None:
    """Letters of axes that lead go, where both operands have all of them first, or none."""
    left, right, out = (node.attributes[k] for k in ("left", "right", "out"))
    gone = out[:lead]
    shape = [size.constant or 0 for operand in node.operands for size in operand.type.shape]
    for side in (left, right):
        if not (side.startswith(gone) or set(side).isdisjoint(gone)):
            return None
    left, right = (side.removeprefix(gone) for side in (left, right))
    lengths = dict(zip(node.attributes["left"] + node.attributes["right"], shape, strict=True))
    if math.prod(lengths[letter] for letter in set(left + right)) > _TERMS:
        return None
    return (len(left), len(right)), {"left": left, "right": right, "out": out[lead:]}


# ── Along the axes that lead ────────────────────────────────────────────────


@frozen()
class Along:
    """The options of an operation for one entry, those being of the last ``own`` axes; ``total``
    adds up what it gives for the entries, where it does that too."""

    own: int
    options: Options
    total: Node | None = None


def outer(node: Node) -> Along | None:
    """What an operation of one array does along the axes that lead, if it moves no entries."""
    if not node.operands or node.op.name not in _OUTER:
        return None
    own = fixed(node.operands[0])
    if not own or own == node.operands[0].type.rank:
        return None
    return _OUTER[node.op.name](node, own)


def _total(node: Node, axes: tuple[int, ...]) -> Node:
    """The sum of entries over some of their axes."""
    (x,) = node.operands
    entries = placeholder("", node.type.with_shape(x.type.shape[x.type.rank - fixed(x) :]), x.span)
    options = {"axis": axes, "keepdims": False}
    return make("sum", [entries], node.span, options, cause=node.cause, position=node.position)


def _outer_reduction(node: Node, own: int) -> Along | None:
    axes = node.attributes["axis"]
    lead = tuple(axis + own for axis in axes if axis < -own)
    few = tuple(axis for axis in axes if axis >= -own)
    if not lead or node.attributes["keepdims"] or (few and node.op.name != "sum"):
        return None
    return Along(own, {**node.attributes, "axis": lead}, _total(node, few) if few else None)


def _outer_squares(node: Node, own: int) -> Along:
    return Along(own, dict(node.attributes), _total(node, tuple(range(-own, 0))))


def _outer_expand_dims(node: Node, own: int) -> Along | None:
    axes = tuple(axis + own for axis in node.attributes["axis"])
    return Along(own, {"axis": axes}) if max(axes) < 0 else None


def _outer_getitem(node: Node, own: int) -> Along | None:
    kept, index = node.operands[0].type.rank - own, node.attributes["index"]
    if any(item != Cut() for item in index[kept:]):
        return None
    return Along(own, {"index": index[:kept]})


def _outer_transpose(node: Node, own: int) -> Along | None:
    axes = node.attributes["axes"]
    if axes[-own:] != tuple(range(-own, 0)):
        return None
    return Along(own, {"axes": tuple(axis + own for axis in axes[:-own])})


_OUTER: dict[str, Callable[[Node, int], Along | None]] = {
    **dict.fromkeys(("sum", "mean", "max", "min"), _outer_reduction),
    "sum_squares": _outer_squares,
    "expand_dims": _outer_expand_dims,
    "getitem": _outer_getitem,
    "transpose": _outer_transpose,
}
