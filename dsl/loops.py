"""What a step of a loop does: a graph that sees nothing but its placeholders.

A loop is the ``loop`` of ``scan`` nodes, one for each result that is wanted: the final value of a
state (``("final", i)``), the values that a node of the body has in all steps (``("stack", node)``),
or how many steps there were (``("steps", 0)``). Any node of the body can be stacked, so that what a
gradient needs of each step is one more result of the same loop.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .frozen import frozen
from .graph import Graph, Interface, Node, make, map_nodes, node_lines, node_names, topological
from .shapes import Type
from .sizes import Size
from .source import Span

Result = tuple[str, Any]


@frozen()
class Chunk:
    """Steps of which each does a block of the values of the index: ``size`` is how many those are,
    and ``width`` about how many numbers a step has at once for each of them. It has ``room`` for
    so many numbers, and does at least ``least`` of the values."""

    size: Size
    width: Size
    room: int
    least: int = 1

    def axis(self, type_: Type) -> int:
        """The axis of an array of a step that runs along the block, from the front."""
        return type_.shape.index(self.size)


@frozen(eq=False)
class Loop:
    """Steps for ``index`` in ``start .. stop``, or backwards.

    The operands of a ``scan`` are the first ``states``, then what is ``captured`` as it is, then
    arrays of which each step sees one of the ``rows``; with ``counted``, last the number of steps.
    ``until`` ends the loop after the step where it holds. ``extends`` is the loop whose states,
    in the same order, this one has among its own. What a loop that ``replays`` does in a step is
    done again for its gradient, rather than kept. One of ``numbers`` computes with those of Python,
    and what it stacks, or sees rows of, are lists.
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
    replays: bool = False
    chunk: Chunk | None = None
    numbers: bool = False

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

    def split(self, operands: Sequence[Any]) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
        """What belongs to states, captured values, rows, and the number of steps."""
        first = len(self.states)
        second = first + len(self.captured)
        third = second + len(self.rows)
        given = list(operands)
        return given[:first], given[first:second], given[second:third], given[third:]

    def __str__(self) -> str:
        backwards = " backwards" if self.backwards else ""
        return f"{self.index.label} in {self.start}..{self.stop}{backwards}"

    def lines(self, results: Iterable[Node]) -> list[str]:
        """The text form of a step, for the results that are wanted."""
        stacked = [which for r in results for sort, which in [r.attributes["result"]]
                   if sort == "stack"]  # fmt: skip
        names = node_names([*self.placeholders, *self.body(stacked)])
        lines = []
        for sort, places in (("state", self.states), ("given", self.captured), ("row", self.rows)):
            lines += [f"{sort} {names[place]}: {place.type}" for place in places]
        for node in self.body(stacked):
            lines += node_lines(node, names)
        lines += [f"next {names[s]} = {names[n]}"
                  for s, n in zip(self.states, self.nexts, strict=True)]  # fmt: skip
        lines += [f"stack {names[node]}" for node in dict.fromkeys(stacked)]
        return lines + ([f"until {names[self.until]}"] if self.until is not None else [])


def placeholder(name: str, type_: Type, span: Span, **more: Any) -> Node:
    return make("input", (), span, {"name": name, "type": type_, **more})


def result(loop: Loop, operands: Iterable[Node], span: Span, which: Result, **more: Any) -> Node:
    return make("scan", operands, span, {"loop": loop, "result": which}, **more)


def called(node: Node) -> str:
    """A word for a node: its name, or that of its operation."""
    if node.op.name == "input":
        return str(node.attributes["name"])
    if node.op.name == "scan" and not node.name:
        (sort, which), loop = node.attributes["result"], node.attributes["loop"]
        if sort == "final":
            return called(loop.states[which])
        return f"{called(which)}_steps" if sort == "stack" else "steps"
    return node.name.rpartition(".")[2] or node.op.name


_MAX_FIXED = 5


def is_fixed(node: Node, depth: int = _MAX_FIXED) -> bool:
    """Whether a number is made of written ones and sizes alone, in few operations."""
    if node.op.name in ("constant", "size"):
        return True
    few = bool(node.operands) and not node.type.rank and depth > 0
    return few and all(is_fixed(operand, depth - 1) for operand in node.operands)


def loop_key(node: Node) -> Hashable:
    """The same for all results of one loop."""
    return node.attributes["loop"], node.operands


def by_loop(
    nodes: Iterable[Node], allowed: Callable[[Loop], bool] = lambda loop: True
) -> dict[Hashable, list[Node]]:
    """The results of each loop among some nodes, by ``loop_key``."""
    found: dict[Hashable, list[Node]] = {}
    for node in nodes:
        if node.op.name == "scan" and allowed(node.attributes["loop"]):
            found.setdefault(loop_key(node), []).append(node)
    return found


