"""What a loop knows before its steps is combined before it, with the same values and gradients.

``GRADC_EXAMPLES=2000 pytest tests/test_factors.py`` looks further than the default.
"""

from __future__ import annotations

import itertools
import os
import random
import re
from pathlib import Path

import numpy as np
import pytest
from gradc.compiler import driver
from gradc.compiler.compilation import Options
from gradc.compiler.passes.factors import factored
from gradc.compiler.passes.fission import fission

from .helpers import checked, module
from .judged import Case
from .test_fission import test_same_values_and_gradients as same_as_plain

EXAMPLES = int(os.environ.get("GRADC_EXAMPLES", "12"))
EXAMPLE = Path(__file__).parent.parent / "examples" / "gradbench" / "lstm.grad"


def recurrence(seed: int) -> Case:
    """States that are multiplied by much that is known before."""
    rng = random.Random(seed)
    known = ["p[t]", "q", "r", "(0.5 * t + 0.1)", "sin(p[t])", "exp(-q^2)", "p[t, 0]", "A[t]"]

    def product(state: str) -> str:
        text = state
        for _ in range(rng.choice([1, 2, 2, 3])):
            other = rng.choice(known)
            text = rng.choice([f"{text} * {other}", f"{other} * {text}", f"-{text} * {other}",
                               f"{text} / (1.5 + {other}^2)"])  # fmt: skip
            text = f"({text})"
        return text

    def value(state: str) -> str:
        other = rng.choice(["s", "u", state])
        return rng.choice([
            f"{product(state)} - {product(other)} + {rng.choice(known)}",
            f"0.5 * {product(state)} + tanh({product(other)})",
            f"if {rng.choice(known)} > 0.2 then {product(state)} else {product(other)}",
            f"sin({product(state)}) * {rng.choice(known)} * {rng.choice(known)}",
            f"{product(state)} + {product(state)}",
            f"(M @ s) * {rng.choice(known)} * {rng.choice(known)} + {product('u')}",
        ])  # fmt: skip

    lines = ["state s = q", "state u = q * r", f"node v = {value('s')}"]
    lines += [f"next s = {rng.choice(['v', 'tanh(v)', 'v - u'])}", f"next u = {value('u')} + 0 * q"]
    lines += [
        f"emit e = {rng.choice(['v * p[t]', 'next s', 'sum(v)', product('s'), product('v')])}"
    ]
    text = "\n".join([
        "input p: float[T, N] input q: float[N] input r: float input A: float[T]",
        "input M: float[N, N]",
        f"scan t in {rng.choice(['0', '0', '1'])}..T {{ {' '.join(lines)} }}",
        "output last = s + u", "output all_ = sum(sin(e))",
    ])  # fmt: skip
    return Case("recurrence", text, {"T": rng.choice([1, 3, 4]), "N": rng.choice([1, 2, 3])})


@pytest.mark.parametrize("seed", range(EXAMPLES))
def test_recurrences_keep_their_values_and_gradients(seed: int) -> None:
    same_as_plain(recurrence(seed))


def test_most_of_them_have_shorter_steps() -> None:
    graphs = [driver.compiled(checked(recurrence(seed).total)).graphs.both for seed in range(12)]
    assert sum(str(fission(factored(g))) != str(fission(g)) for g in graphs) >= 9


def products(text: str, head: str) -> int:
    """How many products stand in the steps of a loop of ``value_and_grad``."""
    code = driver.python(driver.compiled(checked(text), Options(level=2)))
    _, found, after = code.partition("def value_and_grad")[2].partition(f"{head}:")
    indent = len(found) and re.match("[^\n]*\n( *)", after)
    assert indent
    step = itertools.takewhile(lambda line: line.startswith(indent[1]), after.splitlines()[1:])
    return sum(line.partition("#")[0].count("*") for line in step)


def test_a_step_multiplies_once_by_what_is_known() -> None:
    text = (
        "input p: float[T, N] input q: float[N] scan t in 0..T { state s = q "
        "next s = s * sin(p[t]) * q / (1 + p[t]^2) } output f = sum(s) objective f"
    )
    assert products(text, "in range(T)") == products(text, "in reversed(range(T))") == 1


def test_all_gates_send_back_one_factor() -> None:
    assert products(EXAMPLE.read_text(encoding="utf-8"), "in reversed(range(T - 1))") == 3


@pytest.mark.parametrize("special", [np.inf, -np.inf, np.nan, 0.0])
def test_special_values_arrive_where_they_did(special: float) -> None:
    text = "input p: float[T, N] input q: float[N] scan t in 0..T { state s = q next s = s * p[t] * q } output f = sum(s) objective f"
    p, q = np.array([[1.5, 2.0], [0.5, special], [2.0, 1.0]]), np.array([0.5, -2.0])
    with np.errstate(all="ignore"):
        wanted, found = (module(text, Options(level=n)).value_and_grad(p, q) for n in (1, 2))
    np.testing.assert_allclose(found[0], wanted[0])
    for name in ("p", "q"):
        np.testing.assert_allclose(getattr(found[1], name), getattr(wanted[1], name))
