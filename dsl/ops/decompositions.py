"""Inverses, determinants and factorisations of matrices, over any number of leading axes.

The rules of the factorisations are those of M. B. Giles, *An extended collection of matrix
derivative results for forward and reverse mode algorithmic differentiation* (2008), and J.
Townsend, *Differentiating the singular value decomposition* (2016).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..shapes import Kind, Mismatch, Shape, Type, broadcast, shape_text
from ..sizes import Size, product
from ..subscripts import Condition, undecided
from .declare import Attributes, Chosen, Infer, Table

TABLE = Table()
_WHOLE = "any(dy, axis=[-2, -1], keepdims=true)"
_COLUMN = "any(dy, axis=-2, keepdims=true)"
_EYE = {"x": "eye_like(x)"}
_APART = {"x": "eye_like(x) * cumsum(ones_like(x), axis=-1)"}


# What does no arithmetic on whole rows and columns.
_LINEAR_WORK = ("symmetric", "triangle", "half_lower", "gaps", "eye_like")


def _cubic(types: Sequence[Type], attributes: Attributes, result: Type) -> Size:
    """The order of the work of a factorisation: rows times columns squared, and what is solved."""
    *batch, rows, columns = types[0].shape
    total = product(batch) * rows * columns * columns
    if len(types) == 2 and types[1].rank > 1:
        total = total + product(types[1].shape) * rows * 2
    return total


def _declare(name: str, signature: str, doc: str, **declaration: Any) -> None:
    declaration.setdefault("of_floats", True)
    if name not in _LINEAR_WORK:
        declaration.setdefault("flops", _cubic)
    declaration.setdefault("paper", f"{name}({{x}})")
    declaration.setdefault("latex", rf"\mathrm{{{name}}}({{x}})")
    TABLE.declare(name, signature, doc, **declaration)


def _matrix(types: Sequence[Type], name: str) -> Shape:
    """The shape of the first operand, a matrix. Raises ``Mismatch`` G210."""
    shape = types[0].shape
    if len(shape) < 2:
        raise Mismatch("G210", f"`{name}` takes a matrix, not {shape_text(shape)}",
                       f"this is {types[0]}", operand=0)  # fmt: skip
    return shape


def _square(types: Sequence[Type], name: str) -> Shape:
    shape = _matrix(types, name)
    if shape[-1] != shape[-2]:
        raise Mismatch("G203", f"`{name}` takes a square matrix, not {shape_text(shape)}",
                       f"sizes {shape[-2]} and {shape[-1]} differ", operand=0)  # fmt: skip
    return shape


def _of_square(name: str, axes: int) -> Infer:
    """A function of a square matrix whose result keeps so many of the last two axes."""

    def infer(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
        shape = _square(types, name)
        return Type(Kind.FLOAT, shape[: len(shape) - 2 + axes]), attributes

    return infer


# ── Inverses ────────────────────────────────────────────────────────────────

_declare(
    "inv", "x", "The inverse of a square matrix.", sample="inv(x: [B, N, N])",
    infer=_of_square("inv", 2),
    numpy="np.linalg.inv({x})", paper="inv({x})", latex="{x}^{-1}", shield=_EYE,
    rules={"x": "-(y.T @ dy @ y.T)"}, reach={"x": _WHOLE}, tangent="-(y @ dx @ y)",
)  # fmt: skip


def _solved(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    a, b = types
    shape = _square(types, "solve")
    if not b.rank:
        raise Mismatch("G210", "`solve` takes a vector or a matrix on the right, not a scalar",
                       f"this is {b}", operand=1)  # fmt: skip
    rows = b.shape[-1] if b.rank == 1 else b.shape[-2]
    if rows != shape[-1]:
        raise Mismatch("G203", f"cannot solve {shape_text(a.shape)} for {shape_text(b.shape)}",
                       f"sizes {shape[-1]} and {rows} do not match",
                       "a vector has one axis, a matrix two or more")  # fmt: skip
    if b.rank == 1:
        return Type(Kind.FLOAT, shape[:-1]), attributes
    batch = broadcast([shape[:-2], b.shape[:-2]])
    return Type(Kind.FLOAT, (*batch, *b.shape[-2:])), attributes


_declare(
    "solve", "a, b", "`inv(a) @ b`, without the inverse; `b` is a vector or, with more axes, a"
    " matrix.",
    sample="solve(a: [N, N], b: [N, K])",
    infer=_solved, numpy="np.linalg.solve({a}, {b})", paper="solve({a}, {b})",
    latex="{a}^{-1} {b}", shield={"a": "eye_like(a)"},
    rules={"a": "-(solve(a.T, dy) @ y.T)", "b": "solve(a.T, dy)"},
    reach={"a": _WHOLE, "b": _COLUMN}, tangent="solve(a, db - da @ y)", linear="b",
)  # fmt: skip


def _solved_vectors(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    a, b = types
    shape = _square(types, "solve")
    return Type(Kind.FLOAT, (*broadcast([shape[:-2], b.shape[:-1]]), a.shape[-1])), attributes


def _solve_vector_text(types: Sequence[Type], attributes: Attributes) -> str:
    if types[1].rank == 1:
        return "np.linalg.solve({a}, {b})"
    return "np.linalg.solve({a}, {b}[..., None])[..., 0]"


_declare(
    "solve_vector", "a, b", "`inv(a) @ b` for a vector.", infer=_solved_vectors, public=False,
    numpy=_solve_vector_text, paper="solve({a}, {b})", latex="{a}^{-1} {b}",
    shield={"a": "eye_like(a)"},
    rules={"a": "-vecouter(solve_vector(a.T, dy), y)", "b": "solve_vector(a.T, dy)"},
    reach={"a": "expand_dims(any(dy, axis=-1, keepdims=true), axis=-1)",
           "b": "any(dy, axis=-1, keepdims=true)"},
    tangent="solve_vector(a, db - matvec(da, y))", linear="b",
)  # fmt: skip


def _flipped(text: str) -> Chosen:
    """A rule in which ``same`` and ``other`` stand for the triangle and the other one."""

    def rule(types: Sequence[Type], attributes: Attributes) -> str:
        lower = attributes["lower"]
        return text.format(same=str(lower).lower(), other=str(not lower).lower())

    return Chosen(text.format(same="lower", other="not lower"), rule)


_declare(
    "solve_triangular", "a, b, lower:flag=false",
    "`solve(a, b)` for a triangular matrix, whose other triangle is not looked at.",
    sample="solve_triangular(a: [N, N], b: [N, K])",
    infer=_solved, numpy="_solve_triangular({a}, {b}{, lower})", paper="solve({a}, {b})",
    latex="{a}^{-1} {b}", shield={"a": "eye_like(a)"},
    rules={
        "a": _flipped("-triangle(solve_triangular(a.T, dy, lower={other}) @ y.T, lower={same})"),
        "b": _flipped("solve_triangular(a.T, dy, lower={other})"),
    },
    reach={"a": _WHOLE, "b": _COLUMN},
    tangent="solve_triangular(a, db - triangle(da, lower=lower) @ y, lower=lower)",
    linear="b",
)  # fmt: skip
_declare(
    "pinv", "x", "The pseudo-inverse (Moore, Penrose); its rank must not change nearby.",
    sample="pinv(x: [M, N])",
    infer=lambda types, attributes: (_transposed(types), attributes),
    numpy="np.linalg.pinv({x})", latex="{x}^+", reach={"x": _WHOLE},
    rules={
        "x": "(dy.T - x @ (y @ dy.T)) @ y @ y.T + y.T @ y @ (dy.T - dy.T @ y @ x) - y.T @ dy @ y.T"
    },
    tangent="y @ y.T @ (dx.T - dx.T @ x @ y) + (dx.T - y @ x @ dx.T) @ y.T @ y - y @ dx @ y",
)  # fmt: skip


def _transposed(types: Sequence[Type]) -> Type:
    shape = _matrix(types, "pinv")
    return Type(Kind.FLOAT, (*shape[:-2], shape[-1], shape[-2]))


def _same(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    return Type(Kind.FLOAT, types[0].shape), attributes


_declare(
    "matrix_power", "x, n:integer", "The product of `n` copies of a square matrix; of its inverse"
    " for negative `n`.",
    sample="matrix_power(x: [N, N], 3)",
    infer=_of_square("matrix_power", 2), numpy="", canonical=False,
)  # fmt: skip

# ── Determinants ────────────────────────────────────────────────────────────


def _third(g: str) -> str:
    """The third derivative of the determinant along ``h`` and ``g``, at regular matrices."""
    b, ones = "inv(x)", "expand_dims({}, axis=[-2, -1])"

    def trace(left: str, right: str) -> str:
        return ones.format(f"sum(({left}).T * ({right}), axis=[-2, -1])")

    bh, bg = f"{b} @ h", f"{b} @ {g}"
    bhb, bgb = f"({bh} @ {b})", f"({bg} @ {b})"
    t, s = trace(b, "h"), trace(b, g)
    first = f"({t} * {s} - {trace(bhb, g)}) * {b}.T"
    rest = f"{s} * {bhb}.T - {t} * {bgb}.T + ({bh} @ {bgb}).T + ({bg} @ {bhb}).T"
    return f"{ones.format('det(x)')} * ({first} - {rest})"


_declare(
    "det", "x", "The determinant; the gradient is exact, also for singular matrices.",
    sample="det(x: [B, N, N])",
    infer=_of_square("det", 0), numpy="np.linalg.det({x})", latex=r"\det {x}",
    convention="det has its exact gradient, the cofactors, also at singular matrices",
    rules={"x": "expand_dims(dy, axis=[-2, -1]) * cofactor(x)"},
    reach={"x": "expand_dims(dy, axis=[-2, -1])"},
    tangent="sum(cofactor(x) * dx, axis=[-2, -1])",
)  # fmt: skip
_declare(
    "cofactor", "x", "The matrix of cofactors, whatever the rank: the gradient of `det`.",
    infer=_of_square("cofactor", 2), numpy="_cofactor({x})", public=False,
    rules={"x": "cofactor_along(x, dy)"}, reach={"x": _WHOLE}, tangent="cofactor_along(x, dx)",
)  # fmt: skip


def _pairwise(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    return Type(Kind.FLOAT, broadcast([t.shape for t in types])), attributes


_declare(
    "cofactor_along", "x, h", "The derivative of the cofactors along a matrix `h`.",
    infer=_pairwise,
    numpy="_cofactor_along({x}, {h})", paper="cofactor_along({x}, {h})", public=False,
    latex=r"D\mathrm{cof}({x})[{h}]",
    rules={"h": "cofactor_along(x, dy)", "x": _third("dy")},
    reach={"x": _WHOLE, "h": _WHOLE}, tangent=f"cofactor_along(x, dh) + {_third('dx')}",
)  # fmt: skip
_declare(
    "logdet", "x", "The logarithm of the determinant, without overflow; nan where that is"
    " negative.",
    sample="logdet(x: [B, N, N])",
    infer=_of_square("logdet", 0), numpy="_logdet({x})", latex=r"\log \det {x}", shield=_EYE,
    rules={"x": "expand_dims(dy, axis=[-2, -1]) * inv(x).T"},
    reach={"x": "expand_dims(dy, axis=[-2, -1])"},
    tangent="sum(inv(x).T * dx, axis=[-2, -1])",
)  # fmt: skip
_declare(
    "slogdet", "x", "The sign of the determinant, and the logarithm of its size.",
    sample="slogdet(x: [B, N, N])",
    infer=_of_square("slogdet", 0), numpy="np.linalg.slogdet({x})", shield=_EYE,
    results=("sign", "logabsdet"),
    rules={"logabsdet.x": "expand_dims(dy, axis=[-2, -1]) * inv(x).T"},
    reach={"logabsdet.x": "expand_dims(dy, axis=[-2, -1])"},
    tangent={"logabsdet": "sum(inv(x).T * dx, axis=[-2, -1])"},
)  # fmt: skip

# ── Triangles and symmetric matrices ────────────────────────────────────────


def _symmetric_text(types: Sequence[Type], attributes: Attributes) -> str:
    return "({x} + {x}.T) / 2" if types[0].rank == 2 else "({x} + np.matrix_transpose({x})) / 2"


def _triangle_text(types: Sequence[Type], attributes: Attributes) -> str:
    return "np.tril({x})" if attributes["lower"] else "np.triu({x})"


_declare(
    "symmetric", "x", "`(x + x.T) / 2`.", infer=_of_square("symmetric", 2), family="linear",
    numpy=_symmetric_text, public=False, rules={"x": "symmetric(dy)"}, reach={"x": _WHOLE},
)  # fmt: skip
_declare(
    "triangle", "x, lower:flag", "One triangle of a matrix, with the diagonal.", infer=_same,
    family="linear", numpy=_triangle_text, public=False,
    rules={"x": "triangle(dy, lower=lower)"}, reach={"x": "dy"},
)  # fmt: skip
_declare(
    "half_lower", "x", "The lower triangle, with half the diagonal.", infer=_same,
    family="linear", numpy="_half_lower({x})", public=False, paper="Φ({x})", latex=r"\Phi({x})",
    rules={"x": "half_lower(dy)"}, reach={"x": "dy"},
)  # fmt: skip
_declare(
    "eye_like", "x", "The identity, also of a matrix that is not square.",
    infer=lambda types, attributes: (Type(Kind.FLOAT, types[0].shape), attributes),
    numpy="", public=False, canonical=False,
)  # fmt: skip

# ── Factorisations ──────────────────────────────────────────────────────────

_declare(
    "cholesky", "x", "The lower triangular `L` with `L @ L.T = x`, a function of `(x + x.T) / 2`.",
    sample="cholesky(x: [B, N, N])",
    infer=_of_square("cholesky", 2), numpy="np.linalg.cholesky({x})", shield=_EYE,
    convention="cholesky and eigh are functions of the symmetric part, and so are their gradients",
    rules={
        "x": "symmetric(solve_triangular(y.T,"
        " solve_triangular(y.T, half_lower(y.T @ dy), lower=false).T, lower=false).T)"
    },
    reach={"x": _WHOLE},
    tangent="y @ half_lower(solve_triangular(y,"
    " solve_triangular(y, dx, lower=true).T, lower=true).T)",
)  # fmt: skip


def _least(shape: Shape) -> Size:
    """The smaller size of a matrix; its columns, if that cannot be decided."""
    rows, columns = shape[-2:]
    return rows if (columns - rows).natural and rows != columns else columns


def _not_wide(types: Sequence[Type], attributes: Attributes) -> Sequence[Condition]:
    """The condition that stands for what could not be decided."""
    rows, columns = types[0].shape[-2:]
    if (columns - rows).natural:
        return ()
    return undecided([(columns, rows, "a matrix of more columns than rows")])


def _qr_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    shape = _matrix(types, "qr")
    least, batch = _least(shape), shape[:-2]
    q, r = (*batch, shape[-2], least), (*batch, least, shape[-1])
    return Type(Kind.FLOAT, (q, r)[attributes["result"]]), attributes


_P = "solve_triangular(R.T, dx.T, lower=true).T"
_C = f"(Q.T @ {_P})"
_U = f"({_C} - half_lower({_C}) + half_lower({_C}).T)"
_declare(
    "qr", "x", "The reduced factors `Q @ R` of a matrix: orthonormal columns, and a triangle.",
    sample="qr(x: [N + K, N])",
    infer=_qr_type, needs=_not_wide, numpy="np.linalg.qr({x})", results=("Q", "R"),
    alone={"R": 'np.linalg.qr({x}, mode="r")', "Q": "np.linalg.qr({x})[0]"},
    rules={
        "Q.x": "solve_triangular(R,"
        " (dy - Q @ (half_lower(dy.T @ Q) + half_lower(dy.T @ Q).T)).T).T",
        "R.x": "solve_triangular(R, (Q @ (half_lower(R @ triangle(dy, lower=false).T)"
        " + half_lower(R @ triangle(dy, lower=false).T).T)).T).T",
    },
    reach={"Q.x": _WHOLE, "R.x": _WHOLE},
    tangent={"Q": f"{_P} - Q @ {_U}", "R": f"{_U} @ R"},
)  # fmt: skip


def _eigh_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    shape = _square(types, "eigh")
    return Type(Kind.FLOAT, shape[:-1] if attributes["result"] == 0 else shape), attributes


_declare(
    "eigh", "x", "The eigenvalues, ascending, and eigenvectors of `(x + x.T) / 2`.",
    sample="eigh(x: [B, N, N])",
    infer=_eigh_type, numpy="np.linalg.eigh({x})", results=("eigenvalues", "eigenvectors"),
    alone={"eigenvalues": "np.linalg.eigvalsh({x})"}, shield=_APART,
    convention="gradients of eigenvectors and singular vectors of repeated values are nan",
    rules={
        "eigenvalues.x": "eigenvectors * expand_dims(dy, axis=-2) @ eigenvectors.T",
        "eigenvectors.x": "symmetric(eigenvectors @ (gaps(eigenvalues)"
        " * (eigenvectors.T @ dy)) @ eigenvectors.T)",
    },
    reach={"eigenvalues.x": "expand_dims(any(dy, axis=-1, keepdims=true), axis=-1)",
           "eigenvectors.x": _WHOLE},
    tangent={
        "eigenvalues": "sum(eigenvectors * (dx @ eigenvectors), axis=-2)",
        "eigenvectors": "eigenvectors @ (gaps(eigenvalues) * (eigenvectors.T @ dx @ eigenvectors))",
    },
)  # fmt: skip
_declare(
    "eigvalsh", "x", "The eigenvalues, ascending, of `(x + x.T) / 2`.",
    sample="eigvalsh(x: [B, N, N])",
    infer=_of_square("eigvalsh", 1), numpy="", canonical=False,
)  # fmt: skip


def _gaps_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    shape = types[0].shape
    return Type(Kind.FLOAT, (*shape, shape[-1])), attributes


_declare(
    "gaps", "x", "`1 / (x[j] - x[i])`, 0 on the diagonal; nan, with a warning, at ties.",
    infer=_gaps_type,
    numpy="_gaps({x})", public=False, latex="F",
    rules={"x": "sum(dy * y^2, axis=-1) - sum(dy * y^2, axis=-2)"},
    reach={"x": "any(dy, axis=-1)"},
    tangent="y^2 * (expand_dims(dx, axis=-1) - expand_dims(dx, axis=-2))",
)  # fmt: skip


def _svd_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    shape = _matrix(types, "svd")
    least, batch = _least(shape), shape[:-2]
    shapes = (*batch, shape[-2], least), (*batch, least), (*batch, least, shape[-1])
    return Type(Kind.FLOAT, shapes[attributes["result"]]), attributes


def _unless_square(side: int, text: str, rest: str) -> Chosen:
    """A rule with a part that is for vectors which do not span the whole space."""

    def rule(types: Sequence[Type], attributes: Attributes) -> str:
        shape = types[0].shape
        return text if shape[side] == _least(shape) else f"{text} + {rest}"

    return Chosen(f"{text} + {rest}", rule)


_ROW, _COLUMN_S = "expand_dims(S, axis=-2)", "expand_dims(S, axis=-1)"
_M = "(U.T @ dx @ Vh.T)"
_declare(
    "svd", "x", "The reduced singular value decomposition: `U * S @ Vh`, values descending.",
    sample="svd(x: [N + K, N])",
    infer=_svd_type, needs=_not_wide, numpy="np.linalg.svd({x}, full_matrices=False)",
    shield=_APART, results=("U", "S", "Vh"), alone={"S": "np.linalg.svd({x}, compute_uv=False)"},
    convention="gradients of eigenvectors and singular vectors of repeated values are nan",
    rules={
        "U.x": _unless_square(
            -2,
            f"U @ (gaps(S^2) * (U.T @ dy - dy.T @ U) * {_ROW}) @ Vh",
            f"(dy - U @ (U.T @ dy)) / {_ROW} @ Vh",
        ),
        "S.x": "U * expand_dims(dy, axis=-2) @ Vh",
        "Vh.x": _unless_square(
            -1,
            f"U @ ({_COLUMN_S} * gaps(S^2) * (Vh @ dy.T - dy @ Vh.T)) @ Vh",
            f"U @ ((dy - dy @ Vh.T @ Vh) / {_COLUMN_S})",
        ),
    },
    reach={"U.x": _WHOLE, "Vh.x": _WHOLE,
           "S.x": "expand_dims(any(dy, axis=-1, keepdims=true), axis=-1)"},
    tangent={
        "U": _unless_square(
            -2,
            f"U @ (gaps(S^2) * ({_M} * {_ROW} + {_COLUMN_S} * {_M}.T))",
            f"(dx @ Vh.T - U @ {_M}) / {_ROW}",
        ),
        "S": "sum(U * (dx @ Vh.T), axis=-2)",
        "Vh": _unless_square(
            -1,
            f"(gaps(S^2) * ({_COLUMN_S} * {_M} + {_M}.T * {_ROW})).T @ Vh",
            f"(U.T @ dx - {_M} @ Vh) / {_COLUMN_S}",
        ),
    },
)  # fmt: skip


def _svdvals_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    shape = _matrix(types, "svdvals")
    return Type(Kind.FLOAT, (*shape[:-2], _least(shape))), attributes


_declare(
    "svdvals", "x", "The singular values, descending.", sample="svdvals(x: [N + K, N])",
    infer=_svdvals_type, needs=_not_wide,
    numpy="", canonical=False,
)  # fmt: skip
