"""A case to test: one operation in an expression, on operands of given types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gradc.dsl.shapes import Kind, Type

from ..helpers import type_of


@dataclass(frozen=True, eq=False)
class Case:
    """An expression of one operation on operands of given types."""

    op: str
    expression: str
    operands: Mapping[str, Type]
    options: Mapping[str, Any] = field(default_factory=dict)
    reference: Callable[..., Any] | None = None

    def __str__(self) -> str:
        types = ", ".join(f"{name}: {t}" for name, t in self.operands.items())
        return f"{self.expression} with {types}"

    @property
    def floats(self) -> list[str]:
        return [name for name, t in self.operands.items() if t.kind is Kind.FLOAT]


def special(
    text: str, reference: Callable[..., Any] | None, *operands: str, **options: Any
) -> Case:
    """A case by hand: ``special("dot(a, b)", np.dot, "a: float[3]", "b: float[3]")``."""
    types = {}
    for operand in operands:
        name, _, written = operand.partition(": ")
        types[name] = type_of(written)
    name = text.partition(":")[0] if ":" in text.partition("(")[0] else text.partition("(")[0]
    expression = text.removeprefix(f"{name}:").strip()
    return Case(name, expression, types, options, reference)
