"""Helpers of rules in words."""

SILENT = ("spread", "reshape_like", "expand_dims", "alias", "as_float")
PHRASES = {
    "each": "{0} for each entry",
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
