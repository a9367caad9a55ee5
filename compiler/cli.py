"""The command ``gradc``. Everything heavy is imported by the command that needs it.

Exit status: 0 ok, 1 the specification is wrong, 2 usage, 3 a check failed, 70 internal.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import __version__

if TYPE_CHECKING:
    from ..dsl.check import Checked
    from ..dsl.errors import Diagnostic
    from ..dsl.source import Source
    from .compilation import Options
    from .given import Inputs

WRONG, USAGE, FAILED, INTERNAL = 1, 2, 3, 70
STAGES = ("ast", "checked", "graph", "gradient", "passes", "python")


class Failed(Exception):
    """A check did not hold; what is to be said has been said."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gradc")
def gradc() -> None:
    """Compile specifications of functions to their gradients."""


def main() -> None:
    """The entry point: runs a command, and turns what goes wrong into words and a status."""
    try:
        gradc(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(USAGE)
    except Failed:
        sys.exit(FAILED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except Exception as error:
        _unexpected(error)


def _unexpected(error: Exception) -> None:
    import traceback

    traceback.print_exc()
    click.echo(
        f"\ngradc {__version__} failed on its own account ({type(error).__name__}). The"
        " specification may be fine: please report this, with the file and the lines above.",
        err=True,
    )
    sys.exit(INTERNAL)


# ── Diagnostics ─────────────────────────────────────────────────────────────


def _colour(stream: Any) -> bool:
    import os

    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def show(diagnostics: Iterable[Diagnostic]) -> None:
    from ..dsl.errors import render

    for diagnostic in diagnostics:
        text = render(diagnostic, colour=_colour(sys.stderr))
        click.echo(text, err=True, color=_colour(sys.stderr))


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
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise click.UsageError(f"{where}{error.strerror or error}") from None

    return run


def source_of(path: str) -> Source:
    from . import driver

    if path == "-":
        return driver.decoded(sys.stdin.buffer.read(), "<stdin>")
    return driver.read(Path(path))


def checked_source(path: str, strict: bool = False) -> Checked:
    """The checked specification, its warnings shown."""
    from . import driver

    program = driver.checked(source_of(path), strict=strict)
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

_paths = click.argument("paths", nargs=-1, required=True, metavar="SPEC...")
_spec = click.argument("spec", metavar="SPEC")
_strict = click.option("--strict", is_flag=True, help="Warnings are errors.")


def code_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that change the generated code."""
    for option in (
        click.option("--no-checks", is_flag=True, help="Leave out the checks of arguments."),
        click.option("--size", "sizes", multiple=True, metavar="N=100", help="Fix a size."),
        click.option("--dtype", type=click.Choice(["float32", "float64"]), help="Fix the dtype."),
        click.option("--wrt", metavar="W,b", help="Only the gradients of these inputs."),
    ):
        command = option(command)
    return command


def options_from(
    wrt: str | None, dtype: str | None, sizes: tuple[str, ...], no_checks: bool
) -> Options:
    from .compilation import Options

    fixed = []
    for word in sizes:
        name, _, value = word.partition("=")
        if not value.isdigit():
            raise click.UsageError(f"--size {word}: write NAME=NUMBER")
        fixed.append((name, int(value)))
    names = tuple(n.strip() for n in wrt.split(",") if n.strip()) if wrt is not None else None
    return Options(names, dtype, tuple(fixed), not no_checks)


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


# ── Commands ────────────────────────────────────────────────────────────────


@gradc.command()
@_paths
@click.option("-o", "--output", help="The file to write, or a folder for several.")
@click.option("--stdout", "to_stdout", is_flag=True, help="Print the module instead.")
@click.option("--force", is_flag=True, help="Overwrite a file that gradc did not generate.")
@code_options
@_strict
@speaks
def build(paths: tuple[str, ...], output: str | None, to_stdout: bool, force: bool, strict: bool,
          **code: Any) -> None:  # fmt: skip
    """Write the Python module of each SPEC beside it. SPEC is a file, a folder, or -."""
    from . import driver
    from .build import destination, write_module

    options = options_from(**code)
    specs = list(specifications(paths))
    single = len(specs) == 1 and not Path(paths[0]).is_dir()
    failed = False
    from ..dsl.errors import SpecError

    for spec in specs:
        try:
            program = checked_source(spec, strict)
            if program.is_library:
                click.echo(f"{spec}: only functions, nothing to build", err=True)
                continue
            text = driver.python(driver.compiled(program, options))
        except SpecError as error:
            show(error.diagnostics)
            failed = True
            continue
        if to_stdout or (spec == "-" and output is None):
            click.echo(text, nl=False)
            continue
        target = destination(spec, output, single)
        write_module(target, text, force)
        click.echo(f"{target} written")
    if failed:
        sys.exit(WRONG)


@gradc.command()
@_paths
@_strict
@speaks
def check(paths: tuple[str, ...], strict: bool) -> None:
    """Check each SPEC and say what is wrong with it."""
    from ..dsl.errors import SpecError

    failed = False
    for spec in specifications(paths):
        try:
            checked_source(spec, strict)
        except SpecError as error:
            show(error.diagnostics)
            failed = True
    if failed:
        sys.exit(WRONG)


@gradc.command()
@_spec
@input_options
@click.option("--out", type=click.Path(dir_okay=False), help="Write the results to an .npz file.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@speaks
def run(spec: str, example: str | None, words: tuple[str, ...], data: str | None, out: str | None,
        as_json: bool) -> None:  # fmt: skip
    """Run SPEC on an example or on given inputs: outputs and gradients."""
    from .run import results, results_json, results_table, write_npz

    program = checked_source(spec)
    found = results(program, inputs_from(program, example, words, data))
    if out:
        write_npz(Path(out), found)
    if as_json:
        click.echo(results_json(found))
    else:
        click.echo(results_table(found, colour=_colour(sys.stdout)), nl=False)


@gradc.command()
@_paths
@speaks
def test(paths: tuple[str, ...]) -> None:
    """Test each SPEC: expectations of its examples, and gradients by differences."""
    from ..dsl.errors import SpecError
    from .testing import run_tests

    passed = failed = 0
    wrong = False
    for spec in specifications(paths):
        click.echo(spec)
        try:
            program = checked_source(spec)
        except SpecError as error:
            show(error.diagnostics)
            wrong = True
            continue
        if not program.examples:
            click.echo("  no example, nothing to test")
        for result in run_tests(program, spec):
            mark = (
                click.style("ok  ", fg="green") if result.passed else click.style("FAIL", fg="red")
            )
            click.echo(f"  {mark} {result.name}", color=_colour(sys.stdout))
            for line in result.details:
                click.echo(f"       {line}")
            passed += result.passed
            failed += not result.passed
    click.echo(f"{passed} passed, {failed} failed")
    if wrong:
        sys.exit(WRONG)
    if failed:
        raise Failed


@gradc.command(name="show")
@_spec
@click.option(
    "--stage", type=click.Choice(STAGES), default="passes", show_default=True, help="Which one."
)
@code_options
@speaks
def show_stage(spec: str, stage: str, **code: Any) -> None:
    """Print what a stage of the compiler makes of SPEC."""
    from .driver import stages

    for found in stages(source_of(spec), options_from(**code)):
        if found.name == stage:
            click.echo(found.text, nl=False)
            return


@gradc.command()
@_paths
@click.option("--check", "only_check", is_flag=True, help="Change nothing; status 3 if it would.")
@speaks
def fmt(paths: tuple[str, ...], only_check: bool) -> None:
    """Format each SPEC in place. From standard input, print it."""
    from ..dsl.format import format_program
    from ..dsl.parse import parse
    from .load import write_atomically

    changed = False
    for spec in specifications(paths):
        source = source_of(spec)
        text = format_program(parse(source))
        if spec == "-" and not only_check:
            click.echo(text, nl=False)
            continue
        if text == source.text:
            continue
        changed = True
        if only_check:
            click.echo(f"{spec} would be formatted")
        else:
            write_atomically(Path(spec), text)
            click.echo(f"{spec} formatted")
    if changed and only_check:
        raise Failed


@gradc.command()
@click.argument("name", required=False)
@speaks
def ops(name: str | None) -> None:
    """List the operations of the library, or describe one."""
    from .catalogue import describe, listing, near_operation

    if name is None:
        click.echo(listing(), nl=False)
        return
    text = describe(name)
    if text is None:
        near = near_operation(name)
        hint = f"; did you mean `{near}`?" if near else ""
        raise click.UsageError(f"there is no operation `{name}`{hint}")
    click.echo(text, nl=False)


@gradc.command(name="explain-error")
@click.argument("code")
@speaks
def explain_error(code: str) -> None:
    """Explain an error code, such as G203."""
    from ..dsl.errors.codes import CODES, page

    if code.upper() not in CODES:
        raise click.UsageError(f"there is no error code {code} (there are: {', '.join(CODES)})")
    click.echo(page(code.upper()), nl=False)


@gradc.command()
@_spec
@input_options
@click.option("--round", "digits", type=click.IntRange(0, 15), help="Round as on paper.")
@speaks
def explain(spec: str, example: str | None, words: tuple[str, ...], data: str | None,
            digits: int | None) -> None:  # fmt: skip
    """Write out back-propagation through SPEC, step by step, with numbers."""
    from .evaluate import evaluate
    from .explain import explain as steps_of
    from .explain import explanation_text

    program = checked_source(spec)
    inputs = inputs_from(program, example, words, data)
    rounding = digits if digits is not None else inputs.digits
    evaluation = evaluate(program, inputs.values, inputs.sizes, rounding)
    click.echo(explanation_text(steps_of(evaluation, rounding)), nl=False)


@gradc.command()
@speaks
def examples() -> None:
    """List, compile, run and check the examples that come with gradc."""
    from ..examples.__main__ import run_all

    if not run_all():
        raise Failed
