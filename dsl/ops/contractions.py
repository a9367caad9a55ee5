"""Sums of products over named axes, and products made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..einsum import Subscripts, subscripts_of
from ..shapes import Kind, Mismatch, Type, broadcast, shape_text
from ..sizes import Size, product
from .declare import Attributes, Table

TABLE = Table()


def _kind(types: Sequence[Type]) -> Kind:
    return max([t.kind for t in types] + [Kind.INT])


def _einsum_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    parsed = subscripts_of(attributes["subscripts"], [t.shape for t in types])
    return Type(_kind(types), parsed.result_shape), {"subscripts": str(parsed)}


TABLE.declare(
    "einsum", "subscripts:string, *xs",
    "Sums of products in Einstein's notation: `einsum(\"ij,jk->ik\", A, B)`.",
    sample="einsum(\"ij,jk->ik\", A: [M, K], B: [K, N])",
    infer=_einsum_type, numpy="", canonical=False, paper="einsum({*xs})",
    latex=r"\mathrm{einsum}({*xs})",
)  # fmt: skip


def _contract_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    text = f"{attributes['left']},{attributes['right']}->{attributes['out']}"
    parsed: Subscripts = subscripts_of(text, [t.shape for t in types])
    return Type(_kind(types), parsed.result_shape), attributes


def _contract_text(types: Sequence[Type], attributes: Attributes) -> str:
    """Of two operands and without ``optimize``, which only costs time for them: what is a product
    of matrices is made one by a pass."""
    left, right, out = attributes["left"], attributes["right"], attributes["out"]
    if left == right and not out:
        return "np.dot(np.ravel({a}), np.ravel({b}))"
    return f'np.einsum("{left},{right}->{out}", {{a}}, {{b}})'


def _terms(types: Sequence[Type], attributes: Attributes, result: Type) -> Size:
    """A product and a sum for each combination of letters."""
    text = f"{attributes['left']},{attributes['right']}->{attributes['out']}"
    return product(subscripts_of(text, [t.shape for t in types]).sizes.values()) * 2


TABLE.declare(
    "contract", "a, b, left:string, right:string, out:string",
    "The sum of products of two arrays whose axes have letters.",
    infer=_contract_type, family="linear", linear="a, b", numpy=_contract_text, public=False,
    flops=_terms,
    einstein=lambda _, options: "{left},{right}->{out}".format(**options),
    paper="einsum[{left},{right}→{out}]({a}, {b})",
    latex=r"\mathrm{einsum}_{{left},{right} \to {out}}({a}, {b})",
    rules={
        "a": "contract(dy, b, left=out, right=right, out=left)",
        "b": "contract(dy, a, left=out, right=left, out=right)",
    },
    reach={"a": "true_like(a, any(dy))", "b": "true_like(b, any(dy))"},
)  # fmt: skip


def _true_like_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    if types[1] != Type(Kind.BOOL):
        raise Mismatch("G302", f"a condition must be bool, not {types[1]}", operand=1)
    return Type(Kind.BOOL, types[0].shape), attributes


TABLE.declare(
    "true_like", "x, condition", "One truth value in the shape of `x`.", infer=_true_like_type,
    numpy="", public=False, canonical=False,
)  # fmt: skip


def _tensordot_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    a, b = types
    first, second = contracted_axes(a.rank, b.rank, attributes["axes"])
    for left, right in zip(first, second, strict=True):
        if a.shape[left] != b.shape[right]:
            raise Mismatch(
                "G203", f"cannot contract {shape_text(a.shape)} with {shape_text(b.shape)}",
                f"sizes {a.shape[left]} and {b.shape[right]} do not match",
            )  # fmt: skip
    kept = [s for i, s in enumerate(a.shape, -a.rank) if i not in first]
    kept += [s for i, s in enumerate(b.shape, -b.rank) if i not in second]
    return Type(_kind(types), tuple(kept)), {"axes": (first, second)}


def contracted_axes(
    left: int, right: int, axes: int | tuple[Any, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The axes summed over, from the end: the last ones of the left operand, or two lists."""
    wrong = Mismatch("G204", f"these axes do not fit operands of {left} and {right} axes",
                     hint="write how many, or two lists as axes=[[1, 2], [0, 1]]")  # fmt: skip
    if isinstance(axes, int):
        if not 0 <= axes <= min(left, right):
            raise wrong
        return tuple(range(-axes, 0)), tuple(range(-right, axes - right))
    if len(axes) != 2 or not all(isinstance(part, tuple) for part in axes):
        raise wrong
    both = []
    for rank, part in zip((left, right), axes, strict=True):
        if any(not -rank <= axis < rank for axis in part):
            raise wrong
        normal = tuple(axis - rank if axis >= 0 else axis for axis in part)
        if len(set(normal)) != len(normal):
            raise wrong
        both.append(normal)
    if len(both[0]) != len(both[1]):
        raise wrong
    return both[0], both[1]


