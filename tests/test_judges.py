"""Other people's derivatives: autograd on everything that both know, SciPy on special functions.

Every operation whose name ``autograd.numpy`` has, or that ``ALSO`` writes for it, is judged: value
and gradient, over the cases of the table. ``MUTE`` are operations that autograd knows without a
derivative, ``WRONG`` those rows where it is known to be wrong, with what it says there.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import autograd
import autograd.differential_operators as operators
import autograd.numpy as anp
import autograd.scipy.linalg as alinalg
import autograd.scipy.special as aspecial
import numpy as np
import pytest
import scipy.special
from gradc.compiler.compilation import Options
from gradc.dsl.ops import OPS
from gradc.dsl.shapes import Kind

from .cases.case import Case
from .helpers import module
from .test_operations import DIFFERENTIABLE, NOT_NUMPY, backward, run, sample

Function = Callable[..., Any]


def _logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return aspecial.logsumexp(x, axis=axis, keepdims=keepdims)


def _norm(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return anp.sqrt(anp.sum(x**2, axis=axis, keepdims=keepdims))


def _log_softmax(x: Any, axis: Any = -1) -> Any:
    return x - aspecial.logsumexp(x, axis=axis, keepdims=True)


def _where(condition: Any, a: Any, b: Any) -> Any:
    """autograd does not sum over what it repeats."""
    zeros = np.zeros(np.broadcast_shapes(*(np.shape(v) for v in (condition, a, b))))
    return anp.where(condition, a + zeros, b + zeros)


def _solve(a: Any, b: Any) -> Any:
    """autograd does not sum over axes that are repeated."""
    if np.ndim(b) == 1:
        return _solve(a, b[:, None])[..., 0]
    zeros = np.zeros(np.broadcast_shapes(np.shape(a)[:-2], np.shape(b)[:-2]))[..., None, None]
    return anp.linalg.solve(a + zeros, b + zeros)


# What autograd.numpy has under another name, or as a formula.
ALSO: dict[str, Function] = {
    "sigmoid": lambda x: 1 / (1 + anp.exp(-x)),
    "softplus": lambda x: anp.logaddexp(x, 0.0),
    "relu": lambda x: anp.maximum(x, 0.0),
    "softmax": lambda x, axis=-1: anp.exp(_log_softmax(x, axis)),
    "log_softmax": _log_softmax,
    "logsumexp": _logsumexp,
    "norm": _norm,
    "xlogy": lambda a, b: a * anp.log(b),
    "hypot": lambda a, b: anp.sqrt(a**2 + b**2),
    "cbrt": lambda x: x ** (1 / 3),
    "log10": lambda x: anp.log(x) / anp.log(10.0),
    "erf": aspecial.erf,
    "erfc": aspecial.erfc,
    "lgamma": aspecial.gammaln,
    "digamma": aspecial.digamma,
    "inv": anp.linalg.inv,
    "pinv": anp.linalg.pinv,
    "det": anp.linalg.det,
    "sum_squares": lambda x: anp.sum(x**2),
    "vecdot": lambda a, b: anp.sum(a * b, axis=-1),
    "matvec": anp.matmul,
    "matrix_transpose": lambda x: anp.swapaxes(x, -1, -2),
    "power": lambda a, b: a**b,
    "remainder": anp.remainder,
    "clip": lambda x, low, high: anp.minimum(anp.maximum(x, low), high),
    "where": _where,
    "solve": _solve,
    "cross": lambda a, b: anp.cross(a + 0 * b, b + 0 * a),
    "trace": lambda x: anp.sum(x * np.eye(*np.shape(x)[-2:]), axis=(-2, -1)),
    "var": lambda x, correction=0, **options: anp.var(x, ddof=correction, **options),
    "std": lambda x, correction=0, **options: anp.std(x, ddof=correction, **options),
    "ptp": lambda x, axis=None, keepdims=False: (
        anp.max(x, axis=axis, keepdims=keepdims) - anp.min(x, axis=axis, keepdims=keepdims)
    ),
}  # fmt: skip
# Values that nothing goes through, and operations whose cases are not calls of that name.
APART = {
    "detach", "alias", "floor", "ceil", "trunc", "round", "sign", "floor_divide", "einsum", "getitem",
    "array", "kron", "tensordot", "concat", "stack", "split", "pad", "sort", "diag", "take", "windows",
    "place", "argmax", "argmin", "argsort", "isfinite", "isinf", "isnan", "equal", "not_equal", "less",
    "less_equal", "greater", "greater_equal",
}  # fmt: skip


def judge(op: str) -> Function | None:
    if op in APART:
        return None
    return ALSO.get(op) or getattr(anp, op, None)


def judged() -> list[Case]:
    """Cases that are one call with its operands in order: what else there is changes its meaning."""
    found = []
    for case in DIFFERENTIABLE:
        names = list(case.operands)
        call = case.expression.startswith(f"{case.op}({', '.join(names)}")
        operator = case.op in ("matvec", "vecdot") and case.expression == "a @ b"
        plain = (
            case.reference is None
            or case.op in ALSO
            or case.expression == f"{case.op}({', '.join(names)})"
        )
        if (
            (call or operator)
            and plain
            and judge(case.op)
            and not set(case.options) & set(NOT_NUMPY)
        ):
            found.append(case)
    return found


JUDGED = judged()
# Known to autograd.numpy, which has no derivative of them.
MUTE = {"cumprod", "diagonal", "flip", "median"}


def opinion(case: Case, values: Mapping[str, Any], seed: Any) -> dict[str, Any]:
    """autograd's gradients of ``sum(seed * f)``."""
    function = judge(case.op)
    assert function is not None
    found = {}
    for name in case.floats:

        def total(moved: Any, name: str = name) -> Any:
            arguments = {**values, name: moved}
            return anp.sum(seed * function(*arguments.values(), **case.options))

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found[name] = autograd.grad(total)(np.asarray(values[name], float))
    return found


