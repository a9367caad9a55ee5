"""Mistakes in the derivatives of matrix products, masks and the softmax."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...dsl.graph import Graph, Node, constant
from ...dsl.lowering.table import swap_last
from ..paper import label
from ..rules import rule_of
from .mutations import (
    MASKED,
    Kind,
    Place,
    at_axis,
    counts,
    factor,
    forgotten,
    powers,
    sign,
    slopes,
    sums,
    uses,
)
from .walk import Edge, Slip, places

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
        yield p.slip("elementwise-product", lambda e, t=turned: e.make("multiply", _flat(e, t), e.dy),  # type: ignore[misc]
                     f"{text} * {arriving}", str(turned))  # fmt: skip
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
    yield p.slip("mask-missing", _spread if reduces else lambda e: e.fit(e.dy), arriving)
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
                yield p.slip("mask-of-other", lambda e, i=i: _masked(e, e.operand.operands[i]),  # type: ignore[misc]
                             f"{arriving} * ({label(before)} > 0)", str(i))  # fmt: skip


def _condition(p: Place) -> str:
    return label(p.node.operands[0]) if p.op == "where" else f"{label(p.operand)} > …"


def _spread(e: Edge) -> Node:
    return e.through(e.dy) if e.node.op.name not in ("max", "min") else _repeated(e, e.dy)


def _repeated(e: Edge, value: Node) -> Node:
    """Along the axes that a reduction combined."""
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
    axes = p.node.attributes.get("axis")
    if p.op in ("softmax", "log_softmax", "logsumexp", "max", "min", "sum", "mean", "norm"):
        for axis in range(-p.operand.type.rank, 0):
            if axes != (axis,) and len(axes) == 1:
                yield p.slip("wrong-axis", lambda e, axis=axis: _along(e, axis),  # type: ignore[misc]
                             f"…, along axis {axis + p.operand.type.rank}", str(axis))  # fmt: skip


def _along(e: Edge, axis: int) -> Node:
    return e.through(e.dy, at_axis(e.node, axis), y=e.node)


def _times(e: Edge, *factors: Node) -> Node:
    value = factors[0]
    for other in factors[1:]:
        value = e.make("multiply", value, other)
    return value


def _rest(e: Edge, node: Node) -> Node:
    return e.make("subtract", constant(1.0, e.node.span), node)


# ── All of them ─────────────────────────────────────────────────────────────

KINDS: tuple[Kind, ...] = (
    sums, products, masks, softmax, forgotten, counts, slopes, powers, sign, factor,
)  # fmt: skip


def slips(graph: Graph) -> list[Slip]:
    """Every mistake that could be made in a gradient, each once."""
    found: list[Slip] = []
    fixed = _constant(graph)
    for number, node in enumerate(places(graph)):
        if node.op.name == "scan":
            continue
        for position, operand in enumerate(node.operands):
            moves = operand.type.is_float and operand not in fixed
            if moves and rule_of(node, position):
                place = Place(number, node, position)
                found += [slip for kind in KINDS for slip in kind(place)]
    return [*found, *uses(graph)]


def _constant(graph: Graph) -> set[Node]:
    """The nodes, outside of steps of loops, that no differentiated input changes."""
    moving = {graph.inputs[name] for name in graph.interface.differentiated}
    found: set[Node] = set()
    for node in graph.nodes:
        if node not in moving and found.issuperset(node.operands):
            found.add(node)
    return found


def everywhere(found: Iterable[Slip]) -> list[tuple[Slip, ...]]:
    """The mistakes that a person would make again wherever they can be made."""
    groups: dict[tuple[str, str], list[Slip]] = {}
    for slip in found:
        if slip.kind in _AGAIN:
            groups.setdefault((slip.kind, slip.variant), []).append(slip)
    return [tuple(group) for group in groups.values() if len(group) > 1]


_AGAIN = (
    "missing-sum", "mean-for-sum", "keepdims", "elementwise-product", "missing-transpose",
    "swapped", "transposed", "overwritten", "missing-count", "wrong-point", "mask-missing",
    "mask-inverted", "mask-of-gradient", "mask-inclusive", "softmax-elementwise", "softmax-sum",
)  # fmt: skip
