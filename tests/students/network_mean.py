import numpy as np


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def backward(x, target, W1, b1, W2, b2):
    before = x @ W1 + b1
    hidden = np.maximum(before, 0)
    dlogits = softmax(hidden @ W2 + b2) - target
    dbefore = dlogits @ W2.T * (before > 0)
    return {
        "dW1": x.T @ dbefore,
        "db1": dbefore.sum(axis=0),
        "dW2": hidden.T @ dlogits,
        "db2": dlogits.sum(axis=0),
    }
