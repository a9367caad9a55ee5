"""A lowered graph with its gradients beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..dsl.graph import Graph, Node, constant, make
from .compilation import tangent_of
from .forward import tangents
from .forward_loops import joined
from .reverse import gradients


def seed_nodes(graph: Graph, names: Mapping[str, str]) -> dict[str, Node]:
    """An input for the gradient arriving at each output of ``names``."""
    seeds = {}
    for output, name in names.items():
        node = graph.outputs[output]
        seeds[output] = make("input", (), node.span, {"name": name, "type": node.type})
    return seeds


def with_gradients(graph: Graph, seeds: Mapping[str, Node], wrt: Sequence[str]) -> Graph:
    """The graph and the gradients of its seeded outputs with respect to inputs.

    An input that no output depends on has a gradient of zeros.
    """
    inputs = {name: graph.inputs[name] for name in wrt}
    adjoints = gradients(graph, seeds, inputs.values())
    found = adjoints.gradients
    return replace(
        graph,
        landmarks=(*graph.landmarks, *adjoints.order),
        seeds=dict(seeds),
        gradients={name: found.get(node) or zeros_like(node) for name, node in inputs.items()},
        adjoints={node.label: value for node, value in adjoints.passing.items() if node.name},
    )


def direction_nodes(graph: Graph, wrt: Sequence[str], prefix: str) -> dict[str, Node]:
    """An input for the direction of each input of ``wrt``."""
    nodes = {name: graph.inputs[name] for name in wrt}
    return {
        name: make("input", (), node.span, {"name": f"{prefix}{name}", "type": node.type})
        for name, node in nodes.items()
    }


def with_tangents(graph: Graph, wrt: Sequence[str]) -> Graph:
    """The graph whose further outputs are the tangents of its float outputs."""
    seeds = direction_nodes(graph, wrt, "d")
    given = {graph.inputs[name]: seed for name, seed in seeds.items()}
    found = tangents(graph.outputs.values(), given, named=True)
    floats = {name: node for name, node in graph.outputs.items() if node.type.is_float}
    moved = {tangent_of(n): found.get(node) or zeros_like(node) for n, node in floats.items()}
    return joined(replace(graph, outputs={**graph.outputs, **moved}, seeds=seeds))


def along(graph: Graph, wrt: Sequence[str]) -> Graph:
    """The derivative of the gradients of a graph along a direction: forward over reverse."""
    seeds = direction_nodes(graph, wrt, "v_")
    given = {graph.inputs[name]: seed for name, seed in seeds.items()}
    found = tangents(graph.gradients.values(), given)
    moved = {n: found.get(node) or zeros_like(node) for n, node in graph.gradients.items()}
    return joined(replace(graph, outputs={}, gradients=moved, seeds=seeds, adjoints={}))


def zeros_like(node: Node) -> Node:
    if not node.type.rank:
        return constant(0.0, node.span)
    return make("zeros", (), node.span, {"shape": node.type.shape})
