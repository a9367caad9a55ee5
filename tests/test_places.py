"""Parts put among zeros and added are joined instead: the same values, in one array."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
import pytest
from gradc.compiler.interpret import Interpreter
from gradc.compiler.passes.places import joined
from gradc.dsl.graph import Graph, Node, make
from gradc.dsl.sizes import Size
from gradc.dsl.source import Source, Span
from gradc.dsl.subscripts import Cut, index_shape
from hypothesis import given
from hypothesis import strategies as st

from .helpers import checked, module, source_text, type_of
from .test_random_graphs import quick

SIZES = {"n": 4}
SPAN = Span(Source("", "places"), 0, 0)
WHOLES = ["float[6]", "float[n, 6]", "float[6, n]", "float[2, 6, n]", "float[n]"]


def _item(draw: Any, length: Size) -> Size | Cut:
    if draw(st.integers(0, 3)) == 0:
        return Cut()
    known = length.constant
    if known is None:
        end = Size.of(draw(st.integers(0, 3)))
        return draw(st.sampled_from([end, length - 1, Cut(end, None), Cut(None, end)]))
    if draw(st.booleans()):
        return Size.of(draw(st.integers(-known, known - 1)))
    low, high = sorted(draw(st.tuples(st.integers(0, known), st.integers(0, known))))
    return Cut(Size.of(low), Size.of(high), draw(st.sampled_from([1, 1, 1, 2])))


@st.composite
def sums(draw: Any) -> tuple[Graph, dict[str, Any]]:
    """A sum of parts of one array, most of them put among zeros."""
    whole = type_of(draw(st.sampled_from(WHOLES)))
    values: dict[str, Any] = {}
    terms: list[Node] = []
    for _ in range(draw(st.integers(2, 6))):
        index = tuple(_item(draw, size) for size in whole.shape[: draw(st.integers(1, 3))])
        placed = bool(draw(st.integers(0, 5)))
        type_ = whole.with_shape(index_shape(whole.shape, index)) if placed else whole
        name = f"x{len(values)}"
        x = make("input", (), SPAN, {"name": name, "type": type_})
        shape = [size.evaluate(SIZES) for size in type_.shape]
        values[name] = np.random.default_rng(len(values)).normal(size=shape)
        place = {"shape": whole.shape, "index": index}
        terms.append(make("place", [x], SPAN, place) if placed else x)
    if draw(st.booleans()):
        terms.append(terms[0])
    total = reduce(lambda a, b: make("add", [a, b], SPAN), draw(st.permutations(terms)))
    interface = checked("input x: float output y = x").interface
    return Graph(interface, {}, {"y": total}), values


@quick
@given(sums())
def test_the_pass_keeps_values(given: tuple[Graph, dict[str, Any]]) -> None:
    graph, values = given
    (wanted,) = Interpreter(values, SIZES).run([graph.outputs["y"]])
    (found,) = Interpreter(values, SIZES).run([joined(graph).outputs["y"]])
    np.testing.assert_allclose(found, wanted, rtol=1e-14, atol=1e-14)
    assert found.shape == wanted.shape


PARTS: dict[str, tuple[str, str]] = {
    "entries": ("x: float[n, 3]", "x[:, 0] * x[:, 1] * sin(x[:, 2])"),
    "rows": ("x: float[4, n]", "x[3] * sin(x[1])"),
    "slices": ("x: float[n, 5]", "sum(x[:, 0:2], axis=-1) * x[:, 3] * sum(sin(x[:, 3:5]), axis=-1)"),
    "numbers": ("x: float[4]", "x[0] * sin(x[2])"),
    "an unknown length": ("x: float[n]", "sum(x[0:2]) * sum(sin(x[2:]))"),
}  # fmt: skip


@pytest.mark.parametrize(("declared", "body"), PARTS.values(), ids=PARTS)
def test_parts_are_joined(declared: str, body: str) -> None:
    text = f"input {declared} output f = sum({body})"
    joins = [call for call in ("concatenate", "stack", "np.array(") if call in source_text(text)]
    assert joins
    x = np.random.default_rng(3).normal(size=[4 if s == "n" else int(s) for s in
                                              declared.partition("[")[2][:-1].split(", ")])  # fmt: skip
    own = module(text)
    _, (found,) = own.value_and_grad(x)
    for place in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[place] = 1e-6
        slope = (own.forward(x + step)[0] - own.forward(x - step)[0]) / 2e-6
        np.testing.assert_allclose(found[place], slope, rtol=1e-7, atol=1e-8)


def test_parts_that_overlap_are_added() -> None:
    text = "input x: float[n, 3] output f = sum(x[:, 0:2] * sin(x[:, 1:3]))"
    assert "concatenate" not in source_text(text)