@pytest.mark.parametrize("case", JUDGED, ids=str)
def test_autograd_agrees(case: Case) -> None:
    values = sample(case, seed=21)
    if any(np.size(v) == 0 for v in values.values()):
        return
    out = run(case, values)
    function = judge(case.op)
    assert function is not None
    np.testing.assert_allclose(
        out, function(*values.values(), **case.options), rtol=1e-11, atol=1e-13
    )
    seed = np.random.default_rng(22).normal(size=np.shape(out))
    try:
        wanted = opinion(case, values, seed)
    except NotImplementedError:
        assert case.op in MUTE, f"autograd has no derivative of {case.op}"
        return
    assert case.op not in MUTE
    found = backward(case, values, seed if np.ndim(seed) else float(seed))
    for name, gradient in wanted.items():
        np.testing.assert_allclose(found[name], gradient, rtol=1e-9, atol=1e-11, err_msg=name)


def test_much_is_judged() -> None:
    judged_ops = {case.op for case in JUDGED}
    assert len(judged_ops) > 60, sorted(judged_ops)


# ── Matrices and contractions ───────────────────────────────────────────────

A3, B3, C34, V3 = "A: float[3, 3]", "B: float[3, 3]", "C: float[3, 4]", "v: float[3]"
EYE = np.eye(3)


def _symmetric(x: Any) -> Any:
    return (x + anp.swapaxes(x, -1, -2)) / 2


def _spd(x: Any) -> Any:
    return anp.matmul(x, anp.swapaxes(x, -1, -2)) + 2 * EYE


def _spread(x: Any) -> Any:
    """Symmetric, with eigenvalues well apart."""
    return _symmetric(x) + anp.diag(np.array([1.0, 5.0, 9.0]))


def _function_of(x: Any) -> Any:
    w, v = anp.linalg.eigh(_spread(x))
    return anp.matmul(v * anp.exp(-w), v.T)


