"""Written numbers in generated code, as a person would write them."""

from __future__ import annotations

import numpy as np
import pytest

from .helpers import module, source_text


@pytest.mark.parametrize(("value", "written"), [
    ("log(2 * pi) * x", "math.log(2 * math.pi)"),
    ("sin(x * (pi / 2))", "x * (math.pi / 2)"),
    ("x - 2 * pi", "x - 2 * math.pi"),
    ("x^(4 * pi)", "4 * math.pi"),
    ("tanh(x) * -pi", "tanh_x * (-math.pi)"),
    ("3 * (2 * tanh(x))", "6 * tanh_x"),
    ("detach(tanh(x)) * 3 * (2 * detach(arctan(x))) * x", "6 * (math.tanh(x) * math.atan(x))"),
    ("0.3 * (2 * tanh(x))", "0.3 * (2 * tanh_x)"),
])  # fmt: skip
def test_numbers(value: str, written: str) -> None:
    assert written in source_text(f"input x: float\noutput f = {value}\n")


def test_arrays_use_the_module_of_their_functions() -> None:
    text = source_text("input x: float[N]\noutput f = sum(sin(x / (2 * pi))) + N * log(2 * pi)\n")
    assert "x / (2 * np.pi)" in text and "N * math.log(2 * math.pi)" in text


def test_numbers_stay_with_what_is_used_elsewhere_and_with_smaller_arrays() -> None:
    shared = source_text("input x: float\nnode d = 2 * tanh(x)\noutput f = 3 * d + d^2\n")
    assert "d = 2 * tanh_x" in shared
    outer = "input x: float[N]\ninput y: float[M]\noutput f[i, j] = (3 * x[i]) * (2 * y[j])\n"
    assert "6 *" not in source_text(outer)
    x, y = np.arange(3.0), np.arange(2.0)
    assert np.array_equal(module(outer).forward(x, y)[0], 6 * np.outer(x, y))
