"""What a reader sees of a graph: its inputs and operations, under ids that pictures, pages and
explanations share.

Numbers stand in the operations that use them, broadcasting goes without saying, and where a graph
rounds as on paper, an operation and the rounding of its result are one. What the body of a function
computes in one call is a group, and so is a loop.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field

import networkx

from ..dsl.ast import Call, Def, Program
from ..dsl.errors import SpecError
from ..dsl.frozen import frozen
from ..dsl.graph import Graph, Node, topological
from ..dsl.library import prelude
from ..dsl.loops import Loop, stacked
from ..dsl.ops import OPS
from ..dsl.parse import parse, parse_expression
from ..dsl.source import Source, Span
from .paper import definition, label, seen

_ROUNDS = ("round_on_paper", "given_on_paper")
_PLACES = ("constant", "size")
_CALL = re.compile(r"\w+\(")


@frozen(eq=False)
class Item:
    """An input or operation. ``node`` has the value that is shown, ``operation`` computes it:
    they differ where a graph rounds, and gradients are those of ``operation``.

    ``operands`` are the items it is computed from, each as often as it is used. ``group`` is the
    path of the calls it stands in, from the outermost, ``()`` for the specification itself.
    """

    id: str
    node: Node
    operation: Node
    operands: tuple[Item, ...]
    group: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return label(self.node)

    @property
    def formula(self) -> str:
        """``m = W @ x``, or the text alone of what has no name."""
        return definition(self.operation) if not self.is_input else self.label

    @property
    def is_input(self) -> bool:
        return self.operation.op.name == "input"

    @property
    def loop(self) -> Loop | None:
        """The loop that an item is a result of."""
        found: Loop | None = self.operation.attributes.get("loop")
        return found

    @property
    def span(self) -> Span:
        return self.operation.span


@frozen()
class Outline:
    """The items of a graph in an order of computation. ``of`` has every node of the graph that a
    reader sees as one of them."""

    items: tuple[Item, ...]
    of: Mapping[Node, Item] = field(repr=False)

    def step(self, item: Item) -> Outline:
        """The same for what a step of a loop computes."""
        assert item.loop is not None
        results = (i.operation for i in self.items if i.loop is item.loop)
        return outlined(item.loop.roots(stacked(results)), {}, f"{item.id}.")


def outline(graph: Graph, program: Program) -> Outline:
    """The items that the outputs of a graph are computed from, all inputs among them."""
    roots = [*graph.inputs.values(), *graph.outputs.values()]
    return outlined(roots, dict(_groups(topological(roots), program)))


def outlined(
    roots: Iterable[Node], groups: Mapping[Node, tuple[str, ...]], prefix: str = ""
) -> Outline:
    """The items of some nodes and of what they need; ``prefix`` begins every id."""
    items: list[Item] = []
    of: dict[Node, Item] = {}
    places: dict[Item, int] = {}
    for node in topological(roots):
        shown = seen(node)
        if shown.op.name in _PLACES:
            continue
        if shown is not node:
            if shown in of:
                of[node] = of[shown]
            continue
        if node.op.name in _ROUNDS and node.operands[0] in of:
            bare = of[node.operands[0]]
            item = Item(bare.id, node, bare.operation, bare.operands, bare.group)
            items[places[bare]] = item
            places[item] = places.pop(bare)
            of[node] = of[bare.operation] = item
            continue
        operands = tuple(of[operand] for operand in node.operands if operand in of)
        item = Item(f"{prefix}n{len(items)}", node, node, operands, groups.get(node, ()))
        places[item] = len(items)
        items.append(item)
        of[node] = item
    return Outline(tuple(items), of)


# ── Calls of functions ──────────────────────────────────────────────────────


def _groups(nodes: list[Node], program: Program) -> Iterator[tuple[Node, tuple[str, ...]]]:
    """The calls that nodes stand in: neighbours that come from the body of one function belong to
    the same call of it."""
    bodies: dict[Source, list[Def]] = {}

    def function(node: Node) -> str:
        if node.name and (called := _called(node.span)):
            return called
        at = node.span
        if at.source not in bodies:
            bodies[at.source] = _functions(at.source, program)
        around = (d for d in bodies[at.source] if d.span.start <= at.start < d.span.end)
        return next((d.name.id for d in around), "")

    inside = {node: name for node in nodes if node.operands and (name := function(node))}
    neighbours: networkx.Graph[Node] = networkx.Graph()
    neighbours.add_nodes_from(inside)
    for node, name in inside.items():
        neighbours.add_edges_from((node, o) for o in node.operands if inside.get(o) == name)
    calls: Counter[str] = Counter()
    for together in networkx.connected_components(neighbours):
        name = inside[next(iter(together))]
        calls[name] += 1
        path = (name if calls[name] == 1 else f"{name} ({calls[name]})",)
        yield from ((node, path) for node in together)


def _functions(source: Source, program: Program) -> list[Def]:
    """The functions of a file: the specification itself, the library, or what it uses."""
    if source is program.source:
        known = program.declarations
    else:
        known = tuple(d for d in prelude().values() if d.span.source is source)
        known = known or parse(source).declarations
    return [d for d in known if isinstance(d, Def)]


def _called(at: Span) -> str:
    """The function whose call is all that a name stands for: its result has that place."""
    if not _CALL.match(at.text):
        return ""
    try:
        tree = parse_expression(Source(at.text))
    except SpecError:
        return ""
    return tree.function.id if isinstance(tree, Call) and tree.function.id not in OPS else ""
