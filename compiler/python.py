"""Python text in the layout of Black and Ruff, for the few forms that generated code needs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

WIDTH = 88
INDENT = "    "


def fits(line: str) -> bool:
    return len(line) <= WIDTH


def bracketed(head: str, items: Sequence[str], tail: str, indent: str = "") -> list[str]:
    """``head(items)tail`` on one line, on three, or with a line for each item."""
    joined = ", ".join(items)
    line = f"{indent}{head}{joined}{tail}"
    if fits(line) or not items:
        return [line]
    inner = f"{indent}{INDENT}{joined}"
    if fits(inner):
        return [f"{indent}{head}", inner, f"{indent}{tail}"]
    return [f"{indent}{head}", *(f"{indent}{INDENT}{i}," for i in items), f"{indent}{tail}"]


def exploded(head: str, items: Iterable[str], tail: str, indent: str = "") -> list[str]:
    """A line for each item, whatever their length."""
    return [f"{indent}{head}", *(f"{indent}{INDENT}{item}," for item in items), f"{indent}{tail}"]


def filled(
    head: str, items: Sequence[str], tail: str, indent: str = "", width: int = WIDTH
) -> list[str]:
    """``head(items)tail`` on one line, or as many items to a line as fit."""
    line = f"{indent}{head}{', '.join(items)}{tail}"
    if len(line) <= width:
        return [line]
    lines = [f"{indent}{head}"] if head.endswith("(") else [f"{indent}{head}("]
    tail = tail if head.endswith("(") else f"){tail}"
    row = ""
    for item in items:
        longer = f"{row} {item}," if row else f"{indent}{INDENT}{item},"
        if row and len(longer) > width:
            lines.append(row)
            longer = f"{indent}{INDENT}{item},"
        row = longer
    return [*lines, row, f"{indent}{tail}  # fmt: skip"]


def quoted(text: str) -> str:
    """A string literal in double quotes; nothing of the text can end it."""
    body = repr(text)[1:-1]
    if repr(text)[0] == '"':
        return f'"{body}"'
    return '"' + body.replace("\\'", "'").replace('"', '\\"') + '"'


def plain(text: str) -> str:
    """Text for comments and docstrings: printable, without line breaks."""
    spaced = " ".join(text.split())
    if spaced.isprintable():
        return spaced
    return "".join(c if c.isprintable() else f"U+{ord(c):04X}" for c in spaced)


def docstring(paragraphs: Sequence[str], indent: str) -> list[str]:
    """A docstring; a paragraph is wrapped, or kept less two spaces where it starts with two."""
    blocks: list[list[str]] = []
    for paragraph in paragraphs:
        text = "\n".join(_harmless(line) for line in paragraph.splitlines())
        if text.startswith("  "):
            blocks.append([f"{indent}{line[2:]}".rstrip() for line in text.splitlines()])
        elif text.strip():
            width = WIDTH - len(indent) - 3
            lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
            blocks.append([f"{indent}{line}" for line in lines])
    if not blocks:
        return []
    lines = blocks[0]
    for block in blocks[1:]:
        lines += ["", *block]
    only = f'{indent}"""{lines[0].strip()}"""'
    if len(lines) == 1:
        if fits(only) or " " not in lines[0].strip():
            return [only]
        # Black and Ruff let the quotes stand on a line of their own only below two lines.
        width = WIDTH - len(indent) - 6
        lines = [f"{indent}{line}" for line in textwrap.wrap(lines[0].strip(), width)]
    lines[0] = f'{indent}"""{lines[0].strip()}'
    return [*lines, f'{indent}"""']


def _harmless(line: str) -> str:
    cleaned = "".join(c if c.isprintable() or c == " " else f"U+{ord(c):04X}" for c in line)
    cleaned = cleaned.replace("\\", "\\\\").replace('"', "'")
    return cleaned.rstrip()
