"""A lowered graph with its gradients beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..dsl.graph import Graph, Node, constant, make
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


def zeros_like(node: Node) -> Node:
    if not node.type.rank:
        return constant(0.0, node.span)
    return make("zeros", (), node.span, {"shape": node.type.shape})