def with_loops(
    graph: Graph,
    groups: Mapping[Hashable, Sequence[Node]],
    made: Callable[[Sequence[Node], tuple[Node, ...]], Mapping[Node, Node]],
) -> Graph:
    """The graph with other results of some loops, those of ``by_loop``: what ``made`` gives for
    the results of one, given the operands that the loop has now."""
    if not groups:
        return graph
    replaced: dict[Node, Node] = {}
    for node in graph.nodes:
        if node in replaced:
            continue  # Another result of the loop came before it.
        operands = tuple(replaced[operand] for operand in node.operands)
        group = groups.get(loop_key(node)) if node.op.name == "scan" else None
        replaced |= {node: node.with_operands(operands)} if group is None else made(group, operands)
    return map_nodes(graph, replaced)


def stacked(results: Iterable[Node]) -> list[Node]:
    """What loops leave behind of each step, as some of their results."""
    found = (node.attributes["result"] for node in results)
    return list(dict.fromkeys(which for sort, which in found if sort == "stack"))


def beside(node: Node, which: Result) -> Node:
    """Another result of the same loop."""
    loop = node.attributes["loop"]
    return result(loop, node.operands, node.span, which, cause=node.cause)


def is_plain(node: Node) -> bool:
    """Whether a value is a number or a list of Python also where others are NumPy's."""
    if node.op.name == "scan":
        return bool(node.attributes["loop"].numbers)
    return node.op.name == "to_python"


def with_steps(nodes: Iterable[Node]) -> Iterator[Node]:
    """Nodes, and those of the steps of loops among them."""
    loops: dict[Loop, set[Node]] = {}
    stack: list[Iterable[Node]] = [nodes]
    while stack:
        for node in stack.pop():
            yield node
            if node.op.name == "scan":
                loop, (sort, which) = node.attributes["loop"], node.attributes["result"]
                seen = loops.setdefault(loop, set())
                body = loop.body([which] if sort == "stack" else [])
                stack.append([n for n in body if n not in seen])
                seen.update(body)


# ── Mapping what steps do ───────────────────────────────────────────────────

Transform = Callable[[Graph], Graph]


def map_loops(graph: Graph, transform: Transform, numbers: Transform | None = None) -> Graph:
    """The graph, what the steps of its loops do transformed; in another way in those loops that
    compute with Python's numbers, where that is given."""
    if "scan" not in graph.operations:
        return graph
    roots = [*graph.inputs.values(), *graph.landmarks, *graph.outputs.values()]
    nodes = topological([*roots, *graph.gradients.values()])
    changed = rebuilt(nodes, transform, graph.interface, numbers)
    if not changed:
        return graph
    replaced: dict[Node, Node] = {}
    for node in nodes:
        operands = tuple(replaced[operand] for operand in node.operands)
        if node.op.name == "scan":
            replaced[node] = changed[node.attributes["loop"]].node(node, operands)
        else:
            replaced[node] = node.with_operands(operands)
    return map_nodes(graph, replaced)


def rebuilt(
    nodes: Iterable[Node],
    transform: Transform,
    interface: Interface | None = None,
    numbers: Transform | None = None,
) -> dict[Loop, Rebuilt]:
    """The loops of nodes after a transformation of what their steps do."""
    other = numbers or transform
    loops: dict[Loop, list[Node]] = {}
    for node in nodes:
        if node.op.name == "scan":
            loops.setdefault(node.attributes["loop"], []).append(node)
    return {
        loop: Rebuilt(loop, results, other if loop.numbers else transform, interface)
        for loop, results in loops.items()
    }


