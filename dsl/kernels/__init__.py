"""Functions that generated modules carry with them, copied verbatim from here.

``scalars`` holds those for ``math``, ``arrays`` those for NumPy: a template of the operation table
calls them by name; whatever they call themselves is copied too. The other files are what a module
checks itself with.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from importlib import import_module, resources
from typing import Any

from ..frozen import frozen


@frozen()
class Kernel:
    """The source of one function or class."""

    name: str
    source: str

    @property
    def mentioned(self) -> set[str]:
        """The names in it, other kernels among them."""
        return {
            node.id
            for node in ast.walk(ast.parse(self.source))
            if isinstance(node, ast.Name)
        }


SCALARS = ("scalars", "special_scalars")
ARRAYS = ("arrays", "special", "statistics", "gather", "matrices", "threads")
SCALAR_CHECKS = ("scalar_entries", "checking", "checking_whole")
ARRAY_CHECKS = ("array_entries", "checking", "checking_whole")


# Found by their layout: Python's parser takes ten times as long, for some that are not used.
_DEFINITION = re.compile(r"^(?:def|class) (\w+).*\n(?:(?:[ )].*)?\n)*", re.MULTILINE)


@cache
def kernels(files: tuple[str, ...]) -> dict[str, Kernel]:
    """The functions and classes of some files, in the order they stand there."""
    folder = resources.files("gradc.dsl.kernels")
    texts = [folder.joinpath(f"{name}.py").read_text("utf-8") for name in files]
    found = [match for text in texts for match in _DEFINITION.finditer(text)]
    return {match[1]: Kernel(match[1], match[0].rstrip()) for match in found}


def of_number(name: str) -> str:
    """What a kernel for numbers is called in a module that has those for arrays."""
    return f"{name}_of_number" if name in kernels(ARRAYS) else name


@cache
def namespace() -> dict[str, Any]:
    """The kernels for arrays as functions, by name."""
    modules = [import_module(f"{__name__}.{name}") for name in ARRAYS]
    return {name: value for module in modules for name, value in vars(module).items()}
