"""Arrays where a function that computes with numbers takes or returns them.

They are taken apart into variables before the first statement, and results are put together after
the last. In modules that compute with arrays, or take none, nothing of this is written.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from ..dsl.graph import Graph, Node
from ..dsl.shapes import Kind
from .names import Names, legal, temporary
from .python import INDENT, fits
from .render import Renderer
from .setting import Setting

_DTYPES = {Kind.INT: "int64", Kind.BOOL: "bool_"}
# A nested list of texts, the entries of an array.
Nested: TypeAlias = "str | list[Nested]"


class Boundary:
    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.active = setting.scalar and setting.arrays

    def given(self, graph: Graph, nodes: Iterable[Node]) -> list[Node]:
        """What is given, with the entries of it that a graph uses."""
        wanted = list(nodes)
        if not self.active:
            return wanted
        arrays = {node for node in wanted if node.type.rank}
        entries = [n for n in graph.nodes if n.op.name == "getitem" and n.operands[0] in arrays]
        return [*wanted, *entries]

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
            texts.append(text)
        return texts

    def name(self, node: Node, names: Names) -> str:
        if node.name:
            return names.fresh(legal(node.name))
        return names.numbered(temporary(node, {}) if node.adjoint_of is not None else "result")

    def whole(self, node: Node, name: str, renderer: Renderer) -> list[str]:
        """``d_x = np.array([d_x_0, d_x_1], dtype)``."""
        np = renderer.module("np")
        dtype = self.setting.dtype
        if node.type.is_float:
            renderer.uses.dtype = True
        else:
            dtype = f"{np}.{_DTYPES[node.type.kind]}"
        entries = [renderer.expression(operand).text for operand in node.operands]
        shape = [size.constant or 0 for size in node.type.shape]
        nested = _nested(entries, shape)
        line = f"{INDENT}{name} = {np}.array({_list(nested)}, {dtype})"
        if fits(line):
            return [line]
        deeper = INDENT * 2
        inner = f"{deeper}{_list(nested)}, {dtype}"
        if fits(inner):
            return [f"{INDENT}{name} = {np}.array(", inner, f"{INDENT})"]
        body = [*_broken(nested, deeper, "[]"), f"{deeper}{dtype},"]
        return [f"{INDENT}{name} = {np}.array(", *body, f"{INDENT})"]


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


def _list(nested: Nested) -> str:
    return nested if isinstance(nested, str) else f"[{', '.join(map(_list, nested))}]"


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
    lines = _broken(nested, INDENT, "()")
    return [*lines[:-1], lines[-1].removesuffix(",") + source]


def _broken(nested: Nested, indent: str, brackets: str) -> list[str]:
    """An item of a list that is broken into lines, as Black and Ruff break it."""
    text = _list(nested) if brackets == "[]" else _tuple(nested)
    line = f"{indent}{text},"
    if isinstance(nested, str) or (fits(line) and brackets == "[]"):
        return [line]
    if fits(line) and indent != INDENT:
        return [line]
    body = [part for item in nested for part in _broken(item, indent + INDENT, brackets)]
    return [f"{indent}{brackets[0]}", *body, f"{indent}{brackets[1]},"]
