"""Functions that generated modules carry with them, copied verbatim from here.

``arrays`` holds those for NumPy, ``scalars`` those for ``math``. A template of the operation table
calls them by name; whatever they call themselves is copied too.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Kernel:
    """The source of one function, the kernels it calls, and whether it uses NumPy."""

    name: str
    source: str
    needs: tuple[str, ...]


@cache
def kernels(module: str) -> dict[str, Kernel]:
    """The functions of ``arrays`` or ``scalars``, in the order they stand there."""
    text = (
        resources.files("gradc.dsl.kernels").joinpath(f"{module}.py").read_text("utf-8")
    )
    functions = [n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)]
    names = {function.name for function in functions}
    found = {}
    for function in functions:
        source = ast.get_source_segment(text, function)
        assert source is not None
        mentioned = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)}
        needs = tuple(sorted(mentioned & names - {function.name}))
        found[function.name] = Kernel(function.name, source, needs)
    return found
