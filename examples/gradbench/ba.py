"""Bundle adjustment: one camera, point and observation repeated, and a sparse Jacobian."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .functions import Floats, Function, Functions, Input, floats, load

SHOWN = 30
"""How many entries of each part of the Jacobian are answered, before the last."""


class Sparse(NamedTuple):
    """A matrix in compressed rows: where each begins, then columns and values of the entries."""

    rows: NDArray[np.int64]
    cols: NDArray[np.int64]
    vals: Floats


def functions() -> Functions:
    model, derivatives = load("ba"), load("ba_jacobian")

    def objective(*arguments: Any) -> Any:
        return model.forward(*arguments)[0]

    def jacobian(cameras: Any, points: Any, weights: Any, camera: Any, point: Any, at: Any) -> Any:
        blocks, _ = derivatives.forward(cameras, points, weights, camera, point, at)
        return sparse(blocks.images, blocks.slopes, camera, point, len(cameras), len(points))

    return {
        "objective": Function(decode, objective, encode_errors),
        "jacobian": Function(decode, jacobian, encode_sparse),
    }


def decode(given: Input) -> tuple[Any, ...]:
    n, m, p = (int(given[name]) for name in ("n", "m", "p"))
    places = np.arange(p)
    return (
        np.tile(floats(given["cam"]), (n, 1)),
        np.tile(floats(given["x"]), (m, 1)),
        np.full(p, float(given["w"])),
        places % n,
        places % m,
        np.tile(floats(given["feat"]), (p, 1)),
    )


def sparse(images: Floats, slopes: Floats, camera: Any, point: Any, n: int, m: int) -> Sparse:
    """Two rows of 15 entries for each image, then one of 1 entry for each weight."""
    p = len(images)
    weight = 11 * n + 3 * m + np.arange(p)
    columns = np.empty((p, 2, 15), np.int64)
    columns[:, :, :11] = (11 * camera[:, None] + np.arange(11))[:, None]
    columns[:, :, 11:14] = (11 * n + 3 * point[:, None] + np.arange(3))[:, None]
    columns[:, :, 14] = weight[:, None]
    starts = np.concatenate([15 * np.arange(2 * p), 30 * p + np.arange(p + 1)])
    return Sparse(
        starts,
        np.concatenate([columns.ravel(), weight]),
        np.concatenate([images.ravel(), slopes]),
    )


def encode_errors(errors: Any) -> Any:
    """The first observation stands for all: they are the same."""
    count = len(errors.w_err)
    return {
        "reproj_error": {"elements": errors.reproj_error[0].tolist(), "repeated": count},
        "w_err": {"element": float(errors.w_err[0]), "repeated": count},
    }


def encode_sparse(matrix: Sparse) -> Any:
    return {
        name: [*part[:SHOWN].tolist(), part[-1].item()] for name, part in matrix._asdict().items()
    }
