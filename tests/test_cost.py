"""``gradc cost`` and ``gradc calibrate``: formulas, numbers, and what was measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from gradc.compiler import driver, estimate, machine
from gradc.compiler.calibrate import calibrate
from gradc.dsl.sizes import Size

from .helpers import checked
from .test_cli import run

NETWORK = "input x: float[D] input W: float[H, D] node h = tanh(W @ x) output f = sum(h^2)"
LOOP = "input U: float[H, H] input x: float[T, H] scan t in 0..T { state h = zeros(H) next h = tanh(U @ h + x[t]) } output f = sum(h)"


def costs(text: str) -> estimate.Costs:
    return estimate.costs(driver.compiled(checked(text)))


def test_products_count_two_for_each_term() -> None:
    found = costs("input A: float[M, K] input B: float[K, N] output C = A @ B")
    assert found.forward.flops == Size.of("M") * Size.of("K") * Size.of("N") * 2
    assert found.backward.flops == found.forward.flops * 2
    assert found.kept == Size.of(0)


def test_steps_of_a_loop_count_as_often_as_there_are_steps() -> None:
    found = costs(LOOP)
    once, many, last = {"H": 3, "T": 1}, {"H": 3, "T": 10}, 3
    steps = found.forward.flops.evaluate(once) - last
    assert steps == 2 * 9 + 3 + 3
    assert found.forward.flops.evaluate(many) == 10 * steps + last


def test_kept_is_what_the_cache_keeps() -> None:
    # h; the slope of tanh needs its square as well, which costs little.
    assert costs(NETWORK).kept == Size.of("H") * 8


def test_time_grows_with_sizes_and_costs() -> None:
    found, slow = costs(NETWORK), machine.Machine(gemm=1.0, memory=1.0)
    small, large = {"D": 10, "H": 10}, {"D": 1000, "H": 1000}
    typical = machine.Machine()
    assert found.forward.seconds(typical, small) < found.forward.seconds(typical, large)
    assert found.forward.seconds(typical, large) < found.forward.seconds(slow, large)


def test_command_line(tmp_path: Path) -> None:
    path = tmp_path / "net.grad"
    path.write_text(NETWORK.replace(" input", "\ninput").replace(" node", "\nnode").replace(" output", "\noutput"), encoding="utf-8")  # fmt: skip
    formulas = run("cost", path)
    assert "2*D*H" in formulas.stdout and "Give D, H with --size" in formulas.stdout
    numbers = run("cost", path, "--size", "D=100", "--size", "H=50")
    assert "10,150" in numbers.stdout
    assert "backward / forward" in numbers.stdout
    assert run("cost", path, "--size", "Q=1").returncode == 2


def test_calibration_is_kept_and_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "calibration.json"
    monkeypatch.setenv("GRADC_CALIBRATION", str(path))
    assert not machine.machine().measured
    path.write_text(machine.as_json(calibrate()), encoding="utf-8")
    found = machine.machine()
    assert found.measured and found.call > 0 and found.gemm > 0 and found.memory > 0
    assert found.entry["sin"] > 0
    path.write_text("{", encoding="utf-8")
    assert not machine.machine().measured
    path.write_text(json.dumps({"nonsense": 1}), encoding="utf-8")
    assert not machine.machine().measured
