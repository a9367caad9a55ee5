"""Pictures in files, in the format that the name of the file ends in."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path as FilePath

from ...dsl.check import Checked
from ...dsl.lower import lower
from ..driver import UsageError
from ..evaluate import evaluate
from ..given import Inputs
from ..outline import outline
from .dot import dot
from .model import Path, Picture, picture
from .png import png
from .svg import svg

FORMATS = (".svg", ".png", ".dot", ".html")
_MANY = 80


class NoSuchGroup(Exception):
    """A group to be folded is not in the picture."""


def suffix_of(output: str | None) -> str:
    """The format of a file, SVG for standard output. Raises ``UsageError``."""
    if output is None or output == "-":
        return ".svg"
    suffix = FilePath(output).suffix.lower()
    if suffix not in FORMATS:
        raise UsageError(f"-o {output}: the name must end in {', '.join(FORMATS)}")
    return suffix


def drawn(program: Checked, inputs: Inputs | None = None, digits: int | None = None) -> Picture:
    """The picture of a specification; without inputs it has types in place of numbers."""
    if program.is_library:
        raise UsageError("the file has only functions, nothing to draw")
    if inputs is None:
        return picture(outline(lower(program.graph), program.program), program)
    rounding = digits if digits is not None else inputs.digits
    evaluation = evaluate(program, inputs.values, inputs.sizes, rounding)
    return picture(outline(evaluation.graph, program.program), program, evaluation, rounding)


def written(
    picture: Picture, suffix: str, folded: frozenset[Path] = frozenset(), theme: str = "auto"
) -> str | bytes:
    """The content of a file. Raises ``MissingLibrary`` and ``NoFonts``."""
    if suffix == ".dot":
        return dot(picture, folded)
    if suffix == ".png":
        return png(svg(picture, folded=folded, theme="light" if theme == "auto" else theme))
    return svg(picture, folded=folded, theme=theme)


def to_fold(picture: Picture, names: Iterable[str], unfold: bool) -> frozenset[Path]:
    """The groups of these names, ``all`` being every one; by default all in a large picture.

    A name is that of a function, ``scan``, or the heading of a group. Raises ``NoSuchGroup``.
    """
    names = list(names)
    everything = frozenset(group.path for group in picture.groups)
    if not names:
        return everything if len(picture.boxes) > _MANY and not unfold else frozenset()
    folded: set[Path] = set()
    for name in names:
        found = {p for p in everything if name in ("all", p[-1], p[-1].split(" ")[0])}
        if not found and name != "all":
            known = ", ".join(dict.fromkeys(group.heading for group in picture.groups)) or "none"
            raise NoSuchGroup(f"there is no group `{name}` (there are: {known})")
        folded |= found
    return frozenset(folded)
