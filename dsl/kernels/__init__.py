"""Functions that generated modules carry with them, copied verbatim from here.

``scalars`` holds those for ``math``, ``arrays`` those for NumPy: a template of the operation table
calls them by name; whatever they call themselves is copied too. The other files are what a module
checks itself with.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from importlib import import_module, resources
from typing import Any


@dataclass(frozen=True, slots=True)
class Kernel:
    """The source of one function or class, and the kernels it mentions."""

    name: str
    source: str
    needs: tuple[str, ...]


SCALARS = ("scalars", "special_scalars")
ARRAYS = ("arrays", "special", "statistics", "gather", "matrices", "threads")
SCALAR_CHECKS = ("scalar_entries", "checking")
ARRAY_CHECKS = ("array_entries", "checking")


@cache
def kernels(files: tuple[str, ...]) -> dict[str, Kernel]:
    """The functions and classes of some files, in the order they stand there."""
    folder = resources.files("gradc.dsl.kernels")
    texts = [folder.joinpath(f"{name}.py").read_text("utf-8") for name in files]
    functions = {
        node.name: (node, lines)
        for text in texts
        for lines in [
            text.split("\n")
        ]  # ``ast.get_source_segment`` splits for each function.
        for node in ast.parse(text).body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    }
    found = {}
    for name, (function, lines) in functions.items():
        source = "\n".join(lines[function.lineno - 1 : function.end_lineno])
        mentioned = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)}
        needs = tuple(sorted(mentioned & functions.keys() - {name}))
        found[name] = Kernel(name, source, needs)
    return found


def of_number(name: str) -> str:
    """What a kernel for numbers is called in a module that has those for arrays."""
    return f"{name}_of_number" if name in kernels(ARRAYS) else name


@cache
def namespace() -> dict[str, Any]:
    """The kernels for arrays as functions, by name."""
    modules = [import_module(f"{__name__}.{name}") for name in ARRAYS]
    return {name: value for module in modules for name, value in vars(module).items()}
