"""How operations that are not canonical are written with those that are."""

from . import helpers, matrices, products, reductions
from .table import LOWERINGS

__all__ = ["LOWERINGS", "helpers", "matrices", "products", "reductions"]