TABLE.declare(
    "tensordot", "a, b, axes:pairs=2",
    "The sum of products over the last axes of `a` and first of `b`, or over two lists of axes.",
    sample="tensordot(a: [B, K, L], b: [K, L, N])",
    infer=_tensordot_type, numpy="", canonical=False, paper="tensordot({a}, {b})",
    latex=r"\mathrm{tensordot}({a}, {b})",
)  # fmt: skip


def _kron_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    a, b = types
    for position, t in enumerate(types):
        if t.rank < 2:
            raise Mismatch("G210", f"`kron` takes matrices, not {shape_text(t.shape)}",
                           f"this is {t}", "expand_dims makes a row or a column of a vector",
                           position)  # fmt: skip
    batch = broadcast([a.shape[:-2], b.shape[:-2]])
    sizes = [m * n for m, n in zip(a.shape[-2:], b.shape[-2:], strict=True)]
    return Type(_kind(types), (*batch, *sizes)), attributes


def _kron_text(types: Sequence[Type], attributes: Attributes) -> str:
    return "np.kron({a}, {b})" if types[0].rank == types[1].rank == 2 else "_kron({a}, {b})"


TABLE.declare(
    "kron", "a, b", "The Kronecker product of matrices: each entry of `a` times `b`.",
    sample="kron(a: [M, N], b: [K, L])",
    infer=_kron_type, family="linear", linear="a, b", numpy=_kron_text,
    paper="{a} ⊗ {b}", latex=r"{a} \otimes {b}",
    rules={
        "a": "sum(blocks(dy, a, b) * expand_dims(b, axis=[-4, -2]), axis=[-3, -1])",
        "b": "sum(blocks(dy, a, b) * expand_dims(a, axis=[-3, -1]), axis=[-4, -2])",
    },
    reach={
        "a": "any(blocks(dy, a, b), axis=[-3, -1])",
        "b": "any(blocks(dy, a, b), axis=[-4, -2])",
    },
)  # fmt: skip


def _blocks_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    x, a, b = types
    (m, n), (p, q) = a.shape[-2:], b.shape[-2:]
    return x.with_shape((*x.shape[:-2], m, p, n, q)), attributes


TABLE.declare(
    "blocks", "x, a, b", "A Kronecker product with its blocks apart: axes of `a` and `b` in turn.",
    infer=_blocks_type, numpy="", public=False, canonical=False,
)  # fmt: skip


def _cross_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    for position, t in enumerate(types):
        if not t.rank or t.shape[-1] != Size.of(3):
            raise Mismatch("G210", f"`cross` takes vectors of length 3, not {shape_text(t.shape)}",
                           f"this is {t}", operand=position)  # fmt: skip
    return Type(_kind(types), broadcast([t.shape for t in types])), attributes


_VECTOR = "any(dy, axis=-1, keepdims=true)"
TABLE.declare(
    "cross", "a, b", "The cross product of vectors of length 3, along the last axis.",
    sample="cross(a: [N, 3], b: [3])",
    infer=_cross_type, family="linear", linear="a, b", numpy="_cross({a}, {b})",
    paper="{a} × {b}", latex=r"{a} \times {b}",
    rules={"a": "cross(b, dy)", "b": "cross(dy, a)"}, reach={"a": _VECTOR, "b": _VECTOR},
)  # fmt: skip
