"""Guards made light say the same, and what they let through is never touched by what they do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gradc.compiler.compilation import Options
from gradc.compiler.guards import Guards
from gradc.dsl.graph import Node, make
from gradc.dsl.sizes import Size
from gradc.dsl.source import Source, Span
from hypothesis import given
from hypothesis import strategies as st

from .helpers import interpret, module, source_text, type_of
from .test_random_graphs import quick

SIZES = {"n": 3, "m": 2}
SPAN = Span(Source("", "guards"), 0, 0)
SHAPES = [
    "bool[n]",
    "bool[n, n]",
    "bool[1, m]",
    "bool[n, 1]",
    "bool[1, 1]",
    "bool[1, n, 1]",
    "bool",
]
TRIANGLES = ["less_equal", "less", "greater_equal", "equal", "not_equal"]


def _condition(draw: Any, values: dict[str, Any]) -> Node:
    """A mask that is given, or one that compares places."""
    if draw(st.integers(0, 3)):
        name, type_ = f"c{len(values)}", type_of(draw(st.sampled_from(SHAPES)))
        shape = tuple(size.evaluate(SIZES) for size in type_.shape)
        bits = draw(st.lists(st.booleans(), min_size=9, max_size=9))
        values[name] = np.array(bits[: int(np.prod(shape))]).reshape(shape)
        return make("input", (), SPAN, {"name": name, "type": type_})
    bounds = {"bounds": (Size.of("n"),)}
    rows, columns = make("arange", (), SPAN, bounds), make("arange", (), SPAN, bounds)
    column = make("expand_dims", [columns], SPAN, {"axis": (-1,)})
    return make(draw(st.sampled_from(TRIANGLES)), draw(st.permutations([rows, column])), SPAN)


def _grown(draw: Any, node: Node) -> Node:
    """One operation more."""
    rank = node.type.rank
    axes = tuple(range(-rank, 0))
    choice = draw(st.sampled_from(["any", "not", "wider", "inside", "transpose", "narrow"]))
    if choice == "any" and rank:
        some = tuple(a for a in axes if draw(st.booleans()))
        return make("any", [node], SPAN, {"axis": some or axes, "keepdims": draw(st.booleans())})
    if choice == "not":
        return make("logical_not", [node], SPAN)
    if choice == "wider" and rank < 4:
        own = tuple(Size.of("m") if size == Size.of(1) else size for size in node.type.shape)
        return make("broadcast_to", [node], SPAN, {"shape": (Size.of("n"), *own)})
    if choice == "inside" and rank < 4:
        return make("expand_dims", [node], SPAN, {"axis": (draw(st.integers(-rank - 1, -1)),)})
    if choice == "transpose" and rank:
        return make("transpose", [node], SPAN, {"axes": tuple(draw(st.permutations(axes)))})
    ones = tuple(a for a in axes if node.type.shape[a] == Size.of(1))
    return make("squeeze", [node], SPAN, {"axis": ones}) if ones else node


@st.composite
def guards(draw: Any) -> tuple[Node, dict[str, Any]]:
    values: dict[str, Any] = {}
    node = _condition(draw, values)
    for _ in range(draw(st.integers(1, 7))):
        node = _grown(draw, node)
        if not draw(st.integers(0, 3)):
            other = _condition(draw, values)
            own = [s for s in (node.type.shape, other.type.shape) if s]
            if len(set(own)) < 2:
                both = draw(st.permutations([node, other]))
                node = make(draw(st.sampled_from(["logical_and", "logical_or"])), both, SPAN)
    return node, values


@quick
@given(guards())
def test_a_lighter_guard_says_the_same(guard: tuple[Node, dict[str, Any]]) -> None:
    node, values = guard
    wanted = np.asarray(interpret(node, values, SIZES))
    lighter = Guards().lightened(node)
    found = True if lighter is None else interpret(lighter, values, SIZES)
    np.testing.assert_array_equal(np.broadcast_to(found, wanted.shape), wanted)


def test_guards_that_say_the_same_are_one() -> None:
    mask = make("input", (), SPAN, {"name": "c", "type": type_of("bool[n]")})
    guards = Guards()

    def row(size: str) -> Node:
        inner = make("expand_dims", [mask], SPAN, {"axis": (-1,)})
        wide = make("broadcast_to", [inner], SPAN, {"shape": (Size.of("n"), Size.of(size))})
        return make("any", [wide], SPAN, {"axis": (-1,), "keepdims": True})

    assert guards.lightened(row("m")) is guards.lightened(row("n"))


# Rows of x that a condition leaves out hold what would spoil sums: infinities, quotients by 0.
MIXING = {
    "cross": "node y[i] = if c[i] > 0 then cross(x[i] / c[i], w) else w",
    "dot": "node y[i] = if c[i] > 0 then dot(x[i] / c[i], w) * w else x[i]",
    "matrix": "node y[i] = if c[i] > 0 then (x @ M)[i] / c[i] else x[i]",
    "by row": "node y[i] = if c[i] > 0 then M @ (x[i] / c[i]) else M @ x[i]",
    "softmax": "node y[i] = if c[i] > 0 then softmax(x[i] / c[i]) * w else 0 * w",
    "norm": "node y[i] = if c[i] > 0 then x[i] / norm(x[i] / c[i]) else w",
    "sorted": "node y[i] = if c[i] > 0 then sort(x[i] / c[i]) * w else w",
    "running": "node y[i] = if c[i] > 0 then cumsum(x[i] / c[i]) * w else w",
    "two branches": "node z[i] = x[i] / c[i] node y[i] = if c[i] > 0 then cross(z[i], w) + z[i] "
    "* dot(z[i], w) else cross(x[i], w)",
}


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("nodes", MIXING.values(), ids=MIXING)
def test_what_does_not_count_stays_away(nodes: str, level: int) -> None:
    """The gradient is that of each row's branch alone."""
    text = f"input x: float[n, 3] input w: float[3] input M: float[3, 3] data c: float[n] {nodes} "
    own = module(text + "output f = sum(y * y)", Options(level=level))
    random = np.random.default_rng(5)
    x, w, M = random.normal(size=(4, 3)), random.normal(size=3), random.normal(size=(3, 3))
    c = np.array([1.5, 0.0, 0.7, 0.0])
    with np.errstate(all="ignore"):
        _, found = own.value_and_grad(x, w, M, c)
    for name, value in (("x", x), ("w", w), ("M", M)):
        slopes = np.empty(value.shape)
        for place in np.ndindex(value.shape):
            ends = []
            for step in (1e-6, -1e-6):
                moved = value.copy()
                moved[place] += step
                given = {"x": x, "w": w, "M": M, name: moved}
                with np.errstate(all="ignore"):
                    ends.append(own.forward(given["x"], given["w"], given["M"], c)[0])
            slopes[place] = (ends[0] - ends[1]) / 2e-6
        np.testing.assert_allclose(getattr(found, name), slopes, rtol=1e-6, atol=1e-7)


def test_a_triangle_needs_no_guards() -> None:
    """Each row and each column of it has an entry that counts."""
    text = (
        "input x: float[n, 2] node s[i, j] = if j <= i then dot(x[i], x[j]) else -inf "
        "output f = sum(logsumexp(s, axis=-1))"
    )
    assert "np.any" not in source_text(text)
