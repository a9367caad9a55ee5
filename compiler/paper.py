"""How a derivative is written on paper: ``dW = dm xᵀ``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from operator import add, mul, sub

from ..dsl import ast
from ..dsl.constants import literal
from ..dsl.format import expression_text
from ..dsl.frozen import frozen
from ..dsl.graph import Node
from ..dsl.ops import OPS
from ..dsl.source import Source
from .python import plain
from .rules import names_in, rule_of, rule_tree

_LONGEST = 24
_SILENT = ("expand_dims", "broadcast_to", "as_float")
_CALL = re.compile(r"\w+(\([^()]*\)|\[[^\[\]]*\])")
_ONE = ast.Number(Source("1").span(0, 1), "1")


def seen(node: Node) -> Node:
    """What a reader sees of a node: broadcasting goes without saying."""
    while node.op.name in _SILENT and not node.name:
        node = node.operands[0]
    return node


def stands_in(node: Node) -> bool:
    """Whether a loop is given a value that has no name: the placeholder is called an operation."""
    name = node.attributes.get("name")
    return node.op.name == "input" and name in OPS and node.span.text != name


def mirrored(node: Node) -> bool:
    """Whether a node is written as another one with a raised T."""
    return node.op.name in ("transpose", "matrix_transpose") and node.type.rank == 2


def label(node: Node) -> str:
    """A node's name, or its text where that is short, or the operation."""
    node = seen(node)
    if node.op.name == "input" and not stands_in(node):
        return str(node.attributes["name"])
    if node.name:
        return node.name.rpartition(".")[2]
    if node.op.name in ("constant", "size"):
        return str(node.attributes.get("value", node.attributes.get("size")))
    if mirrored(node):
        return _transposed(_atom(label(node.operands[0])))
    text = spec_text(node)
    return text if len(text) <= _LONGEST else f"{node.op.name}(...)"


def spec_text(node: Node) -> str:
    """The piece of the specification that a node comes from, on one line, without comments."""
    text = node.span.text
    if "#" in text:
        text = " ".join(line.partition("#")[0] for line in text.splitlines())
    return _bare(plain(text))


def _bare(text: str) -> str:
    """The text without parentheses around the whole."""
    return text[1:-1] if text.startswith("(") and _closes_at_end(text) else text


def _closes_at_end(text: str) -> bool:
    """Whether the first parenthesis is closed by the last character."""
    depth = 0
    for position, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return position == len(text) - 1
    return False


def definition(node: Node) -> str:
    """``m = W @ x`` for a named node, the text alone for another."""
    text = spec_text(node)
    return f"{node.name.rpartition('.')[2]} = {text}" if node.name else text


def differential(text: str) -> str:
    """``d`` of a label: ``dm``, or ``d(a + b)``."""
    grouped = text.startswith("(") and _closes_at_end(text)
    return f"d{text}" if text.isidentifier() or grouped else f"d({text})"


def mentioned(node: Node, position: int) -> list[Node]:
    """The values whose names or texts stand in a rule on paper."""
    rule = rule_of(node, position)
    assert rule is not None
    text = rule if isinstance(rule, str) else rule.root.span.text
    names = names_in(text)
    found = [node, node.operands[position]]
    if node.op.name == "where":
        return [*found, node.operands[0]]
    if not node.op.variadic:
        pairs = zip(node.op.operands, node.operands, strict=True)
        found += [operand for parameter, operand in pairs if parameter.name in names]
    return found


def rule_on_paper(node: Node, position: int) -> str:
    """The rule that sends the gradient of ``node`` to an operand, in the names of the spec."""
    rule = rule_of(node, position)
    assert rule is not None
    text = rule if isinstance(rule, str) else rule.root.span.text
    operand, result = node.operands[position], label(node)
    left, arriving = differential(label(operand)), differential(result)
    if node.op.name == "transpose":
        turned = _transposed(arriving) if mirrored(node) else f"{arriving}, its axes turned back"
        return f"{left} = {turned}"
    names = {"y": _atom(result), "dy": arriving}
    if not node.op.variadic:
        for parameter, value in zip(node.op.operands, node.operands, strict=True):
            names[parameter.name] = _atom(label(value))
    if node.op.results:
        own = node.op.result_names(node.attributes)[node.attributes["result"]]
        names |= {own: _atom(result), f"d{own}": arriving}
    for name, option in node.attributes.items():
        names.setdefault(name, str(option))
    if node.op.name == "where":
        condition = label(node.operands[0])
        return f"{left} = {arriving} where {'not ' if position == 2 else ''}{condition}"
    guarded = text.startswith("if") and node.op.operand_name(position) in node.op.shown
    if node.op.family != "elementwise" and not guarded:
        return f"{left} = {on_paper(rule_tree(text), names)}"
    if text in ("1", "-1"):
        return f"{left} = {'-' * (text == '-1')}{arriving}"
    slope = slope_on_paper(node, position) if guarded else None
    product = _scaled(slope) if slope is not None else _passed_on(text)
    return f"{left} = {on_paper(product, names)}"


@cache
def _passed_on(text: str) -> ast.Expr:
    """What arrives times the slope that is a rule's text."""
    return _scaled(rule_tree(text))


def _scaled(slope: ast.Expr) -> ast.Expr:
    return _times(ast.Name(slope.span, "dy"), slope)


def _times(left: ast.Expr, right: ast.Expr) -> ast.Expr:
    """``left * a * b`` for a product on the right."""
    if isinstance(right, ast.Binary) and right.operator == "*":
        return _times(_times(left, right.left), right.right)
    if isinstance(right, ast.Binary) and right.operator == "/" and right.left == _ONE:
        return ast.Binary(right.span, "/", left, right.right)
    return ast.Binary(right.span, "*", left, right)


