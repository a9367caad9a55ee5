"""Graphviz's ``dot``: that of the library ``pygraphviz``, or the program where it is installed."""

from __future__ import annotations

import contextlib
import io
import shutil
import subprocess


class MissingLibrary(Exception):
    """Something optional is not installed; the text says what, and how to install it."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: pip install 'gradc[draw]'")


def run_dot(text: str, form: str) -> bytes:
    """What ``dot`` makes of a graph in its language. Raises ``MissingLibrary``."""
    try:
        import pygraphviz
    except ImportError:
        return _program(text, form)
    # It warns on standard error that graphs of more than 1,000 nodes take long, which they do not.
    with contextlib.redirect_stderr(io.StringIO()):
        answer: bytes = pygraphviz.AGraph(string=text).draw(format=form, prog="dot")
    return answer


def _program(text: str, form: str) -> bytes:
    program = shutil.which("dot")
    if program is None:
        raise MissingLibrary("pictures are laid out by Graphviz, which is not installed")
    command = [program, f"-T{form}"]
    return subprocess.run(command, input=text.encode(), capture_output=True, check=True).stdout
