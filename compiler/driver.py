"""The stages in their order: the only file that names them all."""

from __future__ import annotations

import gc
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from .. import __version__
from ..dsl.ast import Program
from ..dsl.check import Checked, allowed, check
from ..dsl.errors import Severity, SpecError, mistakes
from ..dsl.frozen import frozen
from ..dsl.graph import Graph
from ..dsl.library import Files, prelude
from ..dsl.lower import lower
from ..dsl.parse import parse
from ..dsl.sizes import Size
from ..dsl.source import Source
from .caution import cautions
from .compilation import DEFAULT, EXTRAS, Compilation, Options
from .derived import derived, seeds_of
from .differentiate import seed_nodes, with_gradients
from .machine import Machine, NotMeasured, target
from .module import module_text
from .nested import expand
from .optimised import Slower, has_axes, optimised
from .passes.interchange import interchanged
from .passes.log import Rewritten, recorded
from .passes.shelter import shelter
from .passes.stabilise import stabilise
from .request import UsageError as UsageError
from .request import missing, wrt_of


@contextmanager
def _uncollected() -> Iterator[None]:
    """Python's cycle collector at rest: graphs are large, free of cycles, and all in use."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def read(path: Path) -> Source:
    """The text of a file. Raises ``OSError``, or ``SpecError`` where it is not UTF-8."""
    return decoded(path.read_bytes(), path.as_posix(), path)


def decoded(raw: bytes, name: str, path: Path | None = None) -> Source:
    """Bytes as a source. Raises ``SpecError`` where they are not UTF-8."""
    try:
        return Source(raw.decode("utf-8").removeprefix("\ufeff"), name, path)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise SpecError([mistakes.not_utf8(Source("", name), error.start, line)]) from None


@_uncollected()
def checked(source: Source, *, strict: bool = False, include: Path | None = None) -> Checked:
    """Parsed and checked. Raises ``SpecError``; with ``strict``, also for warnings.

    ``include`` is a folder in which ``use`` may go up and down.
    """
    program: Program = parse(source)
    result = check(program, prelude(), Files(include).load)
    found = cautions(result.graph) if not result.is_library else ()
    result = replace(result, warnings=tuple(allowed([*result.warnings, *found], program)))
    warnings = [w for w in result.warnings if w.severity is Severity.WARNING]
    if strict and warnings:
        raise SpecError([w.as_error() for w in warnings])
    return result


@_uncollected()
def compiled(program: Checked, options: Options = DEFAULT) -> Compilation:
    """Lowered, differentiated and optimised. Raises ``UsageError``."""
    options.validate()
    if program.is_library:
        raise UsageError(f"{program.program.source.name} has only functions, nothing to compile")
    graph = differentiable(program, options)
    if options.emit == ("all",):
        options = replace(options, emit=tuple(n for n in EXTRAS if not missing(n, graph)))
    if not has_axes(graph):
        return _compiled(program, graph, options, whole=True)
    try:
        return _compiled(program, graph, options, whole=options.level > 0)
    except Slower:
        return _compiled(program, graph, options, whole=False)


def _compiled(program: Checked, graph: Graph, options: Options, *, whole: bool) -> Compilation:
    """With Jacobians and Hessians as a ``whole``, or made of what is along one direction after the
    other. Raises ``Slower``."""
    machine = _machine(options)
    if options.level > 1:
        graph = interchanged(graph)
    raw = derived(graph, options, wrt_of(program, options), whole=whole)
    ready, unrolled = optimised(raw, options, machine)
    return Compilation(program, options, graph, ready, seeds_of(graph), unrolled, machine)


def _machine(options: Options) -> Machine:
    """The machine to compile for. Raises ``UsageError``."""
    try:
        return target(options.target)
    except NotMeasured as error:
        raise UsageError(f"--target {options.target}: {error}") from None


def differentiable(program: Checked, options: Options) -> Graph:
    """The graph in canonical operations, formulas that overflow recognised, branches sheltered."""
    graph = _batched(lower(_specialised(program.graph, options)), options)
    if options.checkpoint:
        from .checkpoint import checkpointed

        graph = checkpointed(graph)
    return stabilise(expand(stabilise(shelter(graph))))


def _batched(graph: Graph, options: Options) -> Graph:
    if not options.batch:
        return graph
    from .batch import batched

    known = [i.name for i in graph.interface.inputs]
    for name in options.batch:
        if name not in known:
            shown = ", ".join(known) or "none"
            raise UsageError(f"--batch: there is no input `{name}` (there are: {shown})")
    return batched(graph, options.batch)


def _specialised(graph: Graph, options: Options) -> Graph:
    """The graph with some sizes fixed to numbers, and without domains that are not checked."""
    from .specialise import UnmetCondition, specialise, without_domains

    if not options.checks:
        graph = without_domains(graph)
    if not options.sizes:
        return graph

    known = {*graph.interface.sizes, *graph.interface.open_sizes}
    for name, _ in options.sizes:
        if name not in known:
            shown = ", ".join(sorted(known)) or "none"
            raise UsageError(f"--size: there is no size `{name}` (there are: {shown})")
    try:
        return specialise(graph, {name: Size.of(value) for name, value in options.sizes})
    except UnmetCondition as error:
        raise UsageError(f"--size: {error}") from None


@_uncollected()
def python(compilation: Compilation) -> str:
    """The text of the generated module."""
    source = compilation.interface.source
    spec = shown_path(source)
    named = "-" if spec == "<stdin>" else spec
    flags = compilation.options.flags()
    if compilation.options.include is not None:
        flags = ["--include", _shown(compilation.options.include.resolve()), *flags]
    command = shlex.join(["gradc", "build", named, *flags])
    return module_text(compilation, spec, command, __version__)


def shown_path(source: Source) -> str:
    """The path from the nearest folder above that holds a project, or the file's name."""
    if source.path is None:
        return source.name
    return _shown(source.path.resolve())


def _shown(path: Path) -> str:
    for folder in path.parents:
        if (folder / "pyproject.toml").exists() or (folder / ".git").exists():
            return path.relative_to(folder).as_posix()
    return path.name


@frozen()
class Stage:
    """What a stage made; ``rewrites`` are those of the passes, in their order."""

    name: str
    text: str
    rewrites: Sequence[Rewritten] = ()


def stages(source: Source, options: Options = DEFAULT) -> Iterator[Stage]:
    """The text form of what passes between the stages, one after the other."""
    from ..dsl.format import format_program

    yield Stage("ast", format_program(parse(source)))
    program = checked(source, include=options.include)
    yield Stage("checked", str(program.graph))
    with recorded() as rewrites:
        compilation = compiled(program, options)
    yield Stage("graph", str(compilation.forward))
    graph = compilation.forward
    raw = with_gradients(
        graph, seed_nodes(graph, compilation.seeds), tuple(compilation.graphs.both.gradients)
    )
    yield Stage("gradient", str(raw))
    yield Stage("passes", str(compilation.graphs.both), rewrites)
    yield Stage("python", python(compilation))
