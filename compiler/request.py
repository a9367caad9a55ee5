"""What a request asks for: functions, and inputs with a gradient."""

from __future__ import annotations

from ..dsl.check import Checked
from ..dsl.graph import Graph
from ..dsl.shapes import Kind
from .compilation import EXTRAS, Options


class UsageError(Exception):
    """A request that does not fit the specification: a wrong ``--wrt`` or ``--size``."""


def missing(function: str, graph: Graph) -> str:
    """Why a function cannot be emitted, if it cannot."""
    interface = graph.interface
    if function in ("hvp", "hessian") and interface.objective is None:
        return "there is no objective"
    if not any(i.differentiated and i.type.is_float for i in interface.inputs):
        return "there is no input with a gradient"
    if not any(node.type.is_float for node in graph.outputs.values()):
        return "there is no output that is a float"
    return ""


def needed_functions(options: Options, graph: Graph) -> set[str]:
    """What is emitted, with what that calls. Raises ``UsageError``."""
    needs = set(options.emit)
    for name in sorted(needs):
        if name not in EXTRAS:
            raise UsageError(f"--emit: there is no `{name}` (there are: {', '.join(EXTRAS)})")
        reason = missing(name, graph)
        if reason:
            raise UsageError(f"--emit {name}: {reason}")
    return needs


def wrt_of(program: Checked, options: Options) -> tuple[str, ...]:
    possible = [
        i.name for i in program.interface.inputs if i.differentiated and i.type.kind is Kind.FLOAT
    ]
    if options.wrt is None:
        return tuple(possible)
    for name in options.wrt:
        if name not in possible:
            known = ", ".join(possible) or "none"
            raise UsageError(
                f"--wrt: `{name}` is not an input with a gradient (there are: {known})"
            )
    return tuple(name for name in possible if name in options.wrt)
