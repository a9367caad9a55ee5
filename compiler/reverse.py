"""Reverse mode: a graph to the graph of its gradients.

Every adjoint carries the guard under which it counts: ``if c then f(x) else g(x)`` sends what
arrives to ``f(x)`` under the guard ``c``. The guard is applied after the multiplication with the
slope, as ``select(c, dy * slope, 0)``, so that the branch not taken contributes exactly 0 even
where its value or slope is infinite or NaN.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from ..dsl.frozen import frozen
from ..dsl.graph import Fragment, Graph, Node, constant, make, topological
from ..dsl.loops import loop_key
from ..dsl.ruled import ARRIVING
from ..dsl.shapes import Shape, broadcast
from ..dsl.sizes import ONE
from .guards import Guards, either
from .reverse_loops import through_loop
from .rules import Rule, apply_rule, given_to, reach_of, rule_of, times


@frozen()
class Adjoint:
    """A contribution ``value`` that counts where ``guard`` holds, or everywhere.

    A ``clean`` value is 0 already where the guard does not hold.
    """

    value: Node
    guard: Node | None = None
    clean: bool = False

    def selected(self) -> Node:
        if self.guard is None or self.clean:
            return self.value
        zero = constant(0.0, self.value.span)
        return _like(self.value, "where", [self.guard, self.value, zero])


def _like(model: Node, op: str, operands: Iterable[Node], **attributes: object) -> Node:
    """A node with the provenance of another."""
    return make(op, operands, model.span, attributes, cause=model.cause, position=model.position)


@frozen()
class Adjoints:
    """The gradients of the nodes asked for, those of all nodes on the way, and an order of both.

    A node that no seeded output depends on has no gradient here. ``uses`` are the terms that they
    are sums of: what a node sends back to the operand at a position; all results of a loop
    together, as the first of them in order.
    """

    gradients: Mapping[Node, Node]
    passing: Mapping[Node, Node]
    order: tuple[Node, ...]
    uses: Mapping[tuple[Node, int], Adjoint]


def gradients(graph: Graph, seeds: Mapping[str, Node], wrt: Iterable[Node]) -> Adjoints:
    """The gradient of ``sum(seed * output)`` with respect to each node of ``wrt``."""
    return pullback([(graph.outputs[name], seed) for name, seed in seeds.items()], wrt)


def pullback(seeds: Iterable[tuple[Node, Node]], wrt: Iterable[Node]) -> Adjoints:
    """The gradient of the sum of ``seed * node`` over pairs of them."""
    return Reverse(list(seeds), list(wrt)).run()


class Reverse:
    """One walk back. What goes along an edge, what arrives at a node and how steps of loops are
    walked are methods, so that a walk with a mistake in it differs in them alone."""

    def __init__(self, seeds: list[tuple[Node, Node]], wrt: list[Node]) -> None:
        self.order = topological(node for node, _ in seeds)
        self.active = self._active(wrt)
        self.arriving: dict[Node, list[Adjoint]] = {}
        for node, seed in seeds:
            self.arriving.setdefault(node, []).append(Adjoint(seed))
        self.uses: dict[tuple[Node, int], Adjoint] = {}
        self.wrt = set(wrt)
        self.guards = Guards()
        self.loops: dict[Hashable, _Loop] = {}
        for node in self.order:
            if node.op.name == "scan":
                self.loops.setdefault(loop_key(node), _Loop(node))

    def _active(self, wrt: list[Node]) -> set[Node]:
        """The float nodes through which something in ``wrt`` reaches the outputs."""
        active = {node for node in wrt if node.type.is_float}
        for node in self.order:
            if node.type.is_float and any(
                operand in active and rule_of(node, position)
                for position, operand in enumerate(node.operands)
            ):
                active.add(node)
        return active

    def run(self) -> Adjoints:
        found: dict[Node, Node] = {}
        passing: dict[Node, Node] = {}
        order: list[Node] = []
        for node in reversed(self.order):
            contributions = self.arriving.pop(node, None)
            if not contributions or node not in self.active:
                self._through_loop(node)
                continue
            total = self.total(node, contributions)
            if node in self.wrt:
                found[node] = self._mark(node, Adjoint(total.selected())).value
                order.append(found[node])
            passing[node] = total.value
            order.append(total.value)
            self._push(node, total)
        return Adjoints(found, passing, tuple(dict.fromkeys(order)), self.uses)

    def total(self, node: Node, contributions: list[Adjoint]) -> Adjoint:
        """The sum of all, those under one guard first: what each guard lets through is selected
        once."""
        groups: dict[Node | None, list[Adjoint]] = {}
        for contribution in contributions:
            groups.setdefault(contribution.guard, []).append(contribution)
        first, *others = [_sum(group) for group in groups.values()]
        if not others:
            return self._mark(node, first)
        value = first.selected()
        for other in others:
            value = _like(first.value, "add", [value, other.selected()])
        guard = self.guards.lightened(either(value, groups))
        return self._mark(node, Adjoint(value, guard, clean=True))

    def _mark(self, node: Node, total: Adjoint) -> Adjoint:
        """Names a freshly made adjoint after its node; what only passes through keeps its name."""
        value = total.value
        if value.adjoint_of is None and value.op.name not in ("input", "constant"):
            value = value.marked(node)
        return Adjoint(value, total.guard, total.clean)

    def _through_loop(self, node: Node) -> None:
        """What goes back through a loop, once all of its results are done: they come in reverse."""
        loop = self.loops.get(loop_key(node)) if node.op.name == "scan" else None
        if loop is None or loop.first is not node or not loop.arriving:
            return
        floats = [p for p, o in enumerate(node.operands) if o in self.active]
        for position, adjoint in self.around(node, loop.arriving, floats).items():
            self._send(node, position, adjoint)

    def around(
        self, node: Node, arriving: Mapping[Node, Node], floats: list[int]
    ) -> Mapping[int, Adjoint]:
        """What goes back from a loop to its operands."""
        found = through_loop(arriving, floats, self.inside)
        # What only passes through a step stays the placeholder that it is.
        return {p: Adjoint(v if v.op.name == "input" else replace(v, cause=node, position=p))
                for p, v in found.items()}  # fmt: skip

    def _push(self, node: Node, total: Adjoint) -> None:
        if node.op.name == "scan":
            self.loops[loop_key(node)].arriving[node] = total.selected()
            self._through_loop(node)
            return
        for position, operand in enumerate(node.operands):
            rule = rule_of(node, position)
            if rule is None or operand not in self.active:
                continue
            self._send(node, position, self.edge(node, position, rule, total))

    def _send(self, node: Node, position: int, sent: Adjoint) -> None:
        self.uses[node, position] = sent
        self.arriving.setdefault(node.operands[position], []).append(sent)

    def edge(self, node: Node, position: int, rule: Rule, total: Adjoint) -> Adjoint:
        """What goes back to one operand."""
        adjoint = contribution(node, position, rule, total, self.guards)
        fitted = unbroadcast(adjoint, node, position)
        if fitted.guard is None:
            return fitted
        return replace(fitted, guard=self.guards.lightened(fitted.guard))

    def inside(
        self, seeds: Iterable[tuple[Node, Node]], wrt: Iterable[Node]
    ) -> Mapping[Node, Node]:
        """The gradients of nodes of a step of a loop."""
        return pullback(seeds, wrt).gradients


def _sum(contributions: list[Adjoint]) -> Adjoint:
    """The sum of contributions under one guard."""
    first = contributions[0]
    value = first.value
    for other in contributions[1:]:
        value = _like(first.value, "add", [value, other.value])
    return Adjoint(value, first.guard, all(c.clean for c in contributions))


@dataclass(slots=True)
class _Loop:
    """What arrives at the results of a loop; ``first`` is the one that comes first in order."""

    first: Node
    arriving: dict[Node, Node] = field(default_factory=dict)


def contribution(node: Node, position: int, rule: Rule, total: Adjoint, guards: Guards) -> Adjoint:
    """What a rule sends back to one operand, in the shape of what arrives."""
    value, guard = total.value, total.guard
    if node.op.name == "where":
        condition = node.operands[0]
        if position == 2:
            condition = make("logical_not", [condition], node.span, cause=node)
        return Adjoint(value, condition if guard is None else _and(guard, condition))
    if node.op.family == "elementwise":
        passed = _times_slope(node, position, rule, value)
        return Adjoint(passed, guard, total.clean and passed is value)
    if isinstance(rule, Fragment) and guard is not None and guard.type.rank:
        return _through_fragment(node, position, rule, value, _repeated(guard, node.type.shape))
    given = {"y": node, "dy": value}
    clean = total.clean
    if guard is not None and guard.type.rank and node.op.family != "pointwise":
        if _mixes(node, position) and not _apart(node, guard, guards):
            safe = _safe(node, position, _repeated(guard, node.type.shape), guards)
            given = {**safe, "y": node, "dy": total.selected()}
            clean = True
        guard = _reach(node, position, _repeated(guard, node.type.shape))
    clean = clean and _keeps_zeros(node, position)
    return Adjoint(apply_rule(rule, node, position, given), guard, clean)


def _keeps_zeros(node: Node, position: int) -> bool:
    """Whether what goes back is 0 where what arrives is: entries are moved, repeated and added,
    and multiplied with nothing that could be infinite."""
    floats = [operand for operand in node.operands if operand.type.is_float]
    return node.op.linear_in(position) != () and len(floats) == 1 and not node.op.variadic


def _through_fragment(node: Node, position: int, rule: Fragment, dy: Node, guard: Node) -> Adjoint:
    """A rule of the specification under a guard, which goes along as far as entries stay apart;
    where they are combined, those that do not count are 0."""
    guards = {rule.placeholders[ARRIVING]: guard}

    def adapt(part: Node, operands: tuple[Node, ...]) -> tuple[Node, ...]:
        carried = [guards.get(operand) for operand in part.operands]
        found = list(dict.fromkeys(g for g in carried if g is not None))
        if part.op.family not in ("elementwise", "pointwise"):
            pairs = zip(operands, carried, strict=True)
            return tuple(Adjoint(operand, g).selected() for operand, g in pairs)
        for g in found:
            known = guards.get(part)
            guards[part] = g if known is None else _like(guard, "logical_or", [known, g])
        return operands

    value = rule.copy(given_to(node, dy), node.span, node, position, adapt)
    return Adjoint(value, guards.get(rule.root))


def _times_slope(node: Node, position: int, rule: Rule, value: Node) -> Node:
    if rule == "1":
        return value
    return times(value, apply_rule(rule, node, position, {"y": node}), node, position)


def _reach(node: Node, position: int, guard: Node) -> Node:
    """The guard of an operand: where entries of the result that count depend on it."""
    return apply_rule(reach_of(node, position), node, position, {"dy": guard})


def _safe(node: Node, position: int, guard: Node, guards: Guards) -> dict[str, Node]:
    """The other operands, 0 where only entries that do not count depend on them: what they
    are there must not reach the sums of the rule."""
    safe = {}
    for other, operand in enumerate(node.operands):
        wanted = operand.type.is_float and rule_of(node, other) is not None
        if other != position and wanted and not node.op.variadic:
            counts = guards.lightened(_reach(node, other, guard))
            if counts is None:
                continue
            name = node.op.operand_name(other)
            shield = apply_rule(node.op.shield.get(name, "0.0"), node, position, {})
            parts = [counts, operand, shield]
            safe[name] = make("where", parts, node.span, cause=node, position=position)
    return safe


def unbroadcast(adjoint: Adjoint, cause: Node, position: int) -> Adjoint:
    """Sums over the axes along which an operand was repeated: the only place that does."""
    shape = cause.operands[position].type.shape
    guard = adjoint.guard
    guard_shape = guard.type.shape if guard is not None else ()
    if adjoint.value.type.shape == shape and len(guard_shape) <= len(shape):
        return adjoint
    if _varies(guard, adjoint.value.type.shape, shape):
        adjoint = Adjoint(adjoint.selected(), guard, clean=True)
    model = replace(adjoint.value, cause=cause, position=position)
    value = _reduced("sum", adjoint.value, shape, model)
    if guard is not None:
        guard = _reduced("any", guard, shape, model)
    return Adjoint(value, guard, adjoint.clean)


def _varies(guard: Node | None, shape: Shape, reduced: Shape) -> bool:
    """Whether a guard differs along axes that are summed over, or says more than there is yet."""
    if guard is None:
        return False
    own = guard.type.shape
    if broadcast([own, shape]) != shape:
        return True
    kept = [ONE] * (len(shape) - len(reduced)) + list(reduced)
    aligned = zip(reversed(own), reversed(kept), strict=False)
    return any(size != ONE and left == ONE for size, left in aligned)


def _mixes(node: Node, position: int) -> bool:
    """Whether an entry of the operand counts for several entries of the result."""
    return "any(" in reach_of(node, position)


def _apart(node: Node, guard: Node, guards: Guards) -> bool:
    """Whether entries that count and those that do not never meet in the rule: the guard is the
    same for all that it combines, which the operands show by having it as it is."""
    whole = _repeated(guard, node.type.shape)
    return all(
        guards.lightened(_reach(node, position, whole)) is guard
        for position, operand in enumerate(node.operands)
        if operand.type.is_float and rule_of(node, position) is not None
    )


def _repeated(guard: Node, shape: Shape) -> Node:
    if guard.type.shape == shape:
        return guard
    return _like(guard, "broadcast_to", [guard], shape=shape)


def _and(a: Node, b: Node) -> Node:
    return _like(a, "logical_and", [a, b])


def _reduced(op: str, node: Node, shape: Shape, model: Node) -> Node:
    """``node`` reduced to a shape that broadcasts to its own; provenance from ``model``."""
    extra = max(node.type.rank - len(shape), 0)
    if extra:
        axes = tuple(range(-node.type.rank, -node.type.rank + extra))
        node = _like(model, op, [node], axis=axes, keepdims=False)
    repeated = tuple(
        axis
        for axis in range(-node.type.rank, 0)
        if shape[axis] == ONE and node.type.shape[axis] != ONE
    )
    if repeated:
        node = _like(model, op, [node], axis=repeated, keepdims=True)
    return node
