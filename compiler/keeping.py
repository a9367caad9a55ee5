"""What ``forward`` keeps for ``backward``, and what ``backward`` makes again.

Any values will do from which the gradients can be computed. To keep one costs memory; to make it
again costs time, and takes its operands, which are kept or made again in their turn. The choice
that costs least is a minimum cut between the inputs and what the gradients refer to.

Only arithmetic, comparisons and views are ever made again. Products of matrices, sums, and
functions that cost more than the memory they would save are kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..dsl.graph import Graph, Node, topological
from ..dsl.shapes import Kind
from ..dsl.sizes import Size, product, total
from .compilation import Compilation
from .cut import Network
from .machine import Machine, entries
from .schedule import Function, call_key, has_more, in_place, is_leaf, is_weak, plan

# What keeping a byte is worth, in ns: a number of 8 bytes about eight additions.
_BYTE = 0.5
# What is made again costs no more an entry, in ns: about as much as reading and writing it.
_CHEAP = 0.75
# What a number alone costs, in ns: to keep it, and to compute it again.
_KEPT, _AGAIN = 60.0, 35.0


@dataclass(frozen=True)
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
    graph: Graph, forward: Function, level: int, machine: Machine
) -> tuple[Node, ...]:
    """The fields of the cache: values that ``forward`` computes, and inputs. At level 0 all that
    the gradients refer to is kept, but for views and plain numbers."""
    choice = _Choice(graph, forward.nodes, level, machine)
    position = {node: i for i, node in enumerate(graph.nodes)}
    return tuple(sorted(choice.kept(), key=position.__getitem__))


def kept_values(compilation: Compilation) -> tuple[Node, ...]:
    """What the cache of a module of arrays keeps."""
    graph = compilation.both
    forward = plan(graph.nodes, graph.outputs.values(), graph.inputs.values())
    return kept_for_backward(graph, forward, compilation.options.level, compilation.machine)


def bytes_kept(kept: Iterable[Node], width: int = 8) -> Size:
    """What a cache takes beyond the inputs it refers to; ``width`` is that of a float."""
    return total(product(n.type.shape) * _width(n, width) for n in kept if n.op.name != "input")


def _width(node: Node, of_float: int = 8) -> int:
    """The bytes of an entry."""
    return {Kind.BOOL: 1, Kind.INT: 8, Kind.FLOAT: of_float}[node.type.kind]


class _Choice:
    def __init__(self, graph: Graph, available: set[Node], level: int, machine: Machine) -> None:
        self.graph, self.available, self.level, self.machine = graph, available, level, machine
        self.inputs = set(graph.inputs.values())
        self.calls = {call_key(node) for node in available if has_more(node)}

    def kept(self) -> list[Node]:
        """Values of the forward pass, and inputs."""
        needed = self._needed()
        network = Network("gradients", "inputs")
        waiting, seen = list(needed), set(needed)
        for node in needed:
            network.arc("gradients", ("there", node))
        while waiting:
            node = waiting.pop()
            if node in self.inputs:
                continue
            keeping, again = self._keeping(node), self._again(node)
            network.arc(("there", node), ("again", node), keeping)
            if again is None:
                network.arc(("again", node), "inputs")
                continue
            network.arc(("again", node), "inputs", again)
            for operand in node.operands:
                if operand in self.inputs or not is_leaf(operand):
                    network.arc(("again", node), ("there", operand))
                    if operand not in seen:
                        seen.add(operand)
                        waiting.append(operand)
        side = network.source_side()
        return [n for n in seen if ("there", n) in side and ("again", n) not in side]

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
        """What it costs to keep a value, in ps; ``None`` where that makes no sense: ``forward``
        computes nothing just for ``backward`` but truth values, the smallest there are."""
        truth = node.type.kind is Kind.BOOL and node.op.by_entry and node.type.rank
        if not (self._is_made(node) or (truth and self.level)):
            return None
        if (node.op.view and not _names(node)) or is_weak(node) or in_place(node):
            return None
        size = entries(node) * _width(node) * _BYTE
        # Of a view and the array it shows, which take the same memory, the one with a name is kept.
        return round((size + _KEPT) * 1e3) - node.op.view

    def _again(self, node: Node) -> int | None:
        """What it costs to make a value from its operands in ``backward``, beyond what has to be
        done in any case, in ps; ``None`` where that must not be."""
        if node.op.view or is_weak(node) or in_place(node) or not self._is_made(node):
            return 0
        cost = self.machine.of(node.op.name)
        cheap = (node.op.by_entry or not node.operands) and cost <= _CHEAP
        if not cheap or not self.level:
            return None
        if not node.type.rank:
            small = node.type.kind is Kind.BOOL or node.op.name == "as_float"
            return round(_AGAIN * 1e3) if small else None
        return round((self.machine.call * 1e3 + entries(node) * cost) * 1e3)


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
