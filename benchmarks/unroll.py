"""Microseconds of ``value_and_grad`` with arrays, and with each entry a number, by size.

    python -m benchmarks.unroll [--repeats 25]

For each function: how many nodes there are for an operation on arrays, and the gain; where the
gain ends is the limit of ``compiler/passes/unroll.py``.
"""

from __future__ import annotations

import argparse
import timeit
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
from gradc.compiler import driver
from gradc.compiler.compilation import Compilation, Options
from gradc.compiler.load import execute
from gradc.compiler.passes import unroll
from gradc.dsl.source import Source

FUNCTIONS = {
    "homework": "input x: float[n] input W: float[n, n] output f = norm(sigmoid(W @ x))^2",
    "entries": "input x: float[n] input y: float[n] output f = sum(sin(x) * y + exp(-x^2))",
    "rosenbrock": "input x: float[n] output f = sum(100 * (x[1:] - x[:-1]^2)^2 + (1 - x[:-1])^2)",
    "quadratic": "input A: float[n, n] input x: float[n] output f = x @ A @ x",
    "matrices": "input A: float[n, n] input B: float[n, n] output f = sum((A @ B)^2)",
    "softmax": "input x: float[n] data t: float[n] output f = -sum(t * log_softmax(x))",
}
SIZES = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
NUMBER = 40


def compiled(name: str, size: int, level: int) -> Compilation:
    program = driver.checked(Source(FUNCTIONS[name], name))
    return driver.compiled(program, Options(sizes=(("n", size),), level=level))


def loaded(compilation: Compilation) -> ModuleType:
    text = driver.python(compilation)
    return execute(text, f"gradc_modules.unroll_{id(compilation)}", "<unroll>")


def best(modules: list[ModuleType], inputs: list[Any], repeats: int) -> list[float]:
    """The least time of each module, taken in turns."""
    found = [float("inf")] * len(modules)
    for _ in range(repeats):
        for at, module in enumerate(modules):
            call = partial(module.value_and_grad, *inputs)
            seconds = timeit.timeit(call, number=NUMBER)
            found[at] = min(found[at], seconds / NUMBER * 1e6)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=25)
    options = parser.parse_args()
    unroll.NODES = unroll.NODES_PER_OPERATION = 2_000
    rng = np.random.default_rng(0)
    print("function     n   nodes  per operation  arrays  numbers   gain")
    for name in FUNCTIONS:
        for size in SIZES:
            arrays, numbers = (compiled(name, size, level) for level in (1, 2))
            if not numbers.unrolled:
                break
            shapes = [
                [int(s.constant or 0) for s in i.type.shape] for i in numbers.interface.inputs
            ]
            inputs = [rng.normal(size=shape) for shape in shapes]
            slow, fast = best([loaded(arrays), loaded(numbers)], inputs, options.repeats)
            assert arrays.graphs.at_once is not None and numbers.graphs.at_once is not None
            nodes = len(numbers.graphs.at_once.nodes)
            each = nodes / unroll.array_operations(arrays.graphs.at_once.nodes)
            print(f"{name:10}{size:4}{nodes:8}{each:15.0f}{slow:8.1f}{fast:9.1f}{slow / fast:7.2f}")


if __name__ == "__main__":
    main()
