"""Arrays where a function that computes with numbers takes or returns them.

They are taken apart into variables before the first statement, and results are put together after
the last. In modules that compute with arrays, or take none, nothing of this is written.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from ..dsl.graph import Node, topological
from ..dsl.shapes import Kind
from .names import Names, legal, temporary
from .python import INDENT, exploded, fits
from .render import Renderer
from .setting import Setting

_DTYPES = {Kind.INT: "int64", Kind.BOOL: "bool_"}
# A nested list of texts, the entries of an array.
Nested: TypeAlias = "str | list[Nested]"


class Boundary:
    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.active = setting.scalar and setting.arrays

    def given(self, nodes: Iterable[Node], results: Iterable[Node]) -> list[Node]:
        """What is given, with the entries of it that results need."""
        given = list(nodes)
        if not self.active:
            return given
        needed = topological(self.parts(results), given)
        return [*given, *(node for node in needed if node.op.name == "getitem")]

    def parts(self, results: Iterable[Node]) -> list[Node]:
        """The numbers that results are made of."""
        if not self.active:
            return list(results)
        return [part for node in results for part in (node.operands if node.type.rank else [node])]

    # ── Taken apart ─────────────────────────────────────────────────────────

    def opened(self, given: Iterable[Node], renderer: Renderer, names: Names) -> list[str]:
        """Statements that give each entry a variable."""
        entries: dict[Node, list[Node]] = {}
        for node in given if self.active else ():
            if node.op.name == "getitem":
                entries.setdefault(node.operands[0], []).append(node)
        lines: list[str] = []
        for array, used in entries.items():
            for entry in used:
                renderer.names[entry] = names.fresh(legal(entry.name))
            places = {_constants(entry): renderer.names[entry] for entry in used}
            shape = [size.constant or 0 for size in array.type.shape]
            texts = [places.get(_place(i, shape), "_") for i in range(math.prod(shape))]
            source = f" = {renderer.names[array]}.tolist()"
            lines += _assignment(_nested(texts, shape), source)
        return lines

    # ── Put together ────────────────────────────────────────────────────────

    def results(
        self, nodes: Sequence[Node], renderer: Renderer, names: Names, lines: list[str]
    ) -> list[str]:
        """The texts of results; statements that make arrays are added to ``lines``."""
        texts = []
        for node in nodes:
            text = renderer.expression(node).text if not node.type.rank else ""
            if node.type.rank:
                text = self.name(node, names)
                lines += self.whole(node, text, renderer)
            elif node.type.is_float and self.active:
                renderer.uses.dtype = True
                text = f"{self.setting.dtype}.type({text})"
            elif node.type.kind is Kind.INT and self.active and not node.is_constant():
                text = f"int({text})"  # Helpers of numbers speak of floats.
            texts.append(text)
        return texts

    def name(self, node: Node, names: Names) -> str:
        if node.name:
            return names.fresh(legal(node.name))
        return names.numbered(temporary(node, {}) if node.adjoint_of is not None else "result")

    def whole(self, node: Node, name: str, renderer: Renderer) -> list[str]:
        """``d_x = np.array([d_x_0, d_x_1], dtype)``; a matrix is given its shape afterwards, which
        takes two thirds of the time of nested lists."""
        np = renderer.module("np")
        dtype = self.setting.dtype
        if node.type.is_float:
            renderer.uses.dtype = True
        else:
            dtype = f"{np}.{_DTYPES[node.type.kind]}"
        entries = [renderer.expression(operand).text for operand in node.operands]
        shaped = f".reshape({renderer.shape(node.type.shape)[1:-1]})" if node.type.rank > 1 else ""
        listed = f"[{', '.join(entries)}]"
        head, tail = f"{INDENT}{name} = {np}.array(", f"){shaped}"
        if fits(f"{head}{listed}, {dtype}{tail}"):
            return [f"{head}{listed}, {dtype}{tail}"]
        deeper = INDENT * 2
        if shaped and fits(f"{head}{listed}, {dtype}).reshape("):
            first, last = f"{head}{listed}, {dtype}).reshape(", shaped[len(".reshape(") : -1]
            return [first, f"{deeper}{last}", f"{INDENT})"]
        if fits(f"{deeper}{listed}, {dtype}"):
            return [head, f"{deeper}{listed}, {dtype}", INDENT + tail]
        if not fits(f"{deeper}{listed},"):
            return [head, *exploded("[", entries, "],", deeper), f"{deeper}{dtype},", INDENT + tail]
        return [head, f"{deeper}{listed},", f"{deeper}{dtype},", INDENT + tail]


def _constants(entry: Node) -> tuple[int, ...]:
    return tuple(size.constant or 0 for size in entry.attributes["index"])


def _place(number: int, shape: Sequence[int]) -> tuple[int, ...]:
    """The subscript of an entry, given its number in order."""
    place: list[int] = []
    for length in reversed(shape):
        number, rest = divmod(number, length)
        place.insert(0, rest)
    return tuple(place)


def _nested(texts: Sequence[str], shape: Sequence[int]) -> list[Nested]:
    nested: list[Nested] = list(texts)
    for length in reversed(shape[1:]):
        nested = [nested[i : i + length] for i in range(0, len(nested), length)]
    return nested


def _tuple(nested: Nested) -> str:
    if isinstance(nested, str):
        return nested
    return f"({', '.join(map(_tuple, nested))}{',' * (len(nested) == 1)})"


def _assignment(nested: list[Nested], source: str) -> list[str]:
    """Variables for entries; a line for each row where they do not fit on one."""
    items = [_tuple(item) for item in nested]
    line = f"{INDENT}{', '.join(items)}{source}" if len(items) > 1 else ""
    line = line or f"{INDENT}{_tuple(nested)}{source}"
    if fits(line):
        return [line]
    lines = _broken(nested, INDENT)
    return [*lines[:-1], lines[-1].removesuffix(",") + source]


def _broken(nested: Nested, indent: str) -> list[str]:
    """A tuple broken into lines, as Black and Ruff break it."""
    line = f"{indent}{_tuple(nested)},"
    if isinstance(nested, str) or (fits(line) and indent != INDENT):
        return [line]
    body = [part for item in nested for part in _broken(item, indent + INDENT)]
    return [f"{indent}(", *body, f"{indent}),"]
