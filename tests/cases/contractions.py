"""Sums of products: every way of naming axes, and products made of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .case import Case, special

SHAPES = {"i": 2, "j": 3, "k": 4, "l": 2, "b": 2}


def einsum(subscripts: str) -> Case:
    """Operands a, b, c with the sizes of their letters; ``...`` has the size 2."""
    terms = subscripts.partition("->")[0].split(",")
    operands = []
    for name, term in zip("abc", terms, strict=False):
        sizes = [str(SHAPES[c]) for c in term.replace("...", "b")]
        operands.append(f"{name}: float[{', '.join(sizes)}]" if sizes else f"{name}: float")
    names = ", ".join("abc"[: len(terms)])

    def reference(*values: Any) -> Any:
        return np.einsum(subscripts, *values)

    return special(f'einsum("{subscripts}", {names})', reference, *operands)


def contract(left: str, right: str, out: str) -> Case:
    def reference(a: Any, b: Any) -> Any:
        return np.einsum(f"{left},{right}->{out}", a, b)

    a, b = (", ".join(str(SHAPES[c]) for c in term) for term in (left, right))
    text = f'contract(a, b, left="{left}", right="{right}", out="{out}")'
    return special(text, reference, f"a: float[{a}]", f"b: float[{b}]")


PAIRS = [
    "ij,jk->ik", "ij,kj->ik", "ji,jk->ik", "ji,kj->ik", "ij,jk->ki", "ij,j->i", "ji,j->i", "j,jk->k",
    "j,kj->k", "j,j->", "j,j", "i,j->ij", "i,j->ji", "ij,ij->ij", "ij,ij->", "ij,ji->", "ij,j->ij",
    "ij,i->ij", "ij,j->ji", "bij,bjk->bik", "bij,bj->bi", "bj,bj->b", "bij,jk->bik", "ijk,jk->i",
    "ijk,ljk->il", "ij,kl->ijkl", "ij,kl->kijl", "bi,bj->bij", "...ij,...jk->...ik", "...j,j->...",
    ",j->j", "ij,jk", "ij,k->i", "bik,jk->bij",
]  # fmt: skip
CASES = [
    *[einsum(subscripts) for subscripts in PAIRS],
    *[einsum(s) for s in ("ij->ji", "ij->", "ij->j", "ij", "ii->i", "ii->", "ii", "...ij->...ji")],
    *[einsum(s) for s in ("i,ij,j->", "ij,jk,kl->il", "ij,jk,ki->", "i,i,i->i", "ii,ij,j->i",
                          "bi,bj,bk->ijk", "ij,ik,jk->i")],
    contract("ijk", "ljk", "il"), contract("ij", "ji", ""), contract("bik", "jk", "bij"),
    special("tensordot(a, b)", np.tensordot, "a: float[2, 3, 4]", "b: float[3, 4, 2]"),
    special("tensordot(a, b, axes=1)", lambda a, b: np.tensordot(a, b, 1), "a: float[2, 3]", "b: float[3, 4]"),
    special("tensordot(a, b, axes=0)", lambda a, b: np.tensordot(a, b, 0), "a: float[2]", "b: float[3]"),
    special("tensordot(a, b, axes=[[0], [-1]])", lambda a, b: np.tensordot(a, b, ([0], [-1])),
            "a: float[3, 2]", "b: float[4, 3]"),
    special("tensordot(a, b, axes=[[0, 2], [1, 0]])", lambda a, b: np.tensordot(a, b, ([0, 2], [1, 0])),
            "a: float[2, 3, 4]", "b: float[4, 2, 3]"),
    special("kron(a, b)", np.kron, "a: float[2, 3]", "b: float[2, 2]"),
    special("kron(a, b)", np.kron, "a: float[1, 3]", "b: float[2, 1]"),
    special("kron(a, b)", lambda a, b: np.stack([np.kron(x, b) for x in a]),
            "a: float[2, 2, 3]", "b: float[3, 2]"),
    special("blocks(dx, a, b)", lambda dx, a, b: dx.reshape(2, 2, 3, 2), "dx: float[4, 6]",
            "a: float[2, 3]", "b: float[2, 2]"),
    special("true_like(x, condition)", lambda x, condition: np.full(3, condition), "x: float[3]",
            "condition: bool"),
    special("cross(a, b)", np.cross, "a: float[3]", "b: float[3]"),
    special("cross(a, b)", np.cross, "a: float[2, 3]", "b: float[3]"),
    special("cross(a, b)", np.cross, "a: float[2, 1, 3]", "b: float[4, 3]"),
]  # fmt: skip
