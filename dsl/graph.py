"""The graph: frozen nodes that refer to their operands, and the networkx view of them.

``Node.operands`` is the truth: order and repetition matter. A node's identity is the object; two
nodes that compute the same are merged by a pass, not by the constructor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .domains import Domain
from .frozen import frozen
from .ops import OPS, Attributes, Op
from .shapes import Type
from .sizes import Size, rounded_root
from .source import Source, Span
from .subscripts import Condition, Cut

if TYPE_CHECKING:
    import networkx


@frozen(eq=False, repr=False)
class Node:
    """One operation applied to operands.

    ``name`` is the one the specification gives; ``span`` the place it comes from. In a gradient,
    ``cause`` is the forward node whose rule made this one and ``position`` the operand the rule is
    for; ``adjoint_of`` marks the finished gradient of a node.
    """

    op: Op
    operands: tuple[Node, ...]
    attributes: Attributes
    type: Type
    span: Span
    name: str = ""
    cause: Node | None = None
    position: int | None = None
    adjoint_of: Node | None = None

    def __repr__(self) -> str:
        return f"<{self.op.name} {self.label}>"

    def with_name(self, name: str, span: Span | None = None) -> Node:
        return Node(
            self.op, self.operands, self.attributes, self.type, span or self.span,
            name, self.cause, self.position, self.adjoint_of,
        )  # fmt: skip

    def with_operands(self, operands: tuple[Node, ...]) -> Node:
        """The same of other operands, or the node itself where they are its own.

        Passes do little else: written out, since ``dataclasses.replace`` takes twice as long.
        """
        if operands == self.operands:
            return self
        return Node(
            self.op, operands, self.attributes, self.type, self.span,
            self.name, self.cause, self.position, self.adjoint_of,
        )  # fmt: skip

    def known_as(self, other: Node) -> Node:
        """What this computes, under the name and with the provenance of another node."""
        return Node(
            self.op, self.operands, self.attributes, self.type, other.span,
            other.name, other.cause, other.position, other.adjoint_of,
        )  # fmt: skip

    def marked(self, adjoint_of: Node) -> Node:
        """The node as the finished gradient of another."""
        return Node(
            self.op, self.operands, self.attributes, self.type, self.span,
            self.name, self.cause, self.position, adjoint_of,
        )  # fmt: skip

    def is_constant(self, value: float | bool | None = None) -> bool:
        """Whether this is a written number (equal to ``value``, if one is given)."""
        if self.op.name != "constant":
            return False
        own = self.attributes["value"]
        return value is None or (own == value and isinstance(own, bool) == isinstance(value, bool))

    @property
    def label(self) -> str:
        """How a person would refer to it: its name, or its text."""
        if self.op.name == "input":
            return str(self.attributes["name"])
        return self.name or self.span.text


def make(
    op: str | Op,
    operands: Iterable[Node],
    span: Span,
    attributes: Attributes | None = None,
    **more: Any,
) -> Node:
    """A node, its type inferred. Raises ``Mismatch`` where the shape rule does."""
    op = OPS[op] if isinstance(op, str) else op
    operands = tuple(operands)
    inferred, normal = op.infer([o.type for o in operands], attributes or {})
    return Node(op, operands, normal, inferred, span, **more)


def with_mapped_rules(op: Op, transform: Callable[[Node, tuple[Node, ...]], Node]) -> Op:
    """The operation of a function with its own derivative, its rule mapped node by node."""
    rules = {name: rule.mapped(transform) for name, rule in op.rules.items()}
    return replace(op, rules=rules)


def sibling(node: Node, result: int) -> Node:
    """Another result of the same call, or the node itself."""
    if result == node.attributes["result"]:
        return node
    attributes = {**node.attributes, "result": result}
    return make(node.op, node.operands, node.span, attributes, cause=node.cause)


def constant(value: float | bool, span: Span) -> Node:
    return make("constant", (), span, {"value": value})


def topological(roots: Iterable[Node], stop: Iterable[Node] = ()) -> list[Node]:
    """Every node that the roots need, each after its operands. Without recursion.

    Nodes of ``stop`` are taken as given: they are left out, and so is what only they need.
    """
    order: list[Node] = []
    done = set(stop)
    for root in roots:
        stack = [root]
        while stack:
            node = stack[-1]
            if node in done:  # Reached on another way, too.
                stack.pop()
                continue
            if done.issuperset(node.operands):
                done.add(node)
                order.append(node)
                stack.pop()
            else:
                stack += [operand for operand in reversed(node.operands) if operand not in done]
    return order


@frozen()
class Fragment:
    """A graph with placeholders: ``order`` is an order of computation that ends in ``root``."""

    placeholders: Mapping[str, Node]
    order: tuple[Node, ...]
    root: Node

    @staticmethod
    def of(placeholders: Mapping[str, Node], root: Node) -> Fragment:
        order = topological([root], placeholders.values())
        return Fragment(placeholders, tuple(order), root)

    def mapped(self, transform: Callable[[Node, tuple[Node, ...]], Node]) -> Fragment:
        """Each node, placeholders included, as ``transform`` makes it from its new operands."""
        placed: dict[Node, Node] = {}
        for node in (*self.placeholders.values(), *self.order):
            placed[node] = transform(node, tuple(placed[operand] for operand in node.operands))
        placeholders = {name: placed[node] for name, node in self.placeholders.items()}
        return Fragment.of(placeholders, placed[self.root])

    def copy(
        self,
        values: Mapping[str, Node],
        span: Span,
        cause: Node,
        position: int,
        adapt: Callable[[Node, tuple[Node, ...]], tuple[Node, ...]] | None = None,
    ) -> Node:
        """The fragment applied to nodes, marked as part of the derivative of ``cause``.

        ``adapt`` may change the operands that a node of the fragment is copied with.
        """
        placed = {own: values[name] for name, own in self.placeholders.items()}
        for node in self.order:
            operands = tuple(placed[operand] for operand in node.operands)
            operands = adapt(node, operands) if adapt is not None else operands
            placed[node] = Node(
                node.op, operands, node.attributes, node.type, span, "", cause, position
            )
        return placed[self.root]


@frozen()
class Input:
    """An ``input`` (differentiated) or ``data`` of the specification."""

    name: str
    type: Type
    differentiated: bool
    domain: Domain | None
    doc: str
    span: Span


@frozen()
class Interface:
    """What the function takes and returns, and the conditions on its sizes.

    ``sizes`` are bound by the shapes of inputs, ``open_sizes`` must be given by keyword.
    """

    source: Source
    doc: str
    inputs: tuple[Input, ...]
    sizes: tuple[str, ...]
    open_sizes: tuple[str, ...]
    outputs: tuple[str, ...]
    objective: str | None
    conditions: tuple[tuple[Condition, Span], ...] = ()
    docs: Mapping[str, str] = field(default_factory=dict)
    blocks: Mapping[str, Size] = field(default_factory=dict)
    """Sizes that are the square root of others, rounded up, by name."""

    def with_blocks(self, sizes: Mapping[str, int]) -> dict[str, int]:
        """Sizes together with those that are made of them."""
        known = dict(sizes)
        for name, length in self.blocks.items():
            known[name] = rounded_root(length.evaluate(known))
        return known

    @property
    def differentiated(self) -> tuple[str, ...]:
        return tuple(i.name for i in self.inputs if i.differentiated)

    def input(self, name: str) -> Input:
        return next(i for i in self.inputs if i.name == name)


@frozen(slots=False)
class Graph:
    """A function as a graph, and after differentiation its gradients too.

    ``landmarks`` are the nodes whose order a reader expects to find again in the code: the named
    ones as they stand in the specification, then the adjoints in the order they arise.
    """

    interface: Interface
    inputs: Mapping[str, Node]
    outputs: Mapping[str, Node]
    landmarks: tuple[Node, ...] = ()
    seeds: Mapping[str, Node] = field(default_factory=dict)
    gradients: Mapping[str, Node] = field(default_factory=dict)
    adjoints: Mapping[str, Node] = field(default_factory=dict)
    """The gradients of named nodes, as far as they are still computed."""

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes in an order of computation that follows the landmarks."""
        needed: set[Node] = set()
        stack = [*self.outputs.values(), *self.gradients.values()]
        while stack:
            node = stack.pop()
            if node not in needed:
                needed.add(node)
                stack += node.operands
        wanted = [node for node in self.landmarks if node in needed]
        roots = [*self.inputs.values(), *wanted, *self.outputs.values(), *self.gradients.values()]
        return tuple(topological(roots))

    @cached_property
    def operations(self) -> frozenset[str]:
        """The names of all operations that occur."""
        return frozenset([node.op.name for node in self.nodes])

    @cached_property
    def nx(self) -> networkx.MultiDiGraph:
        """The networkx view: nodes by readable names, an edge for each use of an operand."""
        import networkx

        graph = networkx.MultiDiGraph()
        keys = node_names(self.nodes)
        for node in self.nodes:
            key = keys[node]
            graph.add_node(key, op=node.op.name, type=str(node.type), node=node, name=node.name)
            for position, operand in enumerate(node.operands):
                graph.add_edge(keys[operand], key, position=position)
        return graph

    def __str__(self) -> str:
        return graph_text(self)


