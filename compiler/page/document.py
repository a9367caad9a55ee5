"""HTML documents that hold all they need, and allow nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from importlib import resources
from typing import Any

_SCRIPTS = ("numbers.js", "format.js", "panels.js", "steps.js", "inputs.js")


def json_text(data: Any) -> str:
    """JSON that can stand in an element of HTML."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def document(title: str, body: str, data: Any = None, live: str = "") -> str:
    """A whole document. Nothing is loaded from anywhere, and no script but ours runs."""
    style = _file("page.css")
    scripts = [_script("\n".join(map(_file, _SCRIPTS)))] if data is not None else []
    scripts += [live] if live else []
    styles = list(dict.fromkeys([style, *_styles(body)]))
    policy = "; ".join((
        "default-src 'none'",
        f"style-src {' '.join(map(_hash, styles))}",
        f"script-src {' '.join(map(_hash, scripts))}" if scripts else "script-src 'none'",
        "connect-src 'self'" if live else "connect-src 'none'",
        "base-uri 'none'", "form-action 'none'",
    ))  # fmt: skip
    held = f'<script type="application/json" id="data">{json_text(data)}</script>' if data else ""
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n{body}\n{held}\n"
        + "".join(f"<script>{script}</script>\n" for script in scripts)
        + "</body>\n</html>\n"
    )


def _script(text: str) -> str:
    return f"(() => {{\n{text.replace(chr(34) + 'use strict' + chr(34) + ';', '')}}})();\n"


def _styles(body: str) -> list[str]:
    """The contents of the elements of style in a body."""
    return [piece.partition("</style>")[0] for piece in body.split("<style>")[1:]]


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _file(name: str) -> str:
    return resources.files("gradc.compiler.page").joinpath(name).read_text("utf-8")
