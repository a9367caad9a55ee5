"""Factors that a loop knows before its steps, combined before them: ``(d * a[t]) * b[t]`` as
``d * (a * b)[t]``, and ``(d * a[t]) * c + (d * b[t]) * c`` as ``d * (a * c + b * c)[t]``.

The gradient of a recurrence is linear in what arrives, so that nearly all that a step of it does
is to multiply by what is known. ``fission`` then does what is combined for all steps at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ...dsl.graph import Graph, Node, constant, make
from ...dsl.loops import Loop, by_loop, loop_key, map_loops, result, with_loops
from .fission import Split, fits, guess
from .log import note


def factored(graph: Graph) -> Graph:
    """The graph with fewer operations in the steps of its loops."""
    if "scan" not in graph.operations:
        return graph
    graph = map_loops(graph, factored)
    groups = by_loop(graph.nodes, fits)
    steps = {key: step for key, nodes in groups.items() if (step := _factored(nodes)) is not None}

    def made(nodes: Sequence[Node], operands: tuple[Node, ...]) -> dict[Node, Node]:
        step = steps[loop_key(nodes[0])]
        return {node: step.of(node, operands) for node in nodes}

    return with_loops(graph, {key: groups[key] for key in steps}, made)


def _factored(nodes: list[Node]) -> _Step | None:
    """A step with fewer operations, if there is one."""
    before = Split(nodes, nodes[0].operands)
    chosen = _Factors(before).chosen()
    if not chosen:
        return None
    step = _Step(before.loop, before.body, chosen)
    after = Split([step.of(n, n.operands) for n in nodes], nodes[0].operands)
    if _count(_waiting(after)) >= _count(_waiting(before)):
        return None
    for node in chosen:
        note("factors", node, f"{chosen[node].operands[0].label} times what is known")
    return step


def _waiting(split: Split) -> list[Node]:
    """The operations that have to be done in a step."""
    return [n for n in split.body if n in split.core and n in split.moving and not n.op.view]


def _count(nodes: Iterable[Node]) -> int:
    """How many operations those are: a sign is one of what is added, mostly."""
    return sum(node.op.name != "negative" for node in nodes)


class _Step:
    """A step of a loop in which some nodes are computed in another way."""

    def __init__(self, loop: Loop, body: list[Node], chosen: Mapping[Node, Node]) -> None:
        self.new: dict[Node, Node] = {}
        for node in body:
            self.new[node] = self._copied(chosen.get(node, node))
        nexts = tuple(self.new.get(after, after) for after in loop.nexts)
        self.loop = replace(loop, nexts=nexts, extends=None)

    def _copied(self, node: Node) -> Node:
        return node.with_operands(tuple(self.new.get(o, o) for o in node.operands))

    def of(self, node: Node, operands: tuple[Node, ...]) -> Node:
        """A result of the loop."""
        sort, which = node.attributes["result"]
        which = self.new.get(which, which) if sort == "stack" else which
        return result(self.loop, operands, node.span, (sort, which)).known_as(node)


class _Factors:
    """By node of a step what it is a multiple of, and the factor, which is known before."""

    def __init__(self, split: Split) -> None:
        self.split = split
        self.forms: dict[Node, tuple[Node, Node | None]] = {}
        self.order = _waiting(split)
        for node in self.order:
            self.forms[node] = self._form(node) or (node, None)

    # ── Multiples ───────────────────────────────────────────────────────────

    def _form(self, node: Node) -> tuple[Node, Node | None] | None:
        moving = [o for o in node.operands if o in self.split.moving]
        if not moving or not node.type.is_float:
            return None
        forms = [self.forms.get(o, (o, None)) for o in node.operands]
        bases = {base for o, (base, _) in zip(node.operands, forms, strict=True) if o in moving}
        if len(bases) > 1:
            return None
        (base,) = bases
        factors = [known if o in moving else o
                   for o, (_, known) in zip(node.operands, forms, strict=True)]  # fmt: skip
        known = self._known(node, len(moving), factors)
        return (base, known) if known is not None and self._fits(node, base, known) else None

    def _known(self, node: Node, moving: int, factors: list[Node | None]) -> Node | None:
        """The factor of a node from those of its operands, ``None`` being 1."""
        match node.op.name:
            case "add" | "subtract" if moving == 2:
                return self._made(node, factors)
            case "multiply" if moving == 1:
                given = [f for f in factors if f is not None]
                return given[0] if len(given) == 1 else self._made(node, factors)
            case "divide" if moving == 1 and node.operands[0] in self.split.moving:
                return self._made(node, factors)
            case "negative" if factors[0] is not None:
                return self._made(node, factors)
        return None

    def _made(self, node: Node, factors: list[Node | None]) -> Node:
        operands = [constant(1.0, node.span) if f is None else f for f in factors]
        return make(node.op, operands, node.span, cause=node.cause, position=node.position)

    def _fits(self, node: Node, base: Node, known: Node) -> bool:
        """Whether the product is as large as the node, and its factor not larger than the rest."""
        if not known.type.is_float or guess(known.type.shape) > guess(base.type.shape):
            return False
        return make("multiply", [base, known], node.span).type == node.type

    # ── Which of them pay ───────────────────────────────────────────────────

    def chosen(self) -> dict[Node, Node]:
        """What nodes become that save at least an operation each."""
        self.uses = Counter(o for n in self.order for o in dict.fromkeys(n.operands))
        self.uses.update(self.split.loop.nexts)
        found: dict[Node, Node] = {}
        gone: set[Node] = set()
        for node in reversed(self.order):
            base, known = self.forms[node]
            if node in gone or base is node or known is None:
                continue
            released = self._released(node, base)
            if released:
                gone.update(released)
                found[node] = make("multiply", [base, known], node.span).known_as(node)
        return found

    def _released(self, node: Node, base: Node) -> set[Node]:
        """What nothing in a step needs any more if a node is made of ``base``; the uses that are
        left are counted then."""
        uses: Counter[Node] = Counter({base: -1})
        released: set[Node] = set()
        stack = [node]
        while stack:
            for operand in dict.fromkeys(stack.pop().operands):
                uses[operand] += 1
                if operand in self.forms and uses[operand] == self.uses[operand]:
                    released.add(operand)
                    stack.append(operand)
        if _count(released) <= (node.op.name == "negative"):
            return set()
        self.uses.subtract(uses)
        return released
