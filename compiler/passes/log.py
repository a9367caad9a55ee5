"""What the passes did, for ``gradc show --stage=passes --explain``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ...dsl.frozen import frozen
from ...dsl.graph import Node
from ...dsl.loops import called

_entries: ContextVar[list[Rewritten] | None] = ContextVar("rewrites", default=None)
_MOST = 60
WHY = {
    "fold": "known when compiling",
    "simplify": "the same with less, exactly",
    "symmetry": "a matrix that equals its transpose",
    "shapes": "smaller before it is broadcast, or a view",
    "prune": "nothing needs it",
    "common": "computed once",
    "numbers": "one factor instead of two",
    "associate": "a cheaper order of products",
    "contract": "what is only summed is never made",
    "units": "one term of a sum is not 0",
    "places": "parts joined, not added among zeros",
    "gathers": "what is repeated is combined once",
    "columns": "many rows are run along, not a few entries of each",
    "stabilise": "finite wherever the exact value is",
    "strength": "a cheaper function",
    "fission": "done for all steps at once",
    "factors": "what is known before a loop is combined before it",
    "interchange": "what does not depend on the loop inside is done for all of its steps",
    "blocks": "read once, and what stands between stays in the cache",
    "rows_last": "whole blocks are run along, not short rows",
    "conditions": "known in its branch",
    "unroll": "small arrays cost more than their entries",
    "small_loops": "numbers of Python cost a third of NumPy's",
}
"""What a pass is for."""


@frozen()
class Rewritten:
    """One node that a pass replaced, before and after."""

    by: str
    line: int
    before: str
    after: str

    def __str__(self) -> str:
        why = WHY[self.by]
        return f"line {self.line:<4} {self.by:<11} {self.before}  ->  {self.after}  ({why})"


@contextmanager
def recorded() -> Iterator[list[Rewritten]]:
    """The rewrites of all passes that run meanwhile."""
    entries: list[Rewritten] = []
    token = _entries.set(entries)
    try:
        yield entries
    finally:
        _entries.reset(token)


def note(by: str, before: Node, after: Node | str) -> None:
    """Says that a pass replaced a node; nothing is kept unless somebody asked."""
    entries = _entries.get()
    if entries is not None:
        text = after if isinstance(after, str) else _formula(after)
        entries.append(Rewritten(by, before.span.line, _formula(before), text))


def _formula(node: Node) -> str:
    """``multiply(2, x)``: an operation on the names of its operands."""
    if not node.operands:
        return _word(node)
    text = f"{node.op.name}({', '.join(map(_word, node.operands))})"
    return text if len(text) <= _MOST else f"{text[: _MOST - 3]}..."


def _word(node: Node) -> str:
    if node.op.name == "constant":
        return repr(node.attributes["value"])
    return str(node.attributes["size"]) if node.op.name == "size" else called(node)
