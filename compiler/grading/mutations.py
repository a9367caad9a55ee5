"""The kinds of mistakes: what each does to what goes back, and how a person would write it.

A kind is a function from a place in the graph to slips. Adding one is adding a function to
``KINDS`` here, or in ``products.py`` and ``masks.py``, and its name to ``TITLES``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import prod

from ...dsl.graph import Graph, Node, constant, make
from ...dsl.shapes import Shape
from ..paper import differential, label, on_paper
from ..reverse import Adjoint
from ..rules import Rule, apply_rule, names_in, rule_of, rule_tree
from .walk import Contributions, Edge, Slip, Walk, places

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


@dataclass(frozen=True)
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
    if p.op in MASKED or p.rule in ("1", "-1", "dy", "loop"):
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
    yield p.slip("mean-for-sum", lambda e: e.scaled(e.right, 1 / _repeats(e)), f"mean({arriving} …)")  # fmt: skip
    yield p.slip("keepdims", _keeping, f"sum({arriving} …, keepdims=True)")
    rank, wide = p.operand.type.rank, p.node.type.rank
    if rank < wide:
        yield p.slip("wrong-axis", _all_summed, f"sum({arriving} …) over all axes", "all")
        for axis in range(-rank, 0):
            yield p.slip(
                "wrong-axis", lambda e, axis=axis: e.make("sum", e.raw, axis=(axis,), keepdims=False),  # type: ignore[misc]
                f"sum({arriving} …, axis={axis + wide})", str(axis),
            )  # fmt: skip


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
    names = sorted({n for o in p.node.operands for size in o.type.shape for n in size.names()})
    if p.op == "divide" and _counts(p):
        names = sorted({n for node in (p.node.operands[0], *p.node.operands[0].operands)
                        for size in node.type.shape for n in size.names()})  # fmt: skip
        for name in names:
            if label(p.node.operands[1]) != name:
                yield p.slip("wrong-count", lambda e, name=name: _divided(e, name),  # type: ignore[misc]
                             f"{arriving} / {name}", name)  # fmt: skip
    if p.op == "mean" and len(p.node.attributes["axis"]) > 1:
        for name in names:
            yield p.slip("wrong-count", lambda e, name=name: _divided(e, name, _count(e)),  # type: ignore[misc]
                         f"{arriving} / {name}", name)  # fmt: skip


def _divided(e: Edge, name: str, count: float | None = None) -> Node:
    """Divided by another size."""
    value = e.fit(e.dy) if count is None else e.scaled(e.right, count)
    return e.scaled(value, 1 / e.walk.sizes[name])


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
    names = {name: label(o) for name, o in _named(p.node).items()}
    return f"({on_paper(rule_tree(text), {**names, p.node.op.operand_name(p.position): at, 'y': at})})"  # noqa: E501  # fmt: skip


def _named(node: Node) -> dict[str, Node]:
    return {p.name: o for p, o in zip(node.op.operands, node.operands, strict=True)}


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
        yield p.slip("wrong-operand", lambda e: _own_factor(e), f"{arriving} * {x}")


def _own_factor(e: Edge) -> Node:
    """The product rule with the operand itself for the other one."""
    names = [parameter.name for parameter in e.node.op.operands]
    values = {name: e.operand for name in names}
    return e.through(e.dy, **values)


# ── Several uses ────────────────────────────────────────────────────────────


def uses(graph: Graph) -> Iterator[Slip]:
    """Of all that arrives at a node only a part is kept. What comes back comes in the order of
    computation turned round, so that the last of it is from the first use."""
    order = places(graph)
    users: dict[Node, list[Node]] = {}
    for node in order:
        for position, operand in enumerate(node.operands):
            if operand.type.is_float and rule_of(node, position):
                users.setdefault(operand, []).append(node)
    for number, node in enumerate(order):
        names = [label(u) for u in reversed(users.get(node, []))]
        left = differential(label(node))
        if len(names) < 2:
            continue
        for i, name in enumerate(names):
            wrote = f"{left} = what comes from {name} alone"
            yield Slip("overwritten", number, None, str(i), choose=_only(i), wrote=wrote)
        if len(names) > 2:
            for i, name in enumerate(names):
                wrote = f"{left} without what comes from {name}"
                yield Slip("missing-use", number, None, str(i), choose=_without(i), wrote=wrote)
        if any(u.op.name == "getitem" for u in users[node]):
            for later in ("first", "last"):
                wrote = f"{left}[…] = …, where parts overlap"
                yield Slip("overwritten", number, None, later,
                           choose=_assigned(later == "last"), wrote=wrote)  # fmt: skip


def _only(i: int) -> Callable[[Walk, Node, Contributions], Adjoint]:
    return lambda walk, node, contributions: contributions[i]


def _without(i: int) -> Callable[[Walk, Node, Contributions], Adjoint]:
    def choose(walk: Walk, node: Node, contributions: Contributions) -> Adjoint:
        rest = [c for n, c in enumerate(contributions) if n != i]
        value = rest[0].selected()
        for other in rest[1:]:
            value = make("add", [value, other.selected()], value.span, cause=node)
        return Adjoint(value)

    return choose


def _assigned(last: bool) -> Callable[[Walk, Node, Contributions], Adjoint]:
    """Parts of an array written one over the other."""

    def choose(walk: Walk, node: Node, contributions: Contributions) -> Adjoint:
        ordered = contributions if last else contributions[::-1]
        value = ordered[0].selected()
        for c in ordered[1:]:
            user, position = walk.setting.origins[c]
            if user.op.name != "getitem":
                value = c.selected()
                continue
            edge = Edge(walk, user, position, _rule_of(user, position), c)
            covered = edge.make("greater", edge.through(edge.ones(user)), constant(0.0, node.span))
            value = edge.make("where", covered, c.selected(), value)
        return Adjoint(value)

    return choose


def _rule_of(node: Node, position: int) -> Rule:
    rule = rule_of(node, position)
    assert rule is not None
    return rule


def at_axis(node: Node, axis: int) -> Node:
    """The same operation along another axis."""
    return replace(node, attributes={**node.attributes, "axis": (axis,)})


MASKED = ("relu", "abs", "clip", "maximum", "minimum", "where", "max", "min")
