"""Whether arguments fit the types of a function's parameters, and the sizes that they bind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from . import ast
from .binding import bind
from .constants import NotConstant, size_value
from .errors import mistakes
from .errors.diagnostic import Diagnostic
from .frozen import frozen
from .graph import Node
from .order import free_names
from .scope import Report, Scope
from .sizes import Size
from .source import Span
from .written import KINDS

_LOCAL = "?"
"""Sizes of a call that are not bound yet stand under names that no file can have."""


@frozen()
class Argument:
    """A value for a parameter that has a type."""

    name: str
    type: ast.Type
    value: Node
    span: Span


def local_sizes(
    arguments: Sequence[Argument], fixed: Mapping[str, Size], report: Report
) -> dict[str, Size] | None:
    """The sizes that types of parameters name, if all arguments fit; else that is reported."""
    shapes: dict[str, list[Size]] = {}
    for argument in arguments:
        if argument.type.name.id not in KINDS:
            report(mistakes.unknown_type(argument.type.name.span, argument.type.name.id))
            return None
        try:
            shapes[argument.name] = _declared(argument.type, fixed, report)
        except NotConstant:
            return None
        if not _alike(argument):
            report(_misfit(argument, {}))
            return None
    by_name = {argument.name: argument for argument in arguments}
    mentioned = {n for shape in shapes.values() for size in shape for n in size.names()}
    bindings = bind(shapes, {name for name in mentioned if not name.startswith(_LOCAL)})
    local: dict[str, Size] = {}
    origin: dict[str, str] = {}
    for binding in bindings:
        argument = by_name[binding.array]
        value = binding.solution.value(argument.value.type.shape[binding.axis], local)
        if value is None:
            report(_misfit(argument, local))
            return None
        local[binding.size] = value
        origin[binding.size] = binding.array
    for argument in arguments:
        wanted = tuple(size.substitute(local) for size in shapes[argument.name])
        if wanted != argument.value.type.shape:
            elsewhere = {n: size for n, size in local.items() if origin[n] != argument.name}
            report(_misfit(argument, elsewhere))
            return None
    return {name.removeprefix(_LOCAL): size for name, size in local.items()}


def _declared(written: ast.Type, fixed: Mapping[str, Size], report: Report) -> list[Size]:
    """The shape of a type. Raises ``NotConstant``."""
    names = {name.id for size in written.shape for name in free_names(size)}
    sizes = {name: fixed.get(name, Size.of(_LOCAL + name)) for name in names}
    return [size_value(size, Scope(sizes=sizes), report) for size in written.shape]


def _alike(argument: Argument) -> bool:
    """Whether the kind and the number of axes are right."""
    found = argument.value.type
    kind = KINDS[argument.type.name.id]
    return found.kind <= kind and found.rank == len(argument.type.shape)


def _misfit(argument: Argument, sizes: Mapping[str, Size]) -> Diagnostic:
    names = {name.id for size in argument.type.shape for name in free_names(size)}
    known = [f"{n} = {sizes[_LOCAL + n]}" for n in sorted(names) if _LOCAL + n in sizes]
    wanted, found = argument.type.span.text, argument.value.type
    return mistakes.argument_shape(argument.span, argument.name, wanted, found, known)
