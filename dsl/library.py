"""The functions written in the language itself, and the files that a ``use`` names."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path, PurePosixPath

from . import ast
from .errors import SpecError, mistakes
from .parse import parse
from .scope import Report
from .source import Source


@cache
def prelude() -> Mapping[str, ast.Def]:
    """The functions of ``grammars/prelude.grad``, by name."""
    text = resources.files("gradc.grammars").joinpath("prelude.grad").read_text("utf-8")
    program = parse(Source(text, "prelude.grad"))
    return {d.name.id: d for d in program.declarations if isinstance(d, ast.Def)}


class Files:
    """Reads the files that a file uses, each once.

    They lie in its folder or below, or with a ``root`` anywhere in that folder.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = root.resolve() if root is not None else None
        self.programs: dict[str, ast.Program] = {}
        self.loading: list[str] = []

    def load(self, use: ast.Use, report: Report) -> ast.Program | None:
        """The program a ``use`` names, with the functions of what it uses itself in front."""
        here = use.span.source
        text = use.path.value
        if here.path is None:
            report(mistakes.missing_file(use.path.span, text))
            return None
        if "\0" in text:
            report(mistakes.missing_file(use.path.span, text))
            return None
        folder = here.path.parent.resolve()
        path = (folder / text).resolve()
        if not path.is_relative_to(self.root or folder):
            report_outside = mistakes.outside_root if self.root else mistakes.outside_path
            report(report_outside(use.path.span, text))
            return None
        key = str(path)
        if key in self.loading or path == here.path.resolve():
            report(mistakes.use_cycle(use.path.span, text))
            return None
        if key not in self.programs:
            try:
                source = Source.read(path)
            except OSError:
                report(mistakes.missing_file(use.path.span, text))
                return None
            except UnicodeDecodeError:
                report(mistakes.file_not_utf8(use.path.span, text))
                return None
            shown = Source(source.text, (PurePosixPath(here.name).parent / text).as_posix(), path)
            self.loading.append(key)
            try:
                self.programs[key] = self._with_uses(parse(shown), report)
            except SpecError as error:
                for diagnostic in error.diagnostics:
                    report(diagnostic)
                return None
            finally:
                self.loading.pop()
        return self.programs[key]

    def _with_uses(self, program: ast.Program, report: Report) -> ast.Program:
        inherited: list[ast.Declaration] = []
        for use in program.declarations:
            if isinstance(use, ast.Use):
                used = self.load(use, report)
                inherited += used.declarations if used else ()
        declarations = (*inherited, *program.declarations)
        return ast.Program(program.source, declarations, program.comments, program.doc)
