"""Every example under every option: whatever a module is compiled for, it computes the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gradc.compiler.compilation import DEFAULT, Options
from gradc.dsl.shapes import Kind

from .helpers import fields
from .test_examples import NAMES, At, module, program

WAYS: dict[str, Options] = {
    "O0": Options(level=0, checks=False),
    "O2 threads": Options(level=2, threads=2),
    "O2 checkpoint": Options(level=2, checkpoint=True),
    "float32 checkpoint": Options(dtype="float32", checkpoint=True),
    "fast math, avx2": Options(level=2, fast_math=True, target="avx2", checks=False),
    "all functions": Options(level=2, emit=("all",)),
}
# Numbers done on paper are rounded; the examples of some are there to be refused.
SPECS = [
    name for name in NAMES if not program(name).is_library and not name.startswith("homework/")
]


def first(name: str) -> At:
    return At(name, next(e for e in program(name).examples if e.digits is None))


def results(name: str, options: Options, at: At) -> dict[str, Any]:
    """Values and gradients, of ``forward`` with ``backward`` and of ``value_and_grad``."""
    generated = module(name, options)
    with np.errstate(all="ignore"):
        out, cache = at.call(generated.forward)
        found = fields(out, program(name).interface.outputs[0])
        if program(name).interface.objective is not None:
            found |= {f"d{k}": v for k, v in generated.backward(cache)._asdict().items()}
            value, gradients = at.call(generated.value_and_grad)
            found |= {"at once": value}
            found |= {f"d{k} at once": v for k, v in gradients._asdict().items()}
    return found


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("way", WAYS)
def test_the_same_whatever_it_is_compiled_for(name: str, way: str) -> None:
    options, at = WAYS[way], first(name)
    single = options.dtype == "float32"
    wanted = results(name, DEFAULT, at)
    for key, value in results(name, options, at).items():
        scale = float(np.max(np.abs(wanted[key]), initial=1.0))
        rtol, atol = (5e-3, 5e-3 * scale) if single else (1e-8, 1e-9 * scale)
        np.testing.assert_allclose(value, wanted[key], rtol=rtol, atol=atol, err_msg=key)


@pytest.mark.parametrize("name", SPECS)
def test_sizes_fixed(name: str) -> None:
    at, interface = first(name), program(name).interface
    known = {*interface.sizes, *interface.open_sizes}
    sizes = tuple((n, v) for n, v in sorted(at.example.sizes.items()) if n in known)
    generated = module(name, Options(level=2, sizes=sizes))
    wanted = results(name, DEFAULT, at)
    with np.errstate(all="ignore"):
        out, _ = generated.forward(*at.values.values())
    for key, value in fields(out, interface.outputs[0]).items():
        scale = float(np.max(np.abs(wanted[key]), initial=1.0))
        np.testing.assert_allclose(value, wanted[key], rtol=1e-8, atol=1e-9 * scale, err_msg=key)


@pytest.mark.parametrize("level", [1, 2])
@pytest.mark.parametrize("name", SPECS)
def test_batch(name: str, level: int) -> None:
    """A batch of one input: each entry as it is alone."""
    at = first(name)
    floats = [i.name for i in program(name).interface.inputs if i.type.kind is Kind.FLOAT]
    batched = module(name, Options(level=level, batch=(floats[0],)))
    own = np.asarray(at.values[floats[0]])
    stacked = {**at.values, floats[0]: np.stack([own, own])}
    with np.errstate(all="ignore"):
        out, _ = batched.forward(*stacked.values(), **at.sizes)
    wanted = results(name, DEFAULT, at)
    for key, value in fields(out, program(name).interface.outputs[0]).items():
        both = np.broadcast_to(wanted[key], np.shape(value))
        scale = float(np.max(np.abs(both), initial=1.0))
        np.testing.assert_allclose(value, both, rtol=1e-8, atol=1e-9 * scale, err_msg=key)
