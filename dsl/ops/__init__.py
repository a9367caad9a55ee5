"""The table of operations. Each is declared once, in the file of its family."""

from . import (
    arrays,
    calculus,
    contractions,
    decompositions,
    diagonals,
    elementwise,
    functions,
    gather,
    indexing,
    linalg,
    loops,
    making,
    reductions,
    shaping,
    special,
    splitting,
    statistics,
)
from .declare import REQUIRED, Attributes, Chosen, Op, Parameter

_FAMILIES = (
    elementwise,
    functions,
    special,
    reductions,
    statistics,
    arrays,
    shaping,
    splitting,
    making,
    gather,
    indexing,
    linalg,
    loops,
    contractions,
    diagonals,
    decompositions,
    calculus,
)
OPS: dict[str, Op] = {name: op for family in _FAMILIES for name, op in family.TABLE.items()}

__all__ = ["OPS", "REQUIRED", "Attributes", "Chosen", "Op", "Parameter"]