def _polar(x: Any) -> Any:
    u, s, vh = anp.linalg.svd(x, full_matrices=False)
    return anp.matmul(u * anp.log(s), vh)


SPREAD = "A + eye(3) * [1.0, 5.0, 9.0]"
SPD = "A @ A.T + 2 * eye(3)"
MATRICES: list[tuple[str, str, Function]] = [
    (A3, "inv(A)", lambda a: anp.linalg.inv(a)),
    ("A: float[2, 3, 3]", "inv(A)", lambda a: anp.linalg.inv(a)),
    (f"{A3} input {B3}", "solve(A, B)", anp.linalg.solve),
    (f"{A3} input {V3}", "solve(A, v)", anp.linalg.solve),
    ("A: float[2, 3, 3] input B: float[2, 3, 2]", "solve(A, B)", anp.linalg.solve),
    (A3, "det(A)", anp.linalg.det),
    ("A: float[2, 3, 3]", "det(A)", anp.linalg.det),
    (A3, f"logdet({SPD})", lambda a: anp.linalg.slogdet(_spd(a))[1]),
    ("A: float[2, 3, 3]", f"logdet({SPD})", lambda a: anp.linalg.slogdet(_spd(a))[1]),
    (A3, f"cholesky({SPD})", lambda a: anp.linalg.cholesky(_spd(a))),
    (A3, "cholesky(0.2 * A + 4 * eye(3))", lambda a: anp.linalg.cholesky(_symmetric(0.2 * a) + 4 * EYE)),
    ("A: float[2, 3, 3]", f"cholesky({SPD})", lambda a: anp.linalg.cholesky(_spd(a))),
    (A3, f"eigvalsh({SPREAD})", lambda a: anp.linalg.eigh(_spread(a))[0]),
    (A3, f"node w, V = eigh({SPREAD}) output out = (V * exp(-w)) @ V.T", _function_of),
    (A3, f"node w, V = eigh({SPREAD}) output out = V^2", lambda a: anp.linalg.eigh(_spread(a))[1] ** 2),
    (C34, "node U, s, Vh = svd(C) output out = (U * log(s)) @ Vh", _polar),
    ("C: float[4, 3]", "node U, s, Vh = svd(C) output out = (U * log(s)) @ Vh", _polar),
    (C34, "svdvals(C)", lambda c: anp.linalg.svd(c, full_matrices=False)[1]),
    (A3, "node s, l = slogdet(A) output out = s * l^2", lambda a: anp.linalg.slogdet(a)[0] * anp.linalg.slogdet(a)[1] ** 2),
    (C34, "pinv(C)", lambda c: anp.linalg.pinv(c)),
    ("C: float[4, 3]", "pinv(C)", lambda c: anp.linalg.pinv(c)),
    (f"{A3} input {V3}", f"solve_triangular(cholesky({SPD}), v, lower=true)",
     lambda a, v: alinalg.solve_triangular(anp.linalg.cholesky(_spd(a)), v, lower=True)),
    (A3, "matrix_power(A, 3)", lambda a: anp.matmul(a, anp.matmul(a, a))),
    ("a: float[2, 3] input b: float[4, 2]", "kron(a, b)", anp.kron),
    ("a: float[4, 3] input b: float[4, 3]", "cross(a, b)", anp.cross),
    ("a: float[2, 3, 4] input b: float[3, 4, 2]", "tensordot(a, b)", anp.tensordot),
    ("a: float[2, 3, 4] input b: float[4, 2, 3]", "tensordot(a, b, axes=[[0, 2], [1, 0]])",
     lambda a, b: anp.tensordot(a, b, [[0, 2], [1, 0]])),
    ("a: float[2, 3] input b: float[3, 4] input c: float[4, 2]", 'einsum("ij,jk,kl->il", a, b, c)',
     lambda a, b, c: anp.einsum("ij,jk,kl->il", a, b, c)),
    ("a: float[5, 2, 3] input b: float[5, 3, 4]", 'einsum("bij,bjk->kib", a, b)',
     lambda a, b: anp.einsum("bij,bjk->kib", a, b)),
    ("a: float[2, 3]", 'einsum("ij->j", a)', lambda a: anp.einsum("ij->j", a)),
    ("a: float[3, 3]", 'einsum("ii->i", a)', lambda a: anp.sum(a * EYE, axis=0)),
    ("a: float[3, 3] input b: float[3]", 'einsum("ij,j,i->", a, b, b)', lambda a, b: anp.einsum("ij,j,i->", a, b, b)),
    ("a: float[2, 3]", "concat(a, 2 * a, axis=1)", lambda a: anp.concatenate([a, 2 * a], axis=1)),
    ("a: float[2, 3]", "stack(a, sin(a), axis=-1)", lambda a: anp.stack([a, anp.sin(a)], axis=-1)),
    ("a: float[4, 3]", "a[::-1, 1:]", lambda a: a[::-1, 1:]),
    ("a: float[4, 3]", "sort(a[:, 0])", lambda a: anp.sort(a[:, 0])),
    ("a: float[4, 3]", "cumsum(a, axis=0)", lambda a: anp.cumsum(a, axis=0)),
    ("a: float[4, 3]", "pad(a, [[1, 0], [0, 2]])", lambda a: anp.pad(a, [[1, 0], [0, 2]], "constant")),
    ("a: float[4, 3]", "roll(a, 2, axis=0)", lambda a: anp.roll(a, 2, axis=0)),
    ("a: float[4, 3]", "tile(a, [2, 3])", lambda a: anp.tile(a, (2, 3))),
    ("a: float[4, 3]", "repeat(a, 3, axis=1)", lambda a: anp.repeat(a, 3, axis=1)),
    ("a: float[4, 4]", "trace(a) * tril(a, k=-1)", lambda a: anp.trace(a) * anp.tril(a, -1)),
    ("a: float[4, 3]", "var(a, axis=0, correction=1)", lambda a: anp.var(a, axis=0, ddof=1)),
    ("a: float[4, 3]", "std(a, axis=1)", lambda a: anp.std(a, axis=1)),
]  # fmt: skip