def _transposed(text: str) -> str:
    """A text with a raised T, or without the one that stands behind all of it."""
    whole = _bare(text)
    inner = whole.removesuffix("ᵀ")
    if inner != whole and _grouped(inner):
        return inner
    return f"{text if _grouped(text) else f'({text})'}ᵀ"


def _grouped(text: str) -> bool:
    """Whether a text needs no parentheses around it."""
    return _atom(text) == text or _bare(text) != text


def _atom(text: str) -> str:
    simple = text.isidentifier() or text.replace(".", "").isdigit()
    return text if simple or _CALL.fullmatch(text) else f"({text})"


def slope_on_paper(node: Node, position: int) -> ast.Expr | None:
    """The local derivative as a formula, where it is a factor; constants put in and folded."""
    name = node.op.operand_name(position)
    text = node.op.shown.get(name)
    if text is None:
        rule = rule_of(node, position)
        if node.op.family != "elementwise" or not isinstance(rule, str):
            return None
        text = rule
    constants = {
        parameter.name: operand.attributes["value"]
        for parameter, operand in zip(node.op.operands, node.operands, strict=False)
        if operand.op.name == "constant"
    }
    return _folded(rule_tree(text), constants)


def _folded(tree: ast.Expr, constants: Mapping[str, float]) -> ast.Expr:
    """The formula with constants in place of names, and their sums and products done."""
    if isinstance(tree, ast.Name) and tree.id in constants:
        value = constants[tree.id]
        number = ast.Number(tree.span, str(abs(value)))
        return number if value >= 0 else ast.Unary(tree.span, "-", number)
    if isinstance(tree, ast.Unary):
        return ast.Unary(tree.span, tree.operator, _folded(tree.operand, constants))
    if not isinstance(tree, ast.Binary):
        return tree
    left, right = _folded(tree.left, constants), _folded(tree.right, constants)
    a, b = literal(left), literal(right)
    arithmetic = {"+": add, "-": sub, "*": mul}.get(tree.operator)
    if a is not None and b is not None and arithmetic is not None:
        return _folded(ast.Name(tree.span, "result"), {"result": arithmetic(a, b)})
    if tree.operator == "^" and b == 1:
        return left
    return ast.Binary(tree.span, tree.operator, left, right)


_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_LEVELS = {"or": 1, "and": 2, "+": 5, "-": 5, "*": 6, "/": 6, "//": 6, "%": 6, "@": 6, "^": 8}
_COMPARISON, _SIGNED, _ATOM = 4, 7, 9


def on_paper(tree: ast.Expr, names: Mapping[str, str], times: str = " * ") -> str:
    """A rule's text with the names of the spec; helpers of rules in the words of mathematics.

    Rules are short, so this may recur.
    """
    return _Printer(names, times).text(tree)


@frozen()
class _Printer:
    names: Mapping[str, str]
    times: str

    def text(self, tree: ast.Expr) -> str:
        match tree:
            case ast.Name():
                return self.names.get(tree.id, tree.id)
            case ast.Call():
                return self.call(tree)
            case ast.Transpose():
                return _transposed(self.text(tree.operand))
            case ast.Binary():
                return self.binary(tree)
            case ast.Unary():
                inner = self.at(tree.operand, _SIGNED)
                return f"not {inner}" if tree.operator == "not" else f"-{inner}"
            case ast.IfElse():
                parts = (tree.condition, tree.then, tree.otherwise)
                return "if {} then {} else {}".format(*map(self.text, parts))
        return expression_text(tree, self.names)

    def call(self, tree: ast.Call) -> str:
        parts = [_bare(self.text(argument)) for argument in tree.arguments]
        match tree.function.id:
            case "outer" | "vecouter":
                return f"{parts[0]} {parts[1]}ᵀ"
            case "matvec":
                return f"{parts[0]} {parts[1]}"
            case "spread" | "reshape_like" | "expand_dims":
                return parts[0]
            case "place_like" | "diagonal_like" | "trace_like":
                where = "in its place" if tree.function.id == "place_like" else "on the diagonal"
                return f"{parts[0]} {where}, 0 elsewhere"
            case "untake" | "untake_along":
                return f"{parts[0]} added up at {parts[2]}"
            case "untile" | "unrepeat":
                return f"{parts[0]}, its repeats added up"
            case "unwindow":
                return f"{parts[0]} added up where windows overlap"
            case "unpad":
                return f"{parts[0]} without its borders"
            case "unroll":
                return f"{parts[0]} rolled back"
        return f"{tree.function.id}({', '.join(parts)})"

    def binary(self, tree: ast.Binary) -> str:
        operator, right = tree.operator, tree.right
        if operator == "@":
            return f"{self.text(tree.left)} {self.text(right)}"
        if operator == "^" and isinstance(right, ast.Number) and right.text.isdigit():
            return f"{self.at(tree.left, _ATOM)}{right.text.translate(_SUPERSCRIPTS)}"
        level = _LEVELS.get(operator, _COMPARISON)
        sign = {"*": self.times, "^": "^"}.get(operator, f" {operator} ")
        if operator == "/" and self.times != " * ":
            sign = "/"
        return f"{self.at(tree.left, level)}{sign}{self.at(right, level + 1)}"

    def at(self, tree: ast.Expr, level: int) -> str:
        own = _ATOM
        if isinstance(tree, ast.Binary):
            own = _LEVELS.get(tree.operator, _COMPARISON)
        elif isinstance(tree, ast.Unary):
            own = _SIGNED if tree.operator == "-" else 3
        elif isinstance(tree, ast.IfElse):
            own = 0
        return self.text(tree) if own >= level else f"({self.text(tree)})"
