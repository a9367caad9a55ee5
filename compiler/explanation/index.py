"""Derivatives entry by entry, ``∂m_k/∂W_ij = δ_ki x_j``, from an operation's Einstein notation."""

from __future__ import annotations

from collections.abc import Sequence

from ...dsl.frozen import frozen
from ...dsl.graph import Node
from .terms import Name, Term

_RESULT, _OPERAND, _SUMMED = "klmn", "ijpq", "rstu"


@frozen()
class IndexForm:
    """Names with the letters of their axes; ``δ`` is Kronecker's."""

    result: tuple[str, str]
    operand: tuple[str, str]
    factors: tuple[tuple[str, str], ...]


def einstein_of(node: Node) -> str:
    """How entries of a node come from those of its operands, ``ij,j->i``; nothing where the table
    does not say or where there are more axes."""
    notation = node.op.einstein
    if callable(notation):
        notation = notation([o.type for o in node.operands], node.attributes)
    if not notation:
        return ""
    inside, _, out = notation.partition("->")
    parts = inside.split(",")
    ranks = [operand.type.rank for operand in node.operands]
    return notation if [*map(len, parts), len(out)] == [*ranks, node.type.rank] else ""


def index_form(
    node: Node, position: int, result: Name, operands: Sequence[Term]
) -> IndexForm | None:
    """The derivative with respect to an operand of a sum of products."""
    notation = einstein_of(node)
    names = [term for term in operands if isinstance(term, Name)]
    if not notation or len(names) < len(operands):
        return None
    inside, _, out = notation.partition("->")
    parts = inside.split(",")
    own = parts[position]
    if len(out) > len(_RESULT) or len(own) > len(_OPERAND):
        return None
    after = dict(zip(out, _RESULT, strict=False))
    letters: dict[str, str] = {}
    deltas: list[tuple[str, str]] = []
    for letter, new in zip(own, _OPERAND, strict=False):
        if letter in after:
            deltas.append(("δ", after[letter] + new))
        elif letter in letters:
            deltas.append(("δ", letters[letter] + new))
        letters.setdefault(letter, new)
    summed = iter(_SUMMED)
    factors = list(deltas)
    for other, part in enumerate(parts):
        if other != position:
            for letter in part:
                if letter not in after and letter not in letters:
                    letters[letter] = next(summed)
                    factors.append(("Σ", letters[letter]))
            factors.append(_entry(names[other], [after.get(i) or letters[i] for i in part]))
    operand = _entry(names[position], _OPERAND[: len(own)])
    return IndexForm(_entry(result, [after[i] for i in out]), operand, tuple(factors))


def _entry(name: Name, letters: Sequence[str]) -> tuple[str, str]:
    """An entry of an array; one of a transpose is one of the array itself."""
    return name.text, "".join(reversed(letters) if name.turned else letters)
