"""The command ``gradc``. Everything heavy is imported by the command that needs it.

Exit status: 0 ok, 1 the specification is wrong, 2 usage, 3 a check failed, 70 internal.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import Any

import click

from .. import __version__
from .console import (
    FAILED,
    INTERNAL,
    USAGE,
    WRONG,
    Failed,
    checked_source,
    code_options,
    colours,
    input_options,
    inputs_from,
    options_from,
    paths_argument,
    show,
    source_of,
    speaks,
    spec_argument,
    specifications,
    strict_option,
    texts_argument,
)
from .explanation.commands import explain, quiz
from .grading.commands import grade
from .page.commands import draw, view

STAGES = ("ast", "checked", "graph", "gradient", "passes", "python")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gradc")
def gradc() -> None:
    """Compile specifications of functions to their gradients."""


def main() -> None:
    """The entry point: runs a command, and turns what goes wrong into words and a status."""
    gc.disable()  # A command is short, and what it allocates is mostly in use to its end.
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


# ── Commands ────────────────────────────────────────────────────────────────


@gradc.command()
@paths_argument
@click.option("-o", "--output", help="The file to write, or a folder for several.")
@click.option("--stdout", "to_stdout", is_flag=True, help="Print the module instead.")
@click.option("--force", is_flag=True, help="Overwrite a file that gradc did not generate.")
@code_options
@strict_option
@speaks
def build(paths: tuple[str, ...], output: str | None, to_stdout: bool, force: bool, strict: bool,
          **code: Any) -> None:  # fmt: skip
    """Write the Python module of each SPEC beside it. SPEC is a file, a folder, or -."""
    from . import driver
    from .build import destination, write_module
    from .driver import UsageError

    options = options_from(**code)
    specs = [(spec, path) for path in paths for spec in specifications([path])]
    targets: set[Path] = set()
    failed = False
    from ..dsl.errors import SpecError

    for spec, path in specs:
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
        if to_stdout or output == "-" or (spec == "-" and output is None):
            click.echo(text, nl=False)
            continue
        folder = path if path != "-" and Path(path).is_dir() else None
        target = destination(spec, output, folder, len(specs) > 1)
        if target in targets:
            raise UsageError(f"{target} would be written twice")
        targets.add(target)
        write_module(target, text, force)
        click.echo(f"{target} written")
    if failed:
        sys.exit(WRONG)


@gradc.command()
@paths_argument
@strict_option
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
@spec_argument
@input_options
@click.option("--out", type=click.Path(dir_okay=False), help="Write the results to an .npz file.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@speaks
def run(spec: str, example: str | None, words: tuple[str, ...], data: str | None, out: str | None,
        as_json: bool) -> None:  # fmt: skip
    """Run SPEC on an example or on given inputs: outputs and gradients."""
    from .given import InputError
    from .run import results, results_json, results_table, write_npz

    program = checked_source(spec)
    inputs = inputs_from(program, example, words, data)
    try:
        found = results(program, inputs)
    except InputError as error:
        raise click.UsageError(str(error)) from None
    if out:
        write_npz(Path(out), found)
    if as_json:
        click.echo(results_json(found))
    else:
        click.echo(results_table(found, colour=colours(sys.stdout)), nl=False)


@gradc.command()
@paths_argument
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
            click.echo(f"  {mark} {result.name}", color=colours(sys.stdout))
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
@spec_argument
@click.option(
    "--stage", type=click.Choice(STAGES), default="passes", show_default=True, help="Which one."
)
@click.option("--explain", is_flag=True, help="Also each rewrite of the passes.")
@code_options
@speaks
def show_stage(spec: str, stage: str, explain: bool, **code: Any) -> None:
    """Print what a stage of the compiler makes of SPEC."""
    from .driver import stages

    for found in stages(source_of(spec), options_from(**code)):
        if found.name == stage:
            click.echo(found.text, nl=False)
            for line in dict.fromkeys(map(str, found.rewrites)) if explain else ():
                click.echo(line)
            return


@gradc.command()
@texts_argument
@click.option("--check", "only_check", is_flag=True, help="Change nothing; status 3 if it would.")
@speaks
def fmt(paths: tuple[str, ...], only_check: bool) -> None:
    """Format each SPEC in place. From standard input, print it."""
    from ..dsl.errors import SpecError
    from ..dsl.format import format_program
    from ..dsl.parse import parse
    from .load import write_atomically

    changed = wrong = False
    for spec in specifications(paths):
        try:
            source = source_of(spec)
            text = format_program(parse(source))
        except SpecError as error:
            show(error.diagnostics)
            wrong = True
            continue
        if spec == "-" and not only_check:
            click.echo(text, nl=False)
        elif text != source.text:
            changed = True
            if not only_check:
                write_atomically(Path(spec), text)
            click.echo(f"{spec} {'would be formatted' if only_check else 'formatted'}")
    if wrong:
        sys.exit(WRONG)
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


for _command in (draw, explain, grade, quiz, view):
    gradc.add_command(_command)


@gradc.command()
@spec_argument
@input_options
@speaks
def trace(spec: str, example: str | None, words: tuple[str, ...], data: str | None) -> None:
    """Find where a value or gradient that is not finite comes from."""
    from ..dsl.errors import render
    from .trace import trace as traced

    program = checked_source(spec)
    found = traced(program, inputs_from(program, example, words, data))
    if not found.origins:
        click.echo(f"all values and gradients are finite; the largest is {found.largest}")
        return
    click.echo(found.what)
    for origin in found.origins:
        click.echo(render(origin, colour=colours(sys.stdout)))
    raise Failed


@gradc.command()
@spec_argument
@code_options
@speaks
def cost(spec: str, **code: Any) -> None:
    """Say what SPEC and its gradient cost: work, memory, and about how long it takes."""
    from dataclasses import replace

    from . import driver
    from .compilation import DEFAULT
    from .estimate import costs, table
    from .machine import machine

    options = options_from(**code)
    sizes = dict(options.sizes)
    program = checked_source(spec)
    compilation = driver.compiled(program, replace(options, sizes=()))
    interface = compilation.interface
    names = (*interface.sizes, *interface.open_sizes)
    for name in sizes:
        if name not in names:
            known = ", ".join(names) or "none"
            raise driver.UsageError(f"--size: there is no size `{name}` (there are: {known})")
    chosen = options.target != DEFAULT.target
    here = compilation.machine if chosen else machine()
    click.echo(table(costs(compilation), here, sizes, names), nl=False)


@gradc.command()
@speaks
def calibrate() -> None:
    """Measure what NumPy costs on this machine, for `gradc cost` and `--target native`."""
    from .calibrate import calibrate as measured
    from .load import write_atomically
    from .machine import as_json, calibration_path

    path = calibration_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, as_json(measured()))
    click.echo(f"{path} written")


@gradc.command()
@speaks
def examples() -> None:
    """List, compile, run and check the examples that come with gradc."""
    from ..examples.__main__ import run_all

    if not run_all():
        raise Failed
