"""Operations on numbers written as if nothing could raise."""

from __future__ import annotations

from ..dsl.graph import Node
from .render import Renderer

# What a helper computes where nothing raises, where that is not the operation's own text.
_TEXTS = {
    "power": "math.pow({a}, {b})",
    "sigmoid": "1.0 / (1.0 + math.exp(-{x}))",
    "softplus": "max({x}, 0.0) + math.log1p(math.exp(-abs({x})))",
    "relu": "0.0 if {x} <= 0.0 else {x}",
    "maximum": "{b} if {a} < {b} or math.isnan({b}) else {a}",
    "minimum": "{b} if {a} > {b} or math.isnan({b}) else {a}",
}


class Direct(Renderer):
    """Renders without helpers. ``guarded`` are nodes of branches: those that are not taken may
    well raise, and need them."""

    def __init__(self, careful: Renderer, guarded: set[Node]) -> None:
        super().__init__(
            careful.scalar, careful.known, careful.names, careful.modules, careful.size_names,
            careful.dtype,
        )  # fmt: skip
        self.uses, self.apart = careful.uses, careful.apart
        self.guarded = guarded

    def math_text(self, node: Node) -> str:
        text = super().math_text(node)
        if not text.startswith("_") or node in self.guarded or not node.type.is_float:
            return text
        own = "" if node.op.math.startswith("_") else node.op.math
        return _TEXTS.get(node.op.name) or own or text

    def saves(self, node: Node) -> bool:
        """Whether a node is written in another way than with care."""
        computed = bool(node.operands) and not node.type.rank and bool(node.op.math)
        return computed and self.math_text(node) != super().math_text(node)
