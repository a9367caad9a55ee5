"""The stages in their order: the only file that names them all."""

from __future__ import annotations

import gc
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from .. import __version__
from ..dsl.ast import Program
from ..dsl.check import Checked, allowed, check
from ..dsl.errors import Severity, SpecError, mistakes
from ..dsl.frozen import frozen
from ..dsl.graph import Graph, Node, constant, make
from ..dsl.library import Files, prelude
from ..dsl.lower import lower
from ..dsl.parse import parse
from ..dsl.shapes import Kind
from ..dsl.sizes import Size
from ..dsl.source import Source
from .caution import cautions
from .compilation import DEFAULT, EXTRAS, Compilation, Options
from .differentiate import along, seed_nodes, with_gradients, with_tangents
from .directions import hessian_of, jacobian_of
from .machine import Machine, NotMeasured, target
from .module import module_text
from .nested import expand
from .passes import finish, has_arrays, numbers_alone, optimise, unconverted
from .passes.blocks import blocks
from .passes.factors import factored
from .passes.fission import fission
from .passes.interchange import interchanged
from .passes.log import Rewritten, recorded
from .passes.shelter import shelter
from .passes.stabilise import stabilise
from .passes.strength import strength
from .request import UsageError as UsageError
from .request import missing, needed_functions, wrt_of


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
    if not _has_axes(graph):
        return _compiled(program, graph, options, whole=True)
    try:
        return _compiled(program, graph, options, whole=options.level > 0)
    except _Slower:
        return _compiled(program, graph, options, whole=False)


def _has_axes(graph: Graph) -> bool:
    ends = (*graph.inputs.values(), *graph.outputs.values())
    return any(node.type.rank for node in ends)


class _Slower(Exception):
    """Without whole Jacobians and Hessians a module, or its loops, could compute with numbers."""


def _compiled(program: Checked, graph: Graph, options: Options, *, whole: bool) -> Compilation:
    """With Jacobians and Hessians as a ``whole``, or made of what is along one direction after the
    other. Raises ``_Slower``."""
    machine = _machine(options)
    wrt, objective = wrt_of(program, options), graph.interface.objective
    floats = [n for n, node in graph.outputs.items() if node.type.kind is Kind.FLOAT]
    seeds = {n: "dout" if len(floats) == 1 else f"d{n}" for n in floats}
    if options.level > 1:
        graph = interchanged(graph)
    settled: set[Node] = set()  # What local passes leave alone in one graph, they do in the others.
    both = with_gradients(graph, seed_nodes(graph, seeds), wrt)
    needs = needed_functions(options, graph)
    prepared = partial(_prepared, options=options)
    jacobian = jacobian_of(graph, floats, wrt, prepared) if whole and "jacobian" in needs else None
    jvp = at_once = hvp = hessian = None
    if needs & {"jvp", "jacobian"} and ("jvp" in needs or jacobian is None):
        jvp = with_tangents(graph, wrt)
    alone = floats == [objective]
    if objective is not None and (not alone or needs & {"hvp", "hessian"}):
        at_once = _of_objective(graph, objective, wrt)
        hessian = hessian_of(at_once, wrt, prepared) if whole and "hessian" in needs else None
        if needs & {"hvp", "hessian"} and ("hvp" in needs or hessian is None):
            hvp = along(at_once, wrt)
    both = optimise(both, options.level, settled)
    if objective is not None and alone:
        at_once = _seeded(both, objective, options.level, settled)
    elif at_once is not None:
        at_once = optimise(at_once, options.level, settled)
    graphs = (jvp, hvp, jacobian, hessian)
    made = [both, at_once, *(g and optimise(g, options.level, settled) for g in graphs)]
    if options.level > 1:
        made = [_faster(g, options, machine) if g is not None else None for g in made]
        tidy = partial(optimise, level=options.level, settled=settled)
        # A gradient that arrives later goes back through whole arrays, and those that lie column by
        # column cost more to put together from blocks than they save.
        by_column = made[0] is not None and "by_column" in made[0].operations
        first = 1 if both.gradients or by_column else 0
        made[first:4] = [g and blocks(g, machine, tidy) for g in made[first:4]]
    made[:4] = _with_small_loops(made[:4], options)
    if any(made[4:]) and _has_axes(graph) and any(map(_with_numbers, made[:4])):
        raise _Slower
    made[4:] = _with_small_loops(made[4:], options)
    arrays = has_arrays(g for g in made[:2] if g is not None)
    apart = numbers_alone(made, options.level) if arrays and options.level > 1 else None
    if apart is not None:
        made, arrays = apart, False
    elif not arrays:
        made = [unconverted(g) if g is not None else None for g in made]
    elif options.level > 1 and any(made[4:]) and numbers_alone(made[:4], options.level):
        raise _Slower
    ready = [finish(g, arrays=arrays) if g is not None else None for g in made]
    assert ready[0] is not None
    return Compilation(program, options, graph, ready[0], ready[1], seeds, ready[2], ready[3],
                       ready[4], ready[5], apart is not None, machine)  # fmt: skip


