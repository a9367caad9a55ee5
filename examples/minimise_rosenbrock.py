"""Minimises the Rosenbrock function with SciPy and the gradient that gradc generates.

gradc build examples/rosenbrock.grad      # or let gradc.load do it, as here
python examples/minimise_rosenbrock.py
"""

from __future__ import annotations

from pathlib import Path

import gradc
import numpy as np


def minimise(dimensions: int = 10) -> tuple[float, int]:
    """The distance of the minimum found from (1, ..., 1), and the number of evaluations."""
    from scipy.optimize import minimize

    model = gradc.load(Path(__file__).with_name("rosenbrock.grad"))

    def value_and_gradient(x):  # type: ignore[no-untyped-def]
        value, gradients = model.value_and_grad(x)
        return value, gradients.x

    start = np.full(dimensions, -1.0)
    result = minimize(value_and_gradient, start, jac=True, method="L-BFGS-B", tol=1e-12)
    return float(np.max(np.abs(result.x - 1.0))), int(result.nfev)


if __name__ == "__main__":
    try:
        error, evaluations = minimise()
    except ModuleNotFoundError:
        raise SystemExit("this example needs SciPy: pip install scipy") from None
    print(f"{evaluations} evaluations, largest distance from the minimum {error:.1e}")
