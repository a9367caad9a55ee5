"""One row: every contestant is compared with gradc, and those that agree are timed."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from .contest import Arrays, Contestant, compiled, contestant, difference, statements
from .limits import Machine, moved
from .timing import Sampler, medians, peak
from .workloads import Arguments, Workload

FAST = "gradc --fast-math"
PEERS = ("jax", "torch", "autograd", "pytensor", "casadi", "sympy", "numba")


@dataclass
class Row:
    """Seconds and bytes by contestant, and why others are missing; without gradc, all are."""

    workload: Workload
    moved: float = 0.0
    products: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    def best(self) -> str | None:
        """The fastest of the others."""
        others = [name for name in self.seconds if name not in ("gradc", FAST)]
        return min(others, key=lambda name: self.seconds[name], default=None)

    def ratio(self) -> float | None:
        """How many times as long as gradc the fastest of the others takes."""
        best = self.best()
        return self.seconds[best] / self.seconds["gradc"] if best else None


def imported(names: Iterable[str]) -> tuple[dict[str, ModuleType], dict[str, str]]:
    """The peers that can be imported, and why the others cannot."""
    found, missing = {}, {}
    for name in ("naive", *names):
        try:
            found[name] = importlib.import_module(f".peers.{name}", __package__)
        except ImportError as error:
            missing[name] = str(error)
    return found, missing


def described(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"


def prepared(
    row: Row, peers: Mapping[str, ModuleType], arguments: Arguments, wanted: Arrays
) -> list[Contestant]:
    """The contestants that compute what gradc does; the others become problems of the row."""
    agreed = []
    for name, peer in peers.items():
        try:
            for one in peer.contestants(row.workload, arguments):
                name = one.name
                error = difference(one.results(), wanted)
                if error <= row.workload.tolerance:
                    agreed.append(one)
                else:
                    row.problems[name] = f"differs from gradc by {error:.1e}"
        except Exception as error:  # a peer that fails is a result
            row.problems[name] = described(error)
    return agreed


def relaxed(
    workload: Workload, arguments: Arguments, module: ModuleType, options: Mapping[str, Any]
) -> list[Contestant]:
    """gradc once more where ``--fast-math`` makes another module."""
    fast = compiled(workload, **{**options, "fast_math": True})
    same = statements(fast) == statements(module)
    return [] if same else [contestant(workload, arguments, fast, FAST)]


def measure(
    workload: Workload,
    peers: Mapping[str, ModuleType],
    machine: Machine,
    budget: float,
    options: Mapping[str, Any],
) -> Row:
    row = Row(workload)
    arguments = workload.arguments()
    try:
        module = compiled(workload, **options)
        own = contestant(workload, arguments, module)
        wanted = own.results()
        fast = relaxed(workload, arguments, module, options)
    except Exception as error:
        row.problems["gradc"] = described(error)
        return row
    row.moved = moved(arguments, wanted)
    row.products = workload.products(workload.sizes)
    machine.measure()
    everyone = [own, *fast, *prepared(row, peers, arguments, wanted)]
    times = medians([Sampler(one) for one in everyone], budget)
    for one, seconds in zip(everyone, times, strict=True):
        row.seconds[one.name] = seconds
        if one.traced:
            row.memory[one.name] = peak(one)
    return row
