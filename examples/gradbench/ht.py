"""Hand tracking: the Jacobian has many rows and few columns, and is made of its columns."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from .functions import Floats, Function, Functions, Input, flat, floats, integers, load


def functions() -> Functions:
    vertices, surface = load("ht", "jvp"), load("ht_surface", "jvp")

    def model(us: Floats) -> ModuleType:
        return surface if len(us) else vertices

    def objective(theta: Floats, us: Floats, *data: Any) -> Any:
        inputs = (theta, us) if len(us) else (theta,)
        return model(us).forward(*inputs, *data)[0]

    def jacobian(theta: Floats, us: Floats, *data: Any) -> Any:
        inputs = (theta, us) if len(us) else (theta,)
        jvp = model(us).jvp
        # The coordinates of one point do not move another: a direction moves those of all points.
        own = [np.tile(axis, (len(us), 1)) for axis in np.eye(2)] if len(us) else []
        columns = [jvp(*inputs, *data, dus=along)[1].ravel() for along in own]
        columns += [jvp(*inputs, *data, dtheta=along)[1].ravel() for along in np.eye(len(theta))]
        return np.stack(columns, axis=1)

    return {
        "objective": Function(decode, objective, flat),
        "jacobian": Function(decode, jacobian),
    }


def decode(given: Input) -> tuple[Any, ...]:
    data = given["data"]
    model = data["model"]
    us = floats(given["us"]).reshape(-1, 2)
    bones = (
        integers(model["parents"]),
        floats(model["base_relatives"]),
        floats(model["inverse_base_absolutes"]),
        floats(model["base_positions"]),
        floats(model["weights"]),
    )
    triangles = (integers(model["triangles"]),) if len(us) else ()
    points = integers(data["correspondences"]), floats(data["points"])
    return (floats(given["theta"]), us, *bones, *triangles, *points)
