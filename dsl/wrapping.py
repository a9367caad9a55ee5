"""Where the formatter breaks long lines; white space means nothing to the language."""

from __future__ import annotations

WIDTH = 88
_CONTINUED = " " * 4
# Where a line may be broken, from the loosest on.
_BREAKS = (
    (", ",), (" else ",), (" then ",), (" or ",), (" and ",),
    (" < ", " <= ", " > ", " >= ", " == ", " != "),
    (" + ", " - "), (" * ", " / ", " // ", " % ", " @ "),
)  # fmt: skip
# Subscripts and ranges are kept together rather than what stands in parentheses.
_DEPTHS = {"(": 1, ")": -1, "[": 2, "]": -2}
_LOOSENESS = {separator: level for level, alike in enumerate(_BREAKS) for separator in alike}


def wrapped(line: str, indent: str) -> list[str]:
    """A long line broken behind commas, or before operators."""
    lines: list[str] = []
    continued = indent + _CONTINUED
    while len(line) > WIDTH:
        at = _break(line, len(continued) if lines else len(indent) + 8)
        if at is None:
            break
        lines.append(line[:at].rstrip())
        line = continued + line[at:].lstrip()
    return [*lines, line]


def _break(line: str, start: int) -> int | None:
    """Where to break: in the fewest brackets, there at what binds loosest, and of such places at
    the last that fits."""
    depth, best, least = 0, None, (10**9, 0)
    text = False
    for position, character in enumerate(line[:WIDTH]):
        if character == '"':
            text = not text
        if text:
            continue
        depth += _DEPTHS.get(character, 0)
        if position <= start or character not in ", ":
            continue
        for separator, level in _LOOSENESS.items():
            if (depth, level) <= least and line.startswith(separator, position):
                least = depth, level
                best = position + (2 if separator == ", " else 1)
    return best
