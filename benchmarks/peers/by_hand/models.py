"""By hand: a mixture of Gaussians, an LSTM, and the blocks of bundle adjustment."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np


def gmm(x: Any, gamma: Any, m: int, alpha: Any, mu: Any, q: Any, l: Any) -> Any:  # noqa: E741
    (N, D), K = x.shape, len(alpha)
    column, row = np.triu_indices(D, 1)
    diagonal = np.arange(D)
    Q = np.zeros((K, D, D))
    Q[:, row, column] = l
    Q[:, diagonal, diagonal] = np.exp(q)
    away = x[:, None] - mu
    y = np.einsum("kij,nkj->nki", Q, away)
    weights = np.exp(alpha) / np.sum(np.exp(alpha))
    log_p = np.log(weights) + np.sum(q, axis=1) - np.sum(y**2, axis=2) / 2
    top = np.max(log_p, axis=1, keepdims=True)
    total = np.log(np.sum(np.exp(log_p - top), axis=1, keepdims=True)) + top
    nu = D + m + 1
    log_gamma = D * (D - 1) / 4 * math.log(math.pi) + sum(
        math.lgamma((nu + 1 - j) / 2) for j in range(1, D + 1)
    )
    posterior = (
        np.sum(total)
        - N * D / 2 * math.log(2 * math.pi)
        + K * (nu * D * math.log(gamma / math.sqrt(2)) - log_gamma)
        - gamma**2 / 2 * (np.sum(np.exp(q) ** 2) + np.sum(l**2))
        + m * np.sum(q)
    )
    share = np.exp(log_p - total)
    count = np.sum(share, axis=0)
    d_y = -share[:, :, None] * y
    d_Q = np.einsum("nki,nkj->kij", d_y, away)
    d_mu = -np.einsum("kij,nki->kj", Q, d_y)
    d_q = count[:, None] + m + d_Q[:, diagonal, diagonal] * np.exp(q)
    return (
        posterior,
        count - N * weights,
        d_mu,
        d_q - gamma**2 * np.exp(q) ** 2,
        d_Q[:, row, column] - gamma**2 * l,
    )


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def lstm(main: Any, extra: Any, memory: Any, sequence: Any) -> Any:
    (T, B), L = sequence.shape, len(main) // 2
    W, b = main[0::2].reshape(L, 4, B), main[1::2].reshape(L, 4, B)
    said, kept = list(memory[0::2]), list(memory[1::2])
    steps, top = [], []
    for t in range(T - 1):
        x = sequence[t] * extra[0]
        for i in range(L):
            forget = sigmoid(x * W[i, 0] + b[i, 0])
            enter = sigmoid(said[i] * W[i, 1] + b[i, 1])
            leave = sigmoid(x * W[i, 2] + b[i, 2])
            change = np.tanh(said[i] * W[i, 3] + b[i, 3])
            cell = kept[i] * forget + enter * change
            out = np.tanh(cell)
            steps.append((x, said[i], kept[i], forget, enter, leave, change, out))
            kept[i] = cell
            said[i] = x = leave * out
        top.append(x)
    shown = np.array(top)
    y = shown * extra[1] + extra[2]
    total = 2 + np.sum(np.exp(y), axis=1, keepdims=True)
    loss = -np.mean(sequence[1:] * (y - np.log(total)))

    d_log_p = -sequence[1:] / y.size
    d_y = d_log_p - np.exp(y) / total * np.sum(d_log_p, axis=1, keepdims=True)
    d_extra = np.stack([np.zeros(B), np.sum(d_y * shown, axis=0), np.sum(d_y, axis=0)])
    d_W, d_b = np.zeros_like(W), np.zeros_like(b)
    d_said, d_kept = [np.zeros(B)] * L, [np.zeros(B)] * L
    for t in reversed(range(T - 1)):
        d_x = d_y[t] * extra[1]
        for i in reversed(range(L)):
            x, before, cell, forget, enter, leave, change, out = steps[t * L + i]
            d_out = d_x + d_said[i]
            d_cell = d_kept[i] + d_out * leave * (1 - out**2)
            d_kept[i] = d_cell * forget
            gates = (
                d_cell * cell * forget * (1 - forget),
                d_cell * change * enter * (1 - enter),
                d_out * out * leave * (1 - leave),
                d_cell * enter * (1 - change**2),
            )
            for g, (gate, source) in enumerate(zip(gates, (x, before, x, before), strict=True)):
                d_W[i, g] += gate * source
                d_b[i, g] += gate
            d_x = gates[0] * W[i, 0] + gates[2] * W[i, 2]
            d_said[i] = gates[1] * W[i, 1] + gates[3] * W[i, 3]
        d_extra[0] += d_x * sequence[t]
    d_main = np.empty_like(main)
    d_main[0::2], d_main[1::2] = d_W.reshape(L, -1), d_b.reshape(L, -1)
    return loss, d_main, d_extra


def skew(v: Any) -> Any:
    """The matrices that multiply by ``v`` from the left as the cross product does."""
    S = np.zeros((len(v), 3, 3))
    S[:, 0, 1], S[:, 0, 2], S[:, 1, 2] = -v[:, 2], v[:, 1], -v[:, 0]
    return S - np.swapaxes(S, 1, 2)


def bundle(cameras: Any, points: Any, weights: Any, camera: Any, point: Any, feature: Any) -> Any:
    c, X, w = cameras[camera], points[point], weights[:, None, None]
    eye = np.eye(3)
    angle = np.sqrt(np.sum(c[:, :3] ** 2, axis=1))[:, None, None]
    k = c[:, :3] / angle[:, 0]
    v = X - c[:, 3:6]
    cos, sin = np.cos(angle), np.sin(angle)
    kk = k[:, :, None] * k[:, None, :]
    turn = cos * eye + sin * skew(k) + (1 - cos) * kk
    turned = np.einsum("pij,pj->pi", turn, v)
    d_turn = -sin * eye + cos * skew(k) + sin * kk
    d_angle = np.einsum("pij,pj->pi", d_turn, v)
    along = np.sum(k * v, axis=1)[:, None, None]
    d_k = -sin * skew(v) + (1 - cos) * (k[:, :, None] * v[:, None, :] + along * eye)
    d_r = d_angle[:, :, None] * k[:, None, :] + d_k @ (eye - kk) / angle

    depth = turned[:, 2:]
    p = turned[:, :2] / depth
    r2 = np.sum(p**2, axis=1)[:, None]
    focus, k1, k2 = c[:, 6:7], c[:, 9:10], c[:, 10:11]
    distortion = 1 + k1 * r2 + k2 * r2**2
    image = focus * distortion * p + c[:, 7:9] - feature
    outer = p[:, :, None] * p[:, None, :]
    d_p = focus[:, :, None] * (
        distortion[:, :, None] * np.eye(2) + 2 * (k1 + 2 * k2 * r2)[:, :, None] * outer
    )
    split = np.concatenate([np.tile(np.eye(2), (len(p), 1, 1)), -p[:, :, None]], axis=2)
    d_turned = d_p @ split / depth[:, :, None]
    by_place = d_turned @ turn

    blocks = np.empty((len(p), 2, 15))
    blocks[:, :, 0:3] = d_turned @ d_r
    blocks[:, :, 3:6] = -by_place
    blocks[:, :, 6] = distortion * p
    blocks[:, :, 7:9] = np.eye(2)
    blocks[:, :, 9] = focus * r2 * p
    blocks[:, :, 10] = focus * r2**2 * p
    blocks[:, :, 11:14] = by_place
    blocks *= w
    blocks[:, :, 14] = image
    return w[:, 0] * image, blocks


def ba(cameras: Any, points: Any, weights: Any, camera: Any, point: Any, feature: Any) -> Any:
    return bundle(cameras, points, weights, camera, point, feature)[1], -2 * weights


FUNCTIONS: dict[str, Callable[..., Any]] = {"gmm": gmm, "lstm": lstm, "bundle": bundle, "ba": ba}
