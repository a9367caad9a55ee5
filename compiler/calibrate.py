"""``gradc calibrate``: what NumPy costs on this machine, measured in a few seconds."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from .machine import AVX512, Machine

_ENTRIES = 8192
_REPEATS = 31


def calibrate() -> Machine:
    """The costs of calls and functions, and the rates of matrix products and of memory."""
    rng = np.random.default_rng(0)
    x = rng.uniform(0.5, 2.0, _ENTRIES)
    one = x[:1].copy()
    call = _median(lambda: np.add(one, one)) * 1e6
    functions: dict[str, Callable[[Any], Any]] = {
        "add": lambda a: a + a, "multiply": lambda a: a * a, "divide": lambda a: a / a,
        "sqrt": np.sqrt, "exp": np.exp, "log": np.log, "log1p": np.log1p, "expm1": np.expm1,
        "tanh": np.tanh, "sin": np.sin, "cos": np.cos, "tan": np.tan, "power": lambda a: a**2.7,
        "logaddexp": lambda a: np.logaddexp(a, a),
    }  # fmt: skip
    entry = {name: _entry(function, x, call) for name, function in functions.items()}
    decay = entry["exp"] + 2 * entry["add"]
    entry |= {"sigmoid": decay + entry["divide"] + 2 * entry["add"],
              "softplus": decay + entry["log1p"] + 2 * entry["add"],
              "logsumexp": entry["exp"] + 4 * entry["add"],
              "softmax": entry["exp"] + entry["divide"] + 4 * entry["add"]}  # fmt: skip
    a = rng.normal(size=(384, 384))
    gemm = 2 * 384**3 / _median(lambda: a @ a, 7) * 1e-9
    large, into = np.ones(4_000_000), np.ones(4_000_000)
    memory = 16 * large.size / _median(lambda: np.copyto(into, large), 7) * 1e-9
    rounded = {name: round(value, 3) for name, value in entry.items()}
    return Machine(
        round(call, 3), round(gemm, 1), round(memory, 1), _cache(), rounded, measured=True
    )


def _cache() -> int:
    """KiB of the cache that a core has for itself; that of a typical one where nothing says."""
    try:
        return os.sysconf("SC_LEVEL2_CACHE_SIZE") // 1024 or AVX512.cache
    except (AttributeError, OSError, ValueError):
        return AVX512.cache


def _entry(function: Callable[[Any], Any], x: Any, call: float) -> float:
    """ns an entry, beyond what a call costs."""
    beyond = _median(lambda: function(x)) * 1e9 - call * 1e3
    return max(beyond, 1.0) / _ENTRIES


def _median(run: Callable[[], Any], repeats: int = _REPEATS) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
