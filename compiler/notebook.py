"""The cell magic ``%%grad`` of notebooks: a cell is a specification."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from ..dsl.errors import SpecError, render
from ..dsl.source import Source
from . import driver
from .compilation import Options
from .drawable import drawing
from .driver import UsageError
from .given import InputError
from .load import execute
from .picture.engine import LayoutFailed, MissingLibrary
from .picture.write import NoSuchGroup

_FUNCTIONS = ("forward", "backward", "value_and_grad")


def register(shell: Any) -> None:
    """Makes ``%%grad`` known to IPython."""
    shell.register_magic_function(_magic(shell), magic_kind="cell", magic_name="grad")


def _magic(shell: Any) -> Callable[[str, str], None]:
    from IPython.core.magic_arguments import (
        argument,
        magic_arguments,
        parse_argstring,
    )

    @magic_arguments()
    @argument("name", nargs="?", help="What to call the module.")
    @argument("--example", metavar="NAME", help="Draw the numbers of an example; else the first.")
    @argument("--round", type=int, metavar="N", help="Round as on paper.")
    @argument("--fold", action="append", metavar="NAME", help="Draw a function as one box.")
    @argument("--unfold", action="store_true", help="Show what is in groups.")
    @argument("--emit", default="", metavar="jvp,hvp", help="Also jvp, hvp, jacobian, hessian.")
    @argument("-O", dest="level", type=int, choices=(0, 1, 2), default=1, help="Optimise.")
    def grad(line: str, cell: str) -> None:
        """Compile a specification, show its graph, and define its functions."""
        _run(shell, parse_argstring(grad, line), cell)

    found: Callable[[str, str], None] = grad
    return found


def _run(shell: Any, given: Any, cell: str) -> None:
    """What is wrong is said in words: a traceback through the compiler helps nobody."""
    from IPython.display import display

    try:
        if given.name is not None and not given.name.isidentifier():
            raise UsageError(f"`{given.name}` is not a name for a module")
        program = driver.checked(Source(cell, "cell", Path.cwd() / "cell"))
        emit = tuple(word.strip() for word in given.emit.split(",") if word.strip())
        text = driver.python(driver.compiled(program, Options(emit=emit, level=given.level)))
        for warning in program.warnings:
            _say(render(warning))
        _define(shell, _module(text, given.name), given.name)
        fold = tuple(given.fold or ())
        display(drawing(program, given.example, given.round, fold, given.unfold))
    except SpecError as error:
        _say("\n".join(map(render, error.diagnostics)))
    except (UsageError, InputError, LayoutFailed, MissingLibrary, NoSuchGroup) as error:
        _say(str(error))


def _module(text: str, name: str | None) -> ModuleType:
    """Cells of the same text share a module; tracebacks find the text of each."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return execute(text, f"gradc_modules.{name or 'cell'}_{digest}", f"<gradc {digest}>")


def _define(shell: Any, module: ModuleType, name: str | None) -> None:
    functions = {n: getattr(module, n) for n in _FUNCTIONS if hasattr(module, n)}
    shell.push(functions | ({name: module} if name is not None else {}))


def _say(text: str) -> None:
    print(text, file=sys.stderr)
