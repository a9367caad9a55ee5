"""Mistakes in the derivatives of matrix products, masks and the softmax."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from ...dsl.graph import Node, constant
from ...dsl.lowering.table import swap_last
from ..paper import label
from .mutations import MASKED, Place, at_axis
from .walk import Edge, Slip

# ── Matrix products ─────────────────────────────────────────────────────────


def products(p: Place) -> Iterator[Slip]:
    if p.op not in ("matmul", "matvec", "vecouter"):
        return
    a, b = (label(o) for o in p.node.operands)
    other, arriving = (b, a)[p.position], p.arriving
    vector = p.op == "matvec"
    if p.position == 0 and vector:
        yield p.slip("elementwise-product", lambda e: e.make("multiply", e.dy, _other(e)),
                     f"{arriving} * {other}")  # fmt: skip
        yield p.slip("swapped", _turned, f"{other} {arriving}ᵀ", "outer")
        return
    for turned in (False, True):
        text = f"{other}ᵀ" if turned else other
        change = partial(_by_entry, turned)
        yield p.slip("elementwise-product", change, f"{text} * {arriving}", str(turned))
    if vector:
        yield p.slip("missing-transpose", lambda e: e.make("matvec", _other(e), e.dy),
                     f"{other} {arriving}")  # fmt: skip
        return
    if p.op != "matmul":
        return
    first = p.position == 0
    right, wrong = (f"{arriving} {other}", f"{other} {arriving}")
    yield p.slip("missing-transpose", lambda e: _product(e, False, first),
                 right if first else wrong)  # fmt: skip
    yield p.slip("swapped", lambda e: _product(e, True, not first),
                 f"{other}ᵀ {arriving}" if first else f"{arriving} {other}ᵀ", "turned")  # fmt: skip
    yield p.slip("swapped", lambda e: _product(e, False, not first),
                 wrong if first else right, "plain")  # fmt: skip
    yield p.slip("transposed", _turned, f"{other} {arriving}ᵀ" if first else f"{arriving}ᵀ {other}")


def _by_entry(turned: bool, e: Edge) -> Node:
    return e.make("multiply", _flat(e, turned), e.dy)


def _other(e: Edge) -> Node:
    return e.node.operands[1 - e.position]


def _flat(e: Edge, turned: bool) -> Node:
    return _transposed(e, _other(e)) if turned else _other(e)


def _transposed(e: Edge, node: Node) -> Node:
    if node.type.rank < 2:
        raise ValueError("a vector has no transpose")
    return swap_last(node, e.node.span)


def _product(e: Edge, turned: bool, arriving_first: bool) -> Node:
    factors = (e.dy, _flat(e, turned))
    return e.make("matmul", *(factors if arriving_first else factors[::-1]))


def _turned(e: Edge) -> Node:
    return _transposed(e, e.right)


# ── Masks ───────────────────────────────────────────────────────────────────


def masks(p: Place) -> Iterator[Slip]:
    if p.op not in MASKED or (p.op == "where" and not p.position):
        return
    x, arriving = label(p.operand), p.arriving
    reduces = p.op in ("max", "min")
    yield p.slip("mask-missing", _spread if reduces else _unmasked, arriving)
    if p.op == "abs" or reduces:
        return
    yield p.slip("mask-inverted", _inverted, f"{arriving} where not {_condition(p)}")
    if p.op == "where":
        return
    yield p.slip("mask-of-gradient", lambda e: _masked(e, e.dy), f"{arriving} * ({arriving} > 0)")
    if p.op in ("maximum", "minimum"):
        sign_ = ">=" if p.op == "maximum" else "<="
        other = label(p.node.operands[1 - p.position])
        yield p.slip("mask-inclusive", _at_ties, f"{arriving} * ({x} {sign_} {other})")
    if p.op == "relu":
        yield p.slip("mask-inclusive", lambda e: _masked(e, e.operand, "greater_equal"),
                     f"{arriving} * ({x} >= 0)")  # fmt: skip
        for i, before in enumerate(p.operand.operands):
            if before.type.is_float:
                change = partial(_masked_by, i)
                wrote = f"{arriving} * ({label(before)} > 0)"
                yield p.slip("mask-of-other", change, wrote, str(i))


def _condition(p: Place) -> str:
    return label(p.node.operands[0]) if p.op == "where" else f"{label(p.operand)} > …"


def _unmasked(e: Edge) -> Node:
    return e.fit(e.dy)


def _spread(e: Edge) -> Node:
    """Repeated along the axes that a reduction combined."""
    value = e.dy
    if not e.node.attributes["keepdims"] and value.type.rank:
        value = e.make("expand_dims", value, axis=e.node.attributes["axis"])
    return e.make("broadcast_to", value, shape=e.operand.type.shape)


def _inverted(e: Edge) -> Node:
    whole = e.dy
    if e.raw.type.shape != whole.type.shape:
        whole = e.make("broadcast_to", whole, shape=e.raw.type.shape)
    return e.fit(e.make("subtract", whole, e.raw))


def _masked(e: Edge, by: Node, comparison: str = "greater") -> Node:
    holds = e.make(comparison, by, constant(0.0, e.node.span))
    return e.fit(e.make("where", holds, e.dy, constant(0.0, e.node.span)))


def _masked_by(i: int, e: Edge) -> Node:
    """By an operand of the operand."""
    return _masked(e, e.operand.operands[i])


def _at_ties(e: Edge) -> Node:
    comparison = "greater_equal" if e.node.op.name == "maximum" else "less_equal"
    holds = e.make(comparison, e.operand, _other(e))
    return e.fit(e.make("where", holds, e.dy, constant(0.0, e.node.span)))


# ── Softmax, and reductions along the wrong axis ────────────────────────────


def softmax(p: Place) -> Iterator[Slip]:
    arriving, y = p.arriving, label(p.node)
    if p.op == "softmax":
        yield p.slip("softmax-elementwise", lambda e: _times(e, e.dy, e.node, _rest(e, e.node)),
                     f"{arriving} * {y} * (1 - {y})")  # fmt: skip
        yield p.slip("softmax-sum", lambda e: _times(e, e.dy, e.node), f"{arriving} * {y}")
    if p.op == "log_softmax":
        yield p.slip("softmax-elementwise",
                     lambda e: _times(e, e.dy, _rest(e, e.make("exp", e.node))),
                     f"{arriving} * (1 - exp({y}))")  # fmt: skip
        yield p.slip("softmax-sum", lambda e: e.make("subtract", e.dy, e.make("exp", e.node)),
                     f"{arriving} - exp({y})")  # fmt: skip
    axes: Sequence[int] = p.node.attributes.get("axis") or ()
    if len(axes) == 1 and p.op in _ALONG:
        for axis in range(-p.operand.type.rank, 0):
            if axes != (axis,):
                wrote = f"…, along axis {axis + p.operand.type.rank}"
                yield p.slip("wrong-axis", partial(_along, axis), wrote, str(axis))


_ALONG = ("softmax", "log_softmax", "logsumexp", "max", "min", "sum", "mean", "norm")


def _along(axis: int, e: Edge) -> Node:
    return e.through(e.dy, at_axis(e.node, axis), y=e.node)


def _times(e: Edge, *factors: Node) -> Node:
    value = factors[0]
    for other in factors[1:]:
        value = e.make("multiply", value, other)
    return value


def _rest(e: Edge, node: Node) -> Node:
    return e.make("subtract", constant(1.0, e.node.span), node)
