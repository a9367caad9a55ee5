"""Cheaper operations for dearer ones, and what several functions of one argument share.

What is cheaper is read from the costs of a machine. Nothing here costs more than a few ulp, but for
what ``fast_math`` allows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial

from ...dsl.graph import Graph, Node, constant, make, topological
from ...dsl.intervals import NON_NEGATIVE, REAL, Interval
from ...dsl.loops import map_loops
from ..machine import AVX512, Machine
from ..ranges import ranges
from .common import key
from .rewrite import rewrite

_MOST = 8  # Higher powers lose more digits by products than NumPy's power does.
_Made = Callable[..., Node]


def strength(graph: Graph, machine: Machine = AVX512, *, fast_math: bool = False) -> Graph:
    """The graph with powers as products and roots, and shared parts of functions made once, where
    that is cheaper on a machine."""
    graph = map_loops(graph, partial(strength, machine=machine, fast_math=fast_math))
    graph = _cheaper(graph, machine)
    while True:  # Functions whose argument changes are met in the next walk.
        made = _shared(graph, machine, fast_math)
        if made is graph:
            return graph
        graph = made


def _cheaper(graph: Graph, machine: Machine) -> Graph:
    known = ranges(graph.nodes)

    def step(node: Node) -> Node | None:
        made = None
        if node.op.name == "power":
            made = _power(node, known)
        elif node.op.name == "divide":
            made = _divided(node)
        return made if made is not None and _pays(machine, [node], [made]) else None

    return rewrite(graph, step, "strength")


def _shared(graph: Graph, machine: Machine, fast_math: bool) -> Graph:
    """The graph with what pairs of functions of one argument have in common made once."""
    functions = {_call(node): node for node in graph.nodes if node.op.name in _SHARING}

    def step(node: Node) -> Node | None:
        name = node.op.name
        if name not in _SHARING or not node.operands[0].type.rank:
            return None
        partner = functions.get((_SHARING[name], *_call(node)[1:]))
        if partner is None or (name in ("sin", "cos") and not fast_math):
            return None
        made, other = (_EXPANSIONS[n.op.name](n) for n in (node, partner))
        return made if _pays(machine, [node, partner], [made, other]) else None

    return rewrite(graph, step, "strength")


def _pays(machine: Machine, old: Sequence[Node], new: Sequence[Node]) -> bool:
    """Whether some nodes cost more than others that compute the same, what those have in common
    computed once."""
    given = [operand for node in old for operand in node.operands]
    first: dict[Node, Node] = {node: node for node in given}
    distinct: dict[Hashable, Node] = {}
    for node in topological(new, given):
        first[node] = distinct.setdefault(key(node, first), node)
    return machine.work(distinct.values()) < machine.work(old)


def _call(node: Node) -> tuple[str, Node, str]:
    return node.op.name, node.operands[0], str(node.attributes.get("axis"))


def _makes(node: Node) -> _Made:
    def made(op: str, *operands: Node | float, **attributes: object) -> Node:
        nodes = [o if isinstance(o, Node) else constant(o, node.span) for o in operands]
        return make(op, nodes, node.span, attributes, cause=node.cause, position=node.position)

    return made


# ── Powers and quotients ────────────────────────────────────────────────────


def _power(node: Node, known: Mapping[Node, Interval]) -> Node | None:
    base, exponent = node.operands
    if not exponent.is_constant() or not node.type.is_float:
        return None
    value = float(exponent.attributes["value"])
    whole = math.floor(abs(value))
    if not 0 < abs(value) <= _MOST or abs(value) - whole not in (0.0, 0.5):
        return None
    made = _makes(node)
    parts = [_whole_power(base, whole, made)] if whole else []
    if abs(value) != whole:
        if not known.get(base, REAL).within(NON_NEGATIVE):
            return None  # The power of -inf is no root.
        parts.append(made("sqrt", base))
    result = parts[0] if len(parts) == 1 else made("multiply", *parts)
    result = made("divide", 1, result) if value < 0 else result
    return result if result.type == node.type and result is not base else None


def _whole_power(base: Node, exponent: int, made: _Made) -> Node:
    """A power by squares and products: ``x^6`` is ``square(x^2 * x)``."""
    if exponent == 1:
        return base
    half = _whole_power(base, exponent // 2, made)
    even = made("square", half)
    return made("multiply", even, base) if exponent % 2 else even


def _divided(node: Node) -> Node | None:
    """A division by a power of two as a multiplication, which is as exact."""
    top, bottom = node.operands
    if not bottom.is_constant() or not top.type.rank or not node.type.is_float:
        return None
    value = float(bottom.attributes["value"])
    if value <= 0 or math.frexp(value)[0] != 0.5 or not 2.0**-500 < value < 2.0**500:
        return None
    return _makes(node)("multiply", top, 1 / value)


# ── Functions that share ────────────────────────────────────────────────────


def _softplus(node: Node) -> Node:
    made, (x,) = _makes(node), node.operands
    return made("add", made("maximum", x, 0.0), made("log1p", _decay(x, made)))


def _sigmoid(node: Node) -> Node:
    made, (x,) = _makes(node), node.operands
    e = _decay(x, made)
    top = made("maximum", e, made("greater_equal", x, 0.0))  # 1 or e: no branch to guess at.
    return made("divide", top, made("add", 1, e))


def _decay(x: Node, made: _Made) -> Node:
    """``exp(-|x|)``, which cannot overflow."""
    return made("exp", made("negative", made("abs", x)))


def _shifted(node: Node) -> tuple[Node, Node, Node]:
    """The peak of ``logsumexp`` and ``softmax``, what is summed, and the sum, which is at least
    ``exp(0)`` unless all entries are ``-inf``."""
    made, (x,) = _makes(node), node.operands
    kept = {"axis": node.attributes["axis"], "keepdims": True}
    peak = made("peak", x, **kept)
    shift = made("where", made("isfinite", peak), peak, 0.0)
    e = made("exp", made("subtract", x, shift))
    return peak, e, made("maximum", made("sum", e, **kept), 1.0)


def _logsumexp(node: Node) -> Node:
    made = _makes(node)
    peak, _, total = _shifted(node)
    result = made("add", made("log", total), peak)
    if node.attributes["keepdims"]:
        return result
    return made("squeeze", result, axis=node.attributes["axis"])


def _softmax(node: Node) -> Node:
    made = _makes(node)
    _, e, total = _shifted(node)
    return made("divide", e, total)


def _sine(node: Node) -> Node:
    made, t, bottom = _half_tangent(node)
    return made("divide", made("multiply", 2, t), bottom)


def _cosine(node: Node) -> Node:
    made, t, bottom = _half_tangent(node)
    return made("divide", made("subtract", 1, made("square", t)), bottom)


def _half_tangent(node: Node) -> tuple[_Made, Node, Node]:
    """``t = tan(x/2)`` and ``1 + t²``: both functions from one that NumPy vectorises."""
    made, (x,) = _makes(node), node.operands
    t = made("tan", made("multiply", 0.5, x))
    return made, t, made("add", 1, made("square", t))


_SHARING = {
    "softplus": "sigmoid", "sigmoid": "softplus", "logsumexp": "softmax", "softmax": "logsumexp",
    "sin": "cos", "cos": "sin",
}  # fmt: skip
_EXPANSIONS: dict[str, Callable[[Node], Node]] = {
    "softplus": _softplus, "sigmoid": _sigmoid, "logsumexp": _logsumexp, "softmax": _softmax,
    "sin": _sine, "cos": _cosine,
}  # fmt: skip
