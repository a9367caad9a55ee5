"""What passes say that they did."""

from __future__ import annotations

from pathlib import Path

import pytest
from gradc.compiler import driver
from gradc.compiler.compilation import Options
from gradc.compiler.passes import LOCAL
from gradc.compiler.passes.log import WHY
from gradc.dsl.loops import with_steps

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


@pytest.mark.parametrize("name", SPECS)
def test_a_local_pass_concerns_all_that_it_changes(name: str) -> None:
    """What a pass is not asked about, it would have left alone."""
    program = driver.checked(driver.read(EXAMPLES / name))
    if program.is_library:
        return
    for graph in (driver.differentiable(program, Options()), driver.compiled(program).graphs.both):
        for node in with_steps(graph.nodes):
            for _, local in LOCAL:
                if not local.concerns(node.op.name, node.op.family):
                    assert local.step(node) is None
