"""A picture in the language of Graphviz, to be changed or drawn by other tools."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from .folding import Scene, Wire, scene
from .markup import escaped
from .model import Box, Path, Picture
from .themes import LIGHT


def dot(picture: Picture, folded: Collection[Path] = ()) -> str:
    """The text of a ``digraph``, its labels in the colours of the picture."""
    return "\n".join(_Writer(scene(picture, folded)).lines(picture.title)) + "\n"


class _Writer:
    def __init__(self, shown: Scene) -> None:
        self.shown = shown
        self.names: dict[Box | Wire, str] = {box: f"b{i}" for i, box in enumerate(shown.boxes)}
        for i, wire in enumerate(shown.wires):
            if wire.target is None:
                self.names[wire] = f"w{i}"

    def lines(self, title: str) -> Iterator[str]:
        yield "digraph {"
        yield f"  rankdir=LR; tooltip=<{escaped(title)}>"
        yield '  node [fontname="Helvetica"]; edge [fontname="Helvetica" fontsize=11]'
        yield from self.group((), "  ")
        for wire in self.shown.wires:
            end = self.names[wire.target if wire.target is not None else wire]
            arrow = " arrowhead=none" if wire.target is None else ""
            yield f"  {self.names[wire.source]} -> {end} [label=<{_label(wire)}>{arrow}]"
        yield "}"

    def group(self, path: Path, indent: str) -> Iterator[str]:
        for box in self.shown.boxes:
            if box.group == path:
                yield f"{indent}{self.names[box]} [{_box(box)}]"
        for wire in self.shown.wires:
            if wire.target is None and wire.group == path:
                shape = "shape=point width=0.05" if wire.forks else 'shape=none label="" width=0'
                yield f"{indent}{self.names[wire]} [{shape}]"
        for number, group in enumerate(self.shown.groups):
            if group.path[:-1] == path:
                yield f"{indent}subgraph cluster_{number} {{"
                yield f"{indent}  label=<{escaped(group.heading)}>; style=dotted"
                yield from self.group(group.path, indent + "  ")
                yield f"{indent}}}"


def _box(box: Box) -> str:
    name = f'<BR/><FONT POINT-SIZE="11">{escaped(box.name)}</FONT>' if box.name else ""
    corners = "filled" if box.sort in ("input", "data") else "filled,rounded"
    style = f"{corners},dashed" if box.sort in ("data", "given", "state") else corners
    fill = LIGHT.get(box.sort, LIGHT["box"])
    width = " penwidth=2" if box.is_output else ""
    return (
        f'label=<{escaped(box.symbol)}{name}> shape=box style="{style}" fillcolor="{fill}"{width}'
    )


def _label(wire: Wire) -> str:
    """The value above the gradient."""
    pairs = [(line, LIGHT["value"]) for line in wire.value]
    pairs += [(line, LIGHT["gradient"]) for line in wire.gradient]
    return "<BR/>".join(f'<FONT COLOR="{colour}">{escaped(line)}</FONT>' for line, colour in pairs)
