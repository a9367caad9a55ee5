"""``gradc view``: a specification's page, made of the files as they are now."""

from __future__ import annotations

import errno
import gc
import webbrowser
from collections.abc import Callable
from pathlib import Path

import click

from ...dsl.check import Checked
from ...dsl.errors import SpecError, render
from .. import driver
from ..given import Inputs
from ..picture.engine import LayoutFailed, MissingLibrary
from ..picture.write import NoSuchGroup, to_fold
from .build import page, parts_of
from .serve import Server, Site, Wrong

Choose = Callable[[Checked], Inputs | None]
"""The inputs to show. Raises ``ClickException`` where there are none such, and ``SpecError``."""


def written_page(
    program: Checked, inputs: Inputs | None, digits: int | None,
    fold: tuple[str, ...] = (), unfold: bool = False, live: str = "",
) -> str:  # fmt: skip
    """The page, with groups of these names folded. Raises as ``svg`` and ``to_fold`` do."""
    parts = parts_of(program, inputs, digits)
    return page(parts, to_fold(parts.picture, fold, unfold), live)


def site(
    path: Path, include: Path | None, choose: Choose, digits: int | None, others: tuple[Path, ...]
) -> Site:
    """The page of a specification, or what is wrong with it, whenever it is asked for."""

    def make(live: str) -> str:
        try:
            program = driver.checked(driver.read(path), include=include)
            return written_page(program, choose(program), digits, live=live)
        except SpecError as error:
            raise Wrong("\n\n".join(render(d) for d in error.diagnostics)) from None
        except click.ClickException as error:
            raise Wrong(error.format_message()) from None
        except (driver.UsageError, LayoutFailed, MissingLibrary, NoSuchGroup) as error:
            raise Wrong(str(error)) from None

    return Site(path, make, others)


def view(shown: Site, port: int, say: Callable[[str], None], open_: bool) -> None:
    """Serves a site until Ctrl-C. Raises ``UsageError`` where the port is taken."""
    gc.enable()  # This command is not short.
    try:
        server = Server(shown, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise driver.UsageError(f"--port {port}: something else uses this port") from None
        raise driver.UsageError(f"--port {port}: {error.strerror}") from None
    say(f"{server.address} shows {shown.path}; Ctrl-C ends")
    if open_:
        webbrowser.open(server.address)
    server.run()