@pytest.mark.parametrize(
    "inputs, text, function", MATRICES, ids=[f"{r[1]} of {r[0]}" for r in MATRICES]
)
def test_autograd_agrees_on_matrices(inputs: str, text: str, function: Function) -> None:
    body = text if text.startswith("node") else f"output out = {text}"
    generated = module(f"input {inputs} {body}")
    rng = np.random.default_rng(5)
    shapes = [i.partition("[")[2].rstrip("] ") for i in inputs.split("input")]
    values = [rng.normal(size=[int(s) for s in shape.split(",")]) for shape in shapes]
    out, cache = generated.forward(*values)
    np.testing.assert_allclose(out, function(*values), rtol=1e-10, atol=1e-12)
    seed = rng.normal(size=np.shape(out))
    found = generated.backward(cache, seed if np.ndim(out) else float(seed))

    def total(*moved: Any) -> Any:
        return anp.sum(seed * function(*moved))

    for position, gradient in enumerate(found):
        wanted = autograd.grad(total, position)(*values)
        np.testing.assert_allclose(gradient, wanted, rtol=1e-8, atol=1e-9)


# ── Where autograd is wrong ─────────────────────────────────────────────────


def _poisoned(x: Any) -> Any:
    return anp.sum(anp.where(x > 0, anp.sqrt(x) * anp.log(x), x))


