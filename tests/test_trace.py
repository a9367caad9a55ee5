"""``gradc trace``: where a value or gradient that is not finite comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from gradc.compiler.cli import gradc
from gradc.compiler.given import Inputs
from gradc.compiler.trace import Trace, trace

from .helpers import checked, sizes_of


def traced(text: str, **values: Any) -> Trace:
    program = checked(text)
    arrays = {name: np.asarray(value) for name, value in values.items()}
    return trace(program, Inputs(arrays, sizes_of(program.interface.inputs, arrays)))


@pytest.mark.parametrize(
    ("expression", "t", "words"),
    [
        ("log(t)", -1.0, "`log` of -1"),
        ("log(t)", 0.0, "`log` of 0"),
        ("sqrt(t)", -2.0, "`sqrt` of -2"),
        ("exp(t)", 1000.0, "`exp` overflows at 1000"),
        ("t / (t - t)", 0.0, "0 / 0"),
        ("t / (t - t)", 3.0, "3 / 0"),
        ("exp(t) - exp(t + 1)", 1000.0, "inf - inf"),
        ("exp(t) * (t - t)", 1000.0, "inf * 0"),
        ("t^100 * 1.0", 1e10, "`power`"),
        ("arcsin(t)", 2.0, "`arcsin` of 2"),
        ("sum([t, t])", 1e308, "`sum` overflows"),
        ("t * t", 1e200, "`multiply` overflows at 1e+200"),
    ],
)
def test_causes(expression: str, t: float, words: str) -> None:
    found = traced(f"input t: float\nnode v = {expression}\noutput f = 2 * v + 1\n", t=t)
    assert found.what.startswith("f is ")
    assert words in found.origins[0].message


def test_the_infinity_behind_a_nan() -> None:
    found = traced("input a, b: float\nnode p = exp(a)\noutput f = p - exp(b)\n", a=1e3, b=1e3)
    assert [o.span.line for o in found.origins] == [3, 2]
    assert "overflows at 1000" in found.origins[1].message


def test_the_entry_of_a_matrix() -> None:
    matrix = np.ones((3, 4))
    matrix[2, 1] = -1.0
    found = traced("input A: float[3, 4]\nnode L = log(A)\noutput f = sum(L @ ones(4))\n", A=matrix)
    (origin,) = found.origins
    assert origin.message == "L[2, 1] is nan: `log` of -1"
    assert (origin.span.line, origin.place.text) == (2, "A = -1")


def test_an_operand_that_was_broadcast() -> None:
    text = "input A: float[2, 3]\ninput b: float[3]\noutput f = sum(A / b)\n"
    found = traced(text, A=np.ones((2, 3)), b=np.array([1.0, 0.0, 2.0]))
    assert found.origins[0].message == "this[0, 1] is inf: 1 / 0"


def test_a_gradient_alone() -> None:
    found = traced("input x: float[3]\noutput f = sum(sqrt(x))\n", x=[4.0, 0.0, 1.0])
    assert found.what == "the gradient of x[1] is inf"
    (origin,) = found.origins
    assert "`sqrt` has an infinite slope at x[1] = 0" in origin.message
    assert origin.place.text == "dx = d(sqrt(x)) / (2 * sqrt(x))"


def test_zero_times_infinity_in_a_gradient() -> None:
    found = traced("input x, y: float\nnode s = sqrt(x)\noutput f = log(s) * y\n", x=0.0, y=0.0)
    assert found.what == "f is nan"
    assert "-inf * 0" in found.origins[0].message
    assert "`log` of 0" in found.origins[1].message


def test_an_input_that_is_not_finite() -> None:
    found = traced("input x: float[2]\noutput f = sum(sin(x))\n", x=[1.0, np.nan])
    assert found.origins[0].message == "x[1] is nan as it is given"


def test_a_branch_that_is_not_taken_is_not_blamed() -> None:
    text = "input x: float[2]\nnode u = log(x)\noutput f = sum(if x > 0 then u else x)\n"
    assert traced(text, x=[1.0, -1.0]).origins == ()
    bad = text.replace("else x", "else sqrt(x)")
    assert traced(bad, x=[0.5, -1.0]).origins[0].message == "this[1] is nan: `sqrt` of -1"


def test_all_finite() -> None:
    found = traced("input x: float[2]\noutput f = sum(x^2)\n", x=[1.0, -30.0])
    assert found.origins == ()
    assert found.largest == "901 in f"


def test_without_an_objective() -> None:
    found = traced("input x: float[2]\noutput y = sqrt(x)\n", x=[1.0, 0.0])
    assert found.what == "the gradient of x[1] is inf"


# ── The command ─────────────────────────────────────────────────────────────


def spec(folder: Path) -> Path:
    path = folder / "model.grad"
    path.write_text("input x: float[2]  # gradc: allow G501\noutput f = sum(log(x))\n"
                    "example good { given x = [1, 2] }\nexample bad { given x = [1, 0] }\n")  # fmt: skip
    return path


def invoke(*words: str) -> Any:
    return CliRunner().invoke(gradc, ["trace", *words])


def test_command_on_data(tmp_path: Path) -> None:
    path = spec(tmp_path)
    np.savez(tmp_path / "x.npz", x=np.array([2.0, -1.0]))
    result = invoke(str(path), "--data", str(tmp_path / "x.npz"))
    assert result.exit_code != 0
    assert "`log` of -1" in result.output


@pytest.mark.parametrize(("lengths", "words"), [
    ({"x": 3, "y": 1}, "x: expected shape (2,), got (3,)"),
    ({"x": 3}, "x: 2*N cannot be 3"),
])  # fmt: skip
def test_command_on_data_of_wrong_shapes(
    tmp_path: Path, lengths: dict[str, int], words: str
) -> None:
    path = tmp_path / "model.grad"
    path.write_text("input x: float[2*N]\ninput y: float[N]\noutput f = sum(x) + sum(y)\n")
    np.savez(tmp_path / "x.npz", **{name: np.ones(n) for name, n in lengths.items()})
    result = invoke(str(path), "--data", str(tmp_path / "x.npz"))
    assert result.exit_code != 0 and words in result.output


def test_command_on_examples(tmp_path: Path) -> None:
    path = spec(tmp_path)
    assert "all values and gradients are finite" in invoke(str(path), "--example", "good").output
    assert "`log` of 0" in invoke(str(path), "--example", "bad").output


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04"])
def test_command_on_data_that_cannot_be_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.npz").write_bytes(content)
    result = invoke(str(spec(tmp_path)), "--data", str(tmp_path / "x.npz"))
    assert result.exit_code != 0
    assert "Traceback" not in result.output
