"""What the machine can do at best: bandwidth and matrix products, measured with NumPy."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .contest import Arrays, Contestant
from .timing import Sampler
from .workloads import Arguments

WORKING_SETS = (2**18, 2**23, 2**28)
"""Bytes: in the second cache, in the third, in memory."""


LITTLE = 4096
SIDE = 1024


def rate(amount: float, function: Callable[[], Any]) -> float:
    """What ``function`` does in a second, at best."""
    sampler = Sampler(Contestant("", function, ()))
    return amount / min(sampler() for _ in range(4))


class Machine:
    """The best rates of the whole run: they are measured again for every row."""

    def __init__(self) -> None:
        self.bandwidths = dict.fromkeys(WORKING_SETS, 0.0)
        """Bytes a second of additions with two operands and one result, by working set."""
        self.products = {"float32": 0.0, "float64": 0.0}
        """Operations a second inside products of square matrices."""

    def measure(self) -> None:
        for size, known in self.bandwidths.items():
            a, b, c = (np.ones(size // 24) for _ in range(3))
            found = rate(size, partial(np.add, a, b, c))
            self.bandwidths[size] = max(known, found)
        for dtype, known in self.products.items():
            m = np.ones((SIDE, SIDE), dtype)
            found = rate(2 * SIDE**3, partial(np.matmul, m, m, np.empty_like(m)))
            self.products[dtype] = max(known, found)

    def seconds(self, moved: float, products: float, dtype: str) -> float:
        """Less is not possible. What fits a cache is taken to be there; 0 where little moves."""
        fitting = [size for size in WORKING_SETS if moved <= size] or [WORKING_SETS[-1]]
        moving = moved / self.bandwidths[fitting[0]] if moved > LITTLE else 0.0
        return max(moving, products / self.products[dtype])

    def described(self) -> str:
        second, third, memory = (f"{rate / 1e9:.0f}" for rate in self.bandwidths.values())
        single, double = (f"{rate / 1e9:.0f}" for rate in self.products.values())
        return (
            f"At best additions moved {second}, {third} and {memory} GB/s in the second cache, the "
            f"third and memory; products of matrices reached {double} GFLOP/s in float64 and "
            f"{single} in float32."
        )


def moved(arguments: Arguments, results: Arrays) -> float:
    """Bytes, if each argument is read and each result written once."""
    arrays = [a for a in arguments.values() if isinstance(a, np.ndarray)]
    return float(sum(a.nbytes for a in (*arrays, *results)))
