"""``--target``: the costs of a sort of core, or of this machine, decide; by default the same ones
everywhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from gradc.compiler import driver
from gradc.compiler.compilation import Options
from gradc.compiler.load import load_file
from gradc.compiler.machine import AVX2, AVX512, TARGETS, Machine
from gradc.compiler.passes import optimise
from gradc.compiler.passes.strength import strength

from .helpers import checked
from .test_cli import run

CUBE = "input x: float[n] output f = sum(x^3 * exp(x))"
SHARED = "input x, w: float[n] output f = sum(softplus(x) * w)"
BLOCKS = "input x: float[n] output f = sum(exp(-x^2) * sin(3 * x) + tanh(x) * log1p(x^2))"
KEPT = "input x, w: float[n] output f = sum((x * w + 1)^3)"


@pytest.fixture
def calibration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the measured costs of this machine are, if there are any."""
    path = tmp_path / "calibration.json"
    monkeypatch.setenv("GRADC_CALIBRATION", str(path))
    return path


def text(program: str, **options: object) -> str:
    return driver.python(driver.compiled(checked(program), Options(level=2, **options)))  # type: ignore[arg-type]


def measured(path: Path, entry: Mapping[str, float], **more: float) -> None:
    path.write_text(json.dumps({"entry": entry, **more}), encoding="utf-8")


def test_the_cache_of_a_core_decides_about_blocks() -> None:
    large, small = text(BLOCKS), text(BLOCKS, target="avx2")
    assert AVX512.cache == 2 * AVX2.cache
    assert "slice(start, start + 6553)" in large and "slice(start, start + 3276)" in small


def test_the_header_says_for_what_it_was_compiled() -> None:
    assert "gradc build spec.grad -O2 --target avx2\n" in text(BLOCKS, target="avx2")
    assert "--target" not in text(BLOCKS)


def test_measured_costs_decide_about_powers(calibration: Path) -> None:
    measured(calibration, {"power": 0.1})
    assert "x**3 " in text(CUBE, target="native") and "x**3 " not in text(CUBE)


def test_measured_costs_decide_what_is_kept(calibration: Path) -> None:
    measured(calibration, {"add": 3.0, "multiply": 3.0})
    assert "keeps nothing" in text(KEPT) and "keeps 8*n bytes" in text(KEPT, target="native")


def test_costs_decide_what_functions_share() -> None:
    graph = driver.compiled(checked(SHARED)).graphs.at_once
    assert graph is not None
    graph = optimise(graph)
    dear = Machine(entry={**AVX512.entry, "exp": 40.0})
    for machine, shared in ((AVX512, True), (AVX2, True), (dear, False)):
        names = {node.op.name for node in strength(graph, machine).nodes}
        assert ("softplus" not in names) == shared == ("sigmoid" not in names)


def test_by_default_the_machine_that_compiles_does_not_matter(calibration: Path) -> None:
    programs = (CUBE, SHARED, BLOCKS, KEPT)
    before = [text(program) for program in programs]
    measured(calibration, {"power": 0.1, "add": 3.0, "exp": 40.0}, cache=64)
    assert before == [text(program) for program in programs]
    assert all(text(program, target="native") for program in programs)


def test_native_needs_measured_costs(calibration: Path, tmp_path: Path) -> None:
    with pytest.raises(driver.UsageError, match="gradc calibrate"):
        text(CUBE, target="native")
    path = tmp_path / "cube.grad"
    path.write_text(CUBE.replace(" output", "\noutput") + "\n", encoding="utf-8")
    result = run("build", path, "--target", "native")
    assert result.returncode == 2 and "run `gradc calibrate`" in result.stderr
    for target in TARGETS[:2]:
        assert run("build", path, "--force", "--target", target).returncode == 0


def test_what_is_loaded_is_compiled_anew_after_measuring(calibration: Path, tmp_path: Path) -> None:
    path = tmp_path / "cube.grad"
    path.write_text(CUBE.replace(" output", "\noutput") + "\n", encoding="utf-8")
    keys = []
    for cost in (0.1, 50.0):
        measured(calibration, {"power": cost})
        module = load_file(path, Options(level=2, target="native"))
        keys.append(module.__dict__["__gradc_key__"])
    assert keys[0] != keys[1]


def test_a_target_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="target must be one of avx512, avx2, native"):
        text(CUBE, target="neon")
