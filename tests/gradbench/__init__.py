"""The GradBench programs written once more, with NumPy and by hand, to judge the specifications.

Functions are analytic where the mathematics is, so that the complex step goes through them.
"""
