"""The graphs of a module's functions, derived from that of the specification."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from ..dsl.graph import Graph, Node, constant, make
from .compilation import Graphs, Options
from .differentiate import along, seed_nodes, with_gradients, with_tangents
from .directions import hessian_of, jacobian_of
from .passes import optimise
from .passes.fission import fission
from .request import needed_functions


def floats(graph: Graph) -> list[str]:
    """The outputs that have gradients."""
    return [name for name, node in graph.outputs.items() if node.type.is_float]


def seeds_of(graph: Graph) -> dict[str, str]:
    """By output, the name of the gradient that arrives there."""
    names = floats(graph)
    return {name: "dout" if len(names) == 1 else f"d{name}" for name in names}


def derived(graph: Graph, options: Options, wrt: Sequence[str], *, whole: bool) -> Graphs:
    """What the options ask for, not yet optimised: with Jacobians and Hessians as a ``whole``, or
    made of what is along one direction after the other. An objective that is the only output with
    a gradient is differentiated once, in ``both``."""
    needs = needed_functions(options, graph)
    outputs, objective = floats(graph), graph.interface.objective
    prepared = partial(_prepared, level=options.level)
    at_once = jvp = hvp = jacobian = hessian = None
    if whole and "jacobian" in needs:
        jacobian = jacobian_of(graph, outputs, wrt, prepared)
    if "jvp" in needs or ("jacobian" in needs and jacobian is None):
        jvp = with_tangents(graph, wrt)
    if objective is not None and (outputs != [objective] or needs & {"hvp", "hessian"}):
        at_once = _of_objective(graph, objective, wrt)
        if whole and "hessian" in needs:
            hessian = hessian_of(at_once, wrt, prepared)
        if "hvp" in needs or ("hessian" in needs and hessian is None):
            hvp = along(at_once, wrt)
    both = with_gradients(graph, seed_nodes(graph, seeds_of(graph)), wrt)
    return Graphs(both, at_once, jvp, hvp, jacobian, hessian)


def _prepared(graph: Graph, level: int) -> Graph:
    """Derivatives along one direction, before they are spread over all."""
    graph = optimise(graph, level)
    return optimise(fission(graph), level) if level > 1 else graph


def _of_objective(graph: Graph, objective: str, wrt: Sequence[str]) -> Graph:
    """The objective and its gradients."""
    value = graph.outputs[objective]
    alone = replace(graph, outputs={objective: value})
    return with_gradients(alone, {objective: ones_like(value)}, wrt)


def ones_like(node: Node) -> Node:
    """The seed of an objective; in a batch, of the sum of all of them."""
    one = constant(1.0, node.span)
    if not node.type.rank:
        return one
    return make("broadcast_to", [one], node.span, {"shape": node.type.shape})
