"""Inputs to check a function at where its specification has no example: small distinct sizes, and
values within the declared domains."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Mapping
from typing import Any

from ..dsl.domains import Domain
from ..dsl.graph import Graph, Input, Interface
from ..dsl.shapes import Kind
from ..dsl.sizes import Size

# Where the numbers of inputs without a domain are taken from: the first range that suits.
RANGES = ((-2.0, 2.0), (0.5, 2.0), (0.1, 0.9), (1.5, 3.0))
_TRIES = 2000


def small_sizes(interface: Interface) -> dict[str, int]:
    """Sizes from 2 on, distinct if possible, that fit all conditions; else the first tried."""
    names = (*interface.sizes, *interface.open_sizes)
    choices = range(2, 5 + len(names))
    distinct = itertools.permutations(choices, len(names))
    any_ = itertools.product(range(1, 9), repeat=len(names))
    first = dict(zip(names, choices, strict=False))
    for values in itertools.chain(itertools.islice(distinct, _TRIES), any_):
        sizes = dict(zip(names, values, strict=True))
        if _fit(interface, sizes):
            return sizes
    return first


def _fit(interface: Interface, sizes: Mapping[str, int]) -> bool:
    dimensions = (size for i in interface.inputs for size in i.type.shape)
    if any(size.evaluate(sizes) < 1 for size in dimensions):
        return False
    if any(c.low.evaluate(sizes) > c.high.evaluate(sizes) for c, _ in interface.conditions):
        return False
    for i in interface.inputs:
        low, high = limits(i, sizes, (-math.inf, math.inf))
        if low > high or (i.type.kind is Kind.INT and low == high):
            return False
    return True


def limits(i: Input, sizes: Mapping[str, int], default: tuple[float, float]) -> tuple[float, float]:
    """The range to draw from: of floats inside the domain, of integers without the upper limit."""
    domain = i.domain or Domain()
    low, high = _number(domain.low, sizes), _number(domain.high, sizes)
    if i.type.kind is Kind.INT:
        return _whole_limits(domain, low, high)
    if low is not None and high is not None:
        return low + (high - low) / 16, high - (high - low) / 16
    if low is not None:
        return low + 0.5, low + 2.5
    if high is not None:
        return high - 2.5, high - 0.5
    return default


def _whole_limits(domain: Domain, low: float | None, high: float | None) -> tuple[float, float]:
    first = None if low is None else math.floor(low) + 1 if domain.open_low else math.ceil(low)
    end = None if high is None else math.ceil(high) if domain.open_high else math.floor(high) + 1
    if first is None:
        first = 1 if end is None or end > 1 else end - 4
    return first, first + 4 if end is None else end


def _number(limit: float | Size | None, sizes: Mapping[str, int]) -> float | None:
    value = float(limit.evaluate(sizes)) if isinstance(limit, Size) else limit
    return None if value is None or math.isinf(value) else value


def suitable_range(graph: Graph, sizes: Mapping[str, int]) -> tuple[float, float]:
    """The first of ``RANGES`` in which the outputs are numbers: inputs may be what ``log`` gets."""
    if all(i.domain or not i.type.is_float for i in graph.interface.inputs):
        return RANGES[0]
    for chosen in RANGES:
        if all(_finite(graph, sizes, chosen, seed) for seed in range(3)):
            return chosen
    return RANGES[0]


def _finite(graph: Graph, sizes: Mapping[str, int], chosen: tuple[float, float], seed: int) -> bool:
    import numpy as np

    from .interpret import Interpreter

    rng = random.Random(seed)
    values: dict[str, Any] = {}
    for i in graph.interface.inputs:
        low, high = limits(i, sizes, chosen)
        shape = tuple(size.evaluate(sizes) for size in i.type.shape)
        numbers = [_drawn(i.type.kind, low, high, rng) for _ in range(math.prod(shape))]
        values[i.name] = np.reshape(numbers, shape)
    known = graph.interface.with_blocks(sizes)
    outputs = Interpreter(values, known).run(graph.outputs.values())
    return all(bool(np.all(np.isfinite(output))) for output in outputs)


def _drawn(kind: Kind, low: float, high: float, rng: random.Random) -> float:
    if kind is Kind.FLOAT:
        return rng.uniform(low, high)
    return rng.randrange(int(low), int(high)) if kind is Kind.INT else rng.random() < 0.5
