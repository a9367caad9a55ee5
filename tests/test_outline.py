"""What a reader sees of a graph: items, their ids, the calls and loops they stand in."""

from __future__ import annotations

import numpy as np
from gradc.compiler.evaluate import evaluate
from gradc.compiler.outline import Outline, outline

from .helpers import checked

TWICE = """def square_of(u: float[n]) = sum(u^2) + 1
input x: float[3]
input z: float[3]
node a = square_of(x)
output f = a * square_of(2 * z)
"""
LOOP = """input x: float
scan t in 0..3 {
  state h = x
  next h = sin(h) * x
}
output f = h + 1
"""


def outlined(text: str, digits: int | None = None) -> Outline:
    program = checked(text)
    given = {
        i.name: np.ones([s.constant or 2 for s in i.type.shape]) for i in program.interface.inputs
    }
    return outline(evaluate(program, given, {}, digits).graph, program.program)


def test_numbers_and_broadcasts_go_without_saying() -> None:
    found = outlined("input x: float[3] output f = sum(2 * x + 1)")
    assert [item.formula for item in found.items] == [
        "x",
        "2 * x",
        "2 * x + 1",
        "f = sum(2 * x + 1)",
    ]
    assert [item.id for item in found.items] == ["n0", "n1", "n2", "n3"]
    assert [[o.id for o in item.operands] for item in found.items] == [[], ["n0"], ["n1"], ["n2"]]


def test_a_rounded_operation_is_one_item() -> None:
    found = outlined("input x: float node s = sin(x) output f = s^2", digits=2)
    assert [item.label for item in found.items] == ["x", "s", "f"]
    s = found.items[1]
    assert s.operation.op.name == "sin" and s.node.op.name == "round_on_paper"
    assert found.of[s.node] is found.of[s.operation] is s
    assert found.items[2].operands[0].id == s.id


def test_each_call_of_a_function_is_a_group() -> None:
    inside = [item for item in outlined(TWICE).items if item.group]
    assert {item.group for item in inside} == {("square_of",), ("square_of (2)",)}
    assert not any(item.is_input for item in inside)


def test_a_loop_has_an_outline_of_its_step() -> None:
    found = outlined(LOOP)
    (result,) = [item for item in found.items if item.loop is not None]
    step = found.step(result)
    assert [item.label for item in step.items][-1] == "h"
    assert all(item.id.startswith(f"{result.id}.") for item in step.items)
