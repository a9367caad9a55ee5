"""Functions of numbers that call ``math`` as if nothing could raise.

Where Python raises, IEEE arithmetic has an infinity or no number: only then the same is computed
again by the helpers of the module, which go on. A ``try`` costs nothing where nothing raises.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..dsl.graph import Node
from ..dsl.loops import with_steps
from .body import Commenter, guarded_nodes, no_comment
from .looping import Statements
from .names import Names
from .python import INDENT
from .render import Renderer
from .schedule import Function

# What a helper computes where nothing raises, where that is not the operation's own text.
_TEXTS = {
    "power": "math.pow({a}, {b})",
    "sigmoid": "1.0 / (1.0 + math.exp(-{x}))",
    "softplus": "max({x}, 0.0) + math.log1p(math.exp(-abs({x})))",
    "relu": "0.0 if {x} <= 0.0 else {x}",
    "maximum": "{b} if {a} < {b} or math.isnan({b}) else {a}",
    "minimum": "{b} if {a} > {b} or math.isnan({b}) else {a}",
}


class Direct(Renderer):
    """Renders without helpers. ``guarded`` are nodes of branches: those that are not taken may
    well raise, and need them."""

    def __init__(self, careful: Renderer, guarded: set[Node]) -> None:
        super().__init__(
            careful.scalar, careful.known, careful.names, careful.modules, careful.size_names,
            careful.dtype,
        )  # fmt: skip
        self.uses = careful.uses
        self.guarded = guarded

    def math_text(self, node: Node) -> str:
        text = super().math_text(node)
        if not text.startswith("_") or node in self.guarded or not node.type.is_float:
            return text
        own = "" if node.op.math.startswith("_") else node.op.math
        return _TEXTS.get(node.op.name) or own or text

    def saves(self, node: Node) -> bool:
        """Whether a node is written in another way than with care."""
        computed = bool(node.operands) and not node.type.rank and bool(node.op.math)
        return computed and self.math_text(node) != super().math_text(node)


class Attempt:
    """Writes the statements of a function twice: directly, and with care for where that raises."""

    def __init__(self, careful: Renderer, names: Names, order: Sequence[Node]) -> None:
        self.careful = careful
        self.names = names
        self.order = order

    def write(
        self, function: Function, results: Iterable[Node], comment: Commenter
    ) -> list[str] | None:
        """The lines, or nothing where care changes nothing."""
        direct = Direct(self.careful, guarded_nodes(self.order, results))
        if not any(direct.saves(node) for node in with_steps(function.nodes)):
            return None
        given, free = dict(self.careful.names), self.names.copy()
        tried = Statements(direct, self.names, INDENT * 2)
        tried.take(function, self.order, results)
        lines = [f"{INDENT}try:", *tried.write(comment)]
        named = dict(self.careful.names)
        self._restore(given)
        careful = Statements(self.careful, free, INDENT * 2)
        for node in function.results:
            if node in named and node not in given:
                free.taken.add(named[node])
                careful.choose(node, named[node])
        careful.take(function, self.order, results)
        lines.append(f"{INDENT}except (ArithmeticError, ValueError):")
        lines.append(f"{INDENT * 2}# Python stops where IEEE arithmetic has inf or nan.")
        lines += careful.write(no_comment)
        self._restore(named)
        return lines

    def _restore(self, names: dict[Node, str]) -> None:
        self.careful.names.clear()
        self.careful.names.update(names)
