"""What is measured: specifications, the sizes at which they run, and their inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from . import inputs

ROOT = Path(__file__).parent
SPECS = ROOT / "specs"
GRADBENCH = ROOT.parent / "examples" / "gradbench"

Sizes = Mapping[str, int]
Arguments = dict[str, Any]


def no_products(sizes: Sizes) -> float:
    return 0.0


@dataclass(frozen=True)
class Workload:
    """A row of the table.

    ``formula`` names what peers have to compute. ``given`` makes the arguments in the order of the
    specification, those in ``open_sizes`` are passed by keyword. ``wrt`` names the inputs of which
    gradients are wanted; without any, the results are the outputs, unless ``columns`` names the
    vector of which the Jacobian is wanted. ``static`` arguments are structure that peers may know
    when they compile. ``products`` counts the operations inside matrix products.
    """

    name: str
    title: str
    formula: str
    spec: Path | Callable[[int], str]
    given: Callable[..., Arguments]
    sizes: Sizes
    small: Sizes
    wrt: tuple[str, ...] = ()
    columns: str = ""
    open_sizes: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    dtype: str = "float64"
    products: Callable[[Sizes], float] = no_products

    def arguments(self, small: bool = False) -> Arguments:
        """The same numbers every time."""
        sizes = self.small if small else self.sizes
        given = self.given(np.random.default_rng(1), **sizes)
        return {name: self.typed(value) for name, value in given.items()}

    def typed(self, value: Any) -> Any:
        if isinstance(value, np.ndarray) and value.dtype == np.float64:
            return value.astype(self.dtype)
        return value

    def text(self, small: bool = False) -> str:
        """The specification, where it is not a file."""
        assert not isinstance(self.spec, Path)
        return self.spec((self.small if small else self.sizes)["steps"])

    @property
    def differentiated(self) -> tuple[str, ...]:
        return (self.columns,) if self.columns else self.wrt

    @property
    def tolerance(self) -> float:
        return 1e-9 if self.dtype == "float64" else 1e-3


@dataclass
class Table:
    rows: dict[str, Workload] = field(default_factory=dict)

    def add(self, name: str, title: str, **options: Any) -> None:
        self.rows[name] = Workload(name, title, **options)

    def several(self, name: str, title: str, runs: list[dict[str, int]], **options: Any) -> None:
        """One row for each choice of sizes; ``{}`` in name and title is its first size."""
        for sizes in runs:
            first = f"{next(iter(sizes.values())):,}"
            self.add(f"{name}-{first.replace(',', '')}", title.format(first), sizes=sizes,
                     **options)  # fmt: skip


def pendulum(steps: int) -> str:
    """A chain of scalars without a loop: five operations for each step of a pendulum."""
    lines = ["input q0, p0, h, g: float"]
    for i in range(steps):
        lines.append(f"node q{i + 1} = q{i} + h * p{i}")
        lines.append(f"node p{i + 1} = p{i} - g * sin(q{i + 1})")
    lines.append(f"output f = q{steps}^2 + p{steps}^2")
    return "\n".join(lines) + "\n"


def network_products(s: Sizes) -> float:
    return 2 * s["N"] * s["H"] * (2 * s["D"] + 3 * s["C"])


def gmm_products(s: Sizes) -> float:
    return 3 * 2 * s["N"] * s["K"] * s["D"] ** 2


def attention_products(s: Sizes) -> float:
    return 3 * 2 * s["T"] ** 2 * s["E"] * 2 + 2 * 3 * 2 * s["T"] * s["D"] * s["E"]


def convolution_products(s: Sizes) -> float:
    return 2 * 2 * s["F"] * s["C"] * s["R"] ** 2 * (s["W"] - s["R"] + 1) ** 2


def rows() -> dict[str, Workload]:
    table = Table()
    table.add("homework1", "homework 1, scalars", formula="homework1",
              spec=SPECS / "homework1.grad", given=inputs.homework1, sizes={}, small={},
              wrt=("x1", "w1", "x2", "w2"))  # fmt: skip
    homework2: dict[str, Any] = {
        "formula": "homework2", "spec": SPECS / "homework2.grad", "given": inputs.homework2,
        "small": {"n": 3}, "wrt": ("x", "W"),
    }  # fmt: skip
    table.add("homework2-3", "homework 2, n = 3, fixed", sizes={"n": 3}, fixed=("n",), **homework2)
    table.several("homework2", "homework 2, n = {}",
                  [{"n": 100}, {"n": 1000}, {"n": 4000}], **homework2)  # fmt: skip
    table.several("elementwise", "elementary functions, N = {}",
                  [{"N": 10**3}, {"N": 10**5}, {"N": 10**7}], formula="elementwise",
                  spec=SPECS / "elementwise.grad", given=inputs.elementwise, small={"N": 7},
                  wrt=("x",))  # fmt: skip
    for dtype in ("float32", "float64"):
        table.add(f"network-{dtype}", f"network 784-256-10, batch 128, {dtype}", formula="network",
                  spec=SPECS / "network.grad", given=inputs.network, dtype=dtype,
                  sizes={"N": 128, "D": 784, "H": 256, "C": 10},
                  small={"N": 4, "D": 5, "H": 6, "C": 3},
                  wrt=("W1", "b1", "W2", "b2"), products=network_products)  # fmt: skip
    mixture: dict[str, Any] = {
        "formula": "gmm", "given": inputs.gmm, "small": {"D": 3, "K": 2, "N": 5},
        "wrt": ("alpha", "mu", "q", "l"), "static": ("m",), "products": gmm_products,
    }  # fmt: skip
    for d, k, n in ((10, 25, 1000), (32, 5, 10000)):
        table.add(f"gmm-{d}", f"Gaussian mixture, d = {d}, K = {k}, N = {n:,}",
                  spec=SPECS / "gmm.grad", sizes={"D": d, "K": k, "N": n}, **mixture)  # fmt: skip
    memory: dict[str, Any] = {
        "formula": "lstm", "given": inputs.lstm, "sizes": {"L": 2, "B": 14, "T": 128},
        "small": {"L": 2, "B": 3, "T": 4}, "wrt": ("main", "extra"),
    }  # fmt: skip
    table.add("lstm", "LSTM, 2 layers of 14, 128 steps", spec=SPECS / "lstm.grad", **memory)
    blocks: dict[str, Any] = {"formula": "bundle", "given": inputs.bundle,
                                  "small": {"P": 5, "N": 2, "M": 3}}  # fmt: skip
    table.add("bundle", "bundle adjustment, 10,000 observations, 2 × 15 blocks",
              spec=SPECS / "bundle.grad", sizes={"P": 10000, "N": 50, "M": 2000},
              **blocks)  # fmt: skip
    table.add("logistic", "logistic regression, 100,000 × 100", formula="logistic",
              spec=SPECS / "logistic.grad", given=inputs.logistic,
              sizes={"N": 100000, "D": 100}, small={"N": 6, "D": 3}, wrt=("w", "b"))  # fmt: skip
    table.add("chain", "chain of 10,000 scalar operations", formula="chain", spec=pendulum,
              given=inputs.chain, sizes={"steps": 2000}, small={"steps": 9},
              wrt=("q0", "p0", "h", "g"), open_sizes=("steps",))  # fmt: skip
    table.add("attention", "causal attention, 256 positions of 64", formula="attention",
              spec=SPECS / "attention.grad", given=inputs.attention,
              sizes={"T": 256, "D": 64, "E": 64}, small={"T": 4, "D": 3, "E": 2},
              wrt=("Wq", "Wk", "Wv"), products=attention_products)  # fmt: skip
    table.add("convolution", "convolution, 16 filters 8×3×3, image 32×32", formula="convolution",
              spec=SPECS / "convolution.grad", given=inputs.convolution,
              sizes={"C": 8, "W": 32, "F": 16, "R": 3}, small={"C": 2, "W": 5, "F": 3, "R": 2},
              wrt=("w", "b"), products=convolution_products)  # fmt: skip
    table.add("ode", "Lorenz's equations, 1,000 steps", formula="ode", spec=SPECS / "ode.grad",
              given=inputs.ode, sizes={"S": 1000}, small={"S": 40},
              wrt=("start", "s", "r", "b"), open_sizes=("S",))  # fmt: skip
    gradbench(table, mixture, memory, blocks)
    return table.rows


def gradbench(table: Table, mixture: Any, memory: Any, blocks: Any) -> None:
    def add(name: str, title: str, spec: str = "", **options: Any) -> None:
        options = {"formula": name, "given": getattr(inputs, name, None), **options}
        table.add(f"gradbench-{name}", f"GradBench {name}, {title}",
                  spec=GRADBENCH / f"{spec or name}.grad", **options)  # fmt: skip

    add("hello", "a square", sizes={}, small={}, wrt=("x",))
    add("det", "8 × 8", sizes={"L": 8}, small={"L": 3}, wrt=("A",), static=("sign", "without"))
    add("gmm", "d = 10, K = 25, N = 1,000", sizes={"D": 10, "K": 25, "N": 1000}, **mixture)
    add("ba", "1,000 observations", "ba_jacobian", sizes={"P": 1000, "N": 20, "M": 200},
        **blocks | {"formula": "ba"})  # fmt: skip
    add("ht", "22 bones, 544 vertices", sizes={"B": 22, "V": 544, "C": 100},
        small={"B": 8, "V": 3, "C": 2}, columns="theta",
        static=("parents", "correspondences"))  # fmt: skip
    add("kmeans", "10,000 points, d = 8, K = 10", "kmeans_direction",
        sizes={"N": 10000, "D": 8, "K": 10}, small={"N": 9, "D": 2, "K": 3})  # fmt: skip
    add("llsq", "10,000 points, 16 coefficients", sizes={"M": 16, "N": 10000},
        small={"M": 3, "N": 6}, wrt=("x",), open_sizes=("N",))  # fmt: skip
    add("lse", "100,000 entries", sizes={"N": 100000}, small={"N": 5}, wrt=("x",))
    add("lstm", "2 layers of 14, 128 steps", **memory)
    add("ode", "N = 10, fixed, 100 steps", fixed=("N",), formula="powers", given=inputs.powers,
        sizes={"N": 10, "S": 100}, small={"N": 3, "S": 4}, wrt=("x",),
        open_sizes=("S",))  # fmt: skip
    add("particle", "one flight", sizes={}, small={}, wrt=("w",))
    add("saddle", "one descent", sizes={}, small={}, wrt=("x",))


ROWS = rows()
