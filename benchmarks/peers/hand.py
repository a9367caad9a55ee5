"""Hand tracking: how far points are from vertices of a hand whose bones are bent."""

from __future__ import annotations

from typing import Any

import numpy


def about(b: Any, first: int, second: int, angle: Any) -> Any:
    """For each angle a rotation in the plane of two axes."""
    cos, sin = numpy.zeros((4, 4)), numpy.zeros((4, 4))
    cos[first, first] = cos[second, second] = 1.0
    sin[first, second], sin[second, first] = -1.0, 1.0
    rest = numpy.eye(4) - cos
    angle = angle[:, None, None]
    return b.np.cos(angle) * cos + b.np.sin(angle) * sin + rest


def rotation(b: Any, r: Any) -> Any:
    np = b.np
    angle = np.sqrt(np.sum(r * r))
    k = r / angle
    S = b.stack([0 * k[0], -k[2], k[1], k[2], 0 * k[0], -k[0], -k[1], k[0], 0 * k[0]])
    S = S.reshape(3, 3)
    return numpy.eye(3) + np.sin(angle) * S + (1 - np.cos(angle)) * S @ S


def ht(
    b: Any,
    theta: Any,
    parents: Any,
    relatives: Any,
    inverses: Any,
    base: Any,
    weights: Any,
    correspondences: Any,
    points: Any,
) -> Any:
    np, bone = b.np, numpy.arange(len(parents))
    finger, joint = (bone - 2) // 4, (bone - 2) % 4
    moves = (bone >= 2) & (finger < 5) & (joint < 3)
    place = numpy.where(moves, 6 + 4 * finger + joint + (joint > 0), 0)
    turning = numpy.where(moves & (joint == 0), place + 1, 0)
    bend = theta[place] * moves
    turn = theta[turning] * (moves & (joint == 0))
    local = relatives @ about(b, 0, 1, turn) @ about(b, 1, 2, bend)
    pose: list[Any] = []
    for i, parent in enumerate(parents):
        pose.append(local[i] if parent < 0 else pose[parent] @ local[i])
    transform = b.stack(pose) @ inverses
    blend = np.einsum("vb,bij->vij", weights, transform)
    skin = np.einsum("vij,vj->vi", blend, base)[:, :3]
    position = skin @ rotation(b, theta[:3]).T + theta[3:6]
    return points - position[correspondences]
