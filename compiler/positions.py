"""Where a step of a loop stands: its index or block, and what is its own in arrays of all steps."""

from __future__ import annotations

from ..dsl.graph import Node
from ..dsl.loops import Loop, called
from ..dsl.sizes import ZERO, Size
from .names import Names, legal
from .render import Renderer
from .schedule import leading_cut


class Position:
    """The index has a name once something asks for it; ``part`` and ``block`` are the slice and
    the length of a block."""

    def __init__(self, loop: Loop, names: Names, renderer: Renderer) -> None:
        self.loop = loop
        self.names = names
        self.renderer = renderer
        self.index = self.block = self.part = ""

    def need_index(self) -> None:
        if not self.index:
            self.index = self.names.of_loop(legal(called(self.loop.index)))
            self.renderer.names[self.loop.index] = self.index

    def choose_block(self, threaded: bool) -> str:
        """How many entries a step does, as many as stay in the cache of a core: the statement
        that says so, if one is needed."""
        chunk = self.loop.chunk
        assert chunk is not None
        width = chunk.width.constant
        self.part = self.names.numbered("part")
        # Threads wait for each other between calls: they need more to do in each.
        room = chunk.room * 4 if threaded else chunk.room
        if width is not None:
            self.block = str(max(room // max(width, 1), chunk.least))
            return ""
        text = self.renderer.size(chunk.width).text
        text = text if text.isidentifier() else f"({text})"
        self.block = self.names.numbered("block")
        return f"{self.block} = max({room} // {text}, {chunk.least})"

    # ── The head ────────────────────────────────────────────────────────────

    def blocks(self, *, least: int) -> str:
        """The starts of blocks, of which there are at least so many."""
        self.need_index()
        stop = self.renderer.size(self.loop.stop).text
        if least and self.loop.stop.constant is None:
            stop = f"max({stop}, {least})"
        return f"range(0, {stop}, {self.block})"

    def counted(self, steps: Node | None) -> str:
        """The values of the index, in order; ``steps`` is how many there are, if that is known
        only when the module runs."""
        start = self.renderer.size(self.loop.start).text
        if steps is not None:
            count = self.renderer.expression(steps).text
            end = count if self.loop.start == ZERO else f"{start} + {count}"
        else:
            end = self.renderer.size(self.loop.stop).text
        counted = f"range({end})" if self.loop.start == ZERO else f"range({start}, {end})"
        return f"reversed({counted})" if self.loop.backwards else counted

    # ── Subscripts ──────────────────────────────────────────────────────────

    def begin_part(self) -> str:
        """The statement that names the block of a step."""
        self.need_index()
        return f"{self.part} = slice({self.index}, {self.index} + {self.block})"

    def count(self) -> str:
        """The statement that says how many entries a block has, where the code refers to it."""
        chunk = self.loop.chunk
        name = str(chunk.size) if chunk is not None else ""
        if name not in self.renderer.uses.sizes:
            return ""
        self.renderer.uses.sizes.remove(name)
        stop = self.renderer.size(self.loop.stop).text
        return f"{name} = min({self.block}, {stop} - {self.index})"

    def at(self, offset: Size = ZERO, turned: bool = False) -> str:
        """The index of the step, counted from 0, as a subscript."""
        self.need_index()
        base = offset - self.loop.start
        if turned:
            base = offset + self.loop.start
            return f"{self.renderer.size(base).text} - {self.index}"
        if base == ZERO:
            return self.index
        less = base.constant is not None and base.constant < 0
        sign, distance = ("-", ZERO - base) if less else ("+", base)
        return f"{self.index} {sign} {self.renderer.size(distance).text}"

    def row(self, place: Node, sequence: Node) -> str:
        """The entry of this step of an array, through a slice of it."""
        if self.loop.chunk is not None:
            text = self.renderer.expression(sequence).text
            return f"{text}[{self._along(self.loop.chunk.axis(place.type))}]"
        cut = leading_cut(sequence)
        if cut is None or sequence in self.renderer.names:
            return f"{self.renderer.names[sequence]}[{self.at()}]"
        base = self.renderer.expression(sequence.operands[0]).text
        start = cut.start
        if cut.step > 0:
            return f"{base}[{self.at(start or ZERO)}]"
        size = sequence.operands[0].type.shape[0]
        return f"{base}[{self.at(size - 1 if start is None else start, turned=True)}]"

    def of(self, node: Node) -> str:
        """Where the value of a step goes in the array of all."""
        if self.loop.chunk is None:
            return self.at()
        return self._along(self.loop.chunk.axis(node.type))

    def _along(self, axis: int) -> str:
        """The entries of a block, as a subscript."""
        return ":, " * axis + self.part
