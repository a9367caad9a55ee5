"""``python -m gradc.grammars`` writes the LALR tables of ``grad.lark`` to ``tables.py``."""

from __future__ import annotations

from pathlib import Path

import lark
from lark.grammar import Rule
from lark.lexer import TerminalDef

from ..dsl.parse import OPTIONS, fingerprint, grammar_text


def tables_text() -> str:
    """The module of the tables: the same text for the same grammar and version of Lark."""
    parser = lark.Lark(grammar_text(), **OPTIONS)
    data, memo = parser.memo_serialize([TerminalDef, Rule])
    data["options"] = {k: v for k, v in data["options"].items() if k in OPTIONS}
    return (
        '"""Generated from grad.lark by `python -m gradc.grammars`; a test keeps it fresh."""\n\n'
        "# fmt: off\n"
        f"FINGERPRINT = {fingerprint()!r}\n"
        f"DATA = {_sorted(data)!r}\n"
        f"MEMO = {_sorted(memo)!r}\n"
    )


def _sorted(value: object) -> object:
    if isinstance(value, dict):
        return {k: _sorted(v) for k, v in sorted(value.items(), key=lambda item: str(item[0]))}
    return [_sorted(v) for v in value] if isinstance(value, (list, tuple)) else value


if __name__ == "__main__":
    path = Path(__file__).with_name("tables.py")
    path.write_text(tables_text(), encoding="utf-8")
    print(f"{path} written")
