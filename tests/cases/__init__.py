"""Cases by hand, for operations whose signature does not say what to try; a file a family."""

from . import arrays, contractions, matrices, rearrange, splitting, statistics

CASES = [
    *arrays.CASES,
    *statistics.CASES,
    *rearrange.CASES,
    *splitting.CASES,
    *contractions.CASES,
    *matrices.CASES,
]
