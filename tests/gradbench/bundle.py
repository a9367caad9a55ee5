"""The reference of ba: residuals one by one, the Jacobian dense."""

from __future__ import annotations

from typing import Any

import numpy as np


def project(cam: Any, X: Any) -> Any:
    rot, C, f, x0, k = cam[:3], cam[3:6], cam[6], cam[7:9], cam[9:11]
    P = X - C
    square = rot @ rot
    if square != 0:
        theta = np.sqrt(square)
        u = rot / theta
        cos, sin = np.cos(theta), np.sin(theta)
        R = P * cos + np.cross(u, P) * sin + u * (u @ P) * (1 - cos)
    else:
        R = P + np.cross(rot, P)
    p = R[:2] / R[2]
    r2 = p @ p
    return f * p * (1 + k[0] * r2 + k[1] * r2**2) + x0


def residuals(cams: Any, X: Any, w: Any, obs: Any, feats: Any) -> Any:
    """The two of each observation, then those of the weights."""
    errors = [w[i] * (project(cams[c], X[x]) - feats[i]) for i, (c, x) in enumerate(obs)]
    return np.concatenate([*errors, 1 - w**2])


def jacobian(cams: Any, X: Any, w: Any, obs: Any, feats: Any) -> Any:
    """Every derivative of every residual, column by column by the complex step."""
    shapes = [np.shape(v) for v in (cams, X, w)]
    point = np.concatenate([np.ravel(v) for v in (cams, X, w)]).astype(complex)
    ends = np.cumsum([np.prod(s) for s in shapes])[:-1]
    columns = []
    for place in range(point.size):
        moved = point.copy()
        moved[place] += 1e-30j
        parts = [p.reshape(s) for p, s in zip(np.split(moved, ends), shapes, strict=True)]
        columns.append(np.imag(residuals(*parts, obs, feats)) / 1e-30)
    return np.array(columns).T
