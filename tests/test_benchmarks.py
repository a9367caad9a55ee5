"""The benchmarks at small sizes: every specification compiles, and agrees with NumPy by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks.contest import compiled, contestant, difference
from benchmarks.limits import Machine
from benchmarks.measure import FAST, measure
from benchmarks.peers import naive
from benchmarks.workloads import ROWS, SPECS, Workload

ROOT = Path(__file__).parent.parent
DISTINCT = {(row.formula, str(row.spec), row.dtype, row.fixed): row for row in ROWS.values()}
"""One row of those that differ in nothing but their sizes."""


@pytest.mark.parametrize("level", [1, 2])
@pytest.mark.parametrize("row", DISTINCT.values(), ids=lambda row: row.name)
def test_agrees_with_numpy_by_hand(row: Workload, level: int) -> None:
    arguments = row.arguments(small=True)
    module = compiled(row, small=True, level=level)
    found = contestant(row, arguments, module).results()
    (hand,) = naive.contestants(row, arguments)
    assert difference(found, hand.results()) <= row.tolerance


def test_worker_of_regress() -> None:
    """What a process answers that compares two commits."""
    requests = ['{"prepare": "homework1", "options": {"level": 2}}', '{"sample": true}',
                '{"prepare": "nothing", "options": {}}']  # fmt: skip
    command = [sys.executable, "-m", "benchmarks.worker"]
    done = subprocess.run(command, input="\n".join(requests), text=True, capture_output=True, cwd=ROOT,
                          check=True)  # fmt: skip
    ready, sample, refused = map(json.loads, done.stdout.splitlines())
    assert len(ready["norms"]) == 5 and ready["lines"] > 50
    assert sample["seconds"] > 0
    assert refused == {"error": "KeyError: 'nothing'"}


def test_every_specification_is_measured() -> None:
    assert set(SPECS.glob("*.grad")) <= {row.spec for row in ROWS.values()}


def test_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    assert command.main(["--quick", "--only", "homework1", "--report", str(page)]) == 0
    assert "homework1" in capsys.readouterr().out
    assert "| homework 1, scalars |" in page.read_text(encoding="utf-8")


def test_fast_math_stands_apart() -> None:
    """Timed beside gradc where it makes another module, and not counted among the others."""
    sine = replace(ROWS["elementwise-1000"], sizes={"N": 7})
    row = measure(sine, {}, Machine(), 0.0, {"level": 2})
    assert list(row.seconds) == ["gradc", FAST]
    assert row.best() is None
    assert FAST not in measure(ROWS["homework1"], {}, Machine(), 0.0, {"level": 2}).seconds


@pytest.mark.parametrize("words", [["--only", "nothing"], ["--peers", "nobody"]])
def test_what_there_is_not(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(words) == 2
    assert words[1] in capsys.readouterr().err
