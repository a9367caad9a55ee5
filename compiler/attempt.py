"""Functions of numbers that call ``math`` as if nothing could raise.

Where Python raises, IEEE arithmetic has an infinity or no number: only then the same is computed
again by the helpers of the module, which go on. A ``try`` costs nothing where nothing raises.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..dsl.graph import Node
from ..dsl.loops import with_steps
from .body import Commenter, no_comment
from .direct import Direct
from .guarded import guarded_in_steps, needless_nodes
from .looping import EXCEPT, Statements
from .names import Names
from .python import INDENT
from .render import Renderer
from .schedule import Function


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
        guarded = needless_nodes(self.order, results) | guarded_in_steps(self.order)
        direct = Direct(self.careful, guarded)
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
        lines += [INDENT + line for line in EXCEPT]
        lines += careful.write(no_comment)
        self.names.taken |= free.taken  # With care, more has a name.
        self._restore(named)
        return lines

    def _restore(self, names: dict[Node, str]) -> None:
        self.careful.names.clear()
        self.careful.names.update(names)
