"""What the machine can do at best: bandwidth and matrix products, measured with NumPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .contest import Arrays, Contestant
from .timing import Sampler
from .workloads import Arguments, Workload

WORKING_SETS = (2**18, 2**23, 2**28)
"""Bytes: in the second cache, in the third, in memory."""


def fastest(function: Callable[[], Any]) -> float:
    sampler = Sampler(Contestant("", function, ()))
    return min(sampler() for _ in range(9))


@dataclass
class Machine:
    """Rates are measured when first asked for."""

    @cached_property
    def bandwidths(self) -> list[float]:
        """Bytes a second of an addition with two operands and one result, for each working set."""
        rates = []
        for size in WORKING_SETS:
            a, b, c = (np.ones(size // 24) for _ in range(3))
            rates.append(3 * a.nbytes / fastest(lambda a=a, b=b, c=c: np.add(a, b, c)))  # type: ignore[misc]
        return rates

    @cached_property
    def products(self) -> dict[str, float]:
        """Operations a second inside products of matrices of 1,024 rows and columns."""
        rates = {}
        for dtype in ("float32", "float64"):
            a = np.ones((1024, 1024), dtype)
            c = np.empty_like(a)
            rates[dtype] = 2 * 1024**3 / fastest(lambda a=a, c=c: np.matmul(a, a, c))  # type: ignore[misc]
        return rates

    def bandwidth(self, size: int) -> float:
        for limit, rate in zip(WORKING_SETS, self.bandwidths, strict=True):
            if size <= limit:
                return rate
        return self.bandwidths[-1]

    def seconds(self, workload: Workload, arguments: Arguments, results: Arrays) -> float:
        """Less is not possible: each argument read and each result written once, or its products.

        What fits a cache is taken to be there. 0 where next to nothing moves.
        """
        arrays = [a for a in arguments.values() if isinstance(a, np.ndarray)]
        size = sum(a.nbytes for a in (*arrays, *results))
        moving = size / self.bandwidth(size) if size > 4096 else 0.0
        return max(moving, workload.products(workload.sizes) / self.products[workload.dtype])

    def described(self) -> str:
        second, third, memory = (f"{rate / 1e9:.0f}" for rate in self.bandwidths)
        single, double = (f"{rate / 1e9:.0f}" for rate in self.products.values())
        return (
            f"In this run additions moved {second}, {third} and {memory} GB/s in the second cache, "
            f"the third and memory; products of matrices reached {double} GFLOP/s in float64 and "
            f"{single} in float32."
        )
