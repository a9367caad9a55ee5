"""Parts of an array."""

from __future__ import annotations

from typing import Any

import numpy as np

from .case import Case, special


def part(words: str, sections: Any, axis: int, position: int, operand: str) -> Case:
    def reference(x: Any) -> Any:
        return np.split(x, sections, axis)[position]

    return special(f"split(x, {words})", reference, operand, result=position)


CASES = [
    *[part("3", 3, 0, i, "x: float[6]") for i in range(3)],
    *[part("2, axis=1", 2, 1, i, "x: float[3, 4]") for i in range(2)],
    *[part("[1, 3]", [1, 3], 0, i, "x: float[4, 2]") for i in range(3)],
    *[part("[2], axis=-1", [2], -1, i, "x: float[2, 2]") for i in range(2)],
    *[part("[0]", [0], 0, i, "x: float[3]") for i in range(2)],
    part("1", 1, 0, 0, "x: float[3]"),
]  # fmt: skip
