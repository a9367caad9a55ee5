"""The reference of ht: bones one by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def pose_of(theta: Any, bones: int) -> Any:
    pose = np.zeros((max(bones + 3, 24), 3), np.asarray(theta).dtype)
    pose[0], pose[1], pose[2] = theta[0:3], 1.0, theta[3:6]
    angles = iter(theta[6:])
    row = 5
    for _finger in range(5):
        for joint in range(3):
            pose[row, 0] = next(angles)
            if joint == 0:
                pose[row, 1] = next(angles)
            row += 1
        row += 1
    return pose


def turn(axis: int, angle: Any) -> Any:
    """The rotation about one axis."""
    R = np.eye(3, dtype=np.asarray(angle).dtype)
    first, second = [(1, 2), (2, 0), (0, 1)][axis]
    R[first, first] = R[second, second] = np.cos(angle)
    R[first, second], R[second, first] = -np.sin(angle), np.sin(angle)
    return R


def rotation(v: Any) -> Any:
    """Of a vector that is axis and angle, by Rodrigues' formula."""
    angle = np.sqrt(v @ v)
    if np.real(angle) < 1e-4:
        return np.eye(3)
    x, y, z = v / angle
    S = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * S + (1 - np.cos(angle)) * S @ S


def positions(theta: Any, model: Mapping[str, Any]) -> Any:
    bones = model["bone_count"]
    pose = pose_of(theta, bones)
    absolute: list[Any] = []
    for b in range(bones):
        local = np.eye(4, dtype=pose.dtype)
        local[:3, :3] = turn(2, pose[b + 3, 1]) @ turn(0, pose[b + 3, 0])
        relative = np.asarray(model["base_relatives"][b]) @ local
        parent = model["parents"][b]
        absolute.append(relative if parent < 0 else absolute[parent] @ relative)
    inverses = np.asarray(model["inverse_base_absolutes"])
    transforms = [absolute[b] @ inverses[b] for b in range(bones)]
    weights = model["weights"]
    found = []
    for v, base in enumerate(model["base_positions"]):
        moved = sum(weights[v][b] * (transforms[b] @ base)[:3] for b in range(bones))
        found.append(pose[1] * (rotation(pose[0]) @ moved) + pose[2])
    return np.array(found)


def errors(theta: Any, us: Any, data: Mapping[str, Any]) -> Any:
    """Of every correspondence; ``us`` may have no rows."""
    model = data["model"]
    found = positions(theta, model)
    result = []
    for i, c in enumerate(data["correspondences"]):
        at = found[c]
        if len(us):
            u, v = us[i]
            a, b, d = (found[t] for t in model["triangles"][c])
            at = u * a + v * b + (1 - u - v) * d
        result.append(data["points"][i] - at)
    return np.concatenate(result)
