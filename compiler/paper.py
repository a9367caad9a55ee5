"""How a derivative is written on paper: ``dW = dm xᵀ``."""

from __future__ import annotations

from ..dsl import ast
from ..dsl.format import expression_text
from ..dsl.graph import Node
from .python import plain
from .rules import rule_text, rule_tree

_LONGEST = 24


def label(node: Node) -> str:
    """A node's name, or its text where that is short, or the operation."""
    if node.op.name == "input":
        return str(node.attributes["name"])
    if node.name:
        return node.name.rpartition(".")[2]
    text = spec_text(node)
    return text if len(text) <= _LONGEST else f"{node.op.name}(...)"


def spec_text(node: Node) -> str:
    """The piece of the specification that a node comes from, on one line, without comments."""
    lines = [line.partition("#")[0] for line in node.span.text.splitlines()]
    return plain(" ".join(lines))


def definition(node: Node) -> str:
    """``m = W @ x`` for a named node, the text alone for another."""
    text = spec_text(node)
    return f"{node.name.rpartition('.')[2]} = {text}" if node.name else text


def differential(text: str) -> str:
    """``d`` of a label: ``dm``, or ``d(a + b)``."""
    return f"d{text}" if text.isidentifier() or text.startswith("(") else f"d({text})"


def rule_on_paper(node: Node, position: int) -> str:
    """The rule that sends the gradient of ``node`` to an operand, in the names of the spec."""
    text = rule_text(node.op, position)
    assert text is not None
    operand, result = node.operands[position], label(node)
    left, arriving = differential(label(operand)), differential(result)
    names = {"y": result, "dy": arriving}
    if not node.op.variadic:
        for parameter, value in zip(node.op.operands, node.operands, strict=True):
            names[parameter.name] = _atom(label(value))
    for name, option in node.attributes.items():
        names.setdefault(name, str(option))
    if node.op.name == "where":
        condition = label(node.operands[0])
        return f"{left} = {arriving} where {'not ' if position == 2 else ''}{condition}"
    if node.op.family != "elementwise":
        return f"{left} = {on_paper(rule_tree(text), names)}"
    if text in ("1", "-1"):
        return f"{left} = {'-' * (text == '-1')}{arriving}"
    slope = rule_tree(text)
    product = ast.Binary(slope.span, "*", ast.Name(slope.span, "dy"), slope)
    return f"{left} = {on_paper(product, names)}"


def _atom(text: str) -> str:
    return text if text.isidentifier() or text.replace(".", "").isdigit() else f"({text})"


_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def on_paper(tree: ast.Expr, names: dict[str, str]) -> str:
    """A rule's text with the names of the spec; helpers of rules in the words of mathematics."""
    match tree:
        case ast.Call(function=function, arguments=arguments):
            parts = [on_paper(a, names) for a in arguments]
            if function.id == "outer":
                return f"{parts[0]} {parts[1]}ᵀ"
            if function.id == "matvec":
                return f"{parts[0]} {parts[1]}"
            if function.id in ("spread", "reshape_like", "expand_dims"):
                return parts[0]
            return f"{function.id}({', '.join(parts)})"
        case ast.Transpose(operand=operand):
            return f"{on_paper(operand, names)}ᵀ"
        case ast.Binary(operator="@", left=left, right=right):
            return f"{on_paper(left, names)} {on_paper(right, names)}"
        case ast.Binary(operator=operator, left=left, right=right):
            sides = [on_paper(side, names) for side in (left, right)]
            if operator == "^" and isinstance(right, ast.Number) and right.text.isdigit():
                return f"{_grouped(left, sides[0], 9)}{right.text.translate(_SUPERSCRIPTS)}"
            level = {"+": 5, "-": 5, "*": 6, "/": 6, "//": 6, "^": 8}.get(operator, 4)
            sides[0] = _grouped(left, sides[0], level)
            sides[1] = _grouped(right, sides[1], level + 1)
            return f"{sides[0]} {operator} {sides[1]}"
        case ast.Unary(operator=operator, operand=operand):
            inner = _grouped(operand, on_paper(operand, names), 7)
            return f"not {inner}" if operator == "not" else f"-{inner}"
        case ast.IfElse():
            parts = [on_paper(p, names) for p in (tree.condition, tree.then, tree.otherwise)]
            return f"if {parts[0]} then {parts[1]} else {parts[2]}"
    return expression_text(tree, names)


def _grouped(tree: ast.Expr, text: str, level: int) -> str:
    own = 9
    if isinstance(tree, ast.Binary):
        levels = {"+": 5, "-": 5, "*": 6, "/": 6, "//": 6, "@": 6, "^": 8}
        own = levels.get(tree.operator, 4)
    elif isinstance(tree, ast.Unary):
        own = 7 if tree.operator == "-" else 3
    elif isinstance(tree, ast.IfElse):
        own = 0
    return text if own >= level else f"({text})"
