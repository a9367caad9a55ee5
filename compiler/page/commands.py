"""The commands ``gradc draw`` and ``gradc view``."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from ..console import checked_source, given_or_none, included, input_options, speaks, spec_argument


@click.command()
@spec_argument
@input_options
@click.option(
    "-o", "--output", metavar="FILE", help="An .svg, .png, .dot or .html file; else SVG is printed."
)
@click.option("--round", "digits", type=click.IntRange(0, 15), help="Round as on paper.")
@click.option("--fold", metavar="NAME", multiple=True,
              help="Draw a function, `scan` or `all` groups as one box each.")  # fmt: skip
@click.option("--unfold", is_flag=True, help="Show what is in groups, however much it is.")
@click.option("--theme", type=click.Choice(["auto", "light", "dark"]), default="auto",
              show_default=True, help="Colours.")  # fmt: skip
@speaks
def draw(spec: str, example: str | None, words: tuple[str, ...], data: str | None,
         output: str | None, digits: int | None, fold: tuple[str, ...], unfold: bool,
         theme: str) -> None:  # fmt: skip
    """Draw the graph of SPEC: inputs left, output right, values above, gradients below.

    An .html file is a page with the graph, the specification, the generated code and the
    explanation side by side.
    """
    from ..load import write_atomically
    from ..picture.engine import LayoutFailed, MissingLibrary
    from ..picture.png import NoFonts
    from ..picture.write import NoSuchGroup, drawn, suffix_of, to_fold, written
    from .view import written_page

    suffix = suffix_of(output)
    program = checked_source(spec)
    inputs = given_or_none(program, example, words, data)
    try:
        if suffix == ".html":
            content: str | bytes = written_page(program, inputs, digits, fold, unfold)
        else:
            picture = drawn(program, inputs, digits)
            content = written(picture, suffix, to_fold(picture, fold, unfold), theme)
    except (LayoutFailed, MissingLibrary, NoFonts, NoSuchGroup) as error:
        raise click.UsageError(str(error)) from None
    if output is None or output == "-":
        click.echo(content, nl=False)
        return
    write_atomically(Path(output), content)
    click.echo(f"{output} written")


@click.command()
@spec_argument
@input_options
@click.option("--round", "digits", type=click.IntRange(0, 15), help="Round as on paper.")
@click.option("--port", type=click.IntRange(1, 65535), help="By default any that is free.")
@click.option("--open", "open_", is_flag=True, help="Open it in the browser.")
@speaks
def view(spec: str, example: str | None, words: tuple[str, ...], data: str | None,
         digits: int | None, port: int | None, open_: bool) -> None:  # fmt: skip
    """Show the page of SPEC on this machine, anew whenever it is saved."""
    from .view import site
    from .view import view as show_site

    path = Path(spec)
    if not path.is_file():
        raise click.UsageError(f"{spec}: {'a folder' if path.is_dir() else 'no such file'}")
    shown = site(path, included(), partial(given_or_none, example=example, words=words, data=data),
                 digits, (Path(data),) if data else ())  # fmt: skip
    show_site(shown, port or 0, click.echo, open_)
