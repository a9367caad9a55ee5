"""Graph to graph: each pass keeps every value and says the same with less.

The order is the tuple below; the whole is repeated until nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable

from ...dsl.graph import Graph
from . import common, fold, precision, prune, shapes, simplify

Pass = Callable[[Graph], Graph]
PASSES: tuple[tuple[str, Pass], ...] = (
    ("fold", fold.fold),
    ("simplify", simplify.simplify),
    ("shapes", shapes.shapes),
    ("prune", prune.prune),
    ("common", common.common),
)
_MAX_ROUNDS = 12


def optimise(graph: Graph) -> Graph:
    """All passes until none changes the graph. Dead code goes by itself: only what the outputs
    and gradients need is ever visited."""
    for _ in range(_MAX_ROUNDS):
        before = graph.nodes
        for _, run in PASSES:
            graph = run(graph)
        if graph.nodes == before:
            break
    return graph


def finish(graph: Graph) -> Graph:
    """What comes once, after everything else: the working precision kept."""
    return common.common(precision.precision(graph))
