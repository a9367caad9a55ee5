"""The texts of the operation table, filled in with as few parentheses as Python allows."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from ..dsl.frozen import frozen

# Precedence of an expression, as in Python's reference; an atom binds tightest. A quotient rounded
# down stands below products, since -(a // b) is not (-a) // b.
LAMBDA, CONDITIONAL, OR, AND, NOT, COMPARE = 0, 1, 2, 3, 4, 5
BIT_OR, BIT_AND, SUM, FLOOR, PRODUCT, SIGNED, POWER, ATOM = 6, 7, 8, 9, 10, 11, 12, 13

_BINARY = {
    ast.Add: SUM, ast.Sub: SUM, ast.Mult: PRODUCT, ast.Div: PRODUCT, ast.FloorDiv: FLOOR,
    ast.Mod: FLOOR, ast.MatMult: PRODUCT, ast.Pow: POWER, ast.BitAnd: BIT_AND, ast.BitOr: BIT_OR,
}  # fmt: skip
# What options left out at their defaults leave of a call whose first argument they were.
_NO_FIRST = "(, "
# Functions of NumPy that only call the method of their argument; of ``any`` and ``all`` NumPy's
# stubs know less as methods.
_CALLS_METHOD = re.compile(
    r"np\.(argmax|argmin|cumsum|max|min|prod|ravel|reshape|sum|swapaxes|take|transpose)"
    r"\((\{\w+\})(?=[,){])(?:, )?"
)
_HOLE = re.compile(r"\{(?P<comma>, )?(?P<star>\*)?(?P<name>\w+)\}")


@frozen()
class Expression:
    """Python text and how tightly it binds."""

    text: str
    precedence: int = ATOM

    def at(self, precedence: int) -> str:
        """The text, in parentheses where the place binds tighter."""
        return self.text if self.precedence >= precedence else f"({self.text})"


@frozen()
class Hole:
    """A place of a template. ``precedence`` is what an operand there must have."""

    name: str
    comma: bool
    star: bool
    precedence: int
    negated: bool = False
    """Whether a minus sign stands before it."""


@frozen()
class Template:
    parts: tuple[str | Hole, ...]
    precedence: int
    uses: Mapping[str, int]
    """How often the text of an operand appears."""
    repeats: bool
    """Whether that of any appears more than once."""


@cache
def with_methods(text: str) -> str:
    """The same with methods instead of functions that only call them, which takes NumPy 0.4 to
    2 µs a call."""
    return _CALLS_METHOD.sub(r"\2.\1(", text)


@cache
def template(text: str) -> Template:
    """A template, its precedences found by parsing it as Python."""
    holes = list(_HOLE.finditer(text))
    plain = _HOLE.sub(lambda m: "" if m["comma"] else f"{m['star'] or ''}__{m['name']}", text)
    plain = plain.replace(_NO_FIRST, "(")
    tree = ast.parse(plain, mode="eval").body
    needed: dict[str, int] = {}
    negated = {
        parent.operand.id[2:]
        for parent in ast.walk(tree)
        if isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.USub)
        if isinstance(parent.operand, ast.Name)
    }
    for parent in ast.walk(tree):
        for child, precedence in _places(parent):
            if isinstance(child, ast.Name) and child.id.startswith("__"):
                name = child.id[2:]
                needed[name] = max(needed.get(name, 0), precedence)
    parts: list[str | Hole] = []
    end = 0
    for hole in holes:
        parts.append(text[end : hole.start()])
        comma, star = bool(hole["comma"]), bool(hole["star"])
        name = hole["name"]
        parts.append(Hole(name, comma, star, needed.get(name, LAMBDA), name in negated))
        end = hole.end()
    parts.append(text[end:])
    own = ATOM if isinstance(tree, ast.Name) else _own(tree)
    uses = Counter(hole["name"] for hole in holes)
    repeats = any(number > 1 for number in uses.values())
    return Template(tuple(p for p in parts if p != ""), own, uses, repeats)


def _own(tree: ast.expr) -> int:
    match tree:
        case ast.IfExp():
            return CONDITIONAL
        case ast.BoolOp():
            return OR if isinstance(tree.op, ast.Or) else AND
        case ast.UnaryOp():
            # -a * b is (-a) * b, which is the same number as -(a * b).
            return NOT if isinstance(tree.op, ast.Not) else PRODUCT
        case ast.Compare():
            return COMPARE
        case ast.BinOp():
            return _BINARY[type(tree.op)]
    return ATOM


def _places(parent: ast.AST) -> list[tuple[ast.AST, int]]:
    """The children of a Python expression with the precedence that their place asks for."""
    match parent:
        case ast.BinOp(op=ast.Pow()):
            return [(parent.left, ATOM), (parent.right, SIGNED)]
        case ast.BinOp():
            own = _BINARY[type(parent.op)]
            # A sum or product on the right is associated by its parentheses.
            return [(parent.left, own), (parent.right, own + 1 if own < FLOOR else SIGNED)]
        case ast.UnaryOp(op=ast.Not()):
            return [(parent.operand, NOT)]
        case ast.UnaryOp(op=ast.Invert()):
            return [(parent.operand, SIGNED)]
        case ast.UnaryOp():
            return [(parent.operand, PRODUCT)]
        case ast.Compare():
            return [(child, BIT_OR) for child in (parent.left, *parent.comparators)]
        case ast.BoolOp():
            own = OR if isinstance(parent.op, ast.Or) else AND
            return [(parent.values[0], own), *((v, own + 1) for v in parent.values[1:])]
        case ast.IfExp():
            return [(parent.body, OR), (parent.test, OR), (parent.orelse, CONDITIONAL)]
        case ast.Attribute() | ast.Subscript():
            return [(parent.value, ATOM)]
    return []


def fill(
    text: str,
    operands: Mapping[str, Expression],
    options: Callable[[str], str | None],
    variadic: Sequence[Expression] = (),
) -> Expression:
    """A template with its holes filled; ``options`` gives ``None`` for a default value."""
    filled = template(text)
    result = []
    for part in filled.parts:
        if isinstance(part, str):
            result.append(part)
        elif (operand := operands.get(part.name)) is not None:
            written = operand.at(part.precedence)
            result.append(_after_minus(written) if part.negated else written)
        elif part.star and variadic:
            result.append(", ".join(operand.text for operand in variadic))
        else:
            value = options(part.name)
            if part.star:
                result.append(str(value)[1:-1])
            elif part.comma:
                result.append("" if value is None else f", {part.name}={value}")
            else:
                result.append(str(value))
    if filled.precedence == ATOM and len(filled.parts) == 1:
        only = filled.parts[0]
        if isinstance(only, Hole) and only.name in operands:
            return operands[only.name]
    text = "".join(result).replace(_NO_FIRST, "(")
    if filled.precedence == POWER:
        text = _black_power(text)
    return Expression(text, filled.precedence)


def _after_minus(text: str) -> str:
    """An operand behind a minus sign: a leading power in parentheses, as Black and Ruff have it,
    and all of it where it begins with a sign, for ``--x`` looks like a decrement."""
    if text.startswith("-"):
        return f"({text})"
    if "**" not in text:
        return text
    tree = ast.parse(text, mode="eval").body
    while isinstance(tree, ast.BinOp) and not tree.col_offset:
        if isinstance(tree.op, ast.Pow):
            end = tree.end_col_offset
            written = text.encode()
            return f"({written[:end].decode()}){written[end:].decode()}"
        tree = tree.left
    return text


_SIMPLE_POWER = re.compile(r"(-?[\w.]+) \*\* (-?[\w.]+)")


def _black_power(text: str) -> str:
    """``x**2``, but ``f(x) ** 2``: the style of Black and Ruff."""
    match = _SIMPLE_POWER.fullmatch(text)
    return f"{match[1]}**{match[2]}" if match else text
