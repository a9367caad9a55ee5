"""``--checkpoint``: the same gradients in less memory."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from gradc.compiler.compilation import Options

from .helpers import checked, driver, module
from .judged import Case, cases, dot, keywords, same
from .test_scan import GRADIENTS, NESTED, PER_ENTRY, STACKS, STATES

CHECKPOINT = Options(checkpoint=True, emit=("jvp", "hvp"))
LONGER: list[Any] = [
    (name, text, *sizes, *("T=7", "T=10") * ("T=" in " ".join(sizes) and "=" not in " ".join(sizes).replace("T=", "")))
    for name, text, *sizes in [*STATES, *STACKS, *NESTED, *PER_ENTRY, *GRADIENTS]
]  # fmt: skip
CASES = [c for c in cases(LONGER, {}) if "parent" not in c.text and c.differentiated]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_same_values_and_gradients(case: Case) -> None:
    plain, saving = module(case.total, Options(emit=("jvp", "hvp"))), module(case.total, CHECKPOINT)
    wanted, found = case.call(plain.value_and_grad), case.call(saving.value_and_grad)
    same(found[0], wanted[0], "value")
    for name, gradient in found[1]._asdict().items():
        same(gradient, getattr(wanted[1], name), name)
    seeds = {**case.random(case.floats, 5), "total_": 0.5}
    names = [*case.floats, "total_"]
    back = [m.backward(case.call(m.forward)[1], **keywords(names, seeds)) for m in (saving, plain)]
    for name in case.differentiated:
        same(getattr(back[0], name), getattr(back[1], name), f"backward {name}")
    along = case.random(case.differentiated, 7)
    _, moved = case.call(saving.jvp, **{f"d{n}": v for n, v in along.items()})
    same(moved.total_, dot(wanted[1]._asdict(), along), "jvp")
    second = [case.call(m.hvp, **{f"v_{n}": v for n, v in along.items()}) for m in (saving, plain)]
    for name in case.differentiated:
        same(getattr(second[0], name), getattr(second[1], name), f"hvp {name}")


RNN = """
input U: float[H, H]
data x: float[T, H]
scan t in 0..T {
  state h = zeros(H)
  next h = tanh(U @ h + x[t])
}
output f = sum(h^2)
"""


def peak(function: Any, *values: Any) -> int:
    function(*values)
    tracemalloc.start()
    function(*values)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def test_memory_grows_with_the_root() -> None:
    rng = np.random.default_rng(0)
    U, x = rng.normal(size=(8, 8)) / 4, rng.normal(size=(1600, 8))
    plain, saving = module(RNN), module(RNN, Options(checkpoint=True))
    stack = x.nbytes
    assert peak(plain.value_and_grad, U, x) > 2 * stack
    # A padded copy of x is taken, and 40 steps twice.
    assert peak(saving.value_and_grad, U, x) < 1.5 * stack


def test_the_header_says_what_it_costs() -> None:
    text = driver.python(driver.compiled(checked(RNN), Options(checkpoint=True)))
    assert "# Checkpoints:" in text and "--checkpoint" in text
    assert "block = math.isqrt(max(T - 1, 0)) + 1" in text


@pytest.mark.parametrize("fixed", [(), (("T", 7),)])
def test_check_draws_inputs_of_sizes_that_blocks_fit(
    fixed: tuple[tuple[str, int], ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Without an example the range of inputs is tried out, with the sizes of blocks."""
    options = Options(checkpoint=True, emit=("check",), sizes=fixed)
    assert module(RNN, options).check() == 0
    assert "All of the" in capsys.readouterr().out


def test_nothing_changes_without_a_loop() -> None:
    text = "input x: float[N] output f = sum(x^2)"
    plain, saving = (driver.compiled(checked(text), Options(checkpoint=c)) for c in (False, True))
    assert str(plain.graphs.both) == str(saving.graphs.both)
