"""What a compilation holds: the results of the stages, for everything that reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from ..dsl.check import Checked
from ..dsl.frozen import frozen
from ..dsl.graph import Graph, Interface
from ..dsl.shapes import Type
from .machine import AVX512, TARGETS, Machine


@frozen()
class Options:
    """What the command line or a caller asks for.

    ``wrt`` limits the gradients to some inputs, ``dtype`` fixes the floating type, ``sizes`` fixes
    sizes, ``checks`` keeps the checks of arguments on entry, ``emit`` adds functions. ``include``
    is a folder in which ``use`` may name any file, ``batch`` names inputs with a leading axis.
    With ``checkpoint`` gradients of loops keep √T states and run the steps once more. ``level`` is
    how far code is optimised, from 0 to 2; with ``fast_math`` also where a few digits are lost;
    ``threads`` run blocks of arrays side by side. ``target`` is the sort of core whose costs
    decide.
    """

    wrt: tuple[str, ...] | None = None
    dtype: str | None = None
    sizes: tuple[tuple[str, int], ...] = ()
    checks: bool = True
    emit: tuple[str, ...] = ()
    include: Path | None = None
    batch: tuple[str, ...] = ()
    checkpoint: bool = False
    level: int = 1
    fast_math: bool = False
    threads: int = 0
    target: str = TARGETS[0]

    def validate(self) -> None:
        """Raises ``ValueError`` for what no specification could mean."""
        if self.dtype not in (None, "float32", "float64"):
            raise ValueError(f"dtype must be float32 or float64, not {self.dtype!r}")
        if self.level not in (0, 1, 2):
            raise ValueError(f"level must be 0, 1 or 2, not {self.level!r}")
        if self.threads < 0:
            raise ValueError(f"threads must be a natural number, not {self.threads!r}")
        if self.target not in TARGETS:
            raise ValueError(f"target must be one of {', '.join(TARGETS)}, not {self.target!r}")
        if any(isinstance(names, str) for names in (self.wrt, self.batch, self.emit)):
            raise ValueError("wrt, batch and emit must be lists of names")
        for name, value in self.sizes:
            if not isinstance(value, int) or value < 0:
                raise ValueError(f"the size {name} must be a natural number, not {value!r}")

    def flags(self) -> list[str]:
        """The options as words of the command line, to regenerate what they made."""
        words = []
        if self.wrt is not None:
            words += ["--wrt", ",".join(self.wrt)]
        if self.batch:
            words += ["--batch", ",".join(self.batch)]
        if self.dtype is not None:
            words += ["--dtype", self.dtype]
        if self.emit:
            words += ["--emit", ",".join(self.emit)]
        for name, value in self.sizes:
            words += ["--size", f"{name}={value}"]
        if self.checkpoint:
            words.append("--checkpoint")
        if self.level != 1:
            words.append(f"-O{self.level}")
        if self.fast_math:
            words.append("--fast-math")
        if self.threads:
            words += ["--threads", str(self.threads)]
        if self.target != DEFAULT.target:
            words += ["--target", self.target]
        return words if self.checks else [*words, "--no-checks"]


DEFAULT = Options()
EXTRAS = ("jvp", "hvp", "jacobian", "hessian", "check")


def tangent_of(output: str) -> str:
    """The name of an output's tangent: no name of the language has a space."""
    return f"d {output}"


def block_of(value: str, by: str) -> str:
    """The name of the derivative of a value with respect to another."""
    return f"{value} {by}"


STEPWISE = ("both", "at_once", "jvp", "hvp")
WHOLE = ("jacobian", "hessian")


@frozen()
class Graphs:
    """The graphs of a module's functions; ``None`` is what is not wanted."""

    both: Graph
    """Outputs and, from seeds, gradients."""
    at_once: Graph | None = None
    """The objective and its gradients, with seed 1."""
    jvp: Graph | None = None
    """Outputs and, under the names of ``tangent_of``, their tangents; seeds are those of inputs."""
    hvp: Graph | None = None
    """As gradients, the derivative of the gradient along the seeds."""
    jacobian: Graph | None = None
    """As outputs, under the names of ``block_of``, all derivatives of outputs by inputs; ``None``
    where they are made of those along one direction after the other."""
    hessian: Graph | None = None
    """The same of the gradient."""

    def there(self, names: Iterable[str] = (*STEPWISE, *WHOLE)) -> list[Graph]:
        """Those of some names that there are."""
        return [graph for name in names if (graph := getattr(self, name)) is not None]

    def map(
        self, change: Callable[[Graph], Graph], names: Iterable[str] = (*STEPWISE, *WHOLE)
    ) -> Graphs:
        """The same with those of some names changed."""
        there = {name: graph for name in names if (graph := getattr(self, name)) is not None}
        return replace(self, **{name: change(graph) for name, graph in there.items()})


@frozen()
class Compilation:
    checked: Checked
    options: Options
    forward: Graph
    graphs: Graphs
    seeds: Mapping[str, str]
    """By output, the name of the gradient that arrives there."""
    unrolled: bool = False
    """Whether arrays are only what functions take and return: inside, all are numbers."""
    machine: Machine = AVX512

    @property
    def interface(self) -> Interface:
        return self.forward.interface

    def output_type(self, name: str) -> Type:
        return self.forward.outputs[name].type
