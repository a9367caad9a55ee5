"""Forward mode against reverse mode: the dot-product test, on specifications and random graphs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gradc.compiler import driver
from gradc.compiler.evaluate import given_values
from gradc.compiler.forward import tangents
from gradc.compiler.interpret import Interpreter
from gradc.compiler.reverse import gradients
from gradc.dsl.graph import make
from gradc.dsl.lower import lower

ROOT = Path(__file__).parent.parent
EXAMPLES = [p for p in sorted((ROOT / "examples").rglob("*.grad")) if p.stem != "layers"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_forward_agrees_with_reverse_on_examples(path: Path) -> None:
    program = driver.checked(driver.read(path))
    rng = np.random.default_rng(0)
    for example in program.examples:
        graph = lower(program.graph)
        wrt = {n: graph.inputs[n] for n in program.interface.differentiated}
        moves = {n: make("input", (), v.span, {"name": f"d{n}", "type": v.type})
                 for n, v in wrt.items()}  # fmt: skip
        outputs = {n: v for n, v in graph.outputs.items() if v.type.is_float}
        seeds = {n: make("input", (), v.span, {"name": f"s{n}", "type": v.type})
                 for n, v in outputs.items()}  # fmt: skip
        found = tangents(outputs.values(), {wrt[n]: moves[n] for n in wrt})
        back = gradients(graph, seeds, wrt.values()).gradients
        values = given_values(example)
        shapes = {n: np.shape(values[n]) for n in wrt}
        directions = {f"d{n}": rng.normal(size=shapes[n]) for n in wrt}
        primal = Interpreter(values, example.sizes)
        arriving = {f"s{n}": rng.normal(size=np.shape(primal.run([v])[0]))
                    for n, v in outputs.items()}  # fmt: skip
        every = Interpreter({**values, **directions, **arriving}, example.sizes)
        forward = sum(
            np.sum(arriving[f"s{n}"] * every.run([found[v]])[0])
            for n, v in outputs.items() if v in found
        )  # fmt: skip
        reverse = sum(
            np.sum(directions[f"d{n}"] * every.run([back[v]])[0])
            for n, v in wrt.items() if v in back
        )  # fmt: skip
        assert forward == pytest.approx(reverse, rel=1e-10, abs=1e-12)
