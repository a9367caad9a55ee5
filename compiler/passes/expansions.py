"""What the entries of an array are, as expressions of numbers: the table of the pass ``unroll``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

import numpy as np

from ...dsl.graph import Node
from .entries import Entries, Expansion, Maker, Stays, collected, lengths
from .moving import MOVES, made

Row = Callable[[Maker, list[Node]], Node]
Rows = Callable[[Maker, list[Node]], list[Node]]

# ── Entry by entry ──────────────────────────────────────────────────────────


def by_entry(m: Maker, operands: list[Entries]) -> Entries:
    columns = [x.ravel() for x in np.broadcast_arrays(*operands)]
    rows = zip(*columns, strict=True)
    return collected([_entry(m, entries) for entries in rows], lengths(m.node))


_OF_ITSELF = {"equal": True, "less_equal": True, "greater_equal": True,
              "less": False, "greater": False, "not_equal": False}  # fmt: skip


def _entry(m: Maker, operands: tuple[Node, ...]) -> Node:
    node = m.node
    if node.op.name in _OF_ITSELF and operands[0] is operands[1]:
        # The largest entry of one is itself.
        holds = _OF_ITSELF[node.op.name]
        if not operands[0].type.is_float or node.op.name in ("less", "greater"):
            return m.number(holds)
        nan = m("isnan", operands[0])
        return m("logical_not", nan) if holds else nan
    return m(node.op.name, *operands, **node.attributes)


# ── Along axes ──────────────────────────────────────────────────────────────


def _axes(m: Maker) -> tuple[int, ...]:
    axis = m.node.attributes.get("axis", -1)
    if m.node.op.name == "sum_squares":
        return tuple(range(-m.node.operands[0].type.rank, 0))
    return axis if isinstance(axis, tuple) else (axis,)


def _reduced(row: Row) -> Expansion:
    """A number for what lies along the axes."""

    def expand(m: Maker, operands: list[Entries]) -> Entries:
        (x,), axes = operands, _axes(m)
        ends = np.moveaxis(x, axes, range(-len(axes), 0)) if axes else x
        kept = ends.shape[: x.ndim - len(axes)]
        rows = ends.reshape(int(np.prod(kept)), -1)
        return collected([row(m, list(r)) for r in rows], lengths(m.node))

    return expand


def _along(rows: Rows) -> Expansion:
    """As many numbers as lie along the axes; operands come one after the other."""

    def expand(m: Maker, operands: list[Entries]) -> Entries:
        axes, shape = _axes(m), lengths(m.node)
        places = np.moveaxis(np.arange(int(np.prod(shape))).reshape(shape), axes,
                             range(-len(axes), 0))  # fmt: skip
        length = int(np.prod([shape[axis] for axis in axes]))
        columns = [x.ravel() for x in np.broadcast_arrays(*operands)]
        result = np.empty(places.size, object)
        for line in places.reshape(-1, length):
            given = [entry for column in columns for entry in column[line]]
            result[line] = rows(m, given)
        return result.reshape(shape)

    return expand


def _mean(m: Maker, x: list[Node]) -> Node:
    return m("divide", m.total(x), m.number(float(len(x))))


def _sum_of_squares(m: Maker, x: list[Node]) -> Node:
    return m.total([m("square", entry) for entry in x])


def _norm(m: Maker, x: list[Node]) -> Node:
    return m("sqrt", _sum_of_squares(m, x))


def _logsumexp(m: Maker, x: list[Node]) -> Node:
    shift, terms = _shifted(m, x)
    return m("add", m("log", m.total(terms)), shift)


def _shifted(m: Maker, x: list[Node]) -> tuple[Node, list[Node]]:
    """The largest entry, if it is finite, and the exponentials of all entries less that."""
    peak = m.chain("maximum", x, -np.inf)
    shift = m("where", m("isfinite", peak), peak, m.number(0.0))
    return shift, [m("exp", m("subtract", entry, shift)) for entry in x]


def _softmax(m: Maker, x: list[Node]) -> list[Node]:
    _, terms = _shifted(m, x)
    total = m.total(terms)
    divisor = m("where", m("equal", total, m.number(0.0)), m.number(1.0), total)
    return [m("divide", term, divisor) for term in terms]


def _log_softmax(m: Maker, x: list[Node]) -> list[Node]:
    total = _logsumexp(m, x)
    shift = m("where", m("isfinite", total), total, m.number(0.0))
    return [m("subtract", entry, shift) for entry in x]


def _var(m: Maker, x: list[Node]) -> Node:
    mean = _mean(m, x)
    squares = _sum_of_squares(m, [m("subtract", entry, mean) for entry in x])
    return m("divide", squares, m.number(float(max(len(x) - m.node.attributes["correction"], 0))))


def _std(m: Maker, x: list[Node]) -> Node:
    return m("sqrt", _var(m, x))


def _varies(m: Maker, x: list[Node]) -> Node:
    if len(x) == 1:
        return m("isnan", x[0])  # NumPy's comparison of it with itself.
    low, high = (reduce(lambda a, b: m(op, a, b), x) for op in ("minimum", "maximum"))
    return m("logical_not", m("greater_equal", low, high))


def _running(op: str) -> Rows:
    """Sums or products up to each entry, from the end for a step of -1."""

    def rows(m: Maker, x: list[Node]) -> list[Node]:
        step = m.node.attributes.get("step", 1)
        found: list[Node] = []
        for entry in x[::step]:
            found.append(m(op, found[-1], entry) if found else m.of_kind(entry))
        return found[::step]

    return rows


def _recurrence(m: Maker, both: list[Node]) -> list[Node]:
    step, half = m.node.attributes["step"], len(both) // 2
    found: list[Node] = []
    for a, b in zip(both[:half][::step], both[half:][::step], strict=True):
        found.append(m("add", m("multiply", a, found[-1]), b) if found else m.of_kind(b))
    return found[::step]


def _prod_others(m: Maker, x: list[Node]) -> list[Node]:
    return [m.chain("multiply", [*x[:i], *x[i + 1 :]], 1) for i in range(len(x))]


# ── Products ────────────────────────────────────────────────────────────────


def _dot(m: Maker, a: Entries, b: Entries) -> Node:
    pairs = zip(a.ravel(), b.ravel(), strict=True)
    return m.total([m("multiply", left, right) for left, right in pairs])


def _product(left: tuple[int, ...], right: tuple[int, ...]) -> Expansion:
    """Sums of products along the last axis, once axes are inserted where the other operand has
    rows or columns."""

    def expand(m: Maker, operands: list[Entries]) -> Entries:
        a, b = operands
        if m.node.op.name == "matmul":
            b = np.swapaxes(b, -1, -2)
        a, b = np.broadcast_arrays(np.expand_dims(a, left), np.expand_dims(b, right))
        length = a.shape[-1]
        rows = zip(a.reshape(-1, length), b.reshape(-1, length), strict=True)
        return collected([_dot(m, *pair) for pair in rows], lengths(m.node))

    return expand


def _contract(m: Maker, operands: list[Entries]) -> Entries:
    a, b = operands
    left, right, out = (m.node.attributes[k] for k in ("left", "right", "out"))
    summed = [c for c in dict.fromkeys(left + right) if c not in out]
    order = [*out, *summed]
    a, b = np.broadcast_arrays(_lettered(a, left, order), _lettered(b, right, order))
    size = int(np.prod(a.shape[len(out) :]))
    rows = zip(a.reshape(-1, size), b.reshape(-1, size), strict=True)
    return collected([_dot(m, *pair) for pair in rows], lengths(m.node))


def _lettered(x: Entries, letters: str, order: Sequence[str]) -> Entries:
    """The axes in an order of letters, of size 1 for those that the array lacks."""
    turned = np.transpose(x, [letters.index(c) for c in order if c in letters])
    return np.expand_dims(turned, tuple(i for i, c in enumerate(order) if c not in letters))


def _cross(m: Maker, operands: list[Entries]) -> Entries:
    a, b = np.broadcast_arrays(*operands)
    result = np.empty(a.shape, object)
    for place in np.ndindex(a.shape):
        *rest, k = place
        i, j = (*rest, (k + 1) % 3), (*rest, (k + 2) % 3)
        result[place] = m("subtract", m("multiply", a[i], b[j]), m("multiply", a[j], b[i]))
    return result


def _outer(m: Maker, operands: list[Entries]) -> Entries:
    a, b = np.broadcast_arrays(operands[0][..., None], operands[1][..., None, :])
    pairs = zip(a.ravel(), b.ravel(), strict=True)
    return collected([m("multiply", left, right) for left, right in pairs], lengths(m.node))


TABLE: dict[str, Expansion] = {
    **MOVES,
    "sum": _reduced(lambda m, x: m.total(x)),
    "prod": _reduced(lambda m, x: m.chain("multiply", x, 1)),
    "mean": _reduced(_mean),
    "max": _reduced(lambda m, x: m.chain("maximum", x, -np.inf)),
    "peak": _reduced(lambda m, x: m.chain("maximum", x, -np.inf)),
    "min": _reduced(lambda m, x: m.chain("minimum", x, np.inf)),
    "any": _reduced(lambda m, x: m.chain("logical_or", x, False)),
    "all": _reduced(lambda m, x: m.chain("logical_and", x, True)),
    "norm": _reduced(_norm),
    "sum_squares": _reduced(_sum_of_squares),
    "logsumexp": _reduced(_logsumexp),
    "var": _reduced(_var),
    "std": _reduced(_std),
    "varies": _reduced(_varies),
    "softmax": _along(_softmax),
    "log_softmax": _along(_log_softmax),
    "cumsum": _along(_running("add")),
    "running_sum": _along(_running("add")),
    "cumprod": _along(_running("multiply")),
    "recurrence": _along(_recurrence),
    "prod_others": _along(_prod_others),
    "matmul": _product((-2,), (-3,)),
    "matvec": _product((), (-2,)),
    "vecdot": _product((), ()),
    "vecouter": _outer,
    "contract": _contract,
    "cross": _cross,
}


def expanded(node: Node, operands: list[Entries]) -> Entries:
    """The entries of a node, given those of its operands, which may be numbers or, where the node
    is one of many alike, arrays of numbers. Raises ``Stays``."""
    maker = Maker(node)
    if not node.operands:
        return made(maker)
    if node.op.family in ("elementwise", "pointwise"):
        return by_entry(maker, operands)
    if node.op.name not in TABLE:
        raise Stays
    return TABLE[node.op.name](maker, operands)
