"""How operations that are not canonical are written with those that are."""

from . import contractions, helpers, matrices, products, reductions, shapes
from .table import LOWERINGS

__all__ = ["LOWERINGS", "contractions", "helpers", "matrices", "products", "reductions", "shapes"]
