"""The table of operations. Each is declared once, in the file of its family."""

from . import (
    arrays,
    calculus,
    contractions,
    decompositions,
    elementwise,
    functions,
    linalg,
    reductions,
)
from .declare import REQUIRED, Attributes, Chosen, Op, Parameter

FAMILIES = (
    elementwise,
    functions,
    reductions,
    arrays,
    linalg,
    contractions,
    decompositions,
    calculus,
)
OPS: dict[str, Op] = {
    name: op
    for family in (
        elementwise,
        functions,
        reductions,
        arrays,
        linalg,
        contractions,
        decompositions,
        calculus,
    )
    for name, op in family.TABLE.items()
}

__all__ = ["OPS", "REQUIRED", "Attributes", "Chosen", "Op", "Parameter"]
