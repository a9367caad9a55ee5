"""Milliseconds to compile each operation alone, and what loading the whole table costs.

    python -m benchmarks.operations [--repeats 5] [--slowest 15]

Run where the tests can be imported: the expressions are those of ``tests/test_operations.py``.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HOMEWORK = Path(__file__).parent.parent / "examples" / "homework" / "problem2.grad"
LOADING = (
    "import time; t = time.perf_counter(); import gradc.dsl.ops; print(time.perf_counter() - t)"
)


def median(repeats: int, measure: Callable[[], float]) -> float:
    return statistics.median(measure() for _ in range(repeats))


def loading() -> float:
    """Seconds to import the table in a fresh process."""
    command = [sys.executable, "-c", LOADING]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def checking() -> float:
    """Seconds of ``gradc check`` on a homework, the whole process."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "gradc", "check", str(HOMEWORK)], check=True,
                   capture_output=True)  # fmt: skip
    return time.perf_counter() - start


def compiling(case: Any) -> float:
    """Seconds from a checked expression to the text of its module."""
    from gradc.compiler import driver

    from tests.helpers import single
    from tests.test_operations import extra

    start = time.perf_counter()
    driver.python(driver.compiled(single(case.expression, case.operands, **extra(case))))
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--slowest", type=int, default=15)
    options = parser.parse_args()
    from gradc.dsl.ops import OPS

    from tests.test_operations import GENERATED

    print(f"{len(OPS)} operations")
    print(f"{1e3 * median(options.repeats, loading):8.1f} ms  import the table")
    print(f"{1e3 * median(options.repeats, checking):8.1f} ms  gradc check {HOMEWORK.name}")
    first = {case.op: case for case in reversed(GENERATED)}
    times = {}
    for name, case in first.items():
        compiling(case)  # Rules are parsed once and kept.
        times[name] = median(options.repeats, lambda case=case: compiling(case))  # type: ignore[misc]
    print(f"{1e3 * statistics.median(times.values()):8.1f} ms  compile an operation, the median")
    for name in sorted(times, key=lambda name: -times[name])[: options.slowest]:
        print(f"{1e3 * times[name]:8.1f} ms  {name}")


if __name__ == "__main__":
    main()
