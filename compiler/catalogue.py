"""``gradc ops``: the table of operations as text."""

from __future__ import annotations

import re

from ..dsl.library import prelude
from ..dsl.ops import OPS, Op
from ..dsl.scope import nearest


def public() -> list[Op]:
    return [op for op in OPS.values() if op.public]


def listing() -> str:
    """A line an operation: how it is called, and what it is."""
    rows = [(op.signature, op.doc) for op in public()]
    rows += [(_signature(name), d.doc) for name, d in prelude().items()]
    width = max(len(signature) for signature, _ in rows)
    return "".join(f"{signature:<{width}}  {doc}\n" for signature, doc in rows)


def _signature(name: str) -> str:
    parameters = prelude()[name].parameters
    return f"{name}({', '.join(p.name.id for p in parameters)})"


def near_operation(name: str) -> str | None:
    return nearest(name, [*(op.name for op in public()), *prelude()])


def describe(name: str) -> str | None:
    """All that is declared of an operation, or ``None`` where there is none."""
    if name in prelude():
        from ..dsl import ast
        from ..dsl.format import format_program

        function = prelude()[name]
        source = function.span.source
        text = format_program(ast.Program(source, (function,)))
        return f"{_signature(name)}\n{function.doc}\n\nWritten in the language:\n\n  {text}"
    op = OPS.get(name)
    if op is None or not op.public:
        return None
    lines = [op.signature, op.doc, ""]
    facts = [("shapes", _shapes(op)), ("NumPy", _shown(op.numpy)), ("math", _shown(op.math))]
    facts.append(("LaTeX", op.latex))
    for parameter, domain in op.domain.items():
        facts.append(("domain", f"{parameter} in {domain}"))
    for parameter, rule in op.rules.items():
        kind = "slope" if op.family == "elementwise" else "gradient"
        facts.append((kind, f"{parameter}: {rule}"))
    if not op.rules:
        facts.append(("gradient", "none: it is constant, or made of integers"))
    if op.convention:
        facts.append(("convention", op.convention))
    lines += [f"  {label:<10}  {text}" for label, text in facts if text]
    return "\n".join(lines) + "\n"


def _shapes(op: Op) -> str:
    """How the shape of the result comes about, in words."""
    if op.family in ("elementwise", "pointwise"):
        return "the operands broadcast"
    names = {p.name for p in op.parameters}
    if {"axis", "keepdims"} <= names:
        return "the axes are reduced, all by default; with keepdims they stay, of size 1"
    return ""


def _shown(text: object) -> str:
    """A template as a call with the names of the signature."""
    if not isinstance(text, str):
        return "depends on the shapes"
    text = re.sub(r"\{, (\w+)\}", r", \1=\1", text)
    text = re.sub(r"\{(\*?\w+)\}", r"\1", text)
    return re.sub(r"\b_(\w+)\(", r"\1(", text)


def markdown() -> str:
    """All operations as a Markdown document."""
    lines = [
        "# Operations",
        "",
        "Generated from the table of operations by `python -m gradc.compiler.catalogue`. In rules,",
        "`y` is the result and `dy` the gradient arriving at it; a slope is multiplied with `dy`.",
    ]
    for name in [*(op.name for op in public()), *prelude()]:
        text = describe(name)
        assert text is not None
        signature, doc, *rest = text.rstrip().split("\n")
        lines += ["", f"## `{signature}`", "", doc]
        facts = [line for line in rest if line.strip()]
        if facts:
            lines += ["", "```", *(line.removeprefix("  ") for line in facts), "```"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(markdown(), end="")
