"""A loop over blocks on several threads: each block a call of a function.

What blocks add up is added in their order, so that results do not depend on how many threads there
are.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..dsl.graph import Node
from .body import Body
from .python import INDENT, exploded, fits


def returned(body: Body, terms: Sequence[Node]) -> list[str]:
    """What a block adds to the sums."""
    parts = [body.renderer.expression(term).text for term in terms]
    line = f"{body.indent}return {', '.join(parts)}"
    if len(parts) < 2 or fits(line):  # A comma after one would make a tuple.
        return [line] if parts else []
    return exploded("return (", parts, ")", body.indent)


def on_threads(
    body: Body, step: Sequence[str], index: str, starts: str, sums: Sequence[str]
) -> list[str]:
    """The function of a block, its statements ``step``, and the loop over what its calls return;
    ``starts`` are the first entries of blocks."""
    indent, work = body.indent, body.names.fresh("work")
    body.renderer.uses.kernels.add("_each")
    kind = "tuple[Any, ...]" if len(sums) > 1 else "Any" if sums else "None"
    lines = ["", f"{indent}def {work}({index}: int) -> {kind}:", *step, ""]
    if not sums:
        return [*lines, f"{indent}list(_each({work}, {starts}))"]
    parts = [body.names.numbered(f"part_of_{name}") for name in sums]
    lines.append(f"{indent}for {', '.join(parts)} in _each({work}, {starts}):")
    return lines + [f"{indent}{INDENT}{s} += {p}" for s, p in zip(sums, parts, strict=True)]
