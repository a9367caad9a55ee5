"""Generated modules of every operation and, at ``-O2``, of every example pass the linter, the
formatter and the type checker."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from gradc.compiler import driver
from gradc.compiler.compilation import Options

from .cases.case import Case
from .helpers import checked, single
from .test_operations import GENERATED, extra

JVP = Options(emit=("jvp",))
EXAMPLES = Path(__file__).parent.parent / "examples"
SORTS = """input x: float[N]
output y = 2 * x
output largest = argmax(x)
output positive = x > 0
output order = argsort(x)
output some = any(x > 0)
"""


def chosen() -> list[Case]:
    """Two cases of each operation: scalars or the first arrays, and a later one."""
    found: dict[str, list[Case]] = {}
    for case in GENERATED:
        if case.floats:
            found.setdefault(case.op, []).append(case)
    return [case for cases in found.values() for case in (cases[0], cases[len(cases) // 2])]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("modules")
    for number, case in enumerate(chosen()):
        program = single(case.expression, case.operands, **extra(case))
        differentiable = program.graph.outputs["out"].type.is_float
        compilation = driver.compiled(program, JVP if differentiable else Options())
        (place / f"{case.op}_{number}.py").write_text(driver.python(compilation), encoding="utf-8")
    for path in EXAMPLES.rglob("*.grad"):
        program = driver.checked(driver.read(path))
        if not program.is_library:  # At `-O1`: test_generated.
            compilation = driver.compiled(program, Options(level=2, emit=("all",)))
            name = f"{path.parent.name}_{path.stem}.py"
            (place / name).write_text(driver.python(compilation), encoding="utf-8")
    compilation = driver.compiled(checked(SORTS), JVP)
    (place / "sorts.py").write_text(driver.python(compilation), encoding="utf-8")
    return place


@pytest.mark.parametrize(
    "command",
    [("ruff", "check", "--isolated"), ("ruff", "format", "--isolated", "--check"),
     ("mypy", "--strict", "--no-incremental")],
    ids=" ".join,
)  # fmt: skip
def test_generated_modules_are_clean(command: tuple[str, ...], folder: Path) -> None:
    result = subprocess.run([sys.executable, "-m", *command, str(folder)],
                            capture_output=True, text=True, check=False)  # fmt: skip
    assert result.returncode == 0, result.stdout[-3000:]