def node_names(nodes: Iterable[Node]) -> dict[Node, str]:
    """A unique name for each: the specification's, or ``%`` and a number."""
    names: dict[Node, str] = {}
    taken: set[str] = set()
    for number, node in enumerate(nodes, start=1):
        name = node.attributes["name"] if node.op.name == "input" else node.name
        if not name or name in taken:
            name = f"{name}%{number}"
        taken.add(name)
        names[node] = name
    return names


def graph_text(graph: Graph) -> str:
    """One line a node: ``m: float[n] = matvec(W, x)``; what a loop does stands below it."""
    names = node_names(graph.nodes)
    lines: list[str] = []
    loops: dict[Any, list[Node]] = {}
    for node in graph.nodes:
        if node.op.name == "scan":
            loops.setdefault(node.attributes["loop"], []).append(node)
    for node in graph.nodes:
        lines += node_lines(node, names)
        results = loops.pop(node.attributes["loop"], []) if node.op.name == "scan" else []
        if results:
            lines += [f"    {line}" for line in node.attributes["loop"].lines(results)]
    for label, results_ in (("output", graph.outputs), ("gradient", graph.gradients)):
        lines += [f"{label} {name} = {names[node]}" for name, node in results_.items()]
    return "\n".join(lines) + "\n"


def node_lines(node: Node, names: Mapping[Node, str]) -> list[str]:
    parts = [names[operand] for operand in node.operands]
    if node.op.name == "input":
        return [f"{names[node]}: {node.type} = input"]
    parts += [f"{k}={attribute_text(v)}" for k, v in node.attributes.items()]
    return [f"{names[node]}: {node.type} = {node.op.name}({', '.join(parts)})"]


def attribute_text(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(attribute_text, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, Cut):
        return str(value)
    start, stop = ("" if v is None else str(v) for v in (value.start, value.stop))
    return f"{start}:{stop}" + (f":{value.step}" if value.step != 1 else "")


def map_nodes(graph: Graph, replaced: Mapping[Node, Node]) -> Graph:
    """The graph with inputs, outputs, landmarks, seeds and gradients replaced."""

    def table(nodes: Mapping[str, Node]) -> dict[str, Node]:
        return {name: replaced.get(node, node) for name, node in nodes.items()}

    return Graph(
        graph.interface,
        table(graph.inputs),
        table(graph.outputs),
        tuple(dict.fromkeys(replaced.get(n, n) for n in graph.landmarks)),
        table(graph.seeds),
        table(graph.gradients),
        table(graph.adjoints),
    )
