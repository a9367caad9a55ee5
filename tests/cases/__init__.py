"""Cases by hand, for operations whose signature does not say what to try; a file a family."""

from . import arrays, contractions, matrices, rearrange, statistics

CASES = [*arrays.CASES, *statistics.CASES, *rearrange.CASES, *contractions.CASES, *matrices.CASES]
