"""NumPy as one writes it by hand: forward and backward, without a thought of speed."""

from __future__ import annotations

from ..contest import Contestant
from ..workloads import Arguments, Workload
from .by_hand import gradbench, layers, models, small

FUNCTIONS = small.FUNCTIONS | layers.FUNCTIONS | models.FUNCTIONS | gradbench.FUNCTIONS


def contestants(workload: Workload, arguments: Arguments) -> list[Contestant]:
    function = FUNCTIONS[workload.formula]
    return [Contestant("naive", function, tuple(arguments.values()), traced=True)]
