"""What numbers choose by one condition, written as ``if``: the same values as expression by expression."""

from __future__ import annotations

import itertools
import math
import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradc.compiler import driver
from gradc.compiler.compilation import Options

from .helpers import assert_clean, checked, module

EXAMPLES = int(os.environ.get("GRADC_EXAMPLES", "20"))
SPECIAL = [0.0, -0.0, 1.0, -1.5, 0.3, 2.0, math.inf, -math.inf, math.nan]
FORMS = [
    "{} + {}", "{} - {}", "{} * {}", "{} / {}", "sqrt({}) + {}", "log({}) - {}", "{} * exp({})",
    "hypot({}, {})", "sin({}) * {}", "{}^2 + {}", "abs({}) * {}",
]  # fmt: skip
LEVELS = (Options(level=0), Options(), Options(level=2))


def program(seed: int) -> str:
    """Numbers of which many are chosen by few conditions, some of them in a loop."""
    draw = random.Random(seed)
    known, conditions = ["x", "y", "z"], ["c"]
    lines = ["input x, y, z: float", "node c = x > y"]
    loop = draw.random() < 0.5
    if loop:
        until = " until next s > 1.7" * (draw.random() < 0.4)
        lines += [f"scan t in 0..3{until} {{", "state s = x", "state r = y * z"]
        known += ["s", "r"]
        conditions.append("(s < 0.9 * r)")

    def number() -> str:
        return draw.choice([*known[-6:], *known[-6:], *known])

    for n in range(draw.randint(4, 14)):
        kind = draw.random()
        if kind < 0.15:
            one, other = number(), f"({number()} - 0.3)"
            lines.append(f"node b{n} = {one} {draw.choice(['<', '>=', '=='])} {other}")
            conditions.append(f"b{n}")
        elif kind < 0.55:
            condition = draw.choice(conditions[-3:])
            if draw.random() < 0.3:
                other = draw.choice(conditions)
                condition = f"({condition} {draw.choice(['and', 'or', 'and not'])} {other})"
            formula = draw.choice(FORMS).format(number(), number())
            sides = [draw.choice([number(), formula, "0"]), draw.choice([number(), "0.5"])]
            draw.shuffle(sides)
            lines.append(f"node n{n} = if {condition} then {sides[0]} else {sides[1]}")
            known.append(f"n{n}")
        else:
            lines.append(f"node n{n} = {draw.choice(FORMS).format(number(), number())}")
            known.append(f"n{n}")
    if loop:
        lines += [f"next s = if {draw.choice(conditions)} then {known[-1]} else s",
                  f"next r = 0.5 * r + {known[-2]}", "}"]  # fmt: skip
        known = ["s", "r"]
    return "\n".join([*lines, f"output f = {known[-1]} + {known[-2]} * x"]) + "\n"


def among_arrays(text: str) -> str:
    """The same with an array beside it, so that nothing is computed with Python's numbers."""
    return text.replace("\noutput f =", "\ninput none: float[K]\noutput f = sum(none) +")


@pytest.mark.parametrize("seed", range(EXAMPLES))
def test_random_programs_are_what_they_are_with_numpy(seed: int) -> None:
    text = program(seed)
    judge = module(among_arrays(text), Options())
    made = [module(text, options) for options in LEVELS]
    points: list[tuple[float, ...]] = [(0.7, 0.3, 1.2), (0.3, 0.7, -1.2), (1.5, 1.5, 0.4)]
    points += random.Random(seed).sample(list(itertools.product(SPECIAL, repeat=3)), 12)
    with np.errstate(all="ignore"):
        for point in points:
            value, gradients = judge.value_and_grad(*point, np.zeros(0))
            for own in made:
                for found in (own.value_and_grad(*point), by_parts(own, point)):
                    np.testing.assert_allclose(found[0], value, rtol=1e-9, err_msg=text)
                    np.testing.assert_allclose(
                        found[1], gradients[:3], rtol=1e-8, atol=1e-12, err_msg=f"{point}\n{text}"
                    )


def by_parts(own: Any, point: tuple[float, ...]) -> tuple[Any, Any]:
    value, cache = own.forward(*point)
    return value, own.backward(cache)


FLIGHT = """input w: float
scan t in 0..90 until next x > 20 {
  state x = w
  state v = 1.0
  next x = if x > 2 then x - v / (x - 2) else x + v
  next v = if x > 2 then v / (x - 2)^2 else v
}
output f = x * v
"""


def test_one_if_for_all_that_a_condition_chooses() -> None:
    text = driver.python(driver.compiled(checked(FLIGHT), Options(level=2)))
    quick = text[text.index("def value_and_grad") :].partition("except")[0]
    back = quick[quick.index("in reversed(") :]
    assert back.count("if x_2 > 2:") == 1 and back.count("if ") == 1
    assert "_divide" not in quick  # No side is computed where it is not taken.


def test_a_side_that_leaves_all_as_it_is_has_no_lines() -> None:
    text = (
        "input x, y: float input c: float node q = x / y node p = if c > 0 then q * x - q else x "
    )
    text += "node r = if c > 0 then q + p else y output f = p * r"
    assert "else:" in driver.python(driver.compiled(checked(text), Options()))
    loop = FLIGHT.replace("else x + v", "else x")
    assert "else:" not in driver.python(driver.compiled(checked(loop), Options())).split("def ")[2]


def test_conditions_deep_inside_each_other() -> None:
    inner = "x"
    for n in range(60):
        inner = f"(if x > {n} then {inner} * {n + 1} / y - x * y + {n} else y / {n + 1})"
    own = module(f"input x, y: float output f = {inner}", Options(level=2))
    judge = module(among_arrays(f"input x, y: float\noutput f = {inner}"), Options())
    for x in (-1.0, 3.5, 20.5, 70.0):
        found, wanted = own.value_and_grad(x, 1.5), judge.value_and_grad(x, 1.5, np.zeros(0))
        np.testing.assert_allclose(found[0], wanted[0], rtol=1e-12)
        np.testing.assert_allclose(found[1], wanted[1][:2], rtol=1e-12)


def test_many_conditions_one_after_the_other() -> None:
    lines = ["input x, y: float", "node n0 = x", "node m0 = y"]
    for n in range(1, 40):
        lines.append(f"node n{n} = if m{n - 1} > {n} then n{n - 1} * y + m{n - 1} / x else x")
        lines.append(f"node m{n} = if m{n - 1} > {n} then m{n - 1} - y / x else n{n - 1} * x")
    text = "\n".join([*lines, "output f = n39 + m39"])
    own, judge = module(text, Options(level=2)), module(among_arrays(text), Options())
    found, wanted = own.value_and_grad(0.9, 0.4), judge.value_and_grad(0.9, 0.4, np.zeros(0))
    np.testing.assert_allclose([found[0], *found[1]], [wanted[0], *wanted[1][:2]], rtol=1e-12)


def test_modules_are_clean(tmp_path: Path) -> None:
    for seed, options in itertools.product(range(0, EXAMPLES, 2), LEVELS[1:]):
        text = driver.python(driver.compiled(checked(program(seed)), options))
        (tmp_path / f"program{seed}_{options.level}.py").write_text(text)
    assert_clean(tmp_path)
