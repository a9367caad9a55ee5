"""What ``forward`` keeps for ``backward``, and what ``backward`` makes again.

Any values will do from which the gradients can be computed. To keep one costs memory; to make it
again costs time, and takes its operands, which are kept or made again in their turn. The choice
that costs least is a minimum cut between the inputs and what the gradients refer to.

Only arithmetic, comparisons and views are ever made again. Products of matrices, sums, and
functions that cost more than the memory they would save are kept.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..dsl.frozen import frozen
from ..dsl.graph import Graph, Node, topological
from ..dsl.shapes import Kind
from ..dsl.sizes import Size, product, total
from .compilation import Compilation
from .cut import cheapest
from .machine import Machine
from .prices import again, is_cheap, width, worth
from .schedule import call_key, computed, has_more, in_place, is_leaf, is_weak

# What a number alone costs, in ns: to keep it, and to compute it again.
_KEPT, _AGAIN = 60.0, 35.0


@frozen()
class Division:
    """What ``forward`` and ``backward`` compute, each in an order of computation."""

    forward: tuple[Node, ...]
    backward: tuple[Node, ...]


def divided(graph: Graph, kept: Iterable[Node]) -> Division:
    """The graph with gradients as two functions, of which one keeps values for the other. What is
    made again stands just before it is needed, since it takes memory from then on."""
    kept = list(kept)
    ahead = set(topological([*graph.outputs.values(), *kept]))
    own = set(topological(graph.gradients.values(), ahead))
    order = [node for node in graph.nodes if node in own]
    given = [*kept, *graph.inputs.values(), *graph.seeds.values()]
    return Division(
        tuple(node for node in graph.nodes if node in ahead),
        tuple(topological([*order, *graph.gradients.values()], given)),
    )


def kept_for_backward(
    graph: Graph, available: set[Node], level: int, machine: Machine
) -> tuple[Node, ...]:
    """The fields of the cache: values that ``forward`` computes, those ``available``, and inputs.
    At level 0 all that the gradients refer to is kept, but for views and plain numbers."""
    choice = _Choice(graph, available, level, machine)
    position = {node: i for i, node in enumerate(graph.nodes)}
    return tuple(sorted(choice.kept(), key=position.__getitem__))


def kept_values(compilation: Compilation) -> tuple[Node, ...]:
    """What the cache of a module of arrays keeps."""
    graph = compilation.graphs.both
    available = computed(graph.outputs.values(), graph.inputs.values())
    return kept_for_backward(graph, available, compilation.options.level, compilation.machine)


def bytes_kept(kept: Iterable[Node], of_float: int = 8) -> Size:
    """What a cache takes beyond the inputs it refers to; a float has ``of_float``."""
    return total(product(n.type.shape) * width(n, of_float) for n in kept if n.op.name != "input")


class _Choice:
    def __init__(self, graph: Graph, available: set[Node], level: int, machine: Machine) -> None:
        self.graph, self.available, self.level, self.machine = graph, available, level, machine
        self.inputs = set(graph.inputs.values())
        self.calls = {call_key(node) for node in available if has_more(node)}

    def kept(self) -> list[Node]:
        """Values of the forward pass, and inputs."""
        return cheapest(self._needed(), self._operands, self._keeping, self._again)

    def _operands(self, node: Node) -> list[Node]:
        return [o for o in node.operands if o in self.inputs or not is_leaf(o)]

    def _needed(self) -> list[Node]:
        """What the gradients need that does not depend on what arrives."""
        arriving = set(self.graph.seeds.values())
        found = []
        for node in self.graph.nodes:
            if not arriving.isdisjoint(node.operands):
                arriving.add(node)
                found += [operand for operand in node.operands if operand not in arriving]
        found += [node for node in self.graph.gradients.values() if node not in arriving]
        return [n for n in dict.fromkeys(found) if n in self.inputs or not is_leaf(n)]

    def _is_made(self, node: Node) -> bool:
        """Whether ``forward`` computes a value in any case."""
        return node in self.available or (has_more(node) and call_key(node) in self.calls)

    def _keeping(self, node: Node) -> int | None:
        """What it costs to keep a value, in ps: nothing for inputs; ``None`` where that makes no
        sense. ``forward`` computes nothing just for ``backward`` but truth values, the smallest
        there are."""
        if node in self.inputs:
            return 0
        truth = node.type.kind is Kind.BOOL and node.op.by_entry and node.type.rank
        if not (self._is_made(node) or (truth and self.level)):
            return None
        if (node.op.view and not _names(node)) or is_weak(node) or in_place(node):
            return None
        # Of a view and the array it shows, which take the same memory, the one with a name is kept.
        return round((worth(node) + _KEPT) * 1e3) - node.op.view

    def _again(self, node: Node) -> int | None:
        """What it costs to make a value from its operands in ``backward``, beyond what has to be
        done in any case, in ps; ``None`` where that must not be."""
        if node in self.inputs:
            return None
        if node.op.view or not self._is_made(node) or in_place(node) or is_weak(node):
            return 0
        if not self.level or not is_cheap(node, self.machine):
            return None
        if not node.type.rank:
            small = node.type.kind is Kind.BOOL or node.op.name == "as_float"
            return round(_AGAIN * 1e3) if small else None
        return round(again(node, self.machine) * 1e3)


def _names(node: Node) -> bool:
    """Whether a view gives a name to an array computed just for it, of the same size."""
    source: Node = node
    while source.op.view and (source is node or not source.name):
        if source.op.name in _PARTIAL:
            return False
        source = source.operands[0]
    return bool(node.name and not source.name and source.op.name != "input")


# Views that do not show each entry once.
_PARTIAL = ("broadcast_to", "getitem", "diagonal")
