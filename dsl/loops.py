"""What a step of a loop does: a graph that sees nothing but its placeholders.

A loop is the ``loop`` of ``scan`` nodes, one for each result that is wanted: the final value of a
state (``("final", i)``), the values that a node of the body has in all steps (``("stack", node)``),
or how many steps there were (``("steps", 0)``). Any node of the body can be stacked, so that what a
gradient needs of each step is one more result of the same loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .graph import Graph, Interface, Node, make, map_nodes, topological
from .shapes import Type
from .sizes import Size, product
from .source import Span

Result = tuple[str, Any]


@dataclass(frozen=True, eq=False)
class Loop:
    """Steps for ``index`` in ``start .. stop``, or backwards.

    The operands of a ``scan`` are the first ``states``, then what is ``captured`` as it is, then
    arrays of which each step sees one of the ``rows``; with ``counted``, last the number of steps.
    ``until`` ends the loop after the step where it holds. ``extends`` is the loop whose states,
    in the same order, this one has among its own.
    """

    index: Node
    start: Size
    stop: Size
    states: tuple[Node, ...]
    captured: tuple[Node, ...]
    rows: tuple[Node, ...]
    nexts: tuple[Node, ...]
    until: Node | None = None
    backwards: bool = False
    counted: bool = False
    extends: Loop | None = None

    @property
    def length(self) -> Size:
        return self.stop - self.start

    @property
    def dynamic(self) -> bool:
        """Whether the number of steps is known only when the loop runs."""
        return self.until is not None or self.counted

    @property
    def placeholders(self) -> tuple[Node, ...]:
        return (self.index, *self.states, *self.captured, *self.rows)

    def roots(self, more: Iterable[Node] = ()) -> list[Node]:
        last = [self.until] if self.until is not None else []
        return [*self.nexts, *last, *more]

    def body(self, more: Iterable[Node] = ()) -> list[Node]:
        """The nodes of a step in an order of computation, placeholders left out."""
        return topological(self.roots(more), self.placeholders)

    @property
    def flops(self) -> Size:
        return sum((product(node.type.shape) for node in self.body()), Size.of(0))

    def split(self, operands: Sequence[Any]) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
        """What belongs to states, captured values, rows, and the number of steps."""
        first = len(self.states)
        second = first + len(self.captured)
        third = second + len(self.rows)
        given = list(operands)
        return given[:first], given[first:second], given[second:third], given[third:]

    def __str__(self) -> str:
        until = " until" if self.until is not None else ""
        return f"{self.index.label} in {self.start}..{self.stop}{until}"


def placeholder(name: str, type_: Type, span: Span, **more: Any) -> Node:
    return make("input", (), span, {"name": name, "type": type_, **more})


def result(loop: Loop, operands: Iterable[Node], span: Span, which: Result, **more: Any) -> Node:
    return make("scan", operands, span, {"loop": loop, "result": which}, **more)


def beside(node: Node, which: Result) -> Node:
    """Another result of the same loop."""
    loop = node.attributes["loop"]
    return result(loop, node.operands, node.span, which, cause=node.cause)


# ── Mapping what steps do ───────────────────────────────────────────────────

Transform = Callable[[Graph], Graph]


def map_loops(graph: Graph, transform: Transform) -> Graph:
    """The graph, what the steps of its loops do transformed; states nobody needs are dropped."""
    roots = [*graph.inputs.values(), *graph.landmarks, *graph.outputs.values()]
    nodes = topological([*roots, *graph.gradients.values()])
    changed = rebuilt(nodes, transform, graph.interface)
    if not changed:
        return graph
    replaced: dict[Node, Node] = {}
    for node in nodes:
        operands = tuple(replaced[operand] for operand in node.operands)
        if node.op.name == "scan":
            replaced[node] = changed[node.attributes["loop"]].node(node, operands)
        else:
            same = operands == node.operands
            replaced[node] = node if same else replace(node, operands=operands)
    return map_nodes(graph, replaced)


def rebuilt(
    nodes: Iterable[Node], transform: Transform, interface: Interface | None = None
) -> dict[Loop, Rebuilt]:
    """The loops of nodes after a transformation of what their steps do."""
    loops: dict[Loop, dict[Result, None]] = {}
    for node in nodes:
        if node.op.name == "scan":
            loops.setdefault(node.attributes["loop"], {})[node.attributes["result"]] = None
    return {loop: Rebuilt(loop, wanted, transform, interface) for loop, wanted in loops.items()}


class Rebuilt:
    """A loop after a transformation of its body."""

    def __init__(
        self,
        loop: Loop,
        wanted: Mapping[Result, None],
        transform: Transform,
        interface: Interface | None,
    ) -> None:
        self.old = loop
        stacked = [which for sort, which in wanted if sort == "stack"]
        self.kept = _needed_states(loop, wanted, stacked)
        outputs = {f"next {i}": loop.nexts[i] for i in self.kept}
        outputs |= {f"stack {i}": node for i, node in enumerate(stacked)}
        if loop.until is not None:
            outputs["until"] = loop.until
        inputs = {str(i): node for i, node in enumerate(loop.placeholders)}
        named = tuple(node for node in topological(outputs.values()) if node.name)
        body = transform(Graph(interface, inputs, outputs, named))  # type: ignore[arg-type]
        new = [body.inputs[str(i)] for i in range(len(inputs))]
        used = set(topological(body.outputs.values()))
        states, captured, rows, _ = loop.split(new[1:])
        self.captured = [i for i, node in enumerate(captured) if node in used]
        self.rows = [i for i, node in enumerate(rows) if node in used]
        self.stacks = {node: body.outputs[f"stack {i}"] for i, node in enumerate(stacked)}
        self.new = replace(
            loop,
            index=new[0],
            states=tuple(states[i] for i in self.kept),
            captured=tuple(captured[i] for i in self.captured),
            rows=tuple(rows[i] for i in self.rows),
            nexts=tuple(body.outputs[f"next {i}"] for i in self.kept),
            until=body.outputs.get("until"),
        )

    def node(self, node: Node, operands: tuple[Node, ...]) -> Node:
        states, captured, rows, steps = self.old.split(operands)
        given = [states[i] for i in self.kept] + [captured[i] for i in self.captured]
        given += [rows[i] for i in self.rows] + steps
        sort, which = node.attributes["result"]
        if sort == "final":
            which = self.kept.index(which)
        elif sort == "stack":
            which = self.stacks[which]
        attributes = {"loop": self.new, "result": (sort, which)}
        own = {k: getattr(node, k) for k in ("name", "cause", "position", "adjoint_of")}
        return make("scan", given, node.span, attributes, **own)


def _needed_states(loop: Loop, wanted: Iterable[Result], stacked: Sequence[Node]) -> list[int]:
    """The states that a result depends on."""
    last = [loop.until] if loop.until is not None else []
    found = {which for sort, which in wanted if sort == "final"}
    roots: list[Node] = [*stacked, *last, *(loop.nexts[i] for i in found)]
    while True:
        used = set(topological(roots))
        new = {i for i, state in enumerate(loop.states) if state in used} - found
        if not new:
            return sorted(found)
        found |= new
        roots = [loop.nexts[i] for i in new]
