"""Generated modules in memory: compiled, cached beside the specification, imported."""

from __future__ import annotations

import hashlib
import linecache
import os
import sys
import tempfile
from pathlib import Path
from types import CodeType, ModuleType

from .. import __version__
from ..dsl.library import Files
from ..dsl.source import Source
from . import driver
from .compilation import DEFAULT, Options
from .machine import machine

_loaded: dict[str, ModuleType] = {}


def write_atomically(path: Path, content: str | bytes) -> None:
    """The whole file or none of it, whatever happens in between. Raises ``OSError``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle, temporary = tempfile.mkstemp(
            prefix=f".{path.name}.", suffix=".tmp", dir=path.parent
        )
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def load_file(path: Path, options: Options = DEFAULT) -> ModuleType:
    """The module of a specification, compiled if need be. Raises ``OSError``, ``SpecError``.

    The cache is ``__pycache__`` beside the file; where that cannot be written, memory.
    """
    path = path.resolve()
    source = driver.read(path)
    key = _key(source, options)
    variant = "" if options == DEFAULT else "-" + _short_hash(repr(options))
    name = f"gradc_modules.{path.stem}_{_short_hash(str(path))}{variant.replace('-', '_')}"
    present = _loaded.get(name)
    if present is not None and present.__dict__["__gradc_key__"] == key:
        return present
    cached = path.parent / "__pycache__" / f"{path.stem}.gradc{variant}.py"
    text = _cached_text(cached, key)
    place = str(cached)
    if text is None:
        text = f"{_module_text(source, options)}# key {key}\n"
        try:
            write_atomically(cached, text)
        except OSError:
            place = f"<gradc {path}>"
    module = execute(text, name, place)
    module.__dict__["__gradc_key__"] = key
    _loaded[name] = module
    return module


def _module_text(source: Source, options: Options) -> str:
    """The graphs end with this call: Python needs the memory to compile the text."""
    program = driver.checked(source, include=options.include)
    return driver.python(driver.compiled(program, options))


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _key(source: Source, options: Options) -> str:
    """The hash of all that the module depends on: spec, used files, flags, version."""
    parts = [__version__, repr(options), source.text, *_used_texts(source, options)]
    if options.target == "native":
        parts.append(repr(machine()))
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{len(part)}:".encode())
        digest.update(part.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _used_texts(source: Source, options: Options) -> list[str]:
    """The texts of the files a specification uses, found only where it says ``use``."""
    if "use" not in source.text:
        return []
    from ..dsl import ast
    from ..dsl.parse import parse
    from ..dsl.scope import Report

    files = Files(options.include)
    for declaration in parse(source).declarations:
        if isinstance(declaration, ast.Use):
            files.load(declaration, Report())
    return [program.source.text for program in files.programs.values()]


def _cached_text(path: Path, key: str) -> str | None:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    return text if text.endswith(f"# key {key}\n") else None


def execute(text: str, name: str, place: str) -> ModuleType:
    """A module from its text; tracebacks and pickles find their way to it."""
    code: CodeType = compile(text, place, "exec")
    module = ModuleType(name)
    module.__file__ = place
    package = name.rpartition(".")[0]
    if package and package not in sys.modules:
        sys.modules[package] = ModuleType(package)
    sys.modules[name] = module
    linecache.cache[place] = (len(text), None, text.splitlines(keepends=True), place)
    exec(code, module.__dict__)
    return module
