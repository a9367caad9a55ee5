"""Whole generated modules, to be read in one go. ``pytest --update-golden`` rewrites them."""

from __future__ import annotations

from pathlib import Path

import pytest
from gradc.compiler import driver

ROOT = Path(__file__).parent.parent
GOLDEN = Path(__file__).parent / "golden"
SPECS = {
    path.stem: path
    for path in (
        ROOT / "examples/homework/problem1.grad",
        ROOT / "examples/homework/problem2.grad",
        ROOT / "examples/network.grad",
        ROOT / "examples/rosenbrock.grad",
        GOLDEN / "branches.grad",
        GOLDEN / "convolution.grad",
        GOLDEN / "gathers.grad",
        GOLDEN / "names.grad",
        GOLDEN / "outputs.grad",
    )
}


@pytest.mark.parametrize("name", SPECS)
def test_generated_module(name: str, update_golden: bool) -> None:
    text = driver.python(driver.compiled(driver.checked(driver.read(SPECS[name]))))
    golden = GOLDEN / f"{name}.py"
    if update_golden:
        golden.write_text(text, encoding="utf-8")
    assert golden.read_text(encoding="utf-8") == text


def test_there_are_no_orphans() -> None:
    assert {p.stem for p in GOLDEN.glob("*.py")} == set(SPECS)
