"""What stands in the box of an operation, from its text on paper: ``*``, ``sin``, ``1/x``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ...dsl.graph import Node, attribute_text
from ..paper import label, seen, spec_text

_LONGEST, _LONGEST_NAME = 16, 8
_CALL = re.compile(r"(\w+)\(.*\)")
_INFIX = re.compile(r"\{a\} ?([^\s{}]+) ?\{b\}")
_LETTERS = ("x", "y", "z")
_RESULTS = {"final": "last", "stack": "all steps", "steps": "steps"}
_POWERS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def symbol(node: Node) -> str:
    """The operation of a node, its constants put in."""
    if node.op.name == "scan":
        return _RESULTS[node.attributes["result"][0]]
    numbers = _numbers(node)
    if len(numbers) == len(node.operands):
        written = spec_text(node)
        return written if len(written) <= _LONGEST else node.op.name
    infix = _INFIX.fullmatch(node.op.paper)
    if infix:
        return _infix(node, infix[1], numbers)
    call = _CALL.fullmatch(node.op.paper)
    if call and not numbers:
        return call[1]
    text = _filled(node, numbers)
    if text in _LETTERS or not text:
        return "="
    return text if len(text) <= _LONGEST else (call[1] if call else node.op.name)


def _infix(node: Node, sign: str, numbers: Mapping[str, str]) -> str:
    left, right = numbers.get("a"), numbers.get("b")
    if left is not None and right is None:
        tight = node.op.commutative
        return f"{sign}{left}" if tight else f"{left}{sign}x"
    if right is not None and left is None:
        if sign == "^":
            whole = right.removeprefix("-").isdecimal()
            return f"x{right.translate(_POWERS)}" if whole else f"x^{right}"
        return f"{sign}{right}"
    names = [label(operand) for operand in node.operands]
    short = all(name.isidentifier() and len(name) <= _LONGEST_NAME for name in names)
    if node.op.commutative or not short or numbers:
        return sign
    return f"{names[0]} {sign} {names[1]}" if sign != "^" else f"{names[0]}^{names[1]}"


def _numbers(node: Node) -> dict[str, str]:
    """The operands that are written numbers or sizes, by the names of the declaration."""
    if node.op.variadic:
        return {}
    pairs = zip(node.op.operands, map(seen, node.operands), strict=True)
    return {p.name: label(o) for p, o in pairs if o.op.name in ("constant", "size")}


def _filled(node: Node, numbers: Mapping[str, str]) -> str:
    """The text on paper: numbers as they are, short names, and letters for what has none."""
    known = {name: _option(value) for name, value in node.attributes.items()}
    known["*xs"] = "x, ..."
    letters = iter(_LETTERS)
    if not node.op.variadic:
        for parameter, operand in zip(node.op.operands, node.operands, strict=True):
            if parameter.name in numbers:
                known[parameter.name] = numbers[parameter.name]
                continue
            letter, name = next(letters, "x"), label(operand)
            named = node.op.family != "elementwise" and name.isidentifier()
            known[parameter.name] = name if named and len(name) <= _LONGEST_NAME else letter
    text = re.sub(r"\{([*\w]+)\}", lambda m: known.get(m[1], ""), node.op.paper)
    return text.replace(" / ", "/")


def _option(value: object) -> str:
    """An option as the specification writes it: ``x[0, 1:3]`` has brackets of its own."""
    text = attribute_text(value)
    return text[1:-1] if isinstance(value, tuple) else text
