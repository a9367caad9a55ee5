"""``import gradc.importer``, and from then on ``import model`` finds ``model.grad``.

It is looked for in the folders of ``sys.path``, after everything that Python finds itself: a
``model.py`` beside ``model.grad`` wins, with a warning where it was generated from another text.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType

from .compiler.load import load_file


class Loader:
    """Fills a module with what a specification compiles to."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        loaded = load_file(self.path)
        kept = {k: v for k, v in vars(loaded).items() if not k.startswith("__")}
        module.__dict__.update(kept, __doc__=loaded.__doc__, __file__=str(self.path))


class Finder:
    """Finds ``name.grad`` in the folders that Python searches."""

    @staticmethod
    def find_spec(
        fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        name = fullname.rpartition(".")[2]
        for folder in sys.path if path is None else path:
            candidate = Path(folder or ".") / f"{name}.grad"
            if _is_file(candidate):
                return spec_from_loader(fullname, Loader(candidate), origin=str(candidate))  # type: ignore[arg-type]
        return None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a folder that cannot be read
        return False


class StaleWarning(UserWarning):
    """A generated module is not what its specification compiles to now."""


class Watcher:
    """Warns before Python imports a generated ``model.py`` whose ``model.grad`` has changed."""

    @staticmethod
    def find_spec(
        fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.origin and spec.origin.endswith(".py"):
            specification = Path(spec.origin).with_suffix(".grad")
            if _is_file(specification):
                _warn_if_stale(Path(spec.origin), specification)
        return None


def _warn_if_stale(module: Path, specification: Path) -> None:
    from .dsl.source import Source

    if Source.read(specification).sha256 not in module.read_text(encoding="utf-8"):
        message = f"{module.name} was not generated from {specification.name} as it is now"
        warnings.warn(message, StaleWarning, stacklevel=2)


if Finder not in sys.meta_path:
    sys.meta_path.insert(0, Watcher)
    sys.meta_path.append(Finder)
