"""The table of operations. Each is declared once, in the file of its family."""

from . import arrays, calculus, elementwise, functions, linalg, reductions
from .declare import REQUIRED, Attributes, Op, Parameter

OPS: dict[str, Op] = {
    name: op
    for family in (elementwise, functions, reductions, arrays, linalg, calculus)
    for name, op in family.TABLE.items()
}

__all__ = ["OPS", "REQUIRED", "Attributes", "Op", "Parameter"]
