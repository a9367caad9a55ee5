"""The command ``gradc grade``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ..console import (
    USAGE,
    Failed,
    checked_source,
    colours,
    input_options,
    inputs_from,
    speaks,
    spec_argument,
)


@click.command()
@spec_argument
@click.argument("student", type=click.Path(exists=True, dir_okay=False))
@input_options
@click.option("--function", metavar="NAME", help="Which function of the file to grade.")
@click.option("--timeout", type=click.FloatRange(0.1, 3600), default=10.0, show_default=True,
              metavar="S", help="Seconds that the student's file may take.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text",
              show_default=True, help="For reading, or for a grader.")  # fmt: skip
@speaks
def grade(spec: str, student: str, example: str | None, words: tuple[str, ...], data: str | None,
          function: str | None, timeout: float, form: str) -> None:  # fmt: skip
    """Grade the gradient in STUDENT, a Python file, and name its mistakes.

    The file has `backward`, `gradient`, `grad` or `value_and_grad`, which takes the inputs of SPEC.
    It runs in a process of its own, with limits, but not in a sandbox.
    """
    from .grade import grade as graded
    from .report import as_json, failure_json, failure_text, text
    from .student import StudentError

    program = checked_source(spec)
    inputs = inputs_from(program, example, words, data)
    try:
        found = graded(program, spec, inputs, Path(student), function, timeout)
    except StudentError as error:
        if form == "json":
            click.echo(failure_json(spec, student, error))
        else:
            click.echo(failure_text(student, error), err=True)
        sys.exit(USAGE)
    if form == "json":
        click.echo(as_json(found))
    else:
        click.echo(text(found, colour=colours(sys.stdout)), nl=False)
    if not found.is_right:
        raise Failed
