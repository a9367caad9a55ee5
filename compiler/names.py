"""Python names for what a specification names, and for what it does not.

User names win: a generated name that is taken, or a user's name that Python or a named tuple does
not allow, gets a trailing underscore until it is free.
"""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterable

from ..dsl.graph import Node
from ..dsl.loops import called
from ..dsl.sizes import Size
from ..dsl.subscripts import Cut

# What the code of a generated function refers to, and so must not be shadowed in it.
_BUILTINS = frozenset(
    {"float", "int", "bool", "tuple", "list", "None", "True", "False", "ValueError", "abs", "min",
     "max", "map", "isinstance", "zip", "type", "next", "str"}
)  # fmt: skip
_KEYWORDS = frozenset(keyword.kwlist)
_RESERVED = _KEYWORDS | frozenset(dir(builtins))
_TUPLE_FIELDS = frozenset({"count", "index"})
_NOUNS = {
    "add": "total", "subtract": "difference", "multiply": "product", "divide": "ratio",
    "floor_divide": "quotient", "matmul": "product", "matvec": "product", "vecdot": "product",
    "vecouter": "outer_product", "where": "choice", "getitem": "part", "place": "placed",
    "equal": "mask", "not_equal": "mask", "less": "mask", "less_equal": "mask",
    "greater": "mask", "greater_equal": "mask", "logical_and": "mask", "logical_or": "mask",
    "logical_not": "mask", "broadcast_to": "repeated", "as_float": "number", "power": "power",
    "sum_squares": "squared_norm",
}  # fmt: skip
_LONGEST = 24


def legal(name: str) -> str:
    """A spec's name as one that Python, and a named tuple, accept."""
    name = name.replace(".", "_").lstrip("_") or "value"
    if name[0].isdigit():
        name = f"value_{name}"
    if name in _KEYWORDS or name in _TUPLE_FIELDS or name in _BUILTINS:
        name += "_"
    return name


class Names:
    """The names of one scope, each given once."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = set(taken)
        self._numbers: dict[str, int] = {}
        self._indices: set[str] = set()

    def copy(self) -> Names:
        """The same names taken, for the same scope written another time."""
        other = Names(self.taken)
        other._numbers, other._indices = dict(self._numbers), set(self._indices)
        return other

    def fresh(self, wanted: str) -> str:
        name = wanted
        while name in self.taken or name in _KEYWORDS:
            name += "_"
        self.taken.add(name)
        return name

    def numbered(self, wanted: str) -> str:
        """For temporaries: ``mask``, ``mask_2``, ``mask_3``."""
        number = self._numbers.get(wanted, 1)
        name = wanted if number == 1 else f"{wanted}_{number}"
        while name in self.taken or name in _RESERVED:
            number += 1
            name = f"{wanted}_{number}"
        self._numbers[wanted] = number
        self.taken.add(name)
        return name

    def of_loop(self, wanted: str) -> str:
        """The index of a loop: it may be that of another loop that has ended."""
        if wanted in self._indices:
            self._indices.remove(wanted)
            return wanted
        return self.numbered(wanted)

    def end_loop(self, name: str) -> None:
        """Frees the index of a loop for the next one."""
        self._indices.add(name)


def temporary(node: Node, known: dict[Node, str]) -> str:
    """A name that says what an unnamed node is: ``sin_a``, ``d_m``, ``mask``."""
    if node.adjoint_of is not None:
        of = node.adjoint_of
        return f"d_{base_name(of, known)}"
    return base_name(node, known)


def _entry_name(node: Node, known: dict[Node, str]) -> str:
    """``W_0_1`` for an entry of ``W``, ``W_1`` for its column, where that has a name."""
    if node.op.name != "getitem":
        return ""
    index = node.attributes["index"]
    places = [item.constant for item in index if isinstance(item, Size)]
    whole = known.get(node.operands[0], "")
    if not places or not whole.isidentifier() or len(whole) >= _LONGEST:
        return ""
    if any(p is None or p < 0 for p in places) or any(
        isinstance(i, Cut) and i != Cut() for i in index
    ):
        return ""
    return "_".join([whole, *map(str, places)])


def placed(place: Node) -> str:
    """A name for what a step of a loop is given, which may be called after an operation."""
    name = called(place)
    return legal(_NOUNS.get(name, name) if place.span.text != name else name)


def base_name(node: Node, known: dict[Node, str]) -> str:
    if node.op.name == "input":
        return legal(node.attributes["name"])
    if node.name:
        return legal(node.name)
    if node.op.name == "scan":
        sort, which = node.attributes["result"]
        return f"{temporary(which, known)}_steps" if sort == "stack" else legal(called(node))
    if known.get(node, "").isidentifier():
        return known[node]
    entry = _entry_name(node, known)
    if entry:
        return entry
    if node.op.name in ("to_python", "to_numpy"):
        name = base_name(node.operands[0], known)
        return f"{name}_list" if node.op.name == "to_python" and node.type.rank else name
    if len(node.operands) == 1 and node.op.name not in _NOUNS:
        operand = node.operands[0]
        inner = known.get(operand) or (operand.name and legal(operand.name))
        if operand.op.name == "input":
            inner = legal(operand.attributes["name"])
        if inner and inner.isidentifier() and len(inner) + len(node.op.name) < _LONGEST:
            return f"{node.op.name}_{inner}"
    noun = _NOUNS.get(node.op.name, node.op.name)
    return noun if noun.isidentifier() else "value"
