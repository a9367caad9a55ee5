"""What a specification means: its definitions carried out entry by entry, slowly.

Nothing of the compiler is used but the syntax tree. Indices are Python loops, scans are Python
loops, a branch that is not taken is not evaluated (only its shape is found). Values are NumPy's,
and may be complex: the complex step goes through everything that is analytic.

>>> run(parse(Source("input x: float[N] node y[i] = x[i] * i")), {"x": [5.0, 6.0]}, {"N": 2})["y"]
array([0., 6.])
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, TypeAlias

import numpy as np
from gradc.dsl import ast
from gradc.dsl.parse import parse
from gradc.dsl.source import Source

from .helpers import complex_step, differences
from .naive_library import BINARY, LIBRARY, REDUCTIONS, number, real

Declaration: TypeAlias = ast.Node | ast.Scan
KINDS: dict[str, type] = {"float": complex, "int": int, "bool": bool}
CONSTANTS = {"pi": np.pi, "inf": np.inf, "true": True, "false": False}


class GradientInsideComplexStep(Exception):
    """``grad`` was met at a complex point: whoever made the step takes differences instead."""


@dataclass
class Stack:
    """The steps that a scan has emitted so far, in an array with room for all."""

    values: Any
    done: int


@dataclass
class Frame:
    """The names of one scope: ``given`` ones, and those that ``pending`` declarations define.

    What was evaluated is in ``known``. In a frame that is only ``shaped``, values do not count.
    """

    given: dict[str, Any]
    pending: Mapping[str, Declaration] = field(default_factory=dict)
    outer: Frame | None = None
    shaped: bool = False
    known: dict[str, Any] = field(default_factory=dict)

    def holder(self, name: str) -> Frame:
        frame: Frame | None = self
        while frame is not None:
            if name in frame.given or name in frame.pending:
                return frame
            frame = frame.outer
        raise NameError(name)

    def again(self, last: Frame, name: str, value: Any) -> Frame:
        """This frame and those around it up to ``last``, nothing evaluated, ``name`` set there."""
        outer = self.outer
        if self is not last:
            assert outer is not None
            outer = outer.again(last, name, value)
            return Frame(self.given, self.pending, outer, self.shaped)
        return Frame({**self.given, name: value}, self.pending, outer, self.shaped)


def run(
    program: ast.Program, values: Mapping[str, Any], sizes: Mapping[str, int]
) -> dict[str, Any]:
    """Every name of the file: nodes, outputs, final states and stacks."""
    naive = Naive(program, sizes)
    given = {name: np.asarray(value)[()] for name, value in values.items()}
    pending = defined(program.declarations)
    frame = Frame(given, pending, naive.top)
    with np.errstate(all="ignore"):
        return {name: naive.lookup(name, frame) for name in pending}


def defined(declarations: Sequence[Any]) -> dict[str, Declaration]:
    """The names that nodes and scans define around them."""
    found: dict[str, Declaration] = {}
    for d in declarations:
        if isinstance(d, ast.Node) and d.keyword in ("node", "output"):
            found |= {name.id: d for name in d.target.names}
        elif isinstance(d, ast.Scan):
            inner = [s for s in d.body if isinstance(s, ast.Node)]
            found |= {
                n.id: d for s in inner if s.keyword in ("state", "emit") for n in s.target.names
            }
    return found


@cache
def prelude() -> dict[str, ast.Def]:
    """The functions of the library that are written in the language."""
    text = resources.files("gradc.grammars").joinpath("prelude.grad").read_text("utf-8")
    program = parse(Source(text, "prelude.grad"))
    return {d.name.id: d for d in program.declarations if isinstance(d, ast.Def)}


class Naive:
    def __init__(self, program: ast.Program, sizes: Mapping[str, int]) -> None:
        own = {d.name.id: d for d in program.declarations if isinstance(d, ast.Def)}
        self.functions = {**{n: d for n, d in prelude().items() if n not in LIBRARY}, **own}
        self.top = Frame(dict(sizes))
        self.shaped = False
        self.complex_steps = 0
        for d in program.declarations:
            if isinstance(d, ast.Size) and d.value is not None:
                self.top.given[d.name.id] = self.integer(d.value, self.top)

    # ── Names ───────────────────────────────────────────────────────────────

    def lookup(self, name: str, frame: Frame) -> Any:
        holder = frame.holder(name)
        if name in holder.given:
            return holder.given[name]
        if name not in holder.known:
            with self.shaping(holder.shaped):
                holder.known |= self.declared(name, holder)
        return holder.known[name]

    def declared(self, key: str, frame: Frame) -> dict[str, Any]:
        """What the declaration behind a name defines."""
        declaration = frame.pending[key]
        if isinstance(declaration, ast.Scan):
            return self.scan(declaration, frame)
        value = self.target(declaration, frame)
        names = [name.id for name in declaration.target.names]
        if len(names) == 1:
            return {key: value}
        return dict(zip(names, value, strict=True))

    def target(self, node: ast.Node, frame: Frame) -> Any:
        """The value of a node; of a node with indices, the stack of its entries."""
        if not node.target.indices:
            return self.value(node.value, frame)
        ranges = self.ranges(node.target.indices, node.value, frame)
        if len(node.target.names) == 1:
            return self.entries(ranges, frame, lambda inner: self.value(node.value, inner))
        return tuple(
            self.entries(ranges, frame, lambda inner, k=k: self.value(node.value, inner)[k])  # type: ignore[misc]
            for k in range(len(node.target.names))
        )

    @contextmanager
    def shaping(self, shaped: bool) -> Iterator[None]:
        before, self.shaped = self.shaped, shaped
        try:
            yield
        finally:
            self.shaped = before

    # ── Indices ─────────────────────────────────────────────────────────────

    def entries(
        self, ranges: Mapping[str, range], frame: Frame, body: Callable[[Frame], Any]
    ) -> Any:
        lengths = [len(r) for r in ranges.values()]
        if self.shaped or 0 in lengths:
            entry = np.asarray(self.outline(body, ranges, frame))
            return np.zeros((*lengths, *entry.shape), entry.dtype)
        found = [
            np.asarray(body(Frame(dict(zip(ranges, place, strict=True)), outer=frame)))
            for place in itertools.product(*ranges.values())
        ]
        return np.reshape(np.stack(found), (*lengths, *found[0].shape))

    def outline(
        self, body: Callable[[Frame], Any], ranges: Mapping[str, range], frame: Frame
    ) -> Any:
        """An entry of the right shape and kind."""
        first = {name: r.start for name, r in ranges.items()}
        with self.shaping(True):
            return body(Frame(first, outer=frame, shaped=True))

    def ranges(self, items: Sequence[ast.Item], body: ast.Expr, frame: Frame) -> dict[str, range]:
        """The range of each index: as given, or the size of the axes it stands for."""
        found: dict[str, range | None] = {}
        for item in items:
            if isinstance(item, ast.IndexRange):
                bounds = self.integer(item.start, frame), self.integer(item.stop, frame)
                found[item.name.id] = range(*bounds)
            else:
                assert isinstance(item, ast.Name)
                found[item.id] = None
        starts = {name: r.start if r is not None else 0 for name, r in found.items()}
        inner = Frame(starts, outer=frame, shaped=True)
        return {n: r if r is not None else self.axis(n, body, inner) for n, r in found.items()}

    def axis(self, name: str, body: ast.Expr, frame: Frame) -> range:
        sizes = set()
        for use in plain_uses(body, name):
            inner = Frame(dict.fromkeys(use.bound, 0), outer=frame, shaped=True)
            try:
                with self.shaping(True):
                    sizes.add(np.shape(plain(self.value(use.base, inner)))[use.axis])
            except (IndexError, np.linalg.LinAlgError):
                continue
        if len(sizes) != 1:
            raise ValueError(f"the range of {name} is one of {sizes}")
        return range(sizes.pop())

    # ── Scans ───────────────────────────────────────────────────────────────

    def scan(self, scan: ast.Scan, frame: Frame) -> dict[str, Any]:
        steps = [s for s in scan.body if isinstance(s, ast.Node)]
        inits = {s.target.names[0].id: s for s in steps if s.keyword == "state"}
        emits = {s.target.names[0].id: s for s in steps if s.keyword == "emit"}
        pending: dict[str, Declaration] = defined(scan.body)
        for s in steps:
            if s.keyword in ("next", "emit"):
                pending[f"{s.keyword} {s.target.names[0].id}"] = s
        times = range(self.integer(scan.start, frame), self.integer(scan.stop, frame))
        stacks = self.stacks(emits, len(times), frame)

        def step(t: int, states: Mapping[str, Any], shaped: bool = False) -> Frame:
            return Frame({scan.index.id: t, **states, **stacks}, pending, frame, shaped)

        states = {name: self.target(s, frame) for name, s in inits.items()}
        states = self.kinds(states, lambda s: step(times.start, s, True))
        if self.shaped or not times:
            first = step(times.start, states, True)
            rows = {name: [np.asarray(self.lookup(f"emit {name}", first))] for name in emits}
            empty = {n: np.zeros((len(times), *r.shape), r.dtype) for n, (r,) in rows.items()}
            return {**states, **empty}
        rows = {name: [] for name in emits}
        for t in times:
            now = step(t, states)
            for name, row in rows.items():
                row.append(self.lookup(f"emit {name}", now))
            states = {name: self.lookup(f"next {name}", now) for name in states}
            for name, stack in stacks.items():
                stack.values[stack.done] = rows[name][-1]
                stack.done += 1
            if scan.until is not None and self.value(scan.until, now):
                break
        return {**states, **{name: np.stack(row) for name, row in rows.items()}}

    def kinds(
        self, states: dict[str, Any], step: Callable[[dict[str, Any]], Frame]
    ) -> dict[str, Any]:
        """Initial integers as floats where the state is a float after the step."""
        for _ in states:
            first = step(states)
            for name, value in states.items():
                if np.asarray(value).dtype.kind == "i":
                    after = np.asarray(self.lookup(f"next {name}", first)).dtype.kind
                    if after in "fc":
                        states = {**states, name: np.asarray(value, float)[()]}
        return states

    def stacks(self, emits: Mapping[str, ast.Node], length: int, frame: Frame) -> dict[str, Stack]:
        """Room for what a scan emits, where a type says how much: that can be read in a step."""
        found = {}
        for name, emit in emits.items():
            if emit.target.type is not None:
                sizes = [self.integer(size, frame) for size in emit.target.type.shape]
                kind = KINDS[emit.target.type.name.id]
                found[name] = Stack(np.zeros((length, *sizes), kind), 0)
        return found

    # ── Expressions ─────────────────────────────────────────────────────────

    def value(self, e: ast.Expr, frame: Frame) -> Any:
        match e:
            case ast.Number():
                return e.value
            case ast.Constant():
                return CONSTANTS[e.name]
            case ast.String():
                return e.value
            case ast.Name():
                return self.lookup(e.id, frame)
            case ast.NextState():
                return self.lookup(f"next {e.name.id}", frame)
            case ast.Unary():
                operand = self.value(e.operand, frame)
                return np.logical_not(operand) if e.operator == "not" else -number(operand)
            case ast.Binary():
                left, right = self.value(e.left, frame), self.value(e.right, frame)
                return BINARY[e.operator](left, right)
            case ast.Transpose():
                return np.swapaxes(self.value(e.operand, frame), -1, -2)
            case ast.Array():
                return self.array(e, frame)
            case ast.IfElse():
                return self.branches(e, frame)
            case ast.Subscript():
                return self.subscript(e, frame)
            case ast.Reduction():
                return self.reduction(e, frame)
            case ast.Call():
                return self.call(e, frame)

    def integer(self, e: ast.Expr, frame: Frame) -> int:
        value = np.asarray(number(self.value(e, frame)))
        if value.dtype.kind not in "iu" or value.ndim:
            raise TypeError(f"not an integer: {value!r}")
        return int(value)

    def array(self, e: ast.Array, frame: Frame) -> Any:
        items = [np.asarray(self.value(item, frame)) for item in e.items]
        return np.stack([number(i) for i in items] if mixed(items) else items)

    def branches(self, e: ast.IfElse, frame: Frame) -> Any:
        """One branch alone where the condition is a scalar, or the same for all entries."""
        if self.shaped:
            parts = [self.value(part, frame) for part in (e.condition, e.then, e.otherwise)]
            return np.where(*parts)[()]
        condition = self.value(e.condition, frame)
        if np.any(condition) and not np.all(condition):
            parts = [number(self.value(part, frame)) for part in (e.then, e.otherwise)]
            return np.where(condition, *parts)[()]
        taken, other = (e.then, e.otherwise) if np.all(condition) else (e.otherwise, e.then)
        value = self.value(taken, frame)
        try:
            with self.shaping(True):
                like = self.value(other, frame)
        except (IndexError, np.linalg.LinAlgError):
            like = value
        value, like = (number(v) if mixed([value, like]) else v for v in (value, like))
        whole = np.where(np.ones(np.shape(condition), bool), value, like)
        return whole[()]

    def reduction(self, e: ast.Reduction, frame: Frame) -> Any:
        ranges = self.ranges(e.indices, e.body, frame)
        whole = self.entries(ranges, frame, lambda inner: self.value(e.body, inner))
        if self.shaped:
            whole = np.zeros(whole.shape[len(ranges) :], whole.dtype)[None]
            return REDUCTIONS[e.function.id](whole, axis=0)
        flat = np.reshape(whole, (-1, *whole.shape[len(ranges) :]) if whole.size else whole.shape)
        if not whole.size:
            return REDUCTIONS[e.function.id](whole, axis=list(range(len(ranges))))
        return REDUCTIONS[e.function.id](flat, axis=0)

    # ── Subscripts ──────────────────────────────────────────────────────────

    def subscript(self, e: ast.Subscript, frame: Frame) -> Any:
        base = self.value(e.base, frame)
        values = np.asarray(plain(base))
        given = sum(not isinstance(item, ast.Ellipsis) for item in e.items)
        if given > values.ndim:
            raise TypeError(f"{given} subscripts of {values.ndim} axes")
        places: list[Any] = []
        for item in e.items:
            if isinstance(item, ast.Ellipsis):
                places += [slice(None)] * (values.ndim - given)
                continue
            size = values.shape[len(places)]
            if isinstance(base, Stack) and not places and not self.shaped:
                size = base.done
            places.append(self.place(item, size, frame))
        if any(isinstance(p, Empty) for p in places):
            return np.zeros(self._without(values.shape, places), values.dtype)[()]
        found = values[tuple(places)]
        return found[()]

    @staticmethod
    def _without(lengths: Sequence[int], places: Sequence[Any]) -> list[int]:
        """The shape where a place that is only shaped may be out of range."""
        found = []
        for axis, length in enumerate(lengths):
            place = places[axis] if axis < len(places) else slice(None)
            if isinstance(place, slice):
                found.append(len(range(*place.indices(length))))
            elif isinstance(place, Empty) and place.length is not None:
                found.append(place.length)
        return found

    def place(self, item: ast.Item, size: int, frame: Frame) -> Any:
        if isinstance(item, ast.Slice):
            return self.slice(item, size, frame)
        assert not isinstance(item, ast.Ellipsis | ast.IndexRange)
        place = self.position(item, size, frame)
        if 0 <= place < size:
            return place
        if self.shaped:
            return Empty(None)
        raise IndexError(f"{place} in 0..{size}")

    def position(self, item: ast.Expr, size: int, frame: Frame) -> int:
        """A subscript: only literals count from the end."""
        literal = isinstance(item, ast.Unary) and isinstance(item.operand, ast.Number)
        return self.integer(item, frame) + (size if literal else 0)

    def slice(self, item: ast.Slice, size: int, frame: Frame) -> Any:
        step = 1 if item.step is None else self.integer(item.step, frame)
        if step < 0:
            assert item.start is None and item.stop is None
            return slice(None, None, step)
        start = 0 if item.start is None else self.position(item.start, size, frame)
        stop = size if item.stop is None else self.position(item.stop, size, frame)
        if 0 <= start <= stop <= size:
            return slice(start, stop, step)
        if self.shaped:
            return Empty(len(range(start, stop, step)))
        raise IndexError(f"{start}:{stop} in 0..{size}")

    # ── Functions ───────────────────────────────────────────────────────────

    def call(self, e: ast.Call, frame: Frame) -> Any:
        name = e.function.id
        if name == "grad":
            return self.gradient(e.arguments[0], e.arguments[1], frame)
        arguments = [self.value(a, frame) for a in e.arguments]
        keywords = {k.id: self.value(v, frame) for k, v in e.keywords}
        if name in self.functions:
            return self.user(self.functions[name], arguments, keywords)
        try:
            return LIBRARY[name](*arguments, **keywords)
        except np.linalg.LinAlgError:
            if not self.shaped:
                raise
            return np.zeros_like(arguments[-1])

    def user(self, function: ast.Def, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
        given: dict[str, Any] = {}
        names = [p.name.id for p in function.parameters]
        bound = {**dict(zip(names, arguments, strict=False)), **keywords}
        for p in function.parameters:
            if p.name.id not in bound:
                assert p.default is not None
                bound[p.name.id] = self.value(p.default, self.top)
            if p.type is not None:
                for size, length in zip(p.type.shape, np.shape(bound[p.name.id]), strict=True):
                    if isinstance(size, ast.Name):
                        given[size.id] = length
        pending = defined(function.body)
        frame = Frame({**given, **bound}, pending, self.top, self.shaped)
        (result,) = (s for s in function.body if isinstance(s, ast.Return))
        values = tuple(self.value(v, frame) for v in result.values)
        return values if len(values) > 1 else values[0]

    def gradient(self, y: ast.Expr, x: ast.Expr, frame: Frame) -> Any:
        """By the complex step; by differences where that meets another gradient."""
        assert isinstance(x, ast.Name)
        holder = frame.holder(x.id)
        point = np.asarray(self.lookup(x.id, frame))
        if self.shaped:
            return np.zeros(point.shape)[()]
        if np.iscomplexobj(point) or self.complex_steps:
            raise GradientInsideComplexStep

        def function(moved: Mapping[str, Any]) -> Any:
            value = np.asarray(moved[x.id])[()]
            return self.value(y, frame.again(holder, x.id, value))

        self.complex_steps += 1
        try:
            return complex_step(function, {x.id: point}, x.id)[()]
        except GradientInsideComplexStep:
            pass
        finally:
            self.complex_steps -= 1
        return differences(lambda moved: real(function(moved)), {x.id: point}, x.id)[0][()]


# ── Parts ───────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Empty:
    """A place out of range, where only the shape is asked for."""

    length: int | None


@dataclass(frozen=True)
class Use:
    """``base[..., i, ...]``: the index is ``axis`` of ``base``, inside of reductions ``bound``."""

    base: ast.Expr
    axis: int
    bound: tuple[str, ...]


def plain_uses(e: Any, name: str, bound: tuple[str, ...] = ()) -> Iterator[Use]:
    """Every subscript that is the index and nothing else."""
    if isinstance(e, tuple):
        for part in e:
            yield from plain_uses(part, name, bound)
        return
    if not hasattr(e, "__slots__"):
        return
    if isinstance(e, ast.Reduction):
        bound += tuple(i.name.id if isinstance(i, ast.IndexRange) else i.id for i in e.indices)  # type: ignore[union-attr]
    if isinstance(e, ast.Subscript):
        after = len(e.items)
        for place, item in enumerate(e.items):
            after = -len(e.items) if isinstance(item, ast.Ellipsis) else after
            if isinstance(item, ast.Name) and item.id == name:
                yield Use(e.base, place if after > 0 else place - len(e.items), bound)
    for attribute in e.__slots__:
        if attribute not in ("span", "function"):
            yield from plain_uses(getattr(e, attribute), name, bound)


def plain(value: Any) -> Any:
    """The array of a stack, real where there is nothing imaginary in it."""
    if not isinstance(value, Stack):
        return value
    return value.values if np.any(np.imag(value.values)) else real(value.values)


def mixed(values: Sequence[Any]) -> bool:
    """Truth values among numbers."""
    return len({np.asarray(v).dtype == bool for v in values}) > 1
