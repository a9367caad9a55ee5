"""Differentiation as an operation; ``compiler/nested.py`` puts the derivative in its place."""

from __future__ import annotations

from collections.abc import Sequence

from ..shapes import Kind, Mismatch, Type
from .declare import Attributes, Table

TABLE = Table()


def _gradient_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    """With ``entry_rank`` there is a gradient for each entry of ``y``, with respect to that many
    last axes of ``x``."""
    y, x = types
    if "entry_rank" in attributes:
        return x.with_shape(y.shape + x.shape[x.rank - attributes["entry_rank"] :]), attributes
    if y != Type(Kind.FLOAT):
        raise Mismatch(
            "G404",
            f"`grad` takes the derivative of a scalar float, not of {y}",
            f"this is {y}",
            "reduce it, for example with sum(...)",
            0,
        )
    if not x.is_float:
        raise Mismatch(
            "G404", f"`grad` takes the derivative with respect to a float, not {x}",
            f"this is {x}", operand=1,
        )  # fmt: skip
    return x, attributes


TABLE.declare(
    "grad", "value, x",
    "The gradient of a scalar with respect to the name `x`, through all paths between them.",
    infer=_gradient_type, numpy="", paper="grad({value}, {x})", latex=r"\nabla_{{x}} {value}",
    public=False,
)  # fmt: skip