WRONG: list[tuple[str, str, Function, Any, Any]] = [
    ("the slope of a norm at 0 is 0 / 0", "norm(x)", lambda x: anp.linalg.norm(x), [0.0, 0.0], [0.0, 0.0]),
    ("so is that of the root of a sum", "sqrt(sum(x^2))", lambda x: anp.sqrt(anp.sum(x**2)), [0.0, 0.0], [0.0, 0.0]),
    ("the deviation of constants is such a root", "std(x)", lambda x: anp.std(x), [2.0, 2.0], [0.0, 0.0]),
    ("the product is divided by the entry", "prod(x)", lambda x: anp.prod(x), [2.0, 0.0, 3.0], [0.0, 6.0, 0.0]),
    ("the branch not taken leaks", "sum(if x > 0 then sqrt(x) * log(x) else x)", _poisoned, [0.0, -1.0], [1.0, 1.0]),
    ("the slope divides by x", "sum(sinc(x))", lambda x: anp.sum(anp.sinc(x)), [0.0, 1.0], [0.0, -1.0]),
    ("inf - inf", "logsumexp(x)", lambda x: _logsumexp(x), [-np.inf, -np.inf], [0.0, 0.0]),
    ("inf - inf", "logaddexp(x[0], x[1])", lambda x: anp.logaddexp(x[0], x[1]), [-np.inf, -np.inf], [0.0, 0.0]),
    ("exp overflows", "sum(log(1 + exp(x)))", lambda x: anp.sum(anp.log(1 + anp.exp(x))), [1000.0, 0.0], [1.0, 0.5]),
    ("0 * log(0)", "sum(x * log(x))", lambda x: anp.sum(x * anp.log(x)), [0.0, 1.0], [-np.inf, 1.0]),
]  # fmt: skip


@pytest.mark.parametrize("why, text, function, point, wanted", WRONG, ids=[row[1] for row in WRONG])
def test_autograd_is_wrong(
    why: str, text: str, function: Function, point: Any, wanted: Any
) -> None:
    x = np.array(point)
    with np.errstate(all="ignore"):
        _, (gradient,) = module(f"input x: float[n] output out = {text}").value_and_grad(x)
    np.testing.assert_allclose(gradient, wanted, rtol=1e-14, atol=1e-15)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = autograd.grad(function)(x)
    assert not np.allclose(theirs, wanted), why


def test_the_determinant_of_a_singular_matrix() -> None:
    x = np.array([[1.0, 2.0], [2.0, 4.0]])
    _, (gradient,) = module("input x: float[n, n] output out = det(x)").value_and_grad(x)
    np.testing.assert_allclose(gradient, [[4.0, -2.0], [-2.0, 1.0]], atol=1e-14)
    with pytest.raises(np.linalg.LinAlgError):
        autograd.grad(anp.linalg.det)(x)


# ── Special functions ───────────────────────────────────────────────────────

EVERYWHERE = np.concatenate(
    [np.linspace(-30, 30, 241), [1e-300, 1e-8, 1e3, -1e3, 1e5, 700.0, -700.0]]
)
ABOVE = np.concatenate([np.geomspace(1e-8, 1e8, 120), np.linspace(0.05, 12, 101)])
SCIPY: list[tuple[str, Function, Any]] = [
    ("sigmoid(x)", scipy.special.expit, EVERYWHERE),
    ("log(sigmoid(x))", scipy.special.log_expit, EVERYWHERE),
    ("softplus(x)", lambda x: np.logaddexp(0, x), EVERYWHERE),
    ("logit(x)", scipy.special.logit, np.linspace(0.01, 0.99, 50)),
    ("erf(x)", scipy.special.erf, EVERYWHERE),
    ("erfc(x)", scipy.special.erfc, EVERYWHERE),
    ("lgamma(x)", scipy.special.gammaln, ABOVE),
    ("digamma(x)", scipy.special.digamma, ABOVE),
    ("sinc(x)", np.sinc, EVERYWHERE),
    ("xlogy(x, 1 + x)", lambda x: scipy.special.xlogy(x, 1 + x), ABOVE),
    ("expm1(x)", scipy.special.expm1, EVERYWHERE[np.abs(EVERYWHERE) < 700]),
    ("cbrt(x)", scipy.special.cbrt, EVERYWHERE),
    ("exp2(x)", scipy.special.exp2, EVERYWHERE[np.abs(EVERYWHERE) < 1000]),
]  # fmt: skip


