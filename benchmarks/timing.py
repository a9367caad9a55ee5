"""Medians of calls that take turns, and the peak of memory."""

from __future__ import annotations

import math
import random
import statistics
import tracemalloc
from collections.abc import Callable, Sequence
from timeit import Timer

from .contest import Contestant

LEAST = 5e-4
"""Seconds that one sample takes at least: calls that are shorter are repeated in it."""


def timer(contestant: Contestant) -> Timer:
    """Written out, so that the call costs what it costs in a program."""
    names = [f"a{i}" for i in range(len(contestant.arguments))]
    known = dict(zip(names, contestant.arguments, strict=True))
    names += [f"{name}={value!r}" for name, value in contestant.keywords.items()]
    return Timer(f"f({', '.join(names)})", globals={**known, "f": contestant.function})


WARM = 1e-2
"""Seconds of a sample below which a call that is not timed goes before it."""


class Sampler:
    """Seconds of a call: one sample at a time, each of as many calls as the first shows."""

    def __init__(self, contestant: Contestant) -> None:
        self.timer = timer(contestant)
        self.number = 1
        while (seconds := self.timer.timeit(self.number)) < LEAST:
            self.number = max(2 * self.number, math.ceil(self.number * LEAST / max(seconds, 1e-7)))
        self.seconds = seconds
        """Of a whole sample, about."""

    def __call__(self) -> float:
        if self.seconds < WARM:
            self.timer.timeit(1)  # caches, and threads that the one before has left busy
        return self.timer.timeit(self.number) / self.number


def medians(samplers: Sequence[Sampler], budget: float, most: int = 200) -> list[float]:
    """All take turns, in another order each time, for about ``budget`` seconds."""
    turn = sum(sampler.seconds for sampler in samplers)
    rounds = min(most, max(5, math.ceil(budget / turn)))
    order = list(range(len(samplers)))
    shuffle: Callable[[list[int]], None] = random.Random(0).shuffle
    found: list[list[float]] = [[] for _ in samplers]
    for _ in range(rounds):
        shuffle(order)
        for i in order:
            found[i].append(samplers[i]())
    return [statistics.median(times) for times in found]


def peak(contestant: Contestant) -> int:
    """Bytes that one call holds at most, results included, arguments not."""
    tracemalloc.start()
    contestant.function(*contestant.arguments, **contestant.keywords)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most
