"""The part of the elaborator for loops: what one step does, made a graph of its own."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from . import ast
from .errors import mistakes
from .graph import Node, constant, make, topological
from .indices.variables import Affine, Variable, affine
from .inlining import Inlining
from .loops import Draft, called, placeholder, result
from .order import mentioned, ordered, place_of, statements_of
from .scope import Report, Scope
from .shapes import Kind, Type
from .sizes import ONE, ZERO, Size
from .subscripts import Cut

Done = Generator[Any, Any, None]
Elaboration = Generator[Any, Any, "Node | None"]


@dataclass
class Step:
    """A loop while it is elaborated: its statements by what they are, and its placeholders."""

    scan: ast.Scan
    variable: Variable
    index: Node
    states: dict[str, ast.Node] = field(default_factory=dict)
    nexts: dict[str, ast.Node] = field(default_factory=dict)
    emits: dict[str, ast.Node] = field(default_factory=dict)
    first: dict[str, Node] = field(default_factory=dict)
    held: dict[str, Node] = field(default_factory=dict)
    """The placeholder of each state, and of each emitted stack that the step reads."""
    floats: set[str] = field(default_factory=set)
    """The states that begin as an integer literal and are floats all the same."""


class Scanning(Inlining):
    """Loops with carried state."""

    @abstractmethod
    def introduce(self, items: Iterable[ast.Item], scope: Scope) -> list[Variable] | None: ...

    def scan(self, scan: ast.Scan, scope: Scope) -> Done:
        """The final states and the stacks of a loop, put into a scope; ``None`` where wrong."""
        for left in statements_of(scan, "state", "emit"):
            scope.values[left.id] = None
        step = self._begun(scan, scope)
        if step is None:
            return
        for name, statement in step.states.items():
            value = yield self._first(statement, scope)
            value = self.named(statement, name, value, scope)
            if value is None:
                return
            step.first[name] = replace(value, name="")  # The name is that of the state.
        ends = yield self._stepped(step, scope)
        if ends is not None and self._keep_types(step, ends):
            self._finished(step, ends, scope)

    def _stepped(self, step: Step, scope: Scope) -> Generator[Any, Any, dict[str, Node] | None]:
        """What a step ends with, ``None`` where something is wrong.

        A state that begins as an integer literal takes the type of its ``next``. It is tried as an
        integer, without reporting, and is a float where that does not fit.
        """
        literals = {n for n, s in step.states.items() if isinstance(s.value, ast.Number)}
        literals = {n for n in literals if step.first[n].type.kind is Kind.INT}
        report = self.report
        while literals:
            self.report = Report()
            try:
                trial = self._inner(step, scope)
                if trial is not None:
                    yield self._elaborated(step, trial)
            finally:
                self.report = report
            ends = self._ends(step, trial) if trial is not None else {}
            after = {name: ends.get(f"next {name}") for name in literals - step.floats}
            wrong = {n for n, v in after.items() if v is None or v.type.is_float}
            if not wrong:
                break
            step.floats |= wrong
        inner = self._inner(step, scope)
        if inner is None:
            return None
        yield self._elaborated(step, inner)
        found = {key: end for key, end in self._ends(step, inner).items() if end is not None}
        return found if len(found) == len(self._ends(step, inner)) else None

    def _first(self, statement: ast.Node, scope: Scope) -> Elaboration:
        """What a state is before the first step."""
        if statement.target.indices:
            (value,) = yield self.by_entry(statement, scope)
        else:
            value = yield self.expression(statement.value, scope)
        result: Node | None = value
        return result

    # ── Declarations of a step ──────────────────────────────────────────────

    def _begun(self, scan: ast.Scan, scope: Scope) -> Step | None:
        range_ = ast.IndexRange(scan.index.span, scan.index, scan.start, scan.stop)
        variables = self.introduce([range_], scope)
        if variables is None:
            return None
        (variable,) = variables
        variable.loop = True
        index = placeholder(variable.name, Type(Kind.INT), scan.index.span, variable=variable)
        step = Step(scan, variable, index)
        tables = {"state": step.states, "next": step.nexts, "emit": step.emits}
        fine = True
        for statement in scan.body:
            if isinstance(statement, ast.Node) and statement.keyword in tables:
                table = tables[statement.keyword]
                for declared in statement.target.names:
                    fine = self._declared(step, table, statement, declared) and fine
        for name, statement in step.states.items():
            if name not in step.nexts:
                self.report(mistakes.state_without_next(statement.target.span, name))
                fine = False
        if scan.until is not None and step.emits:
            first = next(iter(step.emits.values()))
            self.report(mistakes.until_with_emit(first.target.span, scan.until.span))
            fine = False
        unreadable = [name for name in step.emits if not self._readable(step, name)]
        return step if fine and not unreadable else None

    def _readable(self, step: Step, name: str) -> bool:
        """Whether what the step reads of an emitted stack has a written type."""
        place = place_of(step.scan, name) if step.emits[name].target.type is None else None
        if place is not None:
            self.report(mistakes.emit_without_type(place, name, step.emits[name].target.span))
        return place is None

    def _declared(
        self,
        step: Step,
        table: dict[str, ast.Node],
        statement: ast.Node,
        name: ast.Name,
    ) -> bool:
        if name.id in table:
            first = table[name.id].target.span
            report = mistakes.next_twice if statement.keyword == "next" else mistakes.duplicate
            self.report(report(name.span, name.id, first))
            return False
        if statement.keyword == "next" and name.id not in statements_named(step.scan, "state"):
            self.report(mistakes.next_without_state(name.span, name.id))
            return False
        table[name.id] = statement
        return True

    def _inner(self, step: Step, scope: Scope) -> Scope | None:
        """The scope of a step, its placeholders in it."""
        values = dict(scope.values)
        for left in statements_of(step.scan, "state", "emit"):
            values.pop(left.id, None)
        inner = Scope(values, dict(scope.sizes), dict(scope.declared), scope.prefix, scope.hidden)
        inner.values[step.variable.name] = step.index
        for name, value in step.first.items():
            floats = name in step.floats
            type_ = value.type.with_kind(Kind.FLOAT) if floats else value.type
            step.held[name] = placeholder(name, type_, value.span)
            inner.values[name] = step.held[name]
        for name, statement in step.emits.items():
            if statement.target.type is not None and name in mentioned(step.scan):
                row = self.written_type(statement.target.type, scope)
                if row is None:
                    return None
                length = step.variable.length
                held = row.with_shape((length, *row.shape))
                step.held[name] = placeholder(name, held, statement.span, done=step.index)
                inner.values[name] = step.held[name]
        self.settled |= {step.index, *step.held.values()}
        return inner

    def _elaborated(self, step: Step, inner: Scope) -> Done:
        nodes: dict[str, ast.Node | ast.Scan] = {}
        for statement in step.scan.body:
            if isinstance(statement, ast.Scan):
                nodes |= {n.id: statement for n in statements_of(statement, "state", "emit")}
                continue
            if statement.keyword == "state":
                continue
            for name in statement.target.names:
                key = _key(statement, name.id, step)
                if statement.keyword == "node":
                    if name.id in inner.values or name.id in inner.sizes or name.id in nodes:
                        first = inner.declared.get(name.id, name.span)
                        self.report(mistakes.duplicate(name.span, name.id, first))
                    inner.declared[name.id] = name.span
                nodes[key] = statement
        inner.values |= {name: None for name in nodes if name not in inner.values}
        order = ordered(nodes, self.report)
        yield self.define(order, nodes, inner)
        if step.scan.until is not None:
            inner.values["until"] = yield self.expression(step.scan.until, inner)

    def _ends(self, step: Step, inner: Scope) -> dict[str, Node | None]:
        """The values that a step ends with."""
        keys = [f"next {name}" for name in step.nexts]
        keys += [_emitted(step, name) for name in step.emits]
        if step.scan.until is not None:
            keys.append("until")
        found = {key: inner.values.get(key) for key in keys}
        return {k: v if isinstance(v, Node) else None for k, v in found.items()}

    def _keep_types(self, step: Step, ends: Mapping[str, Node]) -> bool:
        fine = True
        for name, statement in step.nexts.items():
            value, held = ends[f"next {name}"], step.held[name]
            wider = held.type.is_float and value.type.shape == held.type.shape
            if value.type != held.type and not wider:
                first = step.states[name].target.span
                report = mistakes.state_changes
                self.report(report(statement.value.span, name, held.type, value.type, first))
                fine = False
        until = ends.get("until")
        if until is not None and until.type != Type(Kind.BOOL):
            assert step.scan.until is not None
            self.report(mistakes.until_not_bool(step.scan.until.span, until.type))
            fine = False
        return fine

    # ── The loop ────────────────────────────────────────────────────────────

    def _finished(self, step: Step, ends: dict[str, Node], scope: Scope) -> None:
        """The results of the loop put into the scope around it."""
        variable = step.variable
        assert variable.stop is not None
        nexts, first = {}, {}
        for name in step.states:
            held = step.held[name]
            first[held] = _as_held(step.first[name], held)
            nexts[held] = _as_held(ends[f"next {name}"], held)
        for name in step.emits:
            if name in step.held:  # A stack that steps read is a state that each adds a row to.
                held = step.held[name]
                first[held] = _empty(held)
                nexts[held] = self._put(step, held, ends[_emitted(step, name)])
        stacked = {name: ends[name] for name in step.emits if name not in step.held}
        until = ends.get("until")
        outer = {v for v in scope.values.values() if isinstance(v, Node)}
        roots = [*nexts.values(), *stacked.values(), *([until] if until is not None else [])]
        closed = Closed(step.index, tuple(first), roots, outer)
        draft = Draft(closed.index, variable.start, variable.stop, first)
        draft.captured = {place: value for value, place in closed.captured.items()}
        draft.rows = closed.sequences()
        draft.nexts = {held: closed.placed[after] for held, after in nexts.items()}
        loop, operands = draft.loop(until=None if until is None else closed.placed[until])
        for i, held in enumerate(first):
            name = called(held)
            place = (step.states.get(name) or step.emits[name]).target.span
            self._leave(name, result(loop, operands, place, ("final", i)), scope)
        for name, value in stacked.items():
            which = ("stack", closed.placed[value])
            self._leave(name, result(loop, operands, step.emits[name].value.span, which), scope)

    def _leave(self, name: str, node: Node, scope: Scope) -> None:
        named = node.with_name(scope.prefix + name)
        scope.values[name] = named
        if not self.depth:
            self.settled.add(named)

    def _put(self, step: Step, held: Node, value: Node) -> Node:
        place = step.index
        start = make("size", (), value.span, {"size": step.variable.start})
        if step.variable.start != Size.of(0):
            place = make("subtract", [place, start], value.span)
        return make("put", [held, place, value], value.span, {"axis": -held.type.rank})


def _as_held(value: Node, held: Node) -> Node:
    """A value in the kind of its state."""
    widened = held.type.is_float and not value.type.is_float
    return make("as_float", [value], value.span) if widened else value


def _empty(held: Node) -> Node:
    """What stands in a stack before any step."""
    shape = {"shape": held.type.shape}
    if held.type.is_float:
        return make("zeros", (), held.span, shape)
    nothing = constant(False if held.type.kind is Kind.BOOL else 0, held.span)
    return make("full", [nothing], held.span, shape)


def _key(statement: ast.Node, name: str, step: Step) -> str:
    """What a value is called in the scope of a step: the next state is not the state."""
    if statement.keyword == "next":
        return f"next {name}"
    return _emitted(step, name) if statement.keyword == "emit" else name


def _emitted(step: Step, name: str) -> str:
    """An emitted value, where the name itself is the stack so far."""
    return f"emit {name}" if name in step.held else name


def statements_named(scan: ast.Scan, *keywords: str) -> set[str]:
    return {name.id for name in statements_of(scan, *keywords)}


class Closed:
    """A step that sees nothing but placeholders.

    What does not depend on the step is computed before the loop: ``captured`` are the largest such
    parts. An array of which each step reads the entry of its index becomes a sequence of rows.
    """

    def __init__(
        self,
        index: Node,
        held: tuple[Node, ...],
        roots: list[Node],
        outer: set[Node],
    ) -> None:
        self.index = index
        self.variable: Variable = index.attributes["variable"]
        self.captured: dict[Node, Node] = {}
        self.rows: dict[Node, Node] = {}
        order = topological(roots, [index, *held, *outer])
        self.placed: dict[Node, Node] = {node: node for node in (index, *held)}
        moving = {index, *held} | {n.operands[1] for n in order if n.op.name == "grad"} - outer
        kept = {n.operands[1] for n in order if n.op.name == "grad"}
        for node in order:
            if any(operand in moving or operand in kept for operand in node.operands):
                moving.add(node)
        for node in order:
            if node in moving:
                self.placed[node] = self._copied(node)
        for root in roots:
            self.placed.setdefault(root, self._inside(root))

    def sequences(self) -> dict[Node, Node]:
        """By row, the array that the steps see it of."""
        return {row: _sequence(read, self.variable) for read, row in self.rows.items()}

    def _copied(self, node: Node) -> Node:
        if _reads_row(node, self.placed, self.variable):
            row = self.rows.get(node)
            if row is None:
                row = placeholder(_row_name(node, self.variable), node.type, node.span)
                self.rows[node] = row
            return row.with_name(node.name) if node.name else row
        operands = tuple(self._inside(operand) for operand in node.operands)
        return node.with_operands(operands)

    def _inside(self, node: Node) -> Node:
        """What a step has in place of a node."""
        if node in self.placed:
            return self.placed[node]
        if node.op.name in ("constant", "size"):
            return node
        if node not in self.captured:
            self.captured[node] = placeholder(called(node), node.type, node.span)
        self.placed[node] = self.captured[node]
        return self.captured[node]


def _row_name(node: Node, variable: Variable) -> str:
    """``x_t`` for the row of ``x`` at ``t``."""
    return node.name or f"{called(node.operands[0])}_{variable.name}"


def _reads_row(node: Node, inside: Mapping[Node, Node], variable: Variable) -> bool:
    """Whether a node is the entry of a fixed array that the index of the loop says."""
    if node.op.name != "take" or node.operands[0] in inside or node.name:
        return False
    form = affine(node.operands[1])
    if form is None or set(form.terms) != {variable}:
        return False
    return form.terms[variable] in (ONE, Size.of(-1)) and _in_bounds(form, node)


def _in_bounds(form: Affine, node: Node) -> bool:
    bounds = form.bounds()
    if bounds is None:
        return False
    return not ((bounds[0].constant or 0) < 0)


def _sequence(read: Node, variable: Variable) -> Node:
    """The array whose rows, in the order of the steps, are what ``read`` takes."""
    x, place = read.operands
    form = affine(place)
    assert form is not None and variable.stop is not None
    axis = read.attributes["axis"]
    if axis != -x.type.rank:
        order = [axis, *(a for a in range(-x.type.rank, 0) if a != axis)]
        x = make("transpose", [x], read.span, {"axes": tuple(order)})
    low, high = form.bounds() or (ZERO, ZERO)
    start = None if low == ZERO else low
    stop = None if high + 1 == x.type.shape[0] else high + 1
    for cut in (Cut(start, stop), Cut(None, None, 1 if form.terms[variable] == ONE else -1)):
        if cut != Cut():
            x = make("getitem", [x], read.span, {"index": (cut,)})
    return x
