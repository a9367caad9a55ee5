"""``grad`` inside specifications, against formulas written out."""

from __future__ import annotations

import numpy as np
import pytest
from gradc.compiler import driver
from gradc.compiler.testing import run_tests
from gradc.dsl.errors import SpecError
from gradc.dsl.source import Source

from .helpers import checked, module


def value(text: str, *arguments: object) -> object:
    return module(text).forward(*arguments)[0]


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_first_derivative(mode: str) -> None:
    text = f'input x: float\nnode y = sin(x)^2\noutput g = grad(y, x, mode="{mode}")\n'
    assert value(text, 0.7) == pytest.approx(np.sin(1.4), rel=1e-14)


@pytest.mark.parametrize("outer", ["reverse", "forward"])
@pytest.mark.parametrize("inner", ["reverse", "forward"])
def test_all_four_modes_of_a_second_derivative(inner: str, outer: str) -> None:
    text = (
        "input x: float[2]\nnode y = sum(exp(x) * x[0])\n"
        f'node g = grad(y, x, mode="{inner}")\nnode s = sum(g * g)\n'
        f'output h = grad(s, x, mode="{outer}")\n'
    )
    a, b = 0.3, -0.5
    ea, eb = np.exp(a), np.exp(b)
    g = np.array([ea * (a + 1) + eb, a * eb])
    jacobian = np.array([[ea * (a + 2), eb], [eb, a * eb]])
    np.testing.assert_allclose(value(text, [a, b]), 2 * jacobian.T @ g, rtol=1e-13)


def test_any_order() -> None:
    text = "input x: float\nnode y = x^5\noutput f = grad(grad(grad(grad(y, x), x), x), x)\n"
    assert value(text, 1.5) == pytest.approx(120 * 1.5)
    assert module(text).value_and_grad(1.5)[1].x == pytest.approx(120)


def test_gradients_of_it_and_products_with_its_hessian() -> None:
    text = "input x: float[n]\nnode y = sum(x^4)\nnode g = grad(y, x)\noutput f = norm(g)^2\n"
    x = np.array([0.5, -1.2, 2.0])
    np.testing.assert_allclose(module(text).value_and_grad(x)[1].x, 96 * x**5, rtol=1e-13)


def test_only_paths_from_the_name_count() -> None:
    text = "input x: float\nnode a = x^2\nnode y = a * x\noutput f = grad(y, a)\n"
    assert value(text, 3.0) == 3.0


def test_inside_a_function() -> None:
    text = (
        "def slope(t) { node y = t^3 return grad(y, t) }\ninput x: float\noutput f = slope(2 * x)\n"
    )
    assert value(text, 1.5) == pytest.approx(27.0)


def test_forces_from_a_potential() -> None:
    text = (
        "input p: float[2]\ninput q: float[2]\nnode potential = 1 / norm(p - q)\n"
        "output force = -grad(potential, p)\n"
    )
    p, q = np.array([1.0, 2.0]), np.array([-0.5, 0.3])
    wanted = (p - q) / np.linalg.norm(p - q) ** 3
    np.testing.assert_allclose(value(text, p, q), wanted, rtol=1e-13)


def test_no_dependence_is_zero_with_a_warning() -> None:
    text = "input x, z: float\nnode y = x^2\noutput f = grad(y, z) + x * z\n"
    warnings = driver.checked(Source(text)).warnings
    assert [w.code for w in warnings] == ["G507"]
    assert value(text, 2.0, 3.0) == 6.0


def test_forward_mode_of_an_open_size_is_refused() -> None:
    text = 'input x: float[N]\nnode y = sum(x)\noutput f = grad(y, x, mode="forward")\n'
    with pytest.raises(SpecError, match="G406"):
        module(text)
    assert module(text.replace("N", "3")).forward([1.0, 2.0, 3.0])[0].tolist() == [1.0, 1.0, 1.0]


def test_a_gradient_that_no_output_needs_can_be_expected() -> None:
    program = checked("""
    input x: float
    node g = grad(x^3, x)
    output f = x
    example one { given x = 2.0  expect g = 12 }
    """)
    assert all(result.passed for result in run_tests(program, "here"))
