"""Cases by hand, for operations whose signature does not say what to try; a file a family."""

from . import arrays, rearrange

CASES = [*arrays.CASES, *rearrange.CASES]
