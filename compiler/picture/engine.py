"""Graphviz's ``dot``: that of the library ``pygraphviz``, or the program where it is installed.

Both run in a process of their own: what Graphviz cannot lay out ends that process, or takes it
for ever, rather than the caller's.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec

_LIBRARY = """\
import sys, pygraphviz
graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode())
sys.stdout.buffer.write(graph.draw(format="json0", prog="dot"))
"""
_SECONDS = 120


class MissingLibrary(Exception):
    """Something optional is not installed; the text says what, and how to install it."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: pip install 'gradc[draw]'")


class LayoutFailed(Exception):
    """Graphviz gave up on a graph."""


def placed(text: str) -> bytes:
    """Places for a graph in the language of Graphviz, as JSON.

    Raises ``MissingLibrary`` and ``LayoutFailed``.
    """
    try:
        answer = subprocess.run(
            _command(), input=text.encode(), capture_output=True, check=True, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise LayoutFailed(f"Graphviz found no places in {_SECONDS} seconds") from None
    except subprocess.CalledProcessError as error:
        raise LayoutFailed(f"Graphviz found no places (status {error.returncode})") from None
    return answer.stdout


def _command() -> list[str]:
    if find_spec("pygraphviz") is not None:
        return [sys.executable, "-c", _LIBRARY]
    program = shutil.which("dot")
    if program is None:
        raise MissingLibrary("pictures are laid out by Graphviz, which is not installed")
    return [program, "-Tjson0"]
