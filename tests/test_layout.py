"""Rows of a few columns kept column by column: the same values, in another order of memory."""

from __future__ import annotations

import numpy as np
import pytest
from gradc.compiler import driver
from gradc.compiler.compilation import Options
from gradc.compiler.passes import layout, optimise
from gradc.dsl.kernels.arrays import _cross
from hypothesis import given

from .helpers import checked, module
from .test_random_graphs import Spec, assert_same, differentiated, quick, results, specs

POINTS = """
input table: float[n, 3]
input w: float[m]
data which: int[m] in 0..n
node p[i] = table[which[i]]
node q[i] = w[i] * p[i] + cross(p[i], sin(p[i])) / norm(p[i])
output f = sum[i](w[i] * dot(q[i], cross(q[i], p[i] / w[i])) + q[i, 0] * p[i, 2])
"""


@quick
@given(specs())
def test_the_pass_keeps_values(spec: Spec) -> None:
    graph, inputs = differentiated(spec)
    graph = optimise(graph)
    assert_same(results(layout.by_column(graph), inputs), results(graph, inputs), 1e-12)


def test_gathered_rows_are_kept_by_column() -> None:
    random = np.random.default_rng(2)
    given = random.normal(size=(5, 3)), random.normal(size=40), random.integers(0, 5, 40)
    plain, fast = module(POINTS), module(POINTS, Options(level=2))
    assert "np.asfortranarray(np.take(" in driver.python(
        driver.compiled(checked(POINTS), Options(level=2))
    )
    value, slopes = plain.value_and_grad(*given)
    other, found = fast.value_and_grad(*given)
    np.testing.assert_allclose(other, value, rtol=1e-12)
    for one, two in zip(found, slopes, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("declared", ["float[n, k]", "float[n, 40]"])
def test_long_rows_stay(declared: str) -> None:
    text = POINTS.replace("float[n, 3]", declared).replace("cross(p[i], sin(p[i]))", "sin(p[i])")
    text = text.replace("cross(q[i], p[i] / w[i])", "p[i] / w[i]").replace("q[i, 0] * p[i, 2]", "0")
    assert "asfortran" not in driver.python(driver.compiled(checked(text), Options(level=2)))


@pytest.mark.parametrize(
    "shapes", [((3,), (3,)), ((7, 3), (3,)), ((4, 5, 3), (5, 3)), ((0, 3), (0, 3))]
)
def test_the_kernel_of_cross(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    random = np.random.default_rng(4)
    a, b = (random.normal(size=shape) for shape in shapes)
    np.testing.assert_array_equal(_cross(a, b), np.cross(a, b))
    np.testing.assert_array_equal(_cross(np.asfortranarray(a), b), np.cross(a, b))