@pytest.mark.parametrize("text, function, points", SCIPY, ids=[row[0] for row in SCIPY])
def test_scipy_agrees(text: str, function: Function, points: Any) -> None:
    arrays = module(f"input x: float[n] output out = {text}")
    numbers = module(f"input x: float output out = {text}")
    with np.errstate(all="ignore"):
        wanted = function(points)
        out, _ = arrays.forward(points)
    # Around a zero of the function only its absolute size can be right.
    near = 1e-14 if text in ("lgamma(x)", "digamma(x)", "sinc(x)", "logit(x)") else 1e-307
    np.testing.assert_allclose(out, wanted, rtol=3e-13, atol=near)
    alone = [float(numbers.forward(float(x))[0]) for x in points]
    np.testing.assert_allclose(alone, wanted, rtol=3e-13, atol=near)


SLOPES: list[tuple[str, Function, Any]] = [
    ("erf(x)", lambda x: 2 / np.sqrt(np.pi) * np.exp(-(x**2)), EVERYWHERE),
    ("erfc(x)", lambda x: -2 / np.sqrt(np.pi) * np.exp(-(x**2)), EVERYWHERE),
    ("lgamma(x)", scipy.special.digamma, ABOVE),
    ("digamma(x)", lambda x: scipy.special.polygamma(1, x), ABOVE),
    ("softplus(x)", scipy.special.expit, EVERYWHERE),
]  # fmt: skip


@pytest.mark.parametrize("text, slope, points", SLOPES, ids=[row[0] for row in SLOPES])
def test_slopes_of_special_functions(text: str, slope: Function, points: Any) -> None:
    with np.errstate(all="ignore"):
        generated = module(f"input x: float[n] output out = sum({text})")
        _, (found,) = generated.value_and_grad(points)
        wanted = slope(points)
    np.testing.assert_allclose(
        found, wanted, rtol=1e-12, atol=1e-14 if "lgamma" in text else 1e-307
    )


# ── Whole models ────────────────────────────────────────────────────────────

ALL = Options(emit=("jvp", "hvp"))
MLP = """
data X: float[N, D]
data y: float[N, K]
input W: float[D, H]
input b: float[H]
input V: float[H, K]
input c: float[K]
node h = tanh(X @ W + b)
node p = softplus(h @ V + c)
output loss = mean((p - y)^2) + 0.1 * (norm(W)^2 + norm(V)^2)
"""
LOGISTIC = """
data X: float[N, D]
data y: float[N]
input w: float[D]
input b: float
node z = X @ w + b
output loss = mean(log(1 + exp(z)) - y * z) + 0.05 * sum(w^2)
"""
GAUSSIAN = """
data X: float[N, D]
input mu: float[D]
input A: float[D, D]
node S = A @ A.T + eye(D)
node L = cholesky(S)
node z = solve_triangular(L, (X - mu).T, lower=true)
output loss = 0.5 * sum(z^2) / N + 0.5 * logdet(S)
"""
GP = """
data x: float[N]
data t: float[N]
input amplitude, length, noise: float
node d = expand_dims(x, 1) - expand_dims(x, 0)
node K = exp(2 * amplitude) * exp(-0.5 * d^2 * exp(-2 * length)) + exp(2 * noise) * eye(N)
node L = cholesky(K)
node a = solve_triangular(L, t, lower=true)
output loss = 0.5 * (a @ a) + 0.5 * logdet(K)
"""


def _mlp(X: Any, y: Any, W: Any, b: Any, V: Any, c: Any) -> Any:
    p = anp.logaddexp(anp.dot(anp.tanh(anp.dot(X, W) + b), V) + c, 0.0)
    return anp.mean((p - y) ** 2) + 0.1 * (anp.sum(W**2) + anp.sum(V**2))


