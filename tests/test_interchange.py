"""Loops over loops the other way round, with the same values and gradients.

``GRADC_EXAMPLES=2000 pytest tests/test_interchange.py`` looks further than the default.
"""

from __future__ import annotations

import os
import random
import re
from pathlib import Path

import numpy as np
import pytest
from gradc.compiler import driver
from gradc.compiler.compilation import Options
from gradc.compiler.passes.interchange import Nest, interchanged
from gradc.compiler.passes.turned import turned
from gradc.dsl.graph import Graph

from .helpers import checked, load
from .judged import Case
from .test_fission import FAST
from .test_fission import test_same_values_and_gradients as same_as_plain

EXAMPLES = int(os.environ.get("GRADC_EXAMPLES", "12"))
LSTM = Path(__file__).parent.parent / "benchmarks" / "specs" / "lstm.grad"


def nest(seed: int) -> Case:
    """A loop over layers in a loop over times, which fits: a step sees its entry of the states."""
    rng = random.Random(seed)
    start = rng.choice(["0", "0", "1"])
    inner = rng.choice(["0", "0", "1"])
    second = rng.random() < 0.5
    early = rng.choice(["p[t] * r", "p[t] * (t + 1)", "r * p[t] + q", "q", "p[t]"])
    seen = ["x", "x", "s[i]", "s[i]", "z", "W[i] * q", "r", "(0.3 * i + 0.2) * V[i]", "t * V[i]",
            "p[t]", "M[i] @ x", "M[i] @ s[i]", "(R[t])[i]", "Z[i]", "w", "w * s[i]"]  # fmt: skip
    if second:
        seen += ["c[i]", "c[i] * x"]
    functions = ["tanh({})", "sin({})", "sigmoid({})", "0.5 * cos({})", "exp(-({})^2)"]

    def value() -> str:
        terms = [f"{rng.choice('+-*')} {rng.choice(seen)}" for _ in range(rng.choice([1, 2, 2]))]
        return str(rng.choice(functions)).format(f"{rng.choice(seen)} {' '.join(terms)} + 0 * q")

    step = [f"state x = {rng.choice(['z', 'p[t] * 0.5', 'q', 'zeros(B)', 'sin(z)'])}",
            f"state w = {rng.choice(['0', 'p[t, 0]', '0.1 * t'])}"]  # fmt: skip
    step.append(f"node a = {value()}")
    seen.append("a")
    step += [f"next x = {value()}", f"next w = sin(w + sum({rng.choice(seen)}))"]
    seen.append("next x")
    step += [f"emit ss = {rng.choice([value(), 'next x', 'a', 'x', 's[i] + x'])}",
             f"emit cs = {rng.choice([value(), 'next x', 'W[i]', 'c[i]' if second else 'x'])}"]  # fmt: skip
    outer = ["state s = " + rng.choice(["s0", "0.5 * s0", "V"])]
    outer += ["state c = W"] * second + [f"node z = {early}", "node Z = V * p[t, 0]"]
    outer += [f"scan i in {inner}..L {{ {' '.join(step)} }}", "next s = ss"]
    outer += ["next c = cs"] * second
    outer.append(
        f"emit top = {rng.choice(['x', 'sin(x) * r', 'sum(ss)', 'x + sum[k](s[k])', 'Z', 'w'])}"
    )
    outer += ["emit all_ = cs * p[t, 0]"] * rng.choice([0, 1])
    outer += ["emit before = s"] * rng.choice([0, 1])
    text = "\n".join([
        "input W: float[L, B] input V: float[L, B] input M: float[L, B, B] input q: float[B]",
        "input r: float input p: float[T, B] input s0: float[L, B] input R: float[T, L]",
        f"scan t in {start}..T {{ {' '.join(outer)} }}",
        "output last = s", "output above = sum(sin(top))",
        *(["output more = sum(cos(all_))"] * ("emit all_" in " ".join(outer))),
        *(["output past = sum(before * before)"] * ("emit before" in " ".join(outer))),
    ])  # fmt: skip
    if inner == "1":  # The first layer is left out: states have an entry less.
        text = re.sub(r"\b([sc])\[i\]", r"\1[i - 1]", text)
        text = re.sub(r"(state [sc] = \S*\b[VW])\b", r"\1[1:]", text).replace(
            "s0: float[L,", "s0: float[L - 1,"
        )
    return Case("nest", text, {"T": rng.choice([3, 2, 1]), "L": rng.choice([1, 2, 3]), "B": 2})


