"""A loop as statements: its states before it, the ``for``, what a step does, and the stacks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from ..dsl.graph import Node, topological
from ..dsl.loops import Loop, called, is_fixed, with_steps
from ..dsl.shapes import Kind
from ..dsl.sizes import ONE
from .body import Body, Commenter, Line, no_comment
from .direct import Direct
from .guarded import guarded_in_steps
from .names import legal, placed
from .positions import Position
from .python import INDENT, WIDTH, exploded, filled, fits
from .ranges import of_steps, ranges
from .render import Renderer
from .schedule import Function, call_key, is_leaf, is_weak, plan
from .stacks import room
from .states import States
from .threads import on_threads, returned

# What begins the second way to compute something, that with care.
EXCEPT = (
    "except (ArithmeticError, ValueError):",
    f"{INDENT}# Python stops where IEEE arithmetic has inf or nan.",
)


class Statements(Body):
    """The statements of a function, loops among them."""

    def loop(self, node: Node, comment: Commenter) -> None:
        """A loop, with all its results that are wanted."""
        key = call_key(node)
        targets = [n for n in self.function.statements
                   if n.op.name == "scan" and call_key(n) == key]  # fmt: skip
        inside = list(self.inside(node))
        for part in dict.fromkeys(o for t in inside for o in t.operands):
            if part not in self._written and not is_leaf(part) and part.op.name == "scan":
                self.statement(part, comment)
        if node.attributes["loop"].chunk is None:  # What a block does is explained in it.
            self._lines += self._remarks(node, inside, comment)
        quiet = any(target in self.risky for target in targets)
        if node.attributes["loop"].numbers and not self.renderer.scalar:
            lines = self._with_numbers(targets, comment, quiet)
        else:
            lines = Looping(self, targets, comment, quiet).write()
        self._lines += [Line(line, quiet) for line in lines]
        self._written |= set(targets)

    def _with_numbers(self, targets: list[Node], comment: Commenter, quiet: bool) -> list[str]:
        """A loop that computes with Python's numbers among statements of NumPy: written as if
        nothing could raise, and once more with care."""
        careful = self.renderer.of_numbers()
        direct = Direct(careful, guarded_in_steps(targets))
        if not any(direct.saves(node) for node in with_steps(targets)):
            return Looping(self, targets, comment, quiet, careful).write()
        free = self.names.copy()
        inside = self.indented(quiet)
        lines = Looping(inside, targets, comment, False, direct).write()
        free.taken.update(self.renderer.names[t] for t in targets if t not in self.records.counts)
        again = Looping(self.indented(quiet, names=free), targets, no_comment, False, careful)
        middle = [self.indent + line for line in EXCEPT]
        lines += [*middle, *again.write()]
        self.names.taken |= free.taken  # With care, more has a name.
        return [f"{self.indent}try:", *lines]


class Looping:
    """Writes one loop, the results of ``targets``, into the lines of a body."""

    def __init__(
        self,
        body: Body,
        targets: list[Node],
        comment: Commenter,
        quiet: bool,
        steps: Renderer | None = None,
    ) -> None:
        """``steps`` renders what is in the loop, where that is not as around it."""
        self.body = body
        self.quiet = quiet
        self.outer = body.renderer
        self.renderer = steps or body.renderer
        self.targets = targets
        self.comment = comment
        self.node = targets[0]
        self.loop: Loop = self.node.attributes["loop"]
        states, captured, rows, count = self.loop.split(self.node.operands)
        self.first = dict(zip(self.loop.states, states, strict=True))
        self.captured = dict(zip(self.loop.captured, captured, strict=True))
        self.sequences = dict(zip(self.loop.rows, rows, strict=True))
        self.steps: Node | None = count[0] if count else None
        self.nexts = dict(zip(self.loop.states, self.loop.nexts, strict=True))
        self.records = body.records
        self.results = {t.attributes["result"]: t for t in targets if t not in self.records.counts}
        self.recorded = {n: t for (sort, n), t in self.results.items() if t in self.records.of}
        """What is kept of each step as part of a record, and the result that stands for it."""
        stacked = [node for sort, node in self.results if sort == "stack"]
        self.states = States(self.loop, self.first, stacked)
        self.rows: dict[Node, str] = {}
        """By part of a record that a step sees, its name there."""
        self.lines: list[str] = []
        self.position = Position(self.loop, body.names, self.renderer)
        chunked = self.loop.chunk is not None and self.states.sums == set(self.nexts)
        self.threaded = bool(self.renderer.threads) and chunked
        self.begun = {} if self.threaded else self._begun_sums()

    def write(self) -> list[str]:
        """The lines of the loop; the names of its results are known to the renderer after it."""
        held = self._begin()
        before = self.renderer.names, self.renderer.known
        inner = self.body.indented(self.quiet, self.renderer)
        self.renderer.names = dict(before[0])
        step = self._step(inner, held)
        head = self._head() if not self.rows else self._through_record()
        self.renderer.names, self.renderer.known = before
        if self.threaded:
            starts = self.position.blocks(least=0)
            sums = [held[state] for state in self.nexts]
            self.lines += on_threads(self.body, step, self.position.index, starts, sums)
        else:
            self.lines += [*(f"{self.body.indent}{line}" for line in head), *step]
        self.body.names.end_loop(self.position.index)
        for (sort, which), target in self.results.items():
            state = self.loop.states[which] if sort == "final" else None
            name = held[state] if state is not None else self._stack(target)
            self.outer.names[target] = name
        return self.lines

    def _stack(self, target: Node) -> str:
        """The list or array that has a result of each step: of a record, that of its first part."""
        first = self.records.of.get(target, (target,))[0]
        if first in self.recorded.values() and first not in self.outer.names:
            name = self.body.names.numbered("kept")
            self.outer.names |= dict.fromkeys(self.records.of[first], name)
        return self.body.name_of(first)

    # ── Before the loop ─────────────────────────────────────────────────────

    def _begin(self) -> dict[Node, str]:
        """The statements before the loop, and the variable of each state."""
        held: dict[Node, str] = {}
        for i, (state, first) in enumerate(self.first.items()):
            target = self.results.get(("final", i))
            if target is not None:
                held[state] = self.body.name_of(target)
            else:
                held[state] = self.body.names.numbered(legal(called(state)))
            if state in self.begun:
                continue
            within = self.loop.numbers and is_fixed(first)
            text = self._kept_kind(first, self.renderer if within else self.outer)
            own = first.op.name == "zeros" and first not in self.outer.names
            if state in self.states.in_place and state.type.rank and not own:
                text += ".copy()"
            if text != held[state]:
                self._add(f"{held[state]}{self._annotation(first)} = {text}")
        if self.loop.chunk is not None:
            if text := self.position.choose_block(self.threaded):
                self._add(text)
        for record in dict.fromkeys(self.records.of[t] for t in self.recorded.values()):
            self._add(f"{self._stack(record[0])} = list[tuple[float, ...]]()")
        for (sort, _), target in self.results.items():
            if sort == "stack" and target not in self.records.of:
                count = None if self.steps is None else self.outer.expression(self.steps)
                text = room(target, self.loop, self.renderer, count)
                self._add(f"{self.body.name_of(target)} = {text}")
            elif sort == "steps":
                self._add(f"{self.body.name_of(target)} = 0")
        return held

    def _annotation(self, first: Node) -> str:
        """The type of a state that begins as a constant truth value, which is else taken to be the
        type of that value alone."""
        if self.renderer.scalar or first.type.kind is not Kind.BOOL or not first.is_constant():
            return ""
        return f": {self.renderer.module('np')}.bool_"

    def _kept_kind(self, node: Node, renderer: Renderer) -> str:
        """The text of a state: not a plain number of Python, which has no precision, nor a plain
        truth value, since NumPy's ``~`` is another one of that."""
        text = renderer.expression(node).text
        if self.renderer.scalar or not is_weak(node) or node.type.kind is Kind.INT:
            return text
        if node.type.kind is Kind.BOOL:
            return f"{self.renderer.module('np')}.bool_({text})"
        self.renderer.uses.dtype = True
        return f"{self.renderer.dtype}.type({text})"

    def _add(self, text: str) -> None:
        line = f"{self.body.indent}{text}"
        within = INDENT * (self.quiet or self.body.quiet)
        self.lines.append(line if fits(within + line) else f"{line}  # fmt: skip")

    # ── The head ────────────────────────────────────────────────────────────

    def _head(self) -> list[str]:
        position = self.position
        if self.loop.chunk is not None:
            # Sums that a block begins do so also where there are no entries.
            blocks = position.blocks(least=1 if self.begun else 0)
            return [f"for {position.index} in {blocks}:"]
        place = f"  # line {self.loop.index.span.line}" if self.node.cause is None else ""
        return [f"for {position.index or '_'} in {position.counted(self.steps)}:{place}"]

    def _through_record(self) -> list[str]:
        """A loop that sees the records of another one, which runs the other way."""
        record = self.records.of[next(iter(self.rows))]
        parts = [self.rows[part] for part in record]
        through = f"reversed({self._stack(record[0])})"
        index, tail = self.position.index, f" in {through}:"
        if index:
            tail = f") in zip({self.position.counted(self.steps)}, {through}, strict=True):"
        head = f"for {index}, (" if index else "for "
        width = self._room(self.body) - len(self.body.indent)
        return filled(head, parts, tail, "", width)

    # ── A step ──────────────────────────────────────────────────────────────

    def _step(self, inner: Body, held: dict[Node, str]) -> list[str]:
        stacked = {n: t for (sort, n), t in self.results.items() if sort == "stack"}
        wanted = self._wanted(stacked)
        given = [*self.loop.placeholders, *self._there(wanted)]
        if self.loop.chunk is not None:
            inner.begin(self.position.begin_part())
        order = topological(wanted, given)
        function = plan(order, wanted, given, branching=self.renderer.scalar)
        self._give(inner, function, held, wanted)
        self._know(function)
        stacked = {n: t for n, t in stacked.items() if n not in self.recorded}
        top = [n for n in stacked if n in held]
        lines = [inner.indent + self._stacked(n, stacked[n]) for n in top]
        direct = self.states.direct(function).items()
        names = {n: held[state] for n, state in direct if state not in self.recorded}
        rows = self._straight(function, stacked)
        for node, name in (self._later(function, held, names) | names | rows).items():
            inner.choose(node, name)
        added = self.states.added(function)
        for node, state in added.items():
            if self.threaded or state in self.begun:
                inner.choose(node, self.body.names.numbered(f"{held[state]}_part"))
            else:
                inner.choose(node, held[state], "+=")
        inner.take(function, order, self.loop.roots())
        lines += inner.write(self.comment)
        if count := self.position.count():
            lines.insert(0, inner.indent + count)
        for n, target in stacked.items():
            if n not in top and n not in rows:
                lines.append(inner.indent + self._stacked(n, target))
        lines += self._kept(inner)
        if self.threaded:
            return lines + returned(inner, [a.operands[1] for a in self.nexts.values()])
        lines += self._begin_sums(held, inner)
        lines += self._last(held, names, added, inner)
        if ("steps", 0) in self.results:
            done = self.body.name_of(self.results["steps", 0])
            lines.append(f"{inner.indent}{done} = {self.position.at(ONE)}")
        if self.loop.until is not None:
            ends = self.renderer.expression(self.loop.until).text
            lines += [f"{inner.indent}if {ends}:", f"{inner.indent}{INDENT}break"]
        return lines or [f"{inner.indent}pass"]

    def _there(self, wanted: list[Node]) -> list[Node]:
        """Numbers of a step that stand before the loop already, being made of written ones; those
        that will stand behind it have no name in it."""
        body = topological(wanted, self.loop.placeholders)
        there = [node for node in body if self.body.is_written(node)]
        for node in set(body).difference(there):
            self.renderer.names.pop(node, None)
        return there

    def _wanted(self, stacked: Iterable[Node]) -> list[Node]:
        wanted: list[Node] = []
        for state, after in self.nexts.items():
            wanted += after.operands[1:] if state in self.states.in_place else [after]
        until = [self.loop.until] if self.loop.until is not None else []
        given = set(self.loop.placeholders)
        found = [n for n in dict.fromkeys([*stacked, *until, *wanted]) if n not in given]
        as_written = all(node.cause is None for node in found)
        return sorted(found, key=lambda n: n.span.start) if as_written else found

    def _give(
        self, inner: Body, function: Function, held: dict[Node, str], wanted: list[Node]
    ) -> None:
        """Names, or texts, for everything that a step is given."""
        names = self.renderer.names
        uses = Counter(o for node in function.nodes for o in node.operands)
        uses.update(self.nexts.values())
        if uses[self.loop.index]:
            self.position.need_index()
        names |= held
        for place, operand in self.captured.items():
            names[place] = self.outer.expression(operand).text
        for place, operand in self.sequences.items():
            if operand in self.records.of:
                if operand not in self.rows:
                    self.rows[operand] = self.body.names.numbered(placed(place))
                names[place] = self.rows[operand]
                continue
            text = self.position.row(place, operand)
            if uses[place] > 1:
                name = self.body.names.numbered(placed(place))
                inner.begin(f"{name} = {text}")
                text = name
            names[place] = text

    def _know(self, function: Function) -> None:
        """Intervals of what a step computes, where the code depends on them."""
        known = of_steps(self.node, self.renderer.known)
        order = topological(function.results, self.loop.placeholders)
        self.renderer.known = {**self.renderer.known, **known, **ranges(order, known)}

    def _later(
        self, function: Function, held: dict[Node, str], direct: dict[Node, str]
    ) -> dict[Node, str]:
        """Names for states after the step where they cannot take those of before yet."""
        found: dict[Node, str] = {}
        for state, after in self.nexts.items():
            waits = state not in self.states.in_place and after not in direct
            if waits and after in function.statements and after.op.name != "scan":
                found[after] = f"next_{held[state]}"
        if self.loop.until in function.statements and self.loop.until not in found:
            found[self.loop.until] = "done"
        return {n: self.body.names.numbered(name) for n, name in found.items()}

    def _straight(self, function: Function, stacked: dict[Node, Node]) -> dict[Node, str]:
        """The rows of stacks that are written where they are computed: nothing else needs them."""
        if self.loop.numbers and self.loop.until is not None:
            return {}
        used = {o for node in function.nodes for o in node.operands} | set(self.nexts.values())
        rows = {n: f"{self.body.name_of(target)}[{self.position.of(n)}]"
                for n, target in stacked.items()}  # fmt: skip
        return {n: text for n, text in rows.items()
                if n in function.statements and n not in used and n.op.name != "scan"}  # fmt: skip

    def _stacked(self, node: Node, target: Node) -> str:
        value = self.renderer.expression(node).text
        if self.loop.numbers and self.loop.until is not None:
            return f"{self.body.name_of(target)}.append({value})"
        return f"{self.body.name_of(target)}[{self.position.of(node)}] = {value}"

    def _kept(self, inner: Body) -> list[str]:
        """The records of a step."""
        found: dict[str, list[str]] = {}
        for node, target in self.recorded.items():
            value = self.renderer.expression(node).text
            found.setdefault(self._stack(target), []).append(value)
        lines = []
        for name, values in found.items():
            lines += filled(f"{name}.append((", values, "))", inner.indent, self._room(inner))
        return lines

    def _room(self, inner: Body) -> int:
        return WIDTH - len(INDENT) * inner.quiet

    # ── States after the step ───────────────────────────────────────────────

    def _begun_sums(self) -> dict[Node, Node]:
        """By state its term, where that of the first block is where a sum begins: a product of
        matrices may be as large as the block, and often there is only one."""
        if self.loop.chunk is None:
            return {}
        sums = (state for state in self.nexts if state in self.states.sums)
        terms = {state: self.nexts[state].operands[1] for state in sums}
        return {s: n for s, n in terms.items() if n.op.name == "matmul" and n.type.rank == 2}

    def _begin_sums(self, held: dict[Node, str], inner: Body) -> list[str]:
        if not self.begun:
            return []
        terms = {held[s]: self.renderer.expression(n).text for s, n in self.begun.items()}
        deeper = inner.indent + INDENT
        lines = [f"{inner.indent}if not {self.position.index}:"]
        lines += [f"{deeper}{name} = {term}" for name, term in terms.items()]
        lines.append(f"{inner.indent}else:")
        return lines + [f"{deeper}{name} += {term}" for name, term in terms.items()]

    def _last(
        self,
        held: dict[Node, str],
        assigned: Collection[Node],
        added: Collection[Node],
        inner: Body,
    ) -> list[str]:
        """The assignments at the end of a step, but those of what is ``assigned`` to its state, or
        ``added`` to a sum, where it is computed."""
        lines = []
        left, right = [], []
        for state, after in self.nexts.items():
            if state in self.states.sums:
                if state not in self.begun and after.operands[1] not in added:
                    term = self.renderer.expression(after.operands[1]).text
                    lines.append(f"{inner.indent}{held[state]} += {term}")
            elif state in self.states.buffers:
                _, place, row = (self.renderer.expression(o).text for o in after.operands)
                before = ":, " * (state.type.rank + after.attributes["axis"])
                lines.append(f"{inner.indent}{held[state]}[{before}{place}] = {row}")
            elif after not in assigned and after is not state:
                left.append(held[state])
                right.append(self._kept_kind(after, self.renderer))
        if not left:
            return lines
        together = f"{inner.indent}{', '.join(left)} = "
        line = together + ", ".join(right)
        if fits(INDENT * inner.quiet + line):
            return [*lines, line]
        return lines + exploded(f"{together.lstrip()}(", right, ")", inner.indent)
