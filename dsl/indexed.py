"""The part of the elaborator for indices: what one entry computes, then all of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from . import ast
from .constants import NotConstant, literal, size_value
from .errors import mistakes
from .graph import Node, make, topological
from .indices import loops as _loops  # noqa: F401  (fills the table)
from .indices import operations as _operations  # noqa: F401  (fills the table)
from .indices.subscript import StepNotDone
from .indices.variables import Variable, distance
from .indices.vectorise import Vectoriser, entries
from .lower import lower_nodes
from .ops.indexing import REDUCING, Place
from .order import free_names
from .scope import Functions, Report, Scope
from .shapes import Kind, Mismatch
from .sizes import Size
from .source import Span
from .subscripts import Cut, undecided

Elaboration = Generator[Any, Any, "Node | None"]


class Indexed(ABC):
    """Index notation. ``depth`` counts the indices that are open: inside them, nodes stand for
    one entry."""

    functions: Functions
    report: Report
    depth: int
    settled: set[Node]
    guards: list[tuple[Node, bool]]

    @abstractmethod
    def expression(self, expr: ast.Expr, scope: Scope) -> Elaboration: ...

    # ── Introducing indices ─────────────────────────────────────────────────

    def introduce(self, items: Iterable[ast.Item], scope: Scope) -> list[Variable] | None:
        """The indices that stand on the left of a node or in the brackets of a reduction."""
        variables: list[Variable] = []
        for item in items:
            name = item.name if isinstance(item, ast.IndexRange) else item
            if not isinstance(name, ast.Name):
                self.report(mistakes.not_an_index(item.span))
                return None
            if name.id in scope.values or name.id in scope.sizes:
                first = scope.declared.get(name.id, name.span)
                self.report(mistakes.index_shadows(name.span, name.id, first))
                return None
            if any(variable.name == name.id for variable in variables):
                self.report(mistakes.duplicate(name.span, name.id, variables[0].span))
                return None
            variable = Variable(name.id, name.span)
            if isinstance(item, ast.IndexRange) and not self._ranged(variable, item, scope):
                return None
            variables.append(variable)
        return variables

    def _ranged(self, variable: Variable, item: ast.IndexRange, scope: Scope) -> bool:
        bounds = []
        for bound in (item.start, item.stop):
            for name in free_names(bound):
                value = scope.values.get(name.id)
                if isinstance(value, Node) and value.op.name not in ("constant", "size"):
                    self.report(mistakes.range_not_size(name.span, name.id))
                    return False
            try:
                bounds.append(size_value(bound, scope, self.report))
            except NotConstant:
                return False
        variable.start, variable.stop = bounds
        what = f"{variable.name} in {variable.start}..{variable.stop}"
        if (variable.length.constant or 0) < 0:
            self.report(mistakes.empty_range(item.span, what))
            return False
        pairs = [(variable.start, variable.stop, what)]
        self.report.conditions += [(c, item.span) for c in undecided(pairs)]
        return True

    @contextmanager
    def opened(self, variables: Sequence[Variable], scope: Scope) -> Iterator[None]:
        """The indices as names of a scope, while what they range over is elaborated."""
        self.depth += 1
        for variable in variables:
            node = make("index", (), variable.span, {"variable": variable})
            scope.values[variable.name] = node
            scope.declared[variable.name] = variable.span
        try:
            yield
        finally:
            self.depth -= 1
            for variable in variables:
                del scope.values[variable.name]
                del scope.declared[variable.name]

    def _all_ranged(self, variables: Iterable[Variable]) -> bool:
        missing = [variable for variable in variables if variable.stop is None]
        for variable in missing:
            self.report(mistakes.index_without_range(variable.span, variable.name))
        return not missing

    # ── Reductions and nodes by entry ───────────────────────────────────────

    def reduction(self, expr: ast.Reduction, scope: Scope) -> Elaboration:
        name = expr.function.id
        if name not in REDUCING:
            self.report(mistakes.cannot_reduce(expr.function.span, name, REDUCING))
            return None
        variables = self.introduce(expr.indices, scope)
        if variables is None:
            return None
        with self.opened(variables, scope):
            body = yield self.expression(expr.body, scope)
        if body is None or not self._all_ranged(variables):
            return None
        attributes = {"function": name, "variables": tuple(variables)}
        try:
            node = make("over", [body], expr.span, attributes)
        except Mismatch as error:
            self.report(mistakes.mismatch(error, expr.span, [expr.body.span], []))
            return None
        return node if self.depth else self.resolved(node, ())

    def by_entry(self, statement: ast.Node, scope: Scope) -> Generator[Any, Any, list[Node | None]]:
        """The arrays that ``node m[k] = ...`` defines, an axis for each index first."""
        count = len(statement.target.names)
        wrong: list[Node | None] = [None] * count
        variables = self.introduce(statement.target.indices, scope)
        if variables is None:
            return wrong
        with self.opened(variables, scope):
            if count > 1:
                bodies = yield self.several(statement, scope)
            else:
                bodies = [(yield self.expression(statement.value, scope))]
        if None in bodies or not self._all_ranged(variables):
            return wrong
        return [self._every(body, variables) for body in bodies]

    def _every(self, body: Node, variables: Sequence[Variable]) -> Node | None:
        if not self.depth:
            return self.resolved(body, variables)
        return make("entries", [body], body.span, {"variables": tuple(variables)})

    @abstractmethod
    def several(
        self, statement: ast.Node, scope: Scope
    ) -> Generator[Any, Any, list[Node | None]]: ...

    def resolved(self, node: Node, variables: Sequence[Variable]) -> Node | None:
        """What one entry computes, computed for all of them."""
        stop = self._settled_under(node)
        root = lower_nodes([node], stop)[node]
        vectoriser = Vectoriser()
        try:
            vectoriser.all([root], stop)
            result = entries(vectoriser, root, variables)
        except Mismatch as error:
            self.report(mistakes.mismatch(error, node.span, [node.span], []))
            return None
        except StepNotDone as error:
            self.report(mistakes.step_not_done(error.span, error.name, error.index))
            return None
        self.report.conditions += vectoriser.conditions
        for made in topological([result], stop):
            if made.op.needs is not None:
                needs = made.op.needs([o.type for o in made.operands], made.attributes)
                self.report.conditions += [(condition, node.span) for condition in needs]
        return result

    def _settled_under(self, root: Node) -> list[Node]:
        """The nearest nodes under a root that depend on no open index."""
        found: list[Node] = []
        seen: set[Node] = set()
        stack = [root]
        while stack:
            node = stack.pop()
            if node not in seen:
                seen.add(node)
                if node in self.settled:
                    found.append(node)
                else:
                    stack += node.operands
        return found

    # ── Subscripts ──────────────────────────────────────────────────────────

    def computed(self, item: ast.Item, scope: Scope) -> bool:
        """Whether an item of a subscript depends on indices or data, rather than on sizes."""
        if isinstance(item, ast.Slice):
            return any(self.computed(e, scope) for e in (item.start, item.stop) if e is not None)
        if isinstance(item, (ast.Ellipsis, ast.IndexRange)):
            return False
        if literal(item) is not None or isinstance(item, (ast.String, ast.Array)):
            return False
        mentioned = [scope.values.get(name.id) for name in free_names(item)]
        return isinstance(item, (ast.Subscript, ast.Call, ast.Reduction, ast.IfElse)) or any(
            isinstance(value, Node) and value.op.name not in ("constant", "size")
            for value in mentioned
        )

    def place(self, item: ast.Expr, base: Node, axis: int, scope: Scope) -> Elaboration:
        """The place that a computed subscript says, an integer."""
        node: Node | None = yield self.expression(item, scope)
        if node is None:
            return None
        if node.type.kind is not Kind.INT or node.type.rank:
            self.report(mistakes.subscript_not_int(item.span, node.type))
            return None
        if node.op.name == "index":
            return self._plain(node, base.type.shape[axis], item.span)
        return node

    def _plain(self, node: Node, size: Size, span: Span) -> Node | None:
        """A plain use of an index: its range is read off the axis, or lies within it."""
        variable: Variable = node.attributes["variable"]
        if variable.stop is None:
            variable.stop, variable.place = size, span
        elif variable.place is not None and variable.stop != size:
            first = variable.place
            report = mistakes.index_two_sizes
            self.report(report(span, variable.name, size, first, variable.stop))
            return None
        return node

    def sliced(
        self, item: ast.Slice, base: Node, axis: int, scope: Scope
    ) -> Generator[Any, Any, tuple[Node, Size] | None]:
        """The start and the length of a slice that an index moves."""
        if item.step is not None or item.start is None or item.stop is None:
            self.report(mistakes.moving_slice(item.span))
            return None
        start = yield self.place(item.start, base, axis, scope)
        stop = yield self.place(item.stop, base, axis, scope)
        if start is None or stop is None:
            return None
        length = distance(start, stop)
        if length is None or length.terms or (length.offset.constant or 0) < 0:
            self.report(mistakes.moving_slice(item.span))
            return None
        return start, length.offset

    def subscript_by_place(self, expr: ast.Subscript, base: Node, scope: Scope) -> Elaboration:
        """A subscript some of whose items are computed."""
        try:
            fixed = [self._fixed(item, scope) for item in expr.items]
            missing = self.count_items(expr, base)
            whole: list[Size | Cut | Place] = [Cut()] * missing
            known = [i for item in fixed for i in (whole if item is None else [item])]
            self.check_fixed(expr, base, known)
        except NotConstant:
            return None  # An exception would end all that waits for this.
        items: list[Size | Cut | Place] = []
        places: list[Node] = []
        for item, ready in zip(expr.items, fixed, strict=True):
            axis = len(items)
            if ready is None:
                items += whole
                continue
            if not isinstance(ready, Place):
                items.append(ready)
                continue
            if isinstance(item, ast.Slice):
                found = yield self.sliced(item, base, axis, scope)
                if found is None:
                    return None
                places.append(found[0])
                items.append(Place(found[1]))
            elif not isinstance(item, (ast.Ellipsis, ast.IndexRange)):
                place = yield self.place(item, base, axis, scope)
                if place is None:
                    return None
                places.append(place)
                items.append(Place())
        scalar = [(node, holds) for node, holds in self.guards if not node.type.rank]
        attributes = {
            "items": tuple(items),
            "holds": tuple(holds for _, holds in scalar),
            "guarded": bool(self.guards),
        }
        operands = [base, *places, *(node for node, _ in scalar)]
        node = make("at", operands, expr.span, attributes)
        return node if self.depth else self.resolved(node, ())

    def _fixed(self, item: ast.Item, scope: Scope) -> Size | Cut | Place | None:
        """An item that is known when compiling, or a place to compute; nothing for `...`."""
        if isinstance(item, ast.Ellipsis):
            return None
        if self.computed(item, scope):
            return Place()
        return self.cut(item, scope) if isinstance(item, ast.Slice) else self.position(item, scope)

    @abstractmethod
    def count_items(self, expr: ast.Subscript, base: Node) -> int: ...

    @abstractmethod
    def check_fixed(self, expr: ast.Subscript, base: Node, items: Sequence[Any]) -> None: ...

    @abstractmethod
    def cut(self, item: ast.Slice, scope: Scope) -> Cut: ...

    @abstractmethod
    def position(self, item: ast.Item, scope: Scope) -> Size: ...
