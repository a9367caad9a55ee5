"""Contestants: functions of NumPy arrays, called again and again and compared with each other."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import gradc
import numpy as np
from gradc.compiler import driver
from gradc.compiler.compilation import Options
from gradc.compiler.load import execute
from gradc.dsl.source import Source
from numpy.typing import NDArray

from .workloads import Arguments, Workload

Arrays = list[NDArray[Any]]


@dataclass(frozen=True)
class Contestant:
    """``traced``: its arrays are NumPy's, so that ``tracemalloc`` sees them."""

    name: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any] = field(default_factory=dict)
    traced: bool = False

    def results(self) -> Arrays:
        """Values, then derivatives."""
        return list(flat(self.function(*self.arguments, **self.keywords)))


def flat(results: Any) -> Iterator[NDArray[Any]]:
    if isinstance(results, (tuple, list)):
        for result in results:
            yield from flat(result)
    else:
        yield np.asarray(results)


def difference(found: Arrays, wanted: Arrays) -> float:
    """The largest error as a share of the largest entry of its array; infinite for a shape."""
    if [a.shape for a in found] != [a.shape for a in wanted]:
        return float("inf")
    worst = 0.0
    for a, b in zip(found, wanted, strict=True):
        scale = float(np.max(np.abs(b), initial=0.0)) or 1.0
        error = float(np.max(np.abs(a - b), initial=0.0)) / scale
        worst = max(worst, error if error == error else float("inf"))
    return worst


def compiled(workload: Workload, small: bool = False, **options: Any) -> ModuleType:
    """The generated module, never from a cache: the compiler may be another than yesterday."""
    if workload.fixed:
        sizes = workload.small if small else workload.sizes
        known = {name: sizes[name] for name in workload.fixed}
        options = {"sizes": known, "dtype": workload.dtype, **options}
    if workload.columns:
        options = {"emit": ("jacobian",), "wrt": (workload.columns,), **options}
    if isinstance(workload.spec, Path):
        text = gradc.compile(workload.spec, **options)
    else:
        program = driver.checked(Source(workload.text(small), f"{workload.name}.grad"))
        text = driver.python(driver.compiled(program, Options(**options)))
    return execute(text, workload.name.replace("-", "_"), f"<{workload.name} {options}>")


def statements(module: ModuleType) -> list[str]:
    """Its lines without those that name the options it was made with."""
    return [line for line in linecache.getlines(str(module.__file__)) if not line.startswith("#")]


def contestant(
    workload: Workload, arguments: Arguments, module: ModuleType, name: str = "gradc"
) -> Contestant:
    """gradc itself: ``value_and_grad``, or the outputs, or the Jacobian."""
    keywords = {name: arguments[name] for name in workload.open_sizes}
    positional = tuple(value for name, value in arguments.items() if name not in keywords)
    if not isinstance(workload.spec, Path):
        keywords = {}  # a text made for these sizes
    if workload.wrt:
        function = module.value_and_grad
    elif workload.columns:
        jacobian = module.jacobian

        def function(*given: Any, **sizes: Any) -> Any:
            return jacobian(*given, **sizes)[0][0]

    else:
        forward = module.forward

        def function(*given: Any, **sizes: Any) -> Any:
            return forward(*given, **sizes)[0]

    return Contestant(name, function, positional, keywords, traced=True)
