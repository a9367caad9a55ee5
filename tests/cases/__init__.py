"""Cases by hand, for operations whose signature does not say what to try; a file a family."""

from . import arrays, matrices

CASES = [*arrays.CASES, *matrices.CASES]
