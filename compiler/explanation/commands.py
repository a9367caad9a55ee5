"""The commands ``gradc explain`` and ``gradc quiz``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..console import checked_source, input_options, inputs_from, listed, speaks, spec_argument

if TYPE_CHECKING:
    from .steps import Explanation

_part_options = (
    click.option("--round", "digits", type=click.IntRange(0, 15), help="Round as on paper."),
    click.option("--wrt", metavar="W,b", help="Only what leads to the gradients of these inputs."),
    click.option("--node", metavar="N", help="Only this value; also one in the step of a loop."),
)


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in _part_options:
        command = option(command)
    whole: Callable[..., Any] = spec_argument(input_options(command))
    return whole


@click.command()
@_options
@click.option("--format", "form", type=click.Choice(["text", "markdown", "latex", "html"]),
              default="text", show_default=True)  # fmt: skip
@speaks
def explain(spec: str, form: str, **chosen: Any) -> None:
    """Write out back-propagation through SPEC, step by step, with numbers."""
    from .formats import FORMATS

    click.echo(FORMATS[form](explained(spec, **chosen)), nl=False)


@click.command()
@_options
@click.option("--format", "form", type=click.Choice(["markdown", "latex"]),
              help="Markdown unless -o ends in .tex.")  # fmt: skip
@click.option("-o", "output", metavar="FILE", type=click.Path(dir_okay=False),
              help="Write the worksheet there, and its key beside it.")  # fmt: skip
@click.option("--key", is_flag=True, help="Print the key instead of the worksheet.")
@speaks
def quiz(spec: str, form: str | None, output: str | None, key: bool, **chosen: Any) -> None:
    """Write a worksheet with blanks of the explanation of SPEC, and the key to it."""
    from ..load import write_atomically
    from .quiz import quiz as sheets

    if key and output:
        raise click.UsageError("-o writes the key as well: leave out --key")
    found = explained(spec, **chosen)
    if not found.told:
        raise click.UsageError(found.sentence or "no gradient is asked for here")
    path = Path(output) if output else Path("worksheet.md")
    made = sheets(found, form or ("latex" if path.suffix == ".tex" else "markdown"))
    if not output:
        click.echo(made.key if key else made.worksheet, nl=False)
        return
    beside = path.with_name(f"{path.stem}-key{path.suffix}")
    write_atomically(path, made.worksheet)
    write_atomically(beside, made.key)
    click.echo(f"{path}, {beside}")


def explained(
    spec: str, example: str | None, words: tuple[str, ...], data: str | None, digits: int | None,
    wrt: str | None, node: str | None,
) -> Explanation:  # fmt: skip
    """The explanation that a command asks for."""
    from ..evaluate import evaluate
    from .build import explain as explanation_of
    from .select import UnknownValue, select

    program = checked_source(spec)
    inputs = inputs_from(program, example, words, data)
    rounding = digits if digits is not None else inputs.digits
    evaluation = evaluate(program, inputs.values, inputs.sizes, rounding)
    whole = explanation_of(evaluation, program.program, rounding)
    try:
        return select(whole, node, listed(wrt))
    except UnknownValue as error:
        raise click.UsageError(str(error)) from None
