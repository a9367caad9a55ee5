import numpy as np


def backward(x, target, W1, b1, W2, b2):
    before = x @ W1 + b1
    hidden = np.maximum(before, 0)
    logits = hidden @ W2 + b2
    p = np.exp(logits) / np.sum(np.exp(logits), axis=1, keepdims=True)
    dlog_p = -target / len(x)
    dlogits = dlog_p * (1 - p)
    dhidden = dlogits @ W2.T
    dbefore = dhidden * (hidden > 0)
    return {
        "log_p": dlog_p, "logits": dlogits, "hidden": dhidden,
        "W1": x.T @ dbefore, "b1": dbefore.sum(0), "W2": hidden.T @ dlogits, "b2": dlogits.sum(0),
    }  # fmt: skip
