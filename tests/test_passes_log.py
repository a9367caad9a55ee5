"""What passes say that they did."""

from __future__ import annotations

from pathlib import Path

import pytest
from gradc.compiler import driver
from gradc.compiler.compilation import Options
from gradc.compiler.passes.log import WHY

EXAMPLES = Path(__file__).parent.parent / "examples"
SPECS = sorted(path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.rglob("*.grad"))


@pytest.mark.parametrize("name", SPECS)
def test_every_rewrite_says_why(name: str) -> None:
    source = driver.read(EXAMPLES / name)
    if driver.checked(source).is_library:
        return
    *_, passes, _ = driver.stages(source, Options(level=2))
    for rewrite in passes.rewrites:
        assert WHY[rewrite.by] in str(rewrite)
