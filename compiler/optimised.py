"""The graphs of a module's functions, by the passes of a level: where one computes with Python's
numbers, all do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from ..dsl.graph import Graph, Node
from .compilation import STEPWISE, WHOLE, Graphs, Options
from .derived import floats, ones_like
from .machine import Machine
from .passes import finish, has_arrays, numbers_alone, optimise, unconverted
from .passes.blocks import blocks
from .passes.factors import factored
from .passes.fission import fission
from .passes.strength import strength


class Slower(Exception):
    """Without whole Jacobians and Hessians a module, or its loops, could compute with numbers."""


def optimised(graphs: Graphs, options: Options, machine: Machine) -> tuple[Graphs, bool]:
    """The graphs as they are written, and whether arrays in them were taken apart. Raises
    ``Slower``."""
    settled: set[Node] = set()  # What local passes leave alone in one graph, they do in the others.
    axes = has_axes(graphs.both)
    graphs = _tidied(graphs, options.level, settled)
    if options.level > 1:
        graphs = graphs.map(partial(_faster, options=options, machine=machine))
        tidy = partial(optimise, level=options.level, settled=settled)
        graphs = graphs.map(partial(blocks, machine=machine, tidy=tidy), _in_blocks(graphs))
    graphs = _with_small_loops(graphs, options.level, STEPWISE)
    whole = graphs.there(WHOLE)
    if whole and axes and any(map(_with_numbers, graphs.there(STEPWISE))):
        raise Slower
    graphs = _with_small_loops(graphs, options.level, WHOLE)
    arrays = has_arrays(graphs.there(("both", "at_once")))
    apart = arrays and options.level > 1
    if apart and (numbers := numbers_alone(graphs.there(), options.level)) is not None:
        made = iter(numbers)
        return graphs.map(lambda _: finish(next(made), arrays=False)), True
    if apart and whole and numbers_alone(graphs.there(STEPWISE), options.level) is not None:
        raise Slower
    if not arrays:
        graphs = graphs.map(unconverted)
    return graphs.map(partial(finish, arrays=arrays)), False


def _tidied(graphs: Graphs, level: int, settled: set[Node]) -> Graphs:
    """The graphs by the passes of all levels. Where the objective is the only output with a
    gradient, its gradients are those for any seed, with 1 in its place."""
    objective = graphs.both.interface.objective
    tidy = partial(optimise, level=level, settled=settled)
    if objective is None or floats(graphs.both) != [objective]:
        return graphs.map(tidy)
    both = tidy(graphs.both)
    value = both.outputs[objective]
    alone = replace(both, outputs={objective: value})
    at_once = optimise(alone, level, settled, {both.seeds[objective]: ones_like(value)})
    others = graphs.map(tidy, ("jvp", "hvp", *WHOLE))
    return replace(others, both=both, at_once=at_once)


def _faster(graph: Graph, options: Options, machine: Machine) -> Graph:
    """What ``-O2`` does beyond the passes of ``-O1``, the same for all functions of a module."""
    from .passes.columns import columns  # With NumPy.

    graph = optimise(columns(optimise(fission(factored(graph)), 2), machine), 2)
    return optimise(strength(graph, machine, fast_math=options.fast_math), 2)


def _in_blocks(graphs: Graphs) -> Sequence[str]:
    """Which graphs may be computed in blocks. A gradient that arrives later goes back through whole
    arrays, and those that lie column by column cost more to put together from blocks than they
    save; so do all directions at once."""
    whole = graphs.both.gradients or "by_column" in graphs.both.operations
    return STEPWISE[1:] if whole else STEPWISE


def _with_small_loops(graphs: Graphs, level: int, names: Sequence[str]) -> Graphs:
    """Loops of few numbers in Python's: at ``-O2`` wherever they stand, else where nothing but
    what they keep of their steps is an array."""
    if not level or not any("scan" in graph.operations for graph in graphs.there(names)):
        return graphs
    from .passes.small_loops import small_loops  # With NumPy.

    made = graphs.map(small_loops, names)
    if level < 2 and has_arrays(made.there(names)):
        return graphs
    changed = [n for n in names if getattr(made, n) is not getattr(graphs, n)]
    return made.map(partial(optimise, level=level), changed)


def _with_numbers(graph: Graph) -> bool:
    """Whether a loop computes with Python's numbers."""
    return any(n.op.name == "scan" and n.attributes["loop"].numbers for n in graph.nodes)


def has_axes(graph: Graph) -> bool:
    """Whether something that is given, or an output, is an array."""
    ends = (*graph.inputs.values(), *graph.outputs.values())
    return any(node.type.rank for node in ends)
