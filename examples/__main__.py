"""Lists, compiles, runs and checks every example."""

from __future__ import annotations

import sys
from pathlib import Path

from ..compiler import driver
from ..compiler.testing import run_tests
from ..dsl.errors import SpecError, render_all


def run_all() -> bool:
    """Whether every example compiles, meets its expectations and has the right gradients."""
    folder = Path(__file__).parent
    passed = failed = 0
    for path in sorted(folder.rglob("*.grad")):
        name = path.relative_to(folder).as_posix()
        try:
            program = driver.checked(driver.read(path))
            results = list(run_tests(program, name))
        except SpecError as error:
            print(f"{name}\n{render_all(error.diagnostics)}")
            failed += 1
            continue
        print(f"{name}: {program.program.doc.splitlines()[0] if program.program.doc else ''}")
        for result in results:
            print(f"  {'ok  ' if result.passed else 'FAIL'} {result.name}")
            for line in result.details:
                print(f"       {line}")
            passed += result.passed
            failed += not result.passed
    print(f"{passed} passed, {failed} failed")
    return failed == 0


if __name__ == "__main__":
    sys.exit(0 if run_all() else 3)
