"""The table of operations. Each is declared once, in the file of its family."""

from . import (
    arrays,
    calculus,
    diagonals,
    elementwise,
    functions,
    gather,
    linalg,
    making,
    reductions,
    shaping,
)
from .declare import REQUIRED, Attributes, Op, Parameter

FAMILIES = (
    elementwise, functions, reductions, arrays, shaping, making, gather, linalg, diagonals,
    calculus,
)  # fmt: skip
OPS: dict[str, Op] = {name: op for family in FAMILIES for name, op in family.TABLE.items()}

__all__ = ["OPS", "REQUIRED", "Attributes", "Op", "Parameter"]
