"""The programs of GradBench against references, and the tool's answers to messages."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from gradc.examples.gradbench import ba, functions
from gradc.examples.gradbench.tool import Tool

from .gradbench import bundle, loops, sums
from .gradbench.inputs import KMEANS, WANTED, kmeans_arrays
from .helpers import complex_step

SADDLE = 8.246324826140356e-06
PARTICLE = 0.2071918746486116
MODES = ("rr", "rf", "fr", "ff")


@cache
def tool(module: str) -> Tool:
    ready = Tool()
    assert ask(ready, kind="define", module=module) == {"id": 7, "success": True}
    return ready


def ask(ready: Tool, **message: Any) -> Any:
    return json.loads(ready.answer(json.dumps({"id": 7, **message})))


def output(module: str, function: str, given: Any) -> Any:
    """The output of one run."""
    if isinstance(given, dict):
        given = {**given, "min_seconds": 0}
    reply = ask(tool(module), kind="evaluate", module=module, function=function, input=given)
    assert reply["success"], reply
    assert len(reply["timings"]) == 1
    return reply["output"]


def same(found: Any, wanted: Any, tolerance: float = 1e-9) -> None:
    """Equal up to a share of the largest entry, in objects name by name."""
    if isinstance(wanted, dict):
        assert found.keys() == wanted.keys()
        for name, value in wanted.items():
            same(found[name], value, tolerance)
        return
    wanted = np.asarray(wanted)
    assert np.shape(found) == wanted.shape
    scale = float(np.max(np.abs(wanted), initial=0.0))
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance * scale)


# ── Values and gradients ────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "module, function, given, reference", WANTED, ids=[f"{row[0]}-{row[1]}" for row in WANTED]
)
def test_outputs(module: str, function: str, given: Any, reference: Callable[[Any], Any]) -> None:
    same(output(module, function, given), reference(given))


def test_gradient_of_kmeans() -> None:
    points, centroids = kmeans_arrays(KMEANS)
    _, gradients = functions.load("kmeans").value_and_grad(points, centroids)
    wanted = complex_step(lambda v: sums.kmeans(points, v["C"]), {"C": centroids}, "C")
    same(gradients.centroids, wanted)


def test_jacobian_of_unlike_cameras_and_points() -> None:
    """On the wire all are alike, so that a wrong camera would not show."""
    rng = np.random.default_rng(3)
    n, m, p = 2, 3, 5
    cameras, points, weights = rng.normal(size=(n, 11)), rng.normal(size=(m, 3)), rng.normal(size=p)
    cameras[1, :3] = 0
    camera, point, features = np.arange(p) % n, np.arange(p) % m, rng.normal(size=(p, 2))
    found = ba.functions()["jacobian"].run(cameras, points, weights, camera, point, features)
    dense = np.zeros((3 * p, 11 * n + 3 * m + p))
    for row in range(3 * p):
        for place in range(found.rows[row], found.rows[row + 1]):
            dense[row, found.cols[place]] += found.vals[place]
    observed = list(zip(camera, point, strict=True))
    same(dense, bundle.jacobian(cameras, points, weights, observed, features))


def particle_slope(module: ModuleType, mode: str, w: float) -> Any:
    return module.value_and_grad(w)[1].w if mode == "r" else module.jvp(w, dw=1.0)[1]


@pytest.mark.parametrize("mode", MODES)
def test_particle(mode: str) -> None:
    module = functions.load("particle" if mode[1] == "r" else "particle_forward", "jvp")
    for w in (0.0, 0.3, -0.25):
        same(module.forward(w)[0], loops.landing(w))
        same(particle_slope(module, mode[0], w), np.imag(loops.landing(w + 1e-30j)) / 1e-30)


def test_slope_where_nothing_lands() -> None:
    module = functions.load("particle", "jvp")
    assert module.forward(1.5)[0] == np.inf
    assert [particle_slope(module, mode, 1.5) for mode in "rf"] == [0, 0]


@pytest.mark.parametrize("mode", MODES)
def test_particle_found(mode: str) -> None:
    same(output("particle", mode, {"w": 0.0}), PARTICLE)


@pytest.mark.parametrize("w", [-0.75, -0.5, 1.5])
def test_particle_lost(w: float) -> None:
    """Nothing leads down from where nothing lands."""
    assert output("particle", "ff", {"w": w}) == w


@pytest.mark.parametrize("name", ["saddle", "saddle_forward"])
def test_top_of_the_saddle(name: str) -> None:
    module = functions.load(name, "jvp")
    x, start = np.array([0.5, -0.7]), np.array([1.2, 0.4])
    top = loops.highest(x, start)
    same(module.forward(x, start)[0].top, top)
    value, gradients = module.value_and_grad(x, start)
    same(value, loops.height(x, top))
    wanted = complex_step(
        lambda v: loops.height(v["x"], loops.highest(v["x"], start)), {"x": x}, "x"
    )
    same(gradients.x, wanted)
    same([module.jvp(x, start, dx=along)[1].value for along in np.eye(2)], wanted)


@pytest.mark.parametrize("mode", MODES)
def test_saddle_point(mode: str) -> None:
    same(output("saddle", mode, {"start": [1.0, 1.0]}), [SADDLE] * 4)


# ── Messages ────────────────────────────────────────────────────────────────


def test_session() -> None:
    """Every line has an answer, also those that make no sense."""
    lines = [
        '{"id": 0, "kind": "start", "eval": "hello"}',
        '{"id": 1, "kind": "evaluate", "module": "hello", "function": "square", "input": 3}',
        '{"id": 2, "kind": "define", "module": "hello"}',
        '{"id": 3, "kind": "evaluate", "module": "hello", "function": "square", "input": 3}',
        '{"id": 4, "kind": "analysis", "of": 3, "valid": true}',
        "{nonsense",
        '{"id": 5, "kind": "define", "module": "nothing"}',
        '{"id": "six", "kind": "evaluate", "module": "hello", "function": "double", "input": 0.5}',
    ]
    command = [sys.executable, "-m", "gradc.examples.gradbench"]
    result = subprocess.run(
        command, input="\n".join(lines) + "\n\n", capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stderr
    replies = [json.loads(line) for line in result.stdout.splitlines()]
    assert [reply["id"] for reply in replies] == [0, 1, 2, 3, 4, None, 5, "six"]
    assert replies[0] == {"id": 0, "tool": "gradc"}
    assert replies[2] == {"id": 2, "success": True}
    assert replies[4] == {"id": 4}
    assert [reply.get("output") for reply in replies] == [None] * 3 + [9.0] + [None] * 3 + [1.0]
    assert [reply.get("success") for reply in replies[1:]] == [
        False, True, True, None, False, False, True,
    ]  # fmt: skip
    (timing,) = replies[3]["timings"]
    assert timing["name"] == "evaluate" and timing["nanoseconds"] > 0


SOLVABLE = {"x": [1.0, 2.0], "min_seconds": 0}
REFUSED = [
    ({"kind": "nonsense"}, "no kind"),
    ({}, "'kind' is missing"),
    ({"kind": ["define"]}, "kind is a name"),
    ({"kind": "define"}, "'module' is missing"),
    ({"kind": "define", "module": "nothing"}, "no module 'nothing'"),
    ({"kind": "define", "module": ["lse"]}, "is a name"),
    ({"kind": "evaluate", "module": "gmm", "function": "objective", "input": {}}, "not defined"),
    ({"kind": "evaluate", "module": "lse", "function": "x", "input": SOLVABLE}, "no function 'x'"),
    ({"kind": "evaluate", "module": "lse", "function": "primal"}, "'input' is missing"),
    ({"kind": "evaluate", "module": "lse", "function": "primal", "input": {}}, "'x' is missing"),
    ({"kind": "evaluate", "module": "lse", "function": "primal", "input": 3}, "TypeError"),
    ({"kind": "evaluate", "module": "lse", "function": "primal", "input": {"x": [[1.0]]}}, "x: exp"),
    ({"kind": "evaluate", "module": "lse", "function": "primal", "input": {"x": "?"}}, "ValueError"),
    ({"kind": "evaluate", "module": "lse", "function": "primal", "input": {**SOLVABLE, "min_runs": "?"}}, "TypeError"),
    ({"kind": "evaluate", "module": "lse", "function": "primal", "input": {"x": [float("nan")], "min_seconds": 0}}, "not JSON compliant"),
]  # fmt: skip


@pytest.mark.parametrize("message, error", REFUSED, ids=[row[1] for row in REFUSED])
def test_refusals(message: dict[str, Any], error: str) -> None:
    reply = ask(tool("lse"), **message)
    assert reply["id"] == 7 and reply["success"] is False and error in reply["error"]


@pytest.mark.parametrize("line", ["", "[]", "null", "3", '"x"', "\x00", "[" * 100_000, b"\xff"])
def test_lines_that_are_no_messages(line: str | bytes) -> None:
    reply = json.loads(Tool().answer(line))
    assert reply["id"] is None and reply["success"] is False and reply["error"]


def test_repeats() -> None:
    def timings(**asked: Any) -> list[int]:
        given = {"x": [1.0, 2.0, 3.0], **asked}
        reply = ask(tool("lse"), kind="evaluate", module="lse", function="gradient", input=given)
        assert {timing["name"] for timing in reply["timings"]} == {"evaluate"}
        return [timing["nanoseconds"] for timing in reply["timings"]]

    assert len(timings(min_runs=5, min_seconds=0)) == 5
    long = timings(min_seconds=0.02)
    assert sum(long) >= 0.02e9 > sum(long[:-1])
    both = timings(min_runs=3, min_seconds=0.02)
    assert len(both) >= 3 and sum(both) >= 0.02e9


def test_without_a_word_about_repeats() -> None:
    """At least one second, but for bare numbers, which cannot say."""
    given = {"x": np.linspace(0, 1, 100_000).tolist()}
    reply = ask(tool("lse"), kind="evaluate", module="lse", function="primal", input=given)
    assert sum(timing["nanoseconds"] for timing in reply["timings"]) >= 1e9
