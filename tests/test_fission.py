"""``-O2``: what loops do before, in and after their steps, with the same values and gradients."""

from __future__ import annotations

import pytest
from gradc.compiler import driver
from gradc.compiler.compilation import Options

from .helpers import checked, load, module
from .judged import Case, cases, keywords, same, same_functions
from .test_scan import GRADIENTS, LSTM, NESTED, PER_ENTRY, STACKS, STATES

PLAIN, FAST = Options(emit=("jvp", "hvp")), Options(emit=("jvp", "hvp"), level=2)
CASES = cases([*STATES, *STACKS, *NESTED, *PER_ENTRY, *GRADIENTS], {})
CASES = [c for c in CASES if "parent" not in c.text and c.differentiated]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_same_values_and_gradients(case: Case) -> None:
    plain, fast = module(case.total, PLAIN), load(driver.compiled(checked(case.total), FAST))
    same_functions(case, fast, plain, 1e-11)
    names = [*case.floats, "total_"]
    seeds = {**case.random(case.floats, 5), "total_": 0.5}
    back = [m.backward(case.call(m.forward)[1], **keywords(names, seeds)) for m in (fast, plain)]
    for name in case.differentiated:
        same(getattr(back[0], name), getattr(back[1], name), f"backward {name}", 1e-10)


def test_products_with_inputs_are_taken_out_of_the_steps() -> None:
    text = driver.python(driver.compiled(checked(LSTM + "objective f output f = sum(y)"), FAST))
    steps = text.partition("def value_and_grad")[2].partition("for t in range")[2]
    assert "W @" not in steps.partition("for t in reversed")[0]


HISTORY = [
    ("places of each step", "input r: float[N] input p: float[T] scan t in 0..T { emit e: float[N] = sin(if t >= 1 then e[t - 1] else r) emit h = sum(if t >= 1 then e[t - 1] else r) * p[t] } output y = h", "N=2 T=4"),
    ("places of each step of each loop", "input r: float[N] input p: float[T] scan t in 0..T { scan k in 0..3 { emit e: float[N] = sin(if k >= 1 then e[(k * t) % (k + 1) % k] else r * p[t]) emit h = sum(if k >= 1 then e[k - 1] else r) * p[t] } emit g = sum(h) + sum(sin(e)) } output y = sum(g^2)", "N=2 T=4"),
]  # fmt: skip


@pytest.mark.parametrize("case", cases(HISTORY, {}), ids=str)
def test_what_is_added_at_places_that_differ_from_step_to_step(case: Case) -> None:
    """Gradients of earlier entries: nothing that all steps at once could add up."""
    test_same_values_and_gradients(case)
