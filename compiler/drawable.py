"""Specifications that notebooks show as pictures of their graphs."""

from __future__ import annotations

from ..dsl.check import Checked
from .picture.engine import LayoutFailed, MissingLibrary


class Drawing:
    """A picture that notebooks show."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return "<picture of a graph>"

    def _repr_svg_(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        """The same where wide pictures can be scrolled."""
        return f'<div style="overflow-x: auto">{self.text}</div>'


class Drawable(Checked):
    """A checked specification that notebooks show as its graph, with the numbers of its first
    example. Without Graphviz it is a line of text."""

    def __repr__(self) -> str:
        inputs = ", ".join(i.name for i in self.interface.inputs)
        outputs = ", ".join(self.interface.outputs) or "nothing"
        return f"<graph of {self.program.source.name}: {outputs} from {inputs or 'nothing'}>"

    def _repr_svg_(self) -> str | None:
        found = self._drawing()
        return found._repr_svg_() if found is not None else None

    def _repr_html_(self) -> str | None:
        found = self._drawing()
        return found._repr_html_() if found is not None else None

    def _drawing(self) -> Drawing | None:
        try:
            return drawing(self) if not self.is_library else None
        except (LayoutFailed, MissingLibrary):
            return None


def drawable(program: Checked) -> Drawable:
    return Drawable(program.program, program.graph, program.examples, program.warnings)


def drawing(
    program: Checked, example: str | None = None, digits: int | None = None,
    fold: tuple[str, ...] = (), unfold: bool = False,
) -> Drawing:  # fmt: skip
    """The picture with the numbers of an example, if the specification has one.

    Raises ``InputError``, ``MissingLibrary``, ``LayoutFailed`` and ``NoSuchGroup``.
    """
    from .given import from_example
    from .picture.svg import svg
    from .picture.write import drawn, to_fold

    inputs = None
    if example is not None or program.examples:
        inputs = from_example(program, example)
    picture = drawn(program, inputs, digits)
    return Drawing(svg(picture, folded=to_fold(picture, fold, unfold)))
