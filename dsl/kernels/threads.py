"""Blocks of large arrays on several threads: NumPy lets go of Python's lock while it computes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

_POOL = ThreadPoolExecutor(2)


def _each(work: Callable[[int], Any], starts: range) -> Iterable[Any]:
    """The results of all blocks, in order; of a single one without a thread."""
    errors = np.geterr()

    def alike(start: int) -> Any:
        with np.errstate(**errors):  # Each thread has one of its own.
            return work(start)

    return _POOL.map(alike, starts) if len(starts) > 1 else map(work, starts)
