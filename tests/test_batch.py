"""``--batch``: a leading axis on some inputs does what a loop over entries does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradc
import numpy as np
import pytest
from gradc.compiler.compilation import Options
from gradc.compiler.driver import UsageError

from .helpers import checked, driver, fields, module
from .judged import Case, cases, same
from .test_cli import run
from .test_indices import GATHERS, PLACES, PRODUCTS
from .test_scan import GRADIENTS, NESTED, PER_ENTRY, STACKS, STATES

BATCH = 3
SPECS: list[Any] = [
    ("scalars", "input x, w: float output f = sin(x * w) + w^2", ""),
    ("homework", "input x: float[N] input W: float[N, N] output f = norm(sigmoid(W @ x))^2", "N=3"),
    ("layer", "input x: float[D] input W: float[H, D] input b: float[H] output y = tanh(W @ x + b) output f = sum(y^2)", "D=3 H=2"),
    ("solve", "input A: float[N, N] input b: float[N] output y = solve(A + 3 * eye(N), b)", "N=2"),
    ("softmax", "input x: float[N, K] data k: int[N] in 0..K output f = -sum[n](log_softmax(x[n])[k[n]])", "N=3 K=2"),
    ("branches", "input x: float[N] input c: float output f = sum(if x > c then sqrt(x - c) else x^2)", "N=4"),
    ("second derivative", "input x: float[N] input a: float node u = sum(sin(a * x)) node g = grad(u, x) output f = sum(g^2)", "N=3"),
    ("gradient of what is shared", "input x: float[N] input w: float[N] node u = dot(x, w)^2 node g = grad(u, w) output f = sum(g * w)", "N=3"),
    ("reshaped", "input x: float[M, N] output y = reshape(x, [N, M]) output z = x.T @ x output s = sum(x, axis=0)", "M=2 N=3"),
    ("joined", "input x: float[N] input z: float[N] output y = concat(x, z) output s = stack(x, z)", "N=2"),
    ("products of stacks with one", "input a: float[K, N, N] input b: float[N, N] input x: float[N] output y = a @ b output z = a @ x output s = b @ a", "N=3 K=2"),
    ("crosses of rows with one", "input a: float[K, 3] input x: float[3] output y = cross(a, x) output z = cross(x, a)", "K=2"),
    ("solutions of stacks and one", "input a: float[K, N, N] input b: float[N, N] input x: float[N] output y = solve(0.2 * a + 2 * eye(N), b) output z = solve(b + 3 * eye(N), a) output s = solve(0.2 * a + 2 * eye(N), x)", "N=3 K=2"),
]  # fmt: skip
CASES = cases([*SPECS, *PRODUCTS, *PLACES[:30], *GATHERS, *STATES, *STACKS, *NESTED, *PER_ENTRY,
               *GRADIENTS[:6]], {})  # fmt: skip
CASES = [case for case in CASES if case.values and "parent" not in case.text]


def stacks(case: Case, names: list[str]) -> dict[str, Any]:
    """Values that differ a little from entry to entry."""
    rng = np.random.default_rng(3)
    found: dict[str, Any] = dict(case.values)
    for name in names:
        value = np.asarray(case.values[name])
        copies = np.broadcast_to(value, (BATCH, *value.shape))
        moves = np.reshape(rng.uniform(0.9, 1.1, BATCH), (-1,) + (1,) * value.ndim)
        found[name] = copies * moves if value.dtype.kind == "f" else copies.copy()
    return found


@pytest.mark.parametrize("which", ["all", "first"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_batch(case: Case, which: str) -> None:
    names = list(case.values) if which == "all" else list(case.values)[:1]
    given = stacks(case, names)
    generated = module(case.text, Options(batch=tuple(names)))
    one = module(case.text)
    value, cache = case.call(generated.forward, given)
    value, rng = fields(value, case.outputs[0]), np.random.default_rng(5)
    seeds = {n: rng.normal(size=np.shape(value[n])) for n in case.floats}
    gradients = generated.backward(cache, **keywords(case, seeds))._asdict()
    total = {n: np.zeros(np.shape(g)) for n, g in gradients.items()}
    for b in range(BATCH):
        entry = {n: v[b] if n in names else v for n, v in given.items()}
        wanted, kept = case.call(one.forward, entry)
        wanted = fields(wanted, case.outputs[0])
        own = {n: s[b] if np.ndim(s) > np.ndim(wanted[n]) else s / BATCH for n, s in seeds.items()}
        for name in case.outputs:
            moved = np.ndim(value[name]) > np.ndim(wanted[name])
            same(value[name][b] if moved else value[name], wanted[name], name)
        for name, gradient in one.backward(kept, **keywords(case, own))._asdict().items():
            if name in names:
                total[name][b] += gradient
            else:
                total[name] += gradient
    for name, gradient in gradients.items():
        same(gradient, total[name], name, 1e-8)


def keywords(case: Case, seeds: dict[str, Any]) -> dict[str, Any]:
    if len(case.floats) == 1:
        return {"dout": seeds[case.floats[0]]}
    return {f"d{name}": seed for name, seed in seeds.items()}


def test_value_and_grad_has_the_gradient_of_the_sum() -> None:
    text = "input x: float[N] input w: float[N] output f = dot(x, w)^2"
    generated = module(text, Options(batch=("x",), emit=("all",)))
    x, w = np.arange(6.0).reshape(3, 2), np.array([1.0, 2.0])
    value, gradients = generated.value_and_grad(x, w)
    assert np.array_equal(value, (x @ w) ** 2)
    np.testing.assert_allclose(gradients.w, 2 * (x @ w) @ x)
    np.testing.assert_allclose(gradients.x, 2 * (x @ w)[:, None] * w)
    assert generated.check() == 0


def test_the_size_of_the_batch_has_a_free_name() -> None:
    text = "input x: float[batch] output f = sum(x)"
    generated = module(text, Options(batch=("x",)))
    assert generated.INPUTS == {"x": ("input", "float[batch_, batch]")}
    with pytest.raises(ValueError, match=r"x: expected float\[batch_, batch\]"):
        generated.forward([1.0])


def test_only_inputs_have_a_batch() -> None:
    with pytest.raises(UsageError, match="there is no input `y`"):
        driver.compiled(checked("input x: float output f = x^2"), Options(batch=("y",)))


def test_command_line(tmp_path: Path) -> None:
    path = tmp_path / "square.grad"
    path.write_text("input x: float\noutput f = x^2\n", encoding="utf-8")
    result = run("build", path, "--batch", "x", "--stdout")
    assert "gradc build square.grad --batch x" in result.stdout
    assert run("build", path, "--batch", "z").returncode == 2
    assert np.array_equal(gradc.load(path, batch=["x"]).forward([1.0, 2.0])[0], [1.0, 4.0])
