"""Products of vectors and matrices. All act on trailing axes and broadcast over leading ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..shapes import Kind, Mismatch, Type, broadcast, matmul, shape_text
from ..sizes import Size, product
from .declare import Attributes, Table

TABLE = Table()


def _declare(name: str, doc: str, **declaration: Any) -> None:
    declaration.setdefault("numpy", "{a} @ {b}")
    declaration.setdefault("paper", "{a} @ {b}")
    declaration.setdefault("latex", "{a} {b}")
    declaration.setdefault("flops", _terms)
    TABLE.declare(name, "a, b", doc, family="linear", linear="a, b", **declaration)


def _terms(types: Sequence[Type], attributes: Attributes, result: Type) -> Size:
    """A product and a sum for each term."""
    return product(result.shape) * types[0].shape[-1] * 2


def _kind(types: Sequence[Type]) -> Kind:
    return max([t.kind for t in types] + [Kind.INT])


def _matmul_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    return Type(_kind(types), matmul(types[0].shape, types[1].shape)), attributes


_declare(
    "matmul", "The matrix product of NumPy, also written `a @ b`; vectors have one axis.",
    sample="matmul(a: [B, M, K], b: [K, N])", einstein="ij,jk->ik",
    infer=_matmul_type, rules={"a": "dy @ b.T", "b": "a.T @ dy"},
    reach={"a": "any(dy, axis=-1, keepdims=true)", "b": "any(dy, axis=-2, keepdims=true)"},
)  # fmt: skip


def _matvec_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    a, b = types
    product = matmul(a.shape, (*b.shape, b.shape[-1]))
    return Type(_kind(types), product[:-1]), attributes


def _of_vectors(alone: str, stacked: str) -> Callable[[Sequence[Type], Attributes], str]:
    """NumPy's text where the last operand is one vector, and where it is an array of them."""
    return lambda types, _: alone if types[-1].rank == 1 else stacked


_TINY = 8


def _matvec_text(types: Sequence[Type], attributes: Attributes) -> str:
    """Many vectors are columns; where they are known to be tiny, ``einsum`` is 2 to 4 times faster
    than a call of BLAS for each."""
    if types[1].rank == 1:
        return "{a} @ {b}"
    length = types[1].shape[-1].constant
    if length is not None and length <= _TINY:
        return 'np.einsum("...ij,...j->...i", {a}, {b})'
    return "({a} @ {b}[..., None])[..., 0]"


_declare(
    "matvec", "A matrix times a vector.", infer=_matvec_type, public=False,
    numpy=_matvec_text, einstein="ij,j->i",
    rules={"a": "vecouter(dy, b)", "b": "matvec(a.T, dy)"},
    reach={"a": "expand_dims(dy, axis=-1)", "b": "any(dy, axis=-1, keepdims=true)"},
)  # fmt: skip


def _vectors(types: Sequence[Type], name: str) -> None:
    for position, t in enumerate(types):
        if t.rank == 0 or (t.rank > 1 and name in ("dot", "outer")):
            raise Mismatch(
                "G210",
                f"`{name}` takes vectors, not {shape_text(t.shape)}",
                f"this is {t}",
                "write `@` for products of matrices" if t.rank else "write `*` for scalars",
                position,
            )


def _same_length(types: Sequence[Type]) -> None:
    a, b = types
    if a.shape[-1] != b.shape[-1]:
        raise Mismatch(
            "G203",
            f"cannot multiply {shape_text(a.shape)} and {shape_text(b.shape)}",
            f"sizes {a.shape[-1]} and {b.shape[-1]} do not match",
            "the two vectors must have the same length",
        )


def _dot_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    _vectors(types, "dot")
    _same_length(types)
    return Type(_kind(types)), attributes


_declare(
    "dot",
    "The inner product of two vectors.",
    sample="dot(a: [N], b: [N])",
    paper="{a}ᵀ {b}",
    latex=r"{a}^\top {b}",
    infer=_dot_type,
    numpy="",
    canonical=False,
)


def _vecdot_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    _vectors(types, "vecdot")
    _same_length(types)
    return Type(_kind(types), broadcast([t.shape for t in types])[:-1]), attributes


_declare(
    "vecdot", "The inner product of vectors along the last axis.",
    sample="vecdot(a: [B, N], b: [N])", einstein="i,i->",
    paper="{a}ᵀ {b}", latex=r"{a}^\top {b}",
    infer=_vecdot_type,
    commutative=True, numpy=_of_vectors("np.dot({a}, {b})", "np.vecdot({a}, {b})"),
    rules={"a": "expand_dims(dy, axis=-1) * b", "b": "expand_dims(dy, axis=-1) * a"},
    reach={"a": "expand_dims(dy, axis=-1)", "b": "expand_dims(dy, axis=-1)"},
)  # fmt: skip


def _outer_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    a, b = types
    batch = broadcast([a.shape[:-1], b.shape[:-1]])
    return Type(_kind(types), (*batch, a.shape[-1], b.shape[-1])), attributes


def _outer_text(types: Sequence[Type], attributes: Attributes) -> str:
    if all(t.rank == 1 for t in types):
        return "np.outer({a}, {b})"
    return "{a}[..., None] * {b}[..., None, :]"


def _outer_public(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    _vectors(types, "outer")
    return _outer_type(types, attributes)


_declare(
    "outer", "The outer product of two vectors: `a[i] * b[j]`.", sample="outer(a: [M], b: [N])",
    infer=_outer_public,
    numpy="", canonical=False,
)  # fmt: skip
_declare(
    "vecouter", "The outer product of vectors along the last axis.", infer=_outer_type,
    flops=lambda types, attributes, result: product(result.shape),
    numpy=_outer_text, paper="{a} {b}ᵀ", latex=r"{a} {b}^\top", public=False,
    einstein="i,j->ij",
    rules={"a": "matvec(dy, b)", "b": "matvec(dy.T, a)"},
    reach={"a": "any(dy, axis=-1)", "b": "any(dy, axis=-2)"},
)  # fmt: skip
