"""By hand: networks, attention, convolution and regression."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def network(x: Any, target: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    a = x @ W1 + b1
    hidden = np.maximum(a, 0)
    logits = hidden @ W2 + b2
    logits = logits - np.max(logits, axis=1, keepdims=True)
    log_p = logits - np.log(np.sum(np.exp(logits), axis=1, keepdims=True))
    loss = -np.mean(np.sum(target * log_p, axis=1))
    d_logits = (np.exp(log_p) * np.sum(target, axis=1, keepdims=True) - target) / len(x)
    d_a = (d_logits @ W2.T) * (a > 0)
    return (
        loss,
        x.T @ d_a,
        np.sum(d_a, axis=0),
        hidden.T @ d_logits,
        np.sum(d_logits, axis=0),
    )


def logistic(X: Any, t: Any, w: Any, b: Any) -> Any:
    z = X @ w + b
    loss = np.mean(np.logaddexp(0, z) - t * z) + 0.01 * np.sum(w**2)
    d_z = (1 / (1 + np.exp(-z)) - t) / len(t)
    return loss, X.T @ d_z + 0.02 * w, np.sum(d_z)


def attention(x: Any, target: Any, Wq: Any, Wk: Any, Wv: Any) -> Any:
    q, k, v = x @ Wq, x @ Wk, x @ Wv
    scale = 1 / np.sqrt(q.shape[1])
    score = np.where(np.tril(np.ones((len(x), len(x)))) > 0, q @ k.T * scale, -np.inf)
    weight = np.exp(score - np.max(score, axis=1, keepdims=True))
    weight = weight / np.sum(weight, axis=1, keepdims=True)
    error = weight @ v - target
    d_y = 2 * error / error.size
    d_weight = d_y @ v.T
    d_score = weight * (d_weight - np.sum(d_weight * weight, axis=1, keepdims=True)) * scale
    d_q, d_k, d_v = d_score @ k, d_score.T @ q, weight.T @ d_y
    return np.mean(error**2), x.T @ d_q, x.T @ d_k, x.T @ d_v


def convolution(image: Any, target: Any, w: Any, b: Any) -> Any:
    windows = np.lib.stride_tricks.sliding_window_view(image, w.shape[2:], axis=(1, 2))
    y = b[:, None, None] + np.einsum("fcrs,cijrs->fij", w, windows)
    error = np.mean(np.maximum(y, 0), axis=(1, 2)) - target
    d_y = 2 * error[:, None, None] * (y > 0) / (y.shape[1] * y.shape[2])
    return np.sum(error**2), np.einsum("fij,cijrs->fcrs", d_y, windows), np.sum(d_y, axis=(1, 2))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "network": network,
    "logistic": logistic,
    "attention": attention,
    "convolution": convolution,
}
