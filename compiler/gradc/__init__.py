"""gradc: a compiler from specifications of functions to their gradients.

model = gradc.load("model.grad")
value, gradients = model.value_and_grad(x, W)
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .dsl.check import Checked

__version__ = "0.1.0"
__all__ = ["SpecError", "__version__", "compile", "load", "parse"]


def load(path: str | Path, **options: Any) -> ModuleType:
    """The generated module of a specification, compiled and imported.

    It is cached in ``__pycache__`` beside the file. ``options``: ``wrt`` (names of inputs),
    ``dtype`` (``"float32"`` or ``"float64"``), ``sizes`` (a dictionary), ``checks``.
    Raises ``gradc.SpecError`` where the specification is wrong, ``OSError`` where it cannot be
    read.
    """
    from .compiler.load import load_file

    return load_file(Path(path), _options(options))


def parse(path: str | Path, include: str | Path | None = None) -> Checked:
    """The checked graph of a specification; ``.nx`` is its networkx ``MultiDiGraph``.

    Notebooks show it as a picture. Raises as ``load`` does.
    """
    from .compiler import driver
    from .compiler.drawable import drawable

    folder = Path(include) if include is not None else None
    return drawable(driver.checked(driver.read(Path(path)), include=folder))


def compile(graph: Checked | str | Path, **options: Any) -> str:
    """The text of the generated module, from a checked graph or a file. Raises as ``load``."""
    from .compiler import driver

    include = options.get("include")
    program = parse(graph, include) if isinstance(graph, (str, Path)) else graph
    return driver.python(driver.compiled(program, _options(options)))


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext gradc`` in a notebook: cells that begin with ``%%grad`` are specifications."""
    from .compiler.notebook import register

    register(shell)


def _options(options: dict[str, Any]) -> Any:
    from .compiler.compilation import Options

    values = dict(options)
    for name in ("wrt", "batch", "emit"):
        if values.get(name) is not None and not isinstance(values[name], str):
            values[name] = tuple(values[name])
    if "sizes" in values:
        values["sizes"] = tuple(sorted(dict(values["sizes"]).items()))
    if values.get("include") is not None:
        values["include"] = Path(values["include"])
    return Options(**values)


def __getattr__(name: str) -> Any:
    if name == "SpecError":
        from .dsl.errors import SpecError

        return SpecError
    raise AttributeError(f"module 'gradc' has no attribute {name!r}")