@pytest.mark.parametrize("seed", range(EXAMPLES))
def test_nests_keep_their_values_and_gradients(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it does not pay."""
    monkeypatch.setattr(Nest, "pays", lambda _: True)
    same_as_plain(nest(seed))


def test_most_of_them_are_turned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Nest, "pays", lambda _: True)
    graphs = [driver.differentiable(checked(nest(seed).text), FAST) for seed in range(12)]
    assert sum(map(turns, graphs)) >= 9


def turns(graph: Graph) -> bool:
    """Whether a loop of another index is outside."""
    before, after = (
        [n.attributes["loop"].index.label for n in g.nodes if n.op.name == "scan"]
        for g in (graph, interchanged(graph))
    )
    return before != after


@pytest.mark.parametrize("seed", range(EXAMPLES))
def test_batches_of_nests(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The layers of a state are not its first axis."""
    monkeypatch.setattr(Nest, "pays", lambda _: True)
    case = nest(seed)
    batch = {n: np.stack([v, 0.5 * v, v - 1]) for n, v in case.values.items() if n in ("p", "s0")}
    found = []
    for level in (1, 2):
        options = Options(batch=("p", "s0"), level=level)
        generated = load(driver.compiled(checked(case.total), options))
        found.append(case.call(generated.value_and_grad, batch))
    np.testing.assert_allclose(found[1][0], found[0][0], rtol=1e-12, atol=1e-12)
    for one, other in zip(found[1][1], found[0][1], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


def test_batches_of_layers_are_turned_as_well() -> None:
    program = checked(LSTM.read_text(encoding="utf-8"))
    graphs = [driver.differentiable(program, Options(batch=names, level=2))
              for names in ((), ("sequence", "memory"))]  # fmt: skip
    assert all(map(turns, graphs))
    assert [turned(graph) is graph for graph in graphs] == [True, False]


HEAD = "input W: float[L, B] input s0: float[L, B] input p: float[T, B] "
LAYERS = "scan i in 0..L { state x = p[t] next x = tanh(x * W[i] + s[i]) emit e = next x } "
STAY = {
    "another entry": HEAD + "scan t in 0..T { state s = s0 scan i in 0..L { state x = p[t] next x = tanh(x + s[L - 1 - i]) emit e = x } next s = e } output y = s",
    "all entries": HEAD + "scan t in 0..T { state s = s0 scan i in 0..L { state x = p[t] next x = tanh(x + sum[k](s[k])) emit e = x } next s = e } output y = s",
    "a start that recurs": HEAD + "scan t in 0..T { state s = s0 scan i in 0..L { state x = s[0] next x = tanh(x + s[i]) emit e = x } next s = e } output y = s",
    "another state": HEAD + "scan t in 0..T { state s = s0 state r = 0 " + LAYERS + "next s = e next r = sin(r) + sum(e) } output y = s output z = r",
    "changed after": HEAD + "scan t in 0..T { state s = s0 " + LAYERS + "next s = 2 * e } output y = s",
    "until": HEAD.replace("p: float[T, B]", "p: float[B]") + "scan t in 0..9 until sum(s) > 3 { state s = s0 " + LAYERS.replace("p[t]", "p") + "next s = e } output y = s",
}  # fmt: skip


@pytest.mark.parametrize("text", STAY.values(), ids=STAY)
def test_what_needs_more_than_its_entry_stays(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Nest, "pays", lambda _: True)
    graph = driver.differentiable(checked(text), FAST)
    assert not turns(graph)


SQUARE = HEAD + "scan t in 0..T { state s = s0 " + LAYERS + "next s = e } output y = s"
GRID = HEAD.replace("W: float[L, B]", "W: float[B]") + (
    "scan t in 0..T { state s = s0 scan i in 0..L { state x = p[t] "
    "next x = tanh(x * W) + sin(s[i] * p[t]) emit e = next x } next s = e } output y = s"
)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (LSTM.read_text(encoding="utf-8"), True),  # Two of its gates see only the layer below.
        (SQUARE, True),  # A loop begins for each layer, not for each time.
        (GRID, False),  # What every step sees differs from time to time, not from layer to layer.
        (f"size L = 2 size T = 90 {GRID}", True),
        (f"size L = 90 size T = 2 {GRID}", False),
    ],
)
def test_fewer_steps_are_outside_where_that_is_less_work(text: str, wanted: bool) -> None:
    graph = driver.differentiable(checked(text), FAST)
    assert turns(graph) == wanted


def test_layers_are_outside_and_two_gates_are_found_for_all_times() -> None:
    text = driver.python(driver.compiled(checked(LSTM.read_text(encoding="utf-8")), FAST))
    forward = text.partition("def value_and_grad")[2]
    layers = forward.partition("for i in range(L)")[2]
    before, _, steps = layers.partition("for t in range(T - 1)")
    assert before.count("_sigmoid") == 2
    assert steps.partition("for i in reversed")[0].count("_sigmoid(said") == 1
