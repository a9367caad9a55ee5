"""The kinds of mistakes: what each does to what goes back, and how a person would write it.

A kind is a function from a place in the graph to slips. Adding one is adding a function to
``KINDS`` in ``kinds.py``, and its name to ``TITLES``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from math import prod

from ...dsl.frozen import frozen
from ...dsl.graph import Node
from ...dsl.shapes import Shape
from ..paper import differential, label, on_paper
from ..rules import apply_rule, names_in, rule_of, rule_tree
from .walk import Edge, Slip

TITLES = {
    "missing-sum": "the sum over the broadcast axis is missing",
    "mean-for-sum": "a mean is taken over the broadcast axis, where it must be a sum",
    "keepdims": "the sum over the broadcast axis keeps that axis",
    "wrong-axis": "the wrong axis",
    "elementwise-product": "a product entry by entry, where it must be a matrix product",
    "missing-transpose": "a transpose is missing",
    "swapped": "the factors of the matrix product are swapped",
    "transposed": "the gradient is transposed",
    "overwritten": "what comes back from several uses is overwritten, not added",
    "missing-use": "what comes back from one of several uses is missing",
    "missing-count": "the factor 1/N of a mean is missing",
    "extra-count": "a sum is treated as a mean",
    "wrong-count": "the mean divides by the wrong number",
    "wrong-point": "the derivative is evaluated at the wrong point",
    "sign": "the sign is wrong",
    "factor": "off by a factor of 2",
    "power": "the rule for powers",
    "arriving-forgotten": "the gradient that arrives is forgotten (chain rule)",
    "local-forgotten": "the local derivative is forgotten",
    "value-for-slope": "the function itself stands for its derivative",
    "inverted-slope": "the local derivative is upside down",
    "wrong-operand": "the wrong factor: the product rule takes the other one",
    "mask-missing": "the mask is missing",
    "mask-inverted": "the mask is inverted",
    "mask-of-gradient": "the mask is of the gradient, where it must be of the input",
    "mask-of-other": "the mask is of the wrong operand",
    "mask-inclusive": "the mask holds at the kink as well (>= for >)",
    "softmax-elementwise": "the softmax is treated as a function of single entries",
    "softmax-sum": "the sum over the classes is missing in the derivative of the softmax",
}


MASKED = ("relu", "abs", "clip", "maximum", "minimum", "where", "max", "min")


@frozen()
class Place:
    """An edge of the graph as it is written, with its names on paper."""

    number: int
    node: Node
    position: int

    @property
    def operand(self) -> Node:
        return self.node.operands[self.position]

    @property
    def op(self) -> str:
        return self.node.op.name

    @property
    def left(self) -> str:
        return differential(label(self.operand))

    @property
    def arriving(self) -> str:
        return differential(label(self.node))

    @property
    def rule(self) -> str:
        """The text of the rule, ``""`` for one of the specification."""
        rule = rule_of(self.node, self.position)
        return rule if isinstance(rule, str) else ""

    @property
    def summed(self) -> bool:
        """Whether the operand is repeated, so that its gradient is a sum."""
        pointwise = self.node.op.family in ("elementwise", "pointwise")
        same = self.operand.type.shape == self.node.type.shape
        return (pointwise or self.op == "broadcast_to") and not same

    def slip(
        self, kind: str, change: Callable[[Edge], Node], wrote: str = "", variant: str = ""
    ) -> Slip:
        text = f"{self.left} = {wrote}" if wrote else ""
        return Slip(kind, self.number, self.position, variant, change, wrote=text)


Kind = Callable[[Place], Iterator[Slip]]


# ── Sign, factors, what is forgotten ────────────────────────────────────────


def sign(p: Place) -> Iterator[Slip]:
    yield p.slip("sign", lambda e: e.make("negative", e.right))


def factor(p: Place) -> Iterator[Slip]:
    yield p.slip("factor", lambda e: e.scaled(e.right, 0.5), variant="half")
    yield p.slip("factor", lambda e: e.scaled(e.right, 2.0), variant="twice")


def _counts(p: Place) -> bool:
    """Whether an edge divides by a number that is known beforehand, such as ``N``."""
    divisor = p.node.operands[1] if p.op == "divide" else None
    return divisor is not None and p.position == 0 and not divisor.type.is_float


def forgotten(p: Place) -> Iterator[Slip]:
    arriving = p.arriving
    yield p.slip("arriving-forgotten", _with_ones, f"{_slope(p)}, without {arriving}")
    if p.op in MASKED or p.rule in ("1", "-1", "dy"):
        return
    kind = "missing-count" if _counts(p) or p.op == "mean" else "local-forgotten"
    if p.op == "mean":
        yield p.slip(kind, lambda e: e.scaled(e.right, _count(e)), f"{arriving}, without 1/N")
    elif p.node.op.family in ("elementwise", "pointwise"):
        yield p.slip(kind, lambda e: e.fit(e.dy), arriving)
    else:
        yield p.slip(kind, _passed, arriving)


def _slope(p: Place) -> str:
    return f"∂{label(p.node)}/∂{label(p.operand)}"


def _with_ones(e: Edge) -> Node:
    return e.through(e.ones(e.node))


def _passed(e: Edge) -> Node:
    """What arrives, as it is or repeated along what was reduced."""
    if e.dy.type.shape == e.operand.type.shape:
        return e.dy
    if e.node.type.rank == 0:
        return e.make("broadcast_to", e.dy, shape=e.operand.type.shape)
    wide = e.make("expand_dims", e.dy, axis=e.node.attributes["axis"])
    return e.make("broadcast_to", wide, shape=e.operand.type.shape)


# ── Sums over broadcast axes ────────────────────────────────────────────────


def sums(p: Place) -> Iterator[Slip]:
    if not p.summed:
        return
    arriving = p.arriving
    yield p.slip("missing-sum", lambda e: e.raw, f"{arriving} …, without a sum")
    yield p.slip("mean-for-sum", _averaged, f"mean({arriving} …)")
    yield p.slip("keepdims", _keeping, f"sum({arriving} …, keepdims=True)")
    rank, wide = p.operand.type.rank, p.node.type.rank
    if rank < wide:
        yield p.slip("wrong-axis", _all_summed, f"sum({arriving} …) over all axes", "all")
        for axis in range(-rank, 0):
            wrote = f"sum({arriving} …, axis={axis + wide})"
            yield p.slip("wrong-axis", partial(_summed, axis), wrote, str(axis))


def _averaged(e: Edge) -> Node:
    return e.scaled(e.right, 1 / _repeats(e))


def _summed(axis: int, e: Edge) -> Node:
    return e.make("sum", e.raw, axis=(axis,), keepdims=False)


def _entries(shape: Shape) -> int:
    return prod(size.evaluate({}) for size in shape)


def _repeats(e: Edge) -> float:
    """How often an operand was repeated."""
    return _entries(e.raw.type.shape) / _entries(e.right.type.shape)


def _keeping(e: Edge) -> Node:
    extra = e.raw.type.rank - e.operand.type.rank
    axes = tuple(range(-e.raw.type.rank, -e.raw.type.rank + extra))
    if not axes:
        raise ValueError("no axis is dropped")
    return e.make("sum", e.raw, axis=axes, keepdims=True)


def _all_summed(e: Edge) -> Node:
    axes = tuple(range(-e.raw.type.rank, 0))
    return e.make("sum", e.raw, axis=axes, keepdims=False)


# ── Means ───────────────────────────────────────────────────────────────────


def _count(e: Edge) -> float:
    """How many entries of the operand are one of the result."""
    return _entries(e.operand.type.shape) / _entries(e.node.type.shape)


def counts(p: Place) -> Iterator[Slip]:
    arriving = p.arriving
    if p.op == "sum":
        yield p.slip("extra-count", lambda e: e.scaled(e.right, 1 / _count(e)), f"{arriving} / N")
    if p.op == "divide" and _counts(p):
        top = p.node.operands[0]
        for name in _size_names(top, *top.operands):
            if label(p.node.operands[1]) != name:
                yield p.slip("wrong-count", partial(_divided, name), f"{arriving} / {name}", name)
    if p.op == "mean" and len(p.node.attributes["axis"]) > 1:
        for name in _size_names(p.operand):
            yield p.slip("wrong-count", partial(_averaged_by, name), f"{arriving} / {name}", name)


def _size_names(*nodes: Node) -> list[str]:
    return sorted({n for node in nodes for size in node.type.shape for n in size.names()})


def _divided(name: str, e: Edge) -> Node:
    """Divided by another size."""
    return e.scaled(e.fit(e.dy), 1 / e.walk.sizes[name])


def _averaged_by(name: str, e: Edge) -> Node:
    return e.scaled(e.right, _count(e) / e.walk.sizes[name])


# ── Slopes ──────────────────────────────────────────────────────────────────


def slopes(p: Place) -> Iterator[Slip]:
    """Functions of one operand: where the derivative is taken, and what stands for it."""
    single = sum(o.type.is_float for o in p.node.operands) == 1 and not p.node.op.variadic
    if not single or not p.rule or p.op in (*MASKED, "scan") or p.node.op.results:
        return
    names = names_in(p.rule)
    x, y, arriving = label(p.operand), label(p.node), p.arriving
    own = p.node.op.operand_name(p.position)
    same = p.node.op.family in ("elementwise", "pointwise")
    if own in names and same:
        yield p.slip("wrong-point", lambda e: e.through(e.dy, **{own: e.node}),
                     f"{arriving} * {_shown(p, y)}", "output")  # fmt: skip
    if "y" in names:
        yield p.slip("wrong-point", lambda e: e.through(e.dy, y=e.operand),
                     f"{arriving} * {_shown(p, x)}", "input")  # fmt: skip
    if "y" in names and same:
        yield p.slip("wrong-point", lambda e: e.through(e.dy, y=_again(e), **{own: e.node}),
                     f"{arriving} * {p.op}'({y})", "output again")  # fmt: skip
    if same and p.rule not in ("1", "-1", "y"):
        yield p.slip("value-for-slope", lambda e: e.fit(e.make("multiply", e.dy, e.node)),
                     f"{arriving} * {y}")  # fmt: skip
    if p.node.op.family == "elementwise" and p.rule not in ("1", "-1"):
        yield p.slip("inverted-slope", _inverted, f"{arriving} / ({_slope(p)})")


def _shown(p: Place, at: str) -> str:
    """The slope as the table has it, with one name for all that it mentions."""
    text = p.rule if p.node.op.family == "elementwise" else "1"
    if text == "1" or p.node.op.variadic:
        return f"{p.op}'({at})"
    pairs = zip(p.node.op.operands, p.node.operands, strict=True)
    names = {parameter.name: label(o) for parameter, o in pairs}
    names |= {p.node.op.operand_name(p.position): at, "y": at}
    return f"({on_paper(rule_tree(text), names)})"


def _again(e: Edge) -> Node:
    """The operation applied to its own result."""
    operands = [e.node if o is e.operand else o for o in e.node.operands]
    return e.make(e.node.op.name, *operands, **e.node.attributes)


def _inverted(e: Edge) -> Node:
    slope = apply_rule(e.rule, e.node, e.position, {"y": e.node})
    return e.fit(e.make("divide", e.dy, slope))


def powers(p: Place) -> Iterator[Slip]:
    """Powers with a number above, quotients and products."""
    arriving, x = p.arriving, label(p.operand)
    if p.op == "power" and p.position == 0:
        n = label(p.node.operands[1])
        yield p.slip("power", lambda e: e.make("multiply", e.right, e.operand),
                     f"{arriving} * {n} * {x}^{n}", "exponent")  # fmt: skip
        yield p.slip("power", lambda e: e.make("divide", e.right, e.node.operands[1]),
                     f"{arriving} * {x}^({n} - 1)", "coefficient")  # fmt: skip
    if p.op == "divide" and p.position == 1:
        yield p.slip("power", lambda e: e.make("multiply", e.right, e.operand),
                     f"-{arriving} * {label(p.node.operands[0])} / {x}", "square")  # fmt: skip
        yield p.slip("power", lambda e: e.fit(e.make("divide", e.dy, e.operand)),
                     f"{arriving} / {x}", "divided")  # fmt: skip
    if p.op == "divide" and p.position == 0 and not _counts(p):
        yield p.slip("inverted-slope", _inverted, f"{arriving} * {label(p.node.operands[1])}")
    if p.op in ("multiply", "vecdot") and p.node.operands[0] is not p.node.operands[1]:
        yield p.slip("wrong-operand", _own_factor, f"{arriving} * {x}")


def _own_factor(e: Edge) -> Node:
    """The product rule with the operand itself for the other one."""
    return e.through(e.dy, **{parameter.name: e.operand for parameter in e.node.op.operands})


def at_axis(node: Node, axis: int) -> Node:
    """The same operation along another axis."""
    return replace(node, attributes={**node.attributes, "axis": (axis,)})
