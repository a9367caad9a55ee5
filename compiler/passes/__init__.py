"""Graph to graph: each pass keeps every value and says the same with less.

The order is the tuples below; the whole is repeated until nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from typing import Protocol

from ...dsl.graph import Graph, Node
from ...dsl.loops import is_plain, map_loops, with_steps
from . import (
    associate,
    common,
    conditions,
    contract,
    fold,
    gathers,
    numbers,
    places,
    precision,
    products,
    prune,
    shapes,
    simplify,
    symmetry,
    units,
)
from .log import note
from .rewrite import NOTHING, Step, rewrite

Pass = Callable[[Graph], Graph]


class Local(Protocol):
    """A pass that looks at one node at a time: ``concerns`` says of which operations."""

    def concerns(self, name: str, family: str, /) -> bool: ...

    def step(self, node: Node, /) -> Node | None: ...


# Local passes look at one node at a time and share a walk; the others see the whole graph.
LOCAL: tuple[tuple[str, Local], ...] = (
    ("fold", fold),
    ("simplify", simplify),
    ("symmetry", symmetry),
    ("shapes", shapes),
    ("gathers", gathers),
)
WHOLE: tuple[tuple[str, Pass], ...] = (
    ("prune", prune.prune),
    ("common", common.common),
    ("numbers", numbers.together),
    ("associate", associate.associate),
    ("contract", contract.contract),
    ("units", units.units),
    ("places", places.joined),
)
PASSES: dict[str, Pass] = {n: partial(rewrite, step=p.step) for n, p in LOCAL} | dict(WHOLE)
_CONVERSIONS = ("to_python", "to_numpy")
_MAX_ROUNDS = 12
_MAX_STEPS = 20


def optimise(
    graph: Graph,
    level: int = 1,
    settled: set[Node] | None = None,
    given: Mapping[Node, Node] = NOTHING,
) -> Graph:
    """The passes of a level until none changes the graph: at 0 only what rules and functions
    left behind is simplified.

    Those that look at one node at a time share a walk. Dead code goes by itself: only what the
    outputs and gradients need is ever visited. Nodes in ``settled`` are known to be left alone by
    the local passes; those found to be are added. Nodes of ``given`` are replaced by others.
    """
    settled = set() if settled is None else settled
    if not level:
        graph = rewrite(graph, lambda _: None, given=given) if given else graph
        graph = map_loops(graph, partial(optimise, level=level))
        return rewrite(graph, _simplified)
    whole = [run for _, run in WHOLE]
    graph = _repeated(graph, whole, settled, given)
    mapped = map_loops(graph, partial(optimise, level=level, settled=settled))
    return graph if mapped is graph else _repeated(mapped, whole, settled)


def _repeated(
    graph: Graph,
    whole: Iterable[Pass],
    settled: set[Node],
    given: Mapping[Node, Node] = NOTHING,
) -> Graph:
    """The local passes and some that see all of the graph, until none changes it any more."""
    local = partial(rewrite, step=_local, settled=settled)
    graph = local(graph, given=given)
    passes: list[Pass] = [*whole, local]
    idle = 0  # How many passes, one after the other, have left the graph alone.
    for run in passes * _MAX_ROUNDS:
        before, graph = graph, run(graph)
        idle = idle + 1 if graph is before else 0
        if idle == len(passes):
            break
    return graph


def _simplified(node: Node) -> Node | None:
    """What a node becomes without what rules and functions left behind."""
    current = node
    for _ in range(_MAX_STEPS):
        result = simplify.step(current)
        if result is None:
            break
        current = result
    return None if current is node else current


def _local(node: Node) -> Node | None:
    """The steps of the local passes on one node until none applies."""
    current = node
    for _ in range(_MAX_STEPS):
        for name, step in _steps(current.op.name, current.op.family):
            result = step(current)
            if result is not None:
                note(name, current, result)
                current = result
                break
        else:
            break
    return None if current is node else current


@cache
def _steps(name: str, family: str) -> tuple[tuple[str, Step], ...]:
    """The local passes that have something to say of an operation."""
    return tuple((p, passes.step) for p, passes in LOCAL if passes.concerns(name, family))


def finish(graph: Graph, *, arrays: bool) -> Graph:
    """What comes once, after everything else: contractions as NumPy's products of matrices, and
    the working precision kept.

    ``arrays`` says whether the module computes with NumPy, or with plain numbers.
    """
    among_numbers = partial(finish, arrays=False)
    graph = map_loops(graph, partial(finish, arrays=arrays), among_numbers)
    made = rewrite(graph, products.step, only=("contract",))
    if made is not graph:
        graph = _repeated(made, [common.common], set())
    if not arrays:
        graph = conditions.conditions(graph)
    return common.common(precision.precision(graph, arrays))


def numbers_alone(graphs: Iterable[Graph], level: int) -> list[Graph] | None:
    """All graphs with their small arrays unrolled and optimised again, ``None`` where not all can
    be."""
    from .unroll import unrolled

    made = unrolled(list(graphs))
    return made and [optimise(graph, level) for graph in made]


def unconverted(graph: Graph) -> Graph:
    """A graph without NumPy: nothing need be converted."""
    return rewrite(
        graph, lambda n: n.operands[0] if n.op.name in _CONVERSIONS else None, only=_CONVERSIONS
    )


def has_arrays(graphs: Iterable[Graph]) -> bool:
    """Whether a value is an array of NumPy."""
    nodes = (node for graph in graphs for node in with_steps(graph.nodes))
    return any(node.type.rank and not is_plain(node) for node in nodes)
