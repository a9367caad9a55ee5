"""Small inputs of every program as they come over the wire, and what the references answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..helpers import complex_step
from . import bundle, hand, loops, sums

rng = np.random.default_rng(7)
Wire = dict[str, Any]


def wire(**values: Any) -> Wire:
    return {n: v.tolist() if isinstance(v, np.ndarray) else v for n, v in values.items()}


def slope(function: Callable[..., Any], values: Wire, name: str) -> Any:
    arrays = {n: np.array(v, float) for n, v in values.items()}
    return complex_step(lambda moved: function(**moved), arrays, name)


# ── Sums ────────────────────────────────────────────────────────────────────

DET = wire(A=rng.normal(size=25), ell=5)
GMM = wire(
    alpha=rng.normal(size=3), mu=rng.normal(size=(3, 4)), q=rng.normal(size=(3, 4)),
    l=rng.normal(size=(3, 6)), x=rng.normal(size=(7, 4)), gamma=1.5, m=2,
)  # fmt: skip
SINGLE_GMM = wire(
    alpha=rng.normal(size=1), mu=rng.normal(size=(1, 2)), q=rng.normal(size=(1, 2)),
    l=rng.normal(size=(1, 1)), x=rng.normal(size=(3, 2)), gamma=1.0, m=0,
)  # fmt: skip
KMEANS = wire(points=rng.normal(size=(30, 3)), centroids=rng.normal(size=(4, 3)))
LLSQ = wire(x=rng.normal(size=6), n=11)
LSE = wire(x=rng.normal(size=9) * 3 + 800)


def gmm(given: Wire) -> float:
    return float(sums.gmm(**{n: np.array(v) for n, v in given.items()}))


def gmm_slopes(given: Wire) -> Wire:
    data = {"x": np.array(given["x"]), "gamma": given["gamma"], "m": given["m"]}
    active = {n: v for n, v in given.items() if n not in data}
    return {n: slope(lambda **a: sums.gmm(**a, **data), active, n) for n in active}


def kmeans_arrays(given: Wire) -> tuple[Any, Any]:
    return np.array(given["points"]), np.array(given["centroids"])


# ── Geometry ────────────────────────────────────────────────────────────────

BA = wire(
    n=3, m=4, p=7, cam=rng.normal(size=11), x=rng.normal(size=3), w=0.7, feat=rng.normal(size=2)
)
STILL_BA = {**BA, "cam": [0.0, 0.0, 0.0, *BA["cam"][3:]]}


def replicated(given: Wire) -> dict[str, Any]:
    n, m, p = given["n"], given["m"], given["p"]
    return {
        "cams": np.array([given["cam"]] * n), "X": np.array([given["x"]] * m),
        "w": np.array([given["w"]] * p), "obs": [(i % n, i % m) for i in range(p)],
        "feats": np.array([given["feat"]] * p),
    }  # fmt: skip


def ba(given: Wire) -> Wire:
    p = given["p"]
    found = bundle.residuals(**replicated(given))
    return {
        "reproj_error": {"elements": found[:2], "repeated": p},
        "w_err": {"element": found[-1], "repeated": p},
    }


def ba_rows(given: Wire) -> Wire:
    """The dense Jacobian, entry by entry in the order of compressed rows."""
    n, m, p = given["n"], given["m"], given["p"]
    dense = bundle.jacobian(**replicated(given))
    rows, cols, vals = [0], [], []
    for i in range(p):
        places = [*range(11 * (i % n), 11 * (i % n) + 11)]
        places += range(11 * n + 3 * (i % m), 11 * n + 3 * (i % m) + 3)
        places.append(11 * n + 3 * m + i)
        for row in (2 * i, 2 * i + 1):
            cols += places
            vals += [dense[row, c] for c in places]
            rows.append(len(cols))
    for i in range(p):
        cols.append(11 * n + 3 * m + i)
        vals.append(dense[2 * p + i, cols[-1]])
        rows.append(len(cols))
    assert np.count_nonzero(dense) <= len(vals)
    return {
        name: [*part[:30], part[-1]]
        for name, part in (("rows", rows), ("cols", cols), ("vals", vals))
    }


def skeleton(bones: int, vertices: int, triangles: int) -> Wire:
    def maps() -> Any:
        found = np.tile(np.eye(4), (bones, 1, 1))
        found[:, :3] = rng.normal(size=(bones, 3, 4)) / 2
        return found

    return wire(
        bone_count=bones, bone_names=[f"bone {b}" for b in range(bones)],
        parents=[-1, *(int(rng.integers(0, b)) for b in range(1, bones))],
        base_relatives=maps(), inverse_base_absolutes=maps(),
        base_positions=np.column_stack([rng.normal(size=(vertices, 3)), np.ones(vertices)]),
        weights=rng.uniform(size=(vertices, bones)),
        triangles=rng.integers(0, vertices, (triangles, 3)), is_mirrored=False,
    )  # fmt: skip


def tracking(count: int, us: Any) -> Wire:
    data = {
        "model": skeleton(22, 9, 5),
        **wire(correspondences=rng.integers(0, 5, count), points=rng.normal(size=(count, 3))),
    }
    return wire(theta=rng.normal(size=26), us=us, data=data)


HT = tracking(4, [])
SURFACE_HT = tracking(3, rng.uniform(size=(3, 2)))
STILL_HT = {**HT, "theta": [0.0, 0.0, 0.0, *HT["theta"][3:]]}


def ht(given: Wire) -> Any:
    return hand.errors(np.array(given["theta"]), np.array(given["us"]), given["data"])


def ht_columns(given: Wire) -> Any:
    point = {"theta": np.array(given["theta"]), "us": np.array(given["us"])}

    def column(name: str, places: Any) -> Any:
        moved = point[name].astype(complex)
        moved[places] += 1e-30j
        found = hand.errors(**{**point, name: moved}, data=given["data"])  # type: ignore[arg-type]
        return np.imag(found) / 1e-30

    own = [column("us", np.s_[:, k]) for k in range(2)] if len(point["us"]) else []
    return np.array([*own, *(column("theta", k) for k in range(26))]).T


# ── Loops ───────────────────────────────────────────────────────────────────

LSTM = wire(
    main_params=rng.normal(size=(4, 12)), extra_params=rng.normal(size=(3, 3)),
    state=rng.normal(size=(4, 3)), sequence=rng.normal(size=(5, 3)),
)  # fmt: skip
ODE = wire(x=rng.normal(size=5), s=4)


def lstm(given: Wire) -> float:
    return float(loops.lstm(*map(np.array, given.values())))


def lstm_slope(given: Wire) -> Any:
    def function(main: Any, extra: Any) -> Any:
        return loops.lstm(main, extra, np.array(given["state"]), np.array(given["sequence"]))

    active = {"main": given["main_params"], "extra": given["extra_params"]}
    return np.concatenate([slope(function, active, name).ravel() for name in active])


WANTED: list[tuple[str, str, Any, Callable[[Any], Any]]] = [
    ("hello", "square", 1.5, lambda x: x * x),
    ("hello", "double", 1.5, lambda x: 2 * x),
    ("det", "primal", DET, lambda g: sums.det(np.array(g["A"]), g["ell"])),
    ("det", "gradient", DET, lambda g: slope(lambda A: sums.det(A, g["ell"]), {"A": g["A"]}, "A")),
    ("gmm", "objective", GMM, gmm),
    ("gmm", "jacobian", GMM, gmm_slopes),
    ("gmm", "objective", SINGLE_GMM, gmm),
    ("gmm", "jacobian", SINGLE_GMM, gmm_slopes),
    ("ba", "objective", BA, ba),
    ("ba", "jacobian", BA, ba_rows),
    ("ba", "objective", STILL_BA, ba),
    ("ba", "jacobian", STILL_BA, ba_rows),
    ("ht", "objective", HT, ht),
    ("ht", "jacobian", HT, ht_columns),
    ("ht", "objective", SURFACE_HT, ht),
    ("ht", "jacobian", SURFACE_HT, ht_columns),
    ("ht", "jacobian", STILL_HT, ht_columns),
    ("kmeans", "cost", KMEANS, lambda g: sums.kmeans(*kmeans_arrays(g))),
    ("kmeans", "dir", KMEANS, lambda g: sums.kmeans_direction(*kmeans_arrays(g))),
    ("llsq", "primal", LLSQ, lambda g: sums.llsq(g["x"], g["n"])),
    ("llsq", "gradient", LLSQ, lambda g: slope(lambda x: sums.llsq(x, g["n"]), {"x": g["x"]}, "x")),
    ("lse", "primal", LSE, lambda g: sums.lse(np.array(g["x"]))),
    ("lse", "gradient", LSE, lambda g: slope(sums.lse, {"x": g["x"]}, "x")),
    ("lstm", "objective", LSTM, lstm),
    ("lstm", "jacobian", LSTM, lstm_slope),
    ("ode", "primal", ODE, lambda g: loops.ode(np.array(g["x"]), g["s"])),
    ("ode", "gradient", ODE, lambda g: slope(lambda x: loops.ode(x, g["s"])[-1], {"x": g["x"]}, "x")),
]  # fmt: skip
