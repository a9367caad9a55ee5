"""Helpers of rules in words."""

SILENT = ("spread", "reshape_like", "expand_dims", "alias", "as_float")
PHRASES = {
    "each": "{0} for each entry",
    "hits": "1 where {0} is {1}, shared by those that tie",
    "prod_others": "the product of the other entries of {0}",
    "median_weights": "1 at the median of {0}, or 1/2 at each of two",
    "running_sum": "sums of {0} from the other end",
    "place_like": "{0} in its place, 0 elsewhere",
    "diagonal_like": "{0} on the diagonal, 0 elsewhere",
    "trace_like": "{0} on the diagonal, 0 elsewhere",
    "untake": "{0} added up at {2}",
    "untake_along": "{0} added up at {2}",
    "untile": "{0}, its repeats added up",
    "unrepeat": "{0}, its repeats added up",
    "unwindow": "{0} added up where windows overlap",
    "unpad": "{0} without its borders",
    "unroll": "{0} rolled back",
    "untranspose": "{0}, its axes turned back",
    "part": "its part of {0}",
    "entry": "its entry of {0}",
}