def _prepared(graph: Graph, options: Options) -> Graph:
    """Derivatives along one direction, before they are spread over all."""
    graph = optimise(graph, options.level)
    return optimise(fission(graph), options.level) if options.level > 1 else graph


def _machine(options: Options) -> Machine:
    """The machine to compile for. Raises ``UsageError``."""
    try:
        return target(options.target)
    except NotMeasured as error:
        raise UsageError(f"--target {options.target}: {error}") from None


def _faster(graph: Graph, options: Options, machine: Machine) -> Graph:
    """What ``-O2`` does beyond the passes of ``-O1``, the same for all functions of a module."""
    from .passes.columns import columns  # With NumPy.

    graph = optimise(columns(optimise(fission(factored(graph)), 2), machine), 2)
    return optimise(strength(graph, machine, fast_math=options.fast_math), 2)


def _with_small_loops(graphs: list[Graph | None], options: Options) -> list[Graph | None]:
    """Loops of few numbers in Python's: at ``-O2`` wherever they stand, else where nothing but
    what they keep of their steps is an array."""
    if not options.level or not any(g is not None and "scan" in g.operations for g in graphs):
        return graphs
    from .passes.small_loops import small_loops  # With NumPy.

    made = [small_loops(g) if g is not None else None for g in graphs]
    if options.level < 2 and has_arrays(g for g in made if g is not None):
        return graphs
    pairs = zip(graphs, made, strict=True)
    return [m if m is g or m is None else optimise(m, options.level) for g, m in pairs]


def _with_numbers(graph: Graph | None) -> bool:
    """Whether a loop computes with Python's numbers."""
    nodes = graph.nodes if graph is not None else ()
    return any(node.op.name == "scan" and node.attributes["loop"].numbers for node in nodes)


def _of_objective(graph: Graph, objective: str, wrt: tuple[str, ...]) -> Graph:
    """The objective and its gradients."""
    value = graph.outputs[objective]
    alone = replace(graph, outputs={objective: value})
    return with_gradients(alone, {objective: _ones_like(value)}, wrt)


def _seeded(both: Graph, objective: str, level: int, settled: set[Node]) -> Graph:
    """The same from the gradients for any seed, where that of the objective is the only one,
    optimised."""
    value = both.outputs[objective]
    alone = replace(both, outputs={objective: value})
    return optimise(alone, level, settled, {both.seeds[objective]: _ones_like(value)})


def _ones_like(node: Node) -> Node:
    """The seed of an objective; in a batch, of the sum of all of them."""
    one = constant(1.0, node.span)
    if not node.type.rank:
        return one
    return make("broadcast_to", [one], node.span, {"shape": node.type.shape})


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
        graph, seed_nodes(graph, compilation.seeds), tuple(compilation.both.gradients)
    )
    yield Stage("gradient", str(raw))
    yield Stage("passes", str(compilation.both), rewrites)
    yield Stage("python", python(compilation))
