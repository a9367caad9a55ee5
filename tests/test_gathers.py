"""Numbers that are repeated are not gathered, and rows that repeat them are added once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gradc.compiler.passes import gathers
from gradc.compiler.passes.rewrite import rewrite
from gradc.dsl.graph import Graph, Node, make
from gradc.dsl.sizes import Size
from gradc.dsl.source import Source, Span

from .helpers import checked, interpret, module, source_text, type_of

SPAN = Span(Source("", "gathers"), 0, 0)
SIZES = {"n": 5, "m": 3}
NAMES = {"n": Size.of("n"), "m": Size.of("m"), "2": Size.of(2), "4": Size.of(4)}
# What is repeated, the shape it is repeated to, and along which axis it is added.
SCATTERS = [
    ("float", ["n", "4"], -2),
    ("float[n, 1]", ["n", "4"], -2),
    ("float[4]", ["n", "4"], -2),
    ("float[m, 1, 2]", ["m", "n", "2"], -2),
    ("float[n, 1, 2]", ["n", "4", "2"], -3),
    ("float[m, n]", ["2", "m", "n"], -1),
]


def _input(name: str, type_: str) -> Node:
    return make("input", (), SPAN, {"name": name, "type": type_of(type_)})


def _rewritten(node: Node) -> Node:
    interface = checked("input x: float output y = x").interface
    return rewrite(Graph(interface, {}, {"y": node}), gathers.step).outputs["y"]


@pytest.mark.parametrize(("inner", "shape", "axis"), SCATTERS)
def test_rows_added_keep_their_values(inner: str, shape: list[str], axis: int) -> None:
    x, places = _input("x", inner), _input("k", "int[n]")
    wide = make("broadcast_to", [x], SPAN, {"shape": tuple(NAMES[s] for s in shape)})
    node = make("scatter", [wide, places], SPAN, {"count": Size.of(4), "axis": axis})
    values: dict[str, Any] = {
        "x": np.random.default_rng(0).normal(size=[s.evaluate(SIZES) for s in x.type.shape]),
        "k": np.array([3, 0, 3, 1, 3]),
    }
    wanted, found = (interpret(n, values, SIZES) for n in (node, _rewritten(node)))
    np.testing.assert_allclose(found, wanted, rtol=1e-14)


def test_indices_that_may_be_out_of_range_still_fail() -> None:
    wide = make("broadcast_to", [_input("x", "float")], SPAN, {"shape": (NAMES["m"], NAMES["2"])})
    node = make("take", [wide, _input("k", "int[n]")], SPAN, {"axis": -2})
    assert _rewritten(node) is node
    scores = _input("s", "float[n, m]")
    nearest = make("argmin", [scores], SPAN, {"axis": -1, "keepdims": False})
    node = make("take", [wide, nearest], SPAN, {"axis": -2})
    assert _rewritten(node).op.name == "broadcast_to"


def test_a_curvature_counts() -> None:
    text = """
    input c: float[m, 4]
    data x: float[n, 4]
    node k[i] = argmin(sum((x[i] - c)^2, axis=-1))
    node near = sum[i](sum((x[i] - c[k[i]])^2))
    output total = sum(grad(sum(grad(near, c)), c))
    """
    random = np.random.default_rng(1)
    found, _ = module(text).forward(random.normal(size=(3, 4)), random.normal(size=(5, 4)))
    assert found == pytest.approx(2 * 4 * 5)
    assert "take(" not in source_text(text)


def test_extended_precision_is_kept() -> None:
    own = module("input x: float[n] data k: int[m] output f = sum(sin(take(x, k)))")
    x = np.array([0.1, 0.5, 0.3], np.longdouble)
    _, found = own.value_and_grad(x, [0, 1, 1])
    assert found.x.dtype == np.longdouble
    np.testing.assert_allclose(found.x, np.array([1, 2, 0]) * np.cos(x), rtol=1e-15)