class Rebuilt:
    """A loop after a transformation of its body.

    What no result needs is dropped, what is given twice is given once, what is the same in all
    rows is captured, and what is a written number or a size is written in the step.
    """

    def __init__(
        self,
        loop: Loop,
        results: Sequence[Node],
        transform: Transform,
        interface: Interface | None,
    ) -> None:
        self.old = loop
        wanted = dict.fromkeys(node.attributes["result"] for node in results)
        stacked = [which for sort, which in wanted if sort == "stack"]
        self.kept = _needed_states(loop, wanted, stacked)
        outputs = {f"next {i}": loop.nexts[i] for i in self.kept}
        outputs |= {f"stack {i}": node for i, node in enumerate(stacked)}
        if loop.until is not None:
            outputs["until"] = loop.until
        outputs = _with_known(outputs, _known(loop, results))
        inputs = {str(i): node for i, node in enumerate(loop.placeholders)}
        named = tuple(node for node in topological(outputs.values()) if node.name)
        body = transform(Graph(interface, inputs, outputs, named))  # type: ignore[arg-type]
        new = [body.inputs[str(i)] for i in range(len(inputs))]
        used = set(topological(body.outputs.values()))
        states, captured, rows, _ = loop.split(new[1:])
        self.captured = [i for i, node in enumerate(captured) if node in used]
        self.rows = [i for i, node in enumerate(rows) if node in used]
        self.alike = {i for i in self.rows if _all_alike(loop, i, results)}
        self.stacks = {node: body.outputs[f"stack {i}"] for i, node in enumerate(stacked)}
        self.new = replace(
            loop,
            index=new[0],
            states=tuple(states[i] for i in self.kept),
            captured=(
                *(captured[i] for i in self.captured),
                *(rows[i] for i in self.rows if i in self.alike),
            ),
            rows=tuple(rows[i] for i in self.rows if i not in self.alike),
            nexts=tuple(body.outputs[f"next {i}"] for i in self.kept),
            until=body.outputs.get("until"),
            extends=None,
        )

    def node(self, node: Node, operands: tuple[Node, ...]) -> Node:
        states, captured, rows, steps = self.old.split(operands)
        given = [states[i] for i in self.kept] + [captured[i] for i in self.captured]
        given += [rows[i].operands[0] for i in self.rows if i in self.alike]
        given += [rows[i] for i in self.rows if i not in self.alike] + steps
        sort, which = node.attributes["result"]
        if sort == "final":
            which = self.kept.index(which)
        elif sort == "stack":
            which = self.stacks[which]
        attributes = {"loop": self.new, "result": (sort, which)}
        own = {k: getattr(node, k) for k in ("name", "cause", "position", "adjoint_of")}
        return make("scan", given, node.span, attributes, **own)


def _all_alike(loop: Loop, row: int, results: Sequence[Node]) -> bool:
    """Whether all steps see the same of an array."""
    if loop.chunk is not None:
        return False
    operands = [loop.split(node.operands)[2][row] for node in results]
    return all(
        o.op.name == "broadcast_to" and o.operands[0].type == loop.rows[row].type for o in operands
    )


def _known(loop: Loop, results: Sequence[Node]) -> dict[Node, Node]:
    """Placeholders that need not be: of numbers, of sizes, and of what another stands for."""
    _, captured, rows, _ = loop.split(results[0].operands)
    if any(node.operands != results[0].operands for node in results):
        return {}
    known: dict[Node, Node] = {}
    for places, operands in ((loop.captured, captured), (loop.rows, rows)):
        first: dict[tuple[Node, Type], Node] = {}
        for place, operand in zip(places, operands, strict=True):
            # Python computes again what is written again.
            leaf = places is loop.captured and is_fixed(operand, 0 if loop.numbers else _MAX_FIXED)
            # Blocks of one array may run along different axes of it.
            instead = operand if leaf else first.setdefault((operand, place.type), place)
            if instead is not place:
                known[place] = instead
    return known


def _with_known(outputs: dict[str, Node], known: Mapping[Node, Node]) -> dict[str, Node]:
    if not known:
        return outputs
    replaced = dict(known)
    fixed = [instead for instead in known.values() if instead.operands]
    for node in topological([*fixed, *outputs.values()], known):
        operands = tuple(replaced[operand] for operand in node.operands)
        replaced[node] = node.with_operands(operands)
    return {name: replaced[node] for name, node in outputs.items()}


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


# ── Putting loops together ──────────────────────────────────────────────────


@dataclass
class Draft:
    """A loop while it is put together: placeholders with what they stand for outside the loop,
    and by state what it is after a step."""

    index: Node
    start: Size
    stop: Size
    states: dict[Node, Node] = field(default_factory=dict)
    captured: dict[Node, Node] = field(default_factory=dict)
    rows: dict[Node, Node] = field(default_factory=dict)
    nexts: dict[Node, Node] = field(default_factory=dict)

    @staticmethod
    def of(loop: Loop, operands: Sequence[Node]) -> Draft:
        """A loop to be added to."""
        draft = Draft(loop.index, loop.start, loop.stop)
        states, captured, rows, _ = loop.split(operands)
        draft.states = dict(zip(loop.states, states, strict=True))
        draft.captured = dict(zip(loop.captured, captured, strict=True))
        draft.rows = dict(zip(loop.rows, rows, strict=True))
        draft.nexts = dict(zip(loop.states, loop.nexts, strict=True))
        return draft

    def table(self, place: Node) -> dict[Node, Node]:
        """The table that a placeholder is in."""
        return next(t for t in (self.states, self.captured, self.rows) if place in t)

    def loop(self, **more: Any) -> tuple[Loop, tuple[Node, ...]]:
        """The loop and its operands."""
        loop = Loop(
            self.index, self.start, self.stop, tuple(self.states), tuple(self.captured),
            tuple(self.rows), tuple(self.nexts[state] for state in self.states), **more,
        )  # fmt: skip
        return loop, (*self.states.values(), *self.captured.values(), *self.rows.values())
