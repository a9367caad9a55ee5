"""Text to syntax tree, by Lark's LALR parser, with a sentence for whatever it did not expect.

The tree is built while the parser runs (no second walk, no recursion), so the depth of a
specification is limited by memory alone. This file and ``tree.py`` alone know Lark.
"""

from __future__ import annotations

import hashlib
import re
import threading
from importlib import resources
from typing import Any

import lark
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from . import ast
from .errors import Diagnostic, SpecError, mistakes
from .expected import expected_sentence
from .source import Source
from .tree import TreeBuilder

_DECLARATION = re.compile(
    r"^(?:input|data|size|node|output|objective|def|rule|use|scan|example)\b", re.MULTILINE
)
OPTIONS: dict[str, Any] = {
    "parser": "lalr",
    "lexer": "basic",
    "keep_all_tokens": True,
    "maybe_placeholders": False,
    "start": ["start", "expr"],
}


def parse(source: Source) -> ast.Program:
    """The tree of a whole file. Raises ``SpecError`` with every syntax error found.

    After an error, parsing goes on at the next line that starts with a declaration.
    """
    position = 0
    tree, errors, reached = _run(source, "start", position)
    while reached is not None:
        following = _DECLARATION.search(source.text, max(reached, position + 1))
        if following is None:
            break
        position = following.start()
        _, more, reached = _run(source, "start", position)
        errors += more
    if errors:
        raise SpecError(errors)
    assert isinstance(tree, ast.Program)
    return tree


def parse_expression(source: Source) -> ast.Expr:
    """The tree of one expression: a derivative rule, or a value on the command line."""
    tree, errors, _ = _run(source, "expr", 0)
    if errors:
        raise SpecError(errors)
    return tree  # type: ignore[no-any-return]


def _run(source: Source, start: str, position: int) -> tuple[Any, list[Diagnostic], int | None]:
    """The tree, the errors, and the offset of the token that stopped the parser, if one did."""
    parser, builder = _parser()
    builder.begin(source)
    text = lark.TextSlice(source.text, position, len(source.text))
    try:
        return parser.parse(text, start=start), builder.errors, None
    except UnexpectedCharacters as error:
        offset = error.pos_in_stream
        assert offset is not None
        return None, [*builder.errors, mistakes.unexpected_character(source, offset)], offset
    except UnexpectedToken as error:
        offset = error.token.start_pos
        if error.token.type == "$END" or offset is None:
            offset = len(source.text)
        return None, [*builder.errors, _unexpected_token(source, error, offset)], offset


def _unexpected_token(source: Source, error: UnexpectedToken, offset: int) -> Diagnostic:
    expected = expected_sentence(frozenset(error.accepts or error.expected))
    token = error.token
    if token.type == "$END":
        return mistakes.unexpected_end(source, expected)
    return mistakes.unexpected_token(source.span(offset, offset + len(token)), token.type, expected)


# ── The tables ──────────────────────────────────────────────────────────────

_local = threading.local()


def _parser() -> tuple[lark.Lark, TreeBuilder]:
    """This thread's parser and the builder it calls: a parser holds the state of its run."""
    if not hasattr(_local, "parser"):
        builder = TreeBuilder()
        _local.parser = load_parser(builder), builder
    return _local.parser  # type: ignore[no-any-return]


def grammar_text() -> str:
    return resources.files("gradc.grammars").joinpath("grad.lark").read_text("utf-8")


def fingerprint() -> str:
    """What the shipped tables depend on: the grammar, the options and Lark's version."""
    text = f"{lark.__version__}\n{OPTIONS}\n{grammar_text()}"
    return hashlib.sha256(text.encode()).hexdigest()


def load_parser(builder: TreeBuilder) -> lark.Lark:
    """From the shipped tables (4 ms), or from the grammar (200 ms) for another version of Lark."""
    from ..grammars import tables

    callbacks = {"COMMENT": builder.comment}
    if fingerprint() == tables.FINGERPRINT:
        loaded: lark.Lark = lark.Lark._load_from_dict(  # type: ignore[no-untyped-call]
            tables.DATA, tables.MEMO, transformer=builder, lexer_callbacks=callbacks
        )
        return loaded
    return lark.Lark(
        grammar_text(),
        transformer=builder,
        lexer_callbacks=callbacks,
        **OPTIONS,
    )
