"""Trains the network of two layers on two half-moons, with the gradients that gradc generates.

gradc build examples/network.grad         # or let gradc.load do it, as here
python examples/train_network.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradc
import numpy as np

HIDDEN = 16
RATE = 1.0
STEPS = 1000


def half_moons(count: int, seed: int) -> tuple[Any, Any]:
    """Points in the plane, on two arcs that reach into each other, and which arc each is on."""
    rng = np.random.default_rng(seed)
    label = np.arange(count) % 2
    angle = rng.uniform(0, np.pi, count)
    x = np.where(label == 0, np.cos(angle), 1 - np.cos(angle))
    y = np.where(label == 0, np.sin(angle), 0.5 - np.sin(angle))
    return np.stack([x, y], axis=1) + rng.normal(0, 0.1, (count, 2)), label


def initial(rng: Any) -> dict[str, Any]:
    """Small random weights, and biases of zero."""
    return {
        "W1": rng.normal(0, 1, (2, HIDDEN)),
        "b1": np.zeros(HIDDEN),
        "W2": rng.normal(0, 1, (HIDDEN, 2)) / HIDDEN**0.5,
        "b2": np.zeros(2),
    }


def accuracy(points: Any, label: Any, weights: dict[str, Any]) -> float:
    """The share of points that the network puts on their arc."""
    hidden = np.maximum(points @ weights["W1"] + weights["b1"], 0)
    logits = hidden @ weights["W2"] + weights["b2"]
    return float(np.mean(np.argmax(logits, axis=1) == label))


def train() -> tuple[list[float], float]:
    """The loss before and along the way, and the accuracy on points not seen in training."""
    network = gradc.load(Path(__file__).with_name("network.grad"))
    points, label = half_moons(200, seed=1)
    target = np.eye(2)[label]
    weights = initial(np.random.default_rng(3))
    losses = []
    for step in range(STEPS + 1):
        loss, gradients = network.value_and_grad(points, target, **weights)
        if step % 200 == 0:
            losses.append(float(loss))
        for name, gradient in gradients._asdict().items():
            weights[name] -= RATE * gradient
    return losses, accuracy(*half_moons(1000, seed=2), weights)


if __name__ == "__main__":
    losses, share = train()
    for i, loss in enumerate(losses):
        print(f"step {200 * i:4}: loss {loss:.4f}")
    print(f"{share:.1%} of 1,000 new points are right")