def _logistic(X: Any, y: Any, w: Any, b: Any) -> Any:
    z = anp.dot(X, w) + b
    return anp.mean(anp.logaddexp(z, 0.0) - y * z) + 0.05 * anp.sum(w**2)


def _gaussian(X: Any, mu: Any, A: Any) -> Any:
    S = anp.dot(A, A.T) + np.eye(A.shape[0])
    r = (X - mu).T
    return 0.5 * anp.sum(r * anp.linalg.solve(S, r)) / X.shape[0] + 0.5 * anp.linalg.slogdet(S)[1]


def _gp(x: Any, t: Any, amplitude: Any, length: Any, noise: Any) -> Any:
    d = x[:, None] - x[None, :]
    K = anp.exp(2 * amplitude) * anp.exp(-0.5 * d**2 * anp.exp(-2 * length))
    K = K + anp.exp(2 * noise) * np.eye(len(x))
    return 0.5 * anp.dot(t, anp.linalg.solve(K, t)) + 0.5 * anp.linalg.slogdet(K)[1]


def _numbers(*shapes: tuple[int, ...]) -> list[Any]:
    rng = np.random.default_rng(8)
    return [rng.normal(size=shape) if shape else float(rng.normal() / 3) for shape in shapes]


MODELS = {
    "mlp": (MLP, _mlp, 2, _numbers((7, 3), (7, 2), (3, 4), (4,), (4, 2), (2,))),
    "logistic": (LOGISTIC, _logistic, 2, _numbers((9, 4), (9,), (4,), ())),
    "gaussian": (GAUSSIAN, _gaussian, 1, _numbers((8, 3), (3,), (3, 3))),
    "gp": (GP, _gp, 2, _numbers((6,), (6,), (), (), ())),
}


@pytest.mark.parametrize("name", MODELS)
def test_autograd_agrees_on_models(name: str) -> None:
    text, function, data, values = MODELS[name]
    generated = module(text, ALL)
    inputs = list(generated.INPUTS)[data:]
    arguments = values[data:]
    flat = operators.make_hvp  # A Hessian-vector product of a function of one tuple.

    def of_tuple(parameters: Any) -> Any:
        return function(*values[:data], *parameters)

    rng = np.random.default_rng(9)
    moves = tuple(
        rng.normal(size=np.shape(v)) if np.ndim(v) else float(rng.normal()) for v in arguments
    )
    value, gradients = generated.value_and_grad(*values)
    wanted_value, wanted = autograd.value_and_grad(of_tuple)(tuple(arguments))
    np.testing.assert_allclose(value, wanted_value, rtol=1e-12)
    for found, expected in zip(gradients, wanted, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11)
    _, tangent = generated.jvp(*values, **{f"d{n}": m for n, m in zip(inputs, moves, strict=True)})
    dotted = sum(np.sum(g * m) for g, m in zip(wanted, moves, strict=True))
    np.testing.assert_allclose(tangent, dotted, rtol=1e-10)
    products = generated.hvp(*values, **{f"v_{n}": m for n, m in zip(inputs, moves, strict=True)})
    theirs = flat(of_tuple)(tuple(arguments))[0](moves)
    for found, expected in zip(products, theirs, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-9)


def test_every_table_entry_is_looked_at() -> None:
    """No public elementwise float operation goes unjudged, but for those named here."""
    judged_ops = {case.op for case in JUDGED}
    elementwise = {op.name for op in OPS.values() if op.family == "elementwise" and op.public and op.rules
                   and op.infer(_floats(op), {})[0].kind is Kind.FLOAT}  # fmt: skip
    assert sorted(elementwise - judged_ops - APART) == []


def _floats(op: Any) -> list[Any]:
    from gradc.dsl.shapes import Type

    return [Type(Kind.FLOAT) for _ in op.operands]
