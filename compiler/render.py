"""Nodes as Python expressions, with NumPy for arrays and ``math`` where every value is a scalar."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..dsl.graph import Node
from ..dsl.intervals import REAL, Interval
from ..dsl.kernels import of_number
from ..dsl.shapes import Shape
from ..dsl.sizes import Size, size_text
from ..dsl.subscripts import Cut, Index
from .schedule import is_weak
from .templates import ATOM, FLOOR, PRODUCT, SUM, Expression, fill, template, with_methods

# Multiples of pi and parts of it: by how much it is multiplied, or divided.
_OF_PI = {math.pi / n: (0, n) for n in range(2, 9)} | {n * math.pi: (n, 0) for n in range(1, 9)}


@dataclass
class Uses:
    """What the rendered code refers to: kernels, modules, sizes, the dtype."""

    kernels: set[str] = field(default_factory=set)
    number_kernels: set[str] = field(default_factory=set)
    """Those of numbers in a module whose others are of arrays."""
    modules: set[str] = field(default_factory=set)
    sizes: set[str] = field(default_factory=set)
    dtype: bool = False


class Renderer:
    """Renders the nodes of one function. ``names`` holds the nodes that have variables."""

    def __init__(
        self,
        scalar: bool,
        known: Mapping[Node, Interval],
        names: dict[Node, str],
        modules: Mapping[str, str],
        size_names: Mapping[str, str],
        dtype: str = "dtype",
        threads: int = 0,
        methods: bool = False,
    ) -> None:
        self.scalar = scalar
        self.known = known
        self.names = names
        self.modules = modules
        self.size_names = size_names
        self.dtype = dtype
        self.threads = threads
        self.methods = methods
        """Whether arrays are asked for what they can do by methods, not by functions."""
        self.apart = False
        """Whether it is for numbers in a module of arrays."""
        self.uses = Uses()
        self._texts: dict[str, str] = {}
        """The templates in use, with the names of modules here."""

    def of_numbers(self) -> Renderer:
        """One for a part of the function that computes with Python's numbers."""
        renderer = Renderer(True, self.known, self.names, self.modules, self.size_names, self.dtype)
        renderer.uses, renderer.apart = self.uses, True
        return renderer

    def expression(self, node: Node) -> Expression:
        """The name of a node, or the expression that computes it."""
        if node in self.names:
            return Expression(self.names[node])
        return self.computed(node)

    def computed(self, node: Node) -> Expression:
        if node.op.name == "constant":
            return self.number(node.attributes["value"])
        if node.op.name == "size":
            return self.size(node.attributes["size"])
        if self.scalar and node.op.name == "as_float" and node.operands[0].is_constant():
            return self.number(float(node.operands[0].attributes["value"]))
        return self.filled(node, self.text(node))

    def operand(self, node: Node, module: str) -> Expression:
        """The expression of an operand, in a call of ``module`` where that is given."""
        plain = node.op.name == "constant" and node not in self.names
        return self.number(node.attributes["value"], module) if plain else self.expression(node)

    def text(self, node: Node) -> str:
        """The template for a node: plain Python for numbers, NumPy for arrays."""
        if self.scalar or is_weak(node) or chooses_whole(node):
            return self.math_text(node)
        return self.numpy_text(node)

    def math_text(self, node: Node) -> str:
        """The ``math`` text, or a kernel where an operand may be outside what it allows."""
        op = node.op
        if not op.safe:
            return op.math
        for parameter, operand in zip(op.operands, node.operands, strict=False):
            allowed = op.safe.get(parameter.name)
            if allowed is None:
                continue
            known = self.known.get(operand, Interval()) if self.scalar else allowed
            mirrored = op.name == "divide" and known.high < 0.0
            if not known.within(allowed) and not mirrored:
                arguments = ", ".join(f"{{{p.name}}}" for p in op.operands)
                return f"_{op.name}({arguments})"
        return op.math

    def numpy_text(self, node: Node) -> str:
        text = whole_call(node, direct=bool(node.op.direct) and self.is_safe(node))
        if self.methods and node.operands and node.operands[0].type.rank:
            text = with_methods(text)
        if not node.op.results:
            return text
        result = node.attributes["result"]
        name = node.op.result_names(node.attributes)[result]
        return node.op.alone.get(name) or f"{text}[{result}]"

    def is_safe(self, node: Node) -> bool:
        """Whether every operand is known to be where the operation needs no check."""
        return all(
            self.known.get(operand, REAL).within(node.op.safe.get(parameter.name, REAL))
            for parameter, operand in zip(node.op.operands, node.operands, strict=False)
        )

    def filled(self, node: Node, text: str) -> Expression:
        if text not in self._texts:
            self._texts[text] = self.with_modules(self.with_kernel(text))
        module = "math" if text.startswith("math.") else ""
        rendered = [self.operand(operand, module) for operand in node.operands]
        if node.op.variadic:
            return fill(self._texts[text], {}, partial(self.option, node), rendered)
        operands = {p.name: e for p, e in zip(node.op.operands, rendered, strict=True)}
        return fill(self._texts[text], operands, partial(self.option, node))

    def with_kernel(self, text: str) -> str:
        """The template with the name that the kernel it calls has in the module."""
        head, *rest = text.split("(", 1)
        if not head.startswith("_"):
            return text
        if not self.apart:
            self.uses.kernels.add(head)
            return text
        self.uses.number_kernels.add(head)
        return "(".join([of_number(head), *rest])

    def with_modules(self, text: str) -> str:
        """The template with the names that NumPy and math are imported under."""
        for module in ("np", "math"):
            if f"{module}." in text:
                self.uses.modules.add(module)
        for module, name in self.modules.items():
            if name != module:
                text = text.replace(f"{module}.", f"{name}.")
        return text

    def uses_twice(self, node: Node, operand: Node) -> bool:
        """Whether a node's text would repeat an operand's."""
        if node.op.variadic:
            return node.operands.count(operand) > 1
        if node.operands.count(operand) == 1 and not template(self.text(node)).repeats:
            return False
        uses = template(self.text(node)).uses
        pairs = zip(node.op.operands, node.operands, strict=True)
        return sum([uses.get(p.name, 0) for p, o in pairs if o is operand]) > 1

    # ── Numbers, sizes, options ─────────────────────────────────────────────

    def module(self, name: str) -> str:
        self.uses.modules.add(name)
        return self.modules[name]

    def number(self, value: float | bool, module: str = "") -> Expression:
        """A number; those that are plainly pi, or a part of it, are written so."""
        module = module or ("math" if self.scalar else "np")
        if isinstance(value, (bool, int)):
            return Expression(str(value), ATOM if value >= 0 else PRODUCT)
        text = repr(abs(value))
        turns, parts = _OF_PI.get(abs(value), (0, 0))
        if turns or parts:
            text = f"{self.module(module)}.pi"
            text = f"{turns} * {text}" if turns > 1 else f"{text} / {parts}" if parts else text
        elif math.isinf(value):
            text = f"{self.module(module)}.inf"
        sign = "-" if math.copysign(1.0, value) < 0.0 else ""
        return Expression(f"{sign}{text}", PRODUCT if sign or turns > 1 or parts else ATOM)

    def size(self, size: Size) -> Expression:
        self.uses.sizes |= size.names()
        text = size_text(size, lambda name: self.size_names.get(name, name), "**")
        if text.isidentifier() or text.isdigit():
            return Expression(text)
        return Expression(text, SUM if len(size.terms) > 1 else FLOOR if "//" in text else PRODUCT)

    def shape(self, shape: Shape) -> str:
        texts = [self.size(size).text for size in shape]
        return f"({texts[0]},)" if len(texts) == 1 else f"({', '.join(texts)})"

    def option(self, node: Node, name: str) -> str | None:
        """The text of an option; ``None`` where NumPy has it by default."""
        if name == "dtype":
            self.uses.dtype = True
            return self.dtype
        if name == "rows":
            return self.size(node.attributes["shape"][0]).text
        if name == "array":
            return self.array_literal(node)
        if name in ("index", "index_object"):
            return self.index(node.attributes["index"], literal=name == "index")
        value = node.attributes[name]
        if name in ("shape", "window", "whole"):
            return self.shape(value)
        if name == "axis":
            return self.axis(node, value)
        if isinstance(value, bool):
            return str(value) if value else None
        if name == "widths":
            value = _fewest(value)
        if isinstance(value, float):
            return self.number(value).text
        return self.nested(value)

    def nested(self, value: Any) -> str:
        """Numbers and sizes, in tuples as they stand; one alone needs none."""
        if isinstance(value, tuple):
            texts = [self.nested(v) for v in value]
            return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"
        return self.size(value).text if isinstance(value, Size) else str(value)

    def axis(self, node: Node, value: Any) -> str | None:
        if isinstance(value, int):
            first = -node.operands[0].type.rank - (node.op.name == "stack")
            return None if value == first else str(value if value == -1 else value - first)
        rank = node.operands[0].type.rank
        # With `keepdims` the axes are named: else the stubs of NumPy promise a scalar.
        kept = node.attributes.get("keepdims") or node.op.name in ("softmax", "log_softmax")
        if value == tuple(range(-rank, 0)) and not kept:
            return None
        shown = tuple(axis if axis == -1 else axis + rank for axis in value)
        return str(shown[0]) if len(shown) == 1 else str(shown)

    def array_literal(self, node: Node) -> str:
        """The entries as nested lists."""
        texts = [self.expression(operand).text for operand in node.operands]
        for size in reversed(node.attributes["shape"]):
            count = size.constant
            assert count is not None
            texts = [f"[{', '.join(texts[i : i + count])}]" for i in range(0, len(texts), count)]
        return texts[0]

    def index(self, index: Index, *, literal: bool) -> str:
        items = [self.index_item(item) for item in index]
        text = ", ".join(items)
        return text if literal else f"{self.module('np')}.s_[{text}]"

    def index_item(self, item: Size | Cut) -> str:
        if isinstance(item, Size):
            return self.size(item).text
        start = None if item.step > 0 and item.start == Size.of(0) else item.start
        ends = ["" if end is None else self.size(end).text for end in (start, item.stop)]
        # Black puts spaces around the colon of a slice whose ends are not simple.
        simple = all(e == "" or e.lstrip("-").isalnum() or e.isidentifier() for e in ends)
        if simple:
            text = f"{ends[0]}:{ends[1]}"
        else:
            text = f"{ends[0]} : {ends[1]}".strip()
        if item.step == 1:
            return text
        return f"{text}:{item.step}" if simple else f"{text} : {item.step}"


def _fewest(widths: tuple[tuple[Size, Size], ...]) -> Any:
    """The widths of a padding in NumPy's shortest form: one for all, one pair, or all pairs."""
    if len(set(widths)) > 1:
        return widths
    before, after = widths[0]
    return before if before == after else widths[0]


def whole_call(node: Node, *, direct: bool = False) -> str:
    """NumPy's text of a call, all results together; ``direct`` where nothing need be checked."""
    text = (direct and node.op.direct) or node.op.numpy
    return text([o.type for o in node.operands], node.attributes) if callable(text) else text


def chooses_whole(node: Node) -> bool:
    """Whether a condition is one truth value that takes one branch or the other as it is."""
    if node.op.name != "where":
        return False
    condition, a, b = node.operands
    return not condition.type.rank and a.type.shape == b.type.shape == node.type.shape
