import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def sigmoid_slope(z):
    return sigmoid(z) * (1 - sigmoid(z))


def gradient(x, W):
    q = sigmoid(W @ x)
    dq = 2 * q
    dm = dq * sigmoid_slope(q)  # It wants the input of the sigmoid, not its output.
    return W.T @ dm, np.outer(dm, x)
