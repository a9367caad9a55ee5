"""JAX, compiled by XLA on the CPU in 64 bits; NumPy goes in and comes out."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..contest import Contestant
from ..workloads import Arguments, Workload
from .formulas import FORMULAS, Backend, Formula

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", True)
FORWARD = {"particle", "saddle"}
"""Loops of unknown length, through which JAX differentiates in forward mode alone."""


class Jax(Backend):
    def softplus(self, z: Any) -> Any:
        return jax.nn.softplus(z)

    def grad(self, function: Formula, places: int | tuple[int, ...] = 0) -> Formula:
        slope: Formula = jax.grad(function, argnums=places)
        return slope

    def scan(self, step: Formula, state: Any, rows: Any, steps: int) -> tuple[Any, Any]:
        given = None if rows is None else rows[:steps]
        last, stack = jax.lax.scan(step, state, given, length=steps)
        return last, stack

    def until(self, done: Formula, step: Formula, state: Any) -> Any:
        state = jax.tree.map(jnp.asarray, state)
        return jax.lax.while_loop(lambda s: ~done(s), step, step(state))


def with_derivatives(workload: Workload, function: Formula, places: tuple[int, ...]) -> Any:
    if workload.columns:
        return jax.jacfwd(function, argnums=places)
    if not workload.wrt:
        return function
    if workload.formula in FORWARD:
        slopes = jax.jacfwd(function, argnums=places)
        return lambda *given: (function(*given), slopes(*given))
    return jax.value_and_grad(function, argnums=places)


def contestants(workload: Workload, arguments: Arguments) -> list[Contestant]:
    backend = Jax(jnp)
    formula = FORMULAS[workload.formula]
    known = {*workload.static, *workload.open_sizes}
    names = [name for name in arguments if name not in known]
    wanted = workload.differentiated

    def function(*given: Any) -> Any:
        by_name = arguments | dict(zip(names, given, strict=True))
        return formula(backend, *(by_name[name] for name in arguments))

    compiled = jax.jit(with_derivatives(workload, function, tuple(map(names.index, wanted))))

    def call(*given: Any) -> Any:
        results, _ = jax.tree.flatten(compiled(*given))
        return [np.asarray(result) for result in results]

    return [Contestant("jax", call, tuple(arguments[name] for name in names))]
