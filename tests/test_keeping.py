"""What ``forward`` keeps for ``backward``: as little as pays, and as much as the header says."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import networkx
import numpy as np
import pytest
from gradc.compiler import driver
from gradc.compiler.compilation import Options
from gradc.compiler.cut import Network, cheapest
from gradc.compiler.evaluate import evaluate
from gradc.compiler.keeping import kept_values
from hypothesis import given
from hypothesis import strategies as st

from .helpers import checked, load
from .judged import Case
from .test_random_graphs import SIZES, Spec, assert_same, ordered, quick, sizes_of, specs
from .test_random_scans import loops

LEVELS = (0, 1, 2)
ARCS = st.lists(st.tuples(st.integers(0, 6), st.integers(1, 7), st.integers(1, 9)), max_size=24)
KEPT = {
    "a sum of products": ("input x, w: float[n] output f = sum((x * w + 1)^2 * x)", []),
    "a function, but not its square": ("input x: float[n] output f = sum(tanh(x)^3)", ["tanh"]),
    "the sum, which needs no more": ("input x: float[n] input W: float[n, n] input b: float[n] output f = sum((W @ x + b)^3)", ["add"]),
    "the sum of two that nothing else needs": ("input x: float[n] output f = sum((exp(x) + sin(x))^3) ", ["add", "exp"]),
    "numbers of a wide array, and of a narrow one": ("input x: float[n, m] input c: float[n] output f = sum((x - expand_dims(exp(c), 1))^3)", ["exp"]),
    "a number": ("input x: float[n] input a, b: float output f = sum(sin(x * (a + b)))", ["add"]),
    "few numbers": ("input x: float[4] output f = sum((2 * x + 1)^3)", ["add"]),
    "a view with a name": ("input A: float[n, m] node s = ravel(exp(A) @ A.T) output f = sum(s^3)", ["exp", "reshape"]),
    "a mask, not what it compares": ("input A: float[n, n] input x, y: float[n] output f = sum(relu(A @ x) * y)", ["greater", "relu"]),
    "what a slice is of": ("input A: float[n, n] node s = (A @ A)[1:] output f = sum(s^3)", ["matmul"]),
}  # fmt: skip
STACKS = {
    "states, not what is made of them": ("next h = sin(h * x[t] + 1)", "8*H*T"),
    "functions, not what is made of them": ("next h = h + x[t] * exp(h)^2", "8*H*T"),
    "products": ("next h = (x[t] * dot(h, h))^3", "8*H*T + 8*T"),
}


def measured(module: ModuleType, cache: Any, sizes: Mapping[str, int] = SIZES) -> int:
    """The bytes of what a cache holds beyond inputs and sizes, memory that values share once."""
    owners: dict[int, int] = {}
    for name, value in cache._asdict().items():
        if name in module.INPUTS or name in sizes or isinstance(value, np.dtype):
            continue
        if isinstance(value, np.ndarray):
            while isinstance(value.base, np.ndarray):
                value = value.base
            owners[id(value)] = value.nbytes
        else:
            owners[id(name)] = np.asarray(value).nbytes
    return sum(owners.values())


def stated(text: str, sizes: Mapping[str, int]) -> int:
    """The bytes that the header of a module speaks of."""
    found = re.search(r"# The cache keeps (.*?) (bytes )?beyond the inputs", text)
    assert found is not None
    return 0 if found[1] == "nothing" else int(eval(found[1].replace("^", "**"), {}, dict(sizes)))


@quick
@given(specs())
@pytest.mark.parametrize("level", LEVELS)
def test_values_stay_and_bytes_are_as_stated(level: int, spec: Spec) -> None:
    program = checked(spec.text)
    exact = evaluate(program, spec.values, sizes_of(spec))
    compilation = driver.compiled(program, Options(level=level))
    module = load(compilation)
    with np.errstate(all="ignore"):
        _, cache = module.forward(*ordered(spec))
        gradients = module.backward(cache)
    wrt = program.interface.differentiated
    wanted = {n: exact.gradients[n] for n in wrt}
    assert_same(dict(zip(wrt, gradients, strict=True)), wanted)
    found, said = measured(module, cache), stated(driver.python(compilation), SIZES)
    # A branch that is taken as it is shares the memory of what it takes.
    assert found == said or ("if " in spec.text and found < said)


@quick
@given(loops())
def test_no_more_bytes_than_stated_where_there_are_loops(case: Case) -> None:
    """A state that a step takes over as it is shares the memory of what it was."""
    compilation = driver.compiled(checked(case.text))
    module = load(compilation)
    _, cache = case.call(module.forward)
    assert measured(module, cache, case.sizes) <= stated(driver.python(compilation), case.sizes)


@pytest.mark.parametrize(("text", "bytes_"), STACKS.values(), ids=STACKS)
def test_what_loops_keep(text: str, bytes_: str) -> None:
    program = f"input a: float[H] input x: float[T, H] scan t in 0..T {{ state h = a {text} }} output f = sum(h)"
    header = driver.python(driver.compiled(checked(program)))
    assert f"# The cache keeps {bytes_} bytes beyond the inputs" in header


@pytest.mark.parametrize(("text", "kept"), KEPT.values(), ids=KEPT)
def test_what_is_kept(text: str, kept: list[str]) -> None:
    kept_nodes = kept_values(driver.compiled(checked(text)))
    found = [node.op.name for node in kept_nodes if node.op.name != "input"]
    assert sorted(found) == sorted(kept)


def test_what_is_made_again_says_so() -> None:
    text = "input x, w: float[n]\nnode h = x * w + 1\noutput f = sum(h^3)"
    module = driver.python(driver.compiled(checked(text)))
    lines = module.partition("def backward")[2].splitlines()
    place = lines.index("    h = x * w + 1  # line 2")
    assert lines[place - 1] == "    # Made again, which costs less than keeping it."
    plain = driver.python(driver.compiled(checked(text), Options(level=0)))
    assert "Made again" not in plain and "Cache(x, w, h, n)" in plain


def test_bytes_are_those_of_the_precision() -> None:
    text = "input x: float[n] output f = sum(tanh(x))"
    single = driver.python(driver.compiled(checked(text), Options(dtype="float32")))
    assert "# The cache keeps 4*n bytes beyond the inputs (float32)." in single


@st.composite
def choices(draw: st.DrawFn) -> tuple[list[list[int]], list[int | None], list[int | None]]:
    """The operands of some values, among those before them, and what it costs to keep each and to
    make it again: one of these can always be done."""
    count = draw(st.integers(1, 7))
    prices = st.one_of(st.none(), st.integers(0, 9))
    operands = [
        draw(st.lists(st.integers(0, i - 1), max_size=3)) if i else [] for i in range(count)
    ]
    again = [draw(prices) for _ in range(count)]
    keeping = [draw(st.integers(0, 9) if price is None else prices) for price in again]
    return operands, keeping, again


@quick
@given(choices(), st.sets(st.integers(0, 6), min_size=1))
def test_a_choice_costs_least(
    choice: tuple[list[list[int]], list[int | None], list[int | None]], asked: set[int]
) -> None:
    operands, keeping, again = choice
    needed = [value for value in asked if value < len(operands)]

    def price(kept: set[int]) -> float:
        """What it costs to keep some values, and to make again what else is needed."""
        total: float = 0
        waiting, seen = list(needed), set[int]()
        while waiting:
            value = waiting.pop()
            if value not in seen:
                seen.add(value)
                own = keeping[value] if value in kept else again[value]
                total += math.inf if own is None else own
                waiting += [] if value in kept else operands[value]
        return total

    found = set(cheapest(needed, operands.__getitem__, keeping.__getitem__, again.__getitem__))
    every = range(len(operands))
    subsets = itertools.chain.from_iterable(itertools.combinations(every, n) for n in range(8))
    assert price(found) == min(price(set(subset)) for subset in subsets) < math.inf


@quick
@given(ARCS)
def test_a_cut_costs_least(arcs: list[tuple[int, int, int]]) -> None:
    network, judge = Network(0, 7), networkx.DiGraph()
    judge.add_nodes_from((0, 7))
    for tail, head, capacity in arcs:
        network.arc(tail, head, capacity)
        known = judge.get_edge_data(tail, head, {"capacity": 0})["capacity"]
        judge.add_edge(tail, head, capacity=known + capacity)
    side = network.source_side()
    assert 0 in side and 7 not in side
    cost = sum(c for tail, head, c in arcs if tail in side and head not in side)
    assert cost == networkx.minimum_cut_value(judge, 0, 7)
