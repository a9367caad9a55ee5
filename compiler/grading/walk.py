"""The reverse pass with mistakes in it.

A walk is that of ``reverse.py``; a ``Slip`` changes what goes back along one edge, or what is made
of all that arrives at a node. Walks of one graph share what they have in common, so that of many
hypotheses each costs only what lies behind its mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import field
from functools import cached_property
from typing import Any

from ...dsl.frozen import frozen
from ...dsl.graph import Graph, Node, constant, make, topological
from ...dsl.loops import Loop
from ...dsl.shapes import Shape
from ..guards import Guards
from ..reverse import Adjoint, Reverse, contribution, unbroadcast
from ..rules import Rule, apply_rule, times


def places(graph: Graph) -> list[Node]:
    """The nodes that the objective needs, those of the steps of loops among them. The order is the
    same in all graphs that differ in their sizes alone."""
    objective = graph.interface.objective
    assert objective is not None
    return _with_steps([topological([graph.outputs[objective]])])


def _with_steps(waiting: list[list[Node]]) -> list[Node]:
    """Nodes, and those of the steps of the loops among them."""
    found: dict[Node, None] = {}
    while waiting:
        for node in waiting.pop():
            if node in found:
                continue
            found[node] = None
            if node.op.name == "scan":
                sort, which = node.attributes["result"]
                waiting.append(node.attributes["loop"].body([which] if sort == "stack" else []))
    return list(found)


@frozen(slots=False)
class Edge:
    """What a mistake is made of: a node, one of its operands, and what arrives at the node."""

    walk: Walk
    node: Node
    position: int
    rule: Rule
    total: Adjoint

    @property
    def dy(self) -> Node:
        return self.total.selected()

    @property
    def operand(self) -> Node:
        return self.node.operands[self.position]

    @cached_property
    def right(self) -> Node:
        """What goes back without a mistake."""
        return self.walk.rightly(self.node, self.position, self.rule, self.total).selected()

    @cached_property
    def raw(self) -> Node:
        """The same before it is summed over the axes along which the operand was repeated."""
        walk = self.walk
        return contribution(self.node, self.position, self.rule, self.total, walk.guards).selected()

    def make(self, op: str, *operands: Node, **attributes: Any) -> Node:
        node = self.node
        return make(op, operands, node.span, attributes, cause=node, position=self.position)

    def scaled(self, value: Node, factor: float) -> Node:
        return self.make("multiply", value, constant(float(factor), self.node.span))

    def fit(self, value: Node) -> Node:
        """Summed to the shape of the operand, as far as it was repeated."""
        return unbroadcast(Adjoint(value), self.node, self.position).value

    def through(self, dy: Node, node: Node | None = None, **values: Node) -> Node:
        """The rule with other values in it, for the node or one like it."""
        node, position = node or self.node, self.position
        given = {"y": node, "dy": dy, **values}
        if node.op.family != "elementwise":
            return self.fit(apply_rule(self.rule, node, position, given))
        if self.rule == "1":
            return self.fit(dy)
        return self.fit(times(dy, apply_rule(self.rule, node, position, given), node, position))

    def ones(self, model: Node) -> Node:
        """An array of ones of the shape of a node."""
        one = constant(1.0, self.node.span)
        return self.make("broadcast_to", one, shape=model.type.shape) if model.type.rank else one


Contributions = list[Adjoint]


@frozen()
class Slip:
    """One mistake: at the ``place``-th node, on the way to the operand at ``position``, or in the
    sum of what arrives if there is none. ``wrote`` is the formula that makes it, as on paper."""

    kind: str
    place: int
    position: int | None
    variant: str = field(default="")
    change: Callable[[Edge], Node] | None = field(default=None, compare=False, repr=False)
    choose: Callable[[Walk, Node, Contributions], Adjoint] | None = field(
        default=None, compare=False, repr=False
    )
    wrote: str = field(default="", compare=False)


class Setting:
    """A graph whose sizes are numbers, and what its walks share."""

    def __init__(self, graph: Graph, sizes: Mapping[str, int]) -> None:
        self.graph = graph
        self.sizes = sizes
        self.places = places(graph)
        self.number = {node: i for i, node in enumerate(self.places)}
        self.guards = Guards()
        self.memo: dict[Hashable, Any] = {}
        self.origins: dict[Adjoint, tuple[Node, int]] = {}
        self.inner: dict[Loop, frozenset[int]] = {}

    def within(self, node: Node) -> frozenset[int]:
        """The numbers of the nodes that the steps of a loop are made of."""
        loop = node.attributes["loop"]
        if loop not in self.inner:
            results = [n for n in self.places if n.attributes.get("loop") is loop]
            inside = _with_steps([results])
            self.inner[loop] = frozenset(self.number[n] for n in inside if n not in results)
        return self.inner[loop]

    def gradients(self, slips: Iterable[Slip], wanted: Iterable[Node]) -> Mapping[Node, Node]:
        """The gradient of the objective, as it comes out with these mistakes. Raises whatever the
        mistakes make impossible."""
        assert self.graph.interface.objective is not None
        root = self.graph.outputs[self.graph.interface.objective]
        seed = self.memo.setdefault("seed", constant(1.0, root.span))
        chosen = {(slip.place, slip.position): slip for slip in slips}
        return Walk([(root, seed)], list(wanted), self, chosen).run().gradients


class Walk(Reverse):
    def __init__(
        self,
        seeds: list[tuple[Node, Node]],
        wrt: list[Node],
        setting: Setting,
        slips: Mapping[tuple[int, int | None], Slip],
    ) -> None:
        super().__init__(seeds, wrt)
        self.setting = setting
        self.guards = setting.guards
        self.slips = slips

    @property
    def sizes(self) -> Mapping[str, int]:
        return self.setting.sizes

    def _slip(self, node: Node, position: int | None) -> Slip | None:
        return self.slips.get((self.setting.number.get(node, -1), position))

    def total(self, node: Node, contributions: Contributions) -> Adjoint:
        slip = self._slip(node, None)
        key = ("total", slip, node, tuple(contributions))
        if key not in self.setting.memo:
            chosen = contributions
            if slip is not None and slip.choose is not None and len(contributions) > 1:
                chosen = [slip.choose(self, node, contributions)]
            self.setting.memo[key] = super().total(node, chosen)
        found: Adjoint = self.setting.memo[key]
        return found

    def edge(self, node: Node, position: int, rule: Rule, total: Adjoint) -> Adjoint:
        slip = self._slip(node, position)
        if slip is None or slip.change is None:
            return self.rightly(node, position, rule, total)
        key = ("slip", slip, node, position, total)
        if key not in self.setting.memo:
            self.setting.memo[key] = Adjoint(slip.change(Edge(self, node, position, rule, total)))
        return self._from(key, node, position)

    def rightly(self, node: Node, position: int, rule: Rule, total: Adjoint) -> Adjoint:
        key = ("edge", node, position, total)
        if key not in self.setting.memo:
            fits = total.value.type.shape == node.type.shape
            self.setting.memo[key] = (
                super().edge(node, position, rule, total)
                if fits
                else Adjoint(_unfitting(node, position, rule, total.selected()))
            )
        return self._from(key, node, position)

    def _from(self, key: Hashable, node: Node, position: int) -> Adjoint:
        found: Adjoint = self.setting.memo[key]
        self.setting.origins[found] = (node, position)
        return found

    def inside(
        self, seeds: Iterable[tuple[Node, Node]], wrt: Iterable[Node]
    ) -> Mapping[Node, Node]:
        return Walk(list(seeds), list(wrt), self.setting, self.slips).run().gradients

    def around(
        self, node: Node, arriving: Mapping[Node, Node], floats: list[int]
    ) -> Mapping[int, Adjoint]:
        """Loops cost most: one is gone through again only for another mistake in its steps."""
        within = self.setting.within(node)
        inner = tuple(slip for slip in self.slips.values() if slip.place in within)
        key = ("loop", node, tuple(arriving.items()), tuple(floats), inner)
        if key not in self.setting.memo:
            self.setting.memo[key] = super().around(node, arriving, floats)
        found: Mapping[int, Adjoint] = self.setting.memo[key]
        return found


def _unfitting(node: Node, position: int, rule: Rule, dy: Node) -> Node:
    """What NumPy makes of an arriving gradient that has not the shape of its node: it broadcasts,
    and a sum over a repeated axis is taken where the shapes of node and operand ask for one."""
    given = {"y": node, "dy": dy}
    if node.op.family != "elementwise":
        return apply_rule(rule, node, position, given)
    slope = None if rule == "1" else apply_rule(rule, node, position, given)
    value = dy if slope is None else times(dy, slope, node, position)
    if _repeats(node.operands[position].type.shape, node.type.shape):
        return unbroadcast(Adjoint(value), node, position).value
    return value


def _repeats(shape: Shape, result: Shape) -> bool:
    return shape != result
