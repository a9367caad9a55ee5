"""What the commands share: reading specifications, showing what is wrong, common options."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..dsl.check import Checked
    from ..dsl.errors import Diagnostic
    from ..dsl.source import Source
    from .compilation import Options
    from .given import Inputs

WRONG, USAGE, FAILED, INTERNAL = 1, 2, 3, 70


class Failed(Exception):
    """A check did not hold; what is to be said has been said."""


# ── Diagnostics ─────────────────────────────────────────────────────────────


def colours(stream: Any) -> bool:
    import os

    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def show(diagnostics: Iterable[Diagnostic]) -> None:
    from ..dsl.errors import render

    for diagnostic in diagnostics:
        text = render(diagnostic, colour=colours(sys.stderr))
        click.echo(text, err=True, color=colours(sys.stderr))


def speaks(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command whose mistakes of the specification and of usage are reported and end it."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        from ..dsl.errors import SpecError
        from .driver import UsageError

        try:
            return command(*args, **kwargs)
        except SpecError as error:
            show(error.diagnostics)
            sys.exit(WRONG)
        except UsageError as error:
            raise click.UsageError(str(error)) from None
        except BrokenPipeError:
            raise
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise click.UsageError(f"{where}{error.strerror or error}") from None

    return run


def source_of(path: str) -> Source:
    from . import driver

    if path == "-":
        if sys.stdin is None:
            raise click.UsageError("there is no standard input")
        return driver.decoded(sys.stdin.buffer.read(), "<stdin>")
    return driver.read(Path(path))


def checked_source(path: str, strict: bool = False) -> Checked:
    """The checked specification, its warnings shown."""
    from . import driver

    program = driver.checked(source_of(path), strict=strict, include=included())
    show(program.warnings)
    return program


def specifications(paths: Iterable[str]) -> Iterator[str]:
    """The files named, and all ``.grad`` files of the folders named."""
    for path in paths:
        if path != "-" and Path(path).is_dir():
            found = sorted(str(p) for p in Path(path).rglob("*.grad"))
            if not found:
                raise click.UsageError(f"{path}: no .grad file in this folder")
            yield from found
        else:
            yield path


# ── Options shared by commands ──────────────────────────────────────────────

_INCLUDE = "include"


def _include(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    context.meta[_INCLUDE] = Path(value) if value else None


def included() -> Path | None:
    """The folder in which the command's specifications may use any file."""
    folder: Path | None = click.get_current_context().meta.get(_INCLUDE)
    return folder


def _reading(argument: Callable[..., Any]) -> Callable[..., Any]:
    """An argument that names specifications, with the option for reading them."""
    include = click.option(
        "--include", metavar="FOLDER", type=click.Path(exists=True, file_okay=False),
        help="Let `use` name any file in this folder.", expose_value=False, callback=_include,
    )  # fmt: skip
    return lambda command: argument(include(command))


texts_argument = click.argument("paths", nargs=-1, required=True, metavar="SPEC...")
paths_argument = _reading(texts_argument)
spec_argument = _reading(click.argument("spec", metavar="SPEC"))
strict_option = click.option("--strict", is_flag=True, help="Warnings are errors.")


def code_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that change the generated code."""
    for option in (
        click.option(
            "--emit", metavar="jvp,hvp", help="Also jvp, hvp, jacobian, hessian, check, or all."
        ),
        click.option("--no-checks", is_flag=True, help="Leave out the checks of arguments."),
        click.option("--size", "sizes", multiple=True, metavar="N=100", help="Fix a size."),
        click.option("--dtype", type=click.Choice(["float32", "float64"]), help="Fix the dtype."),
        click.option(
            "--checkpoint", is_flag=True, help="Gradients of loops in the memory of √T steps."
        ),
        click.option(
            "-O",
            "level",
            type=click.IntRange(0, 2),
            default=1,
            show_default=True,
            help="How far to optimise: -O2 for speed, -O0 for code as written.",
        ),
        click.option("--fast-math", is_flag=True, help="Faster functions that lose a few digits."),
        click.option(
            "--threads",
            type=click.IntRange(0),
            default=0,
            metavar="N",
            help="Run blocks of large arrays on N threads.",
        ),
        click.option(
            "--target",
            type=click.Choice(["avx512", "avx2", "native"]),
            default="avx512",
            show_default=True,
            help="Whose costs decide what pays; `native` are those of `gradc calibrate`.",
        ),
        click.option("--batch", metavar="x,y", help="A leading axis on these inputs."),
        click.option("--wrt", metavar="W,b", help="Only the gradients of these inputs."),
    ):
        command = option(command)
    return command


def options_from(
    wrt: str | None,
    dtype: str | None,
    sizes: tuple[str, ...],
    no_checks: bool,
    emit: str | None,
    batch: str | None,
    checkpoint: bool,
    level: int,
    fast_math: bool,
    threads: int,
    target: str,
) -> Options:
    from .compilation import Options

    fixed: list[tuple[str, int]] = []
    for word in sizes:
        name, _, value = word.partition("=")
        if not (value.isascii() and value.isdecimal()) or name in dict(fixed):
            raise click.UsageError(f"--size {word}: write NAME=NUMBER, once for each name")
        fixed.append((name, int(value)))
    names = listed(wrt) if wrt is not None else None
    return Options(names, dtype, tuple(fixed), not no_checks, listed(emit), included(),
                   listed(batch), checkpoint, level, fast_math, threads, target)  # fmt: skip


def listed(text: str | None) -> tuple[str, ...]:
    """Words with commas between."""
    return tuple(word.strip() for word in (text or "").split(",") if word.strip())


def input_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which inputs to take."""
    for option in (
        click.option("--data", type=click.Path(dir_okay=False), help="Inputs from an .npz file."),
        click.option(
            "--set", "words", multiple=True, metavar="x=1.0", help="Give an input or size."
        ),
        click.option("--example", metavar="NAME", help="Take the inputs of an example."),
    ):
        command = option(command)
    return command


def given_or_none(
    program: Checked, example: str | None, words: tuple[str, ...], data: str | None
) -> Inputs | None:
    """The inputs asked for, else those of the first example, if there is one."""
    given = example is not None or words or data or program.examples
    return inputs_from(program, example, words, data) if given else None


def inputs_from(
    program: Checked, example: str | None, words: tuple[str, ...], data: str | None
) -> Inputs:
    from .given import InputError, from_example, from_words

    try:
        if words or data:
            if example:
                raise click.UsageError("give --example, or --set and --data, not both")
            return from_words(program, words, Path(data) if data else None)
        return from_example(program, example)
    except InputError as error:
        raise click.UsageError(str(error)) from None
