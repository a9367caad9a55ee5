"""Cases by hand, for operations whose signature does not say what to try; a file a family."""

from . import arrays, contractions, matrices, statistics

CASES = [*arrays.CASES, *statistics.CASES, *contractions.CASES, *matrices.CASES]
