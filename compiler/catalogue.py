"""``gradc ops``: the table of operations as text."""

from __future__ import annotations

import re
from functools import cache

from ..dsl.graph import Graph
from ..dsl.library import prelude
from ..dsl.lower import lower
from ..dsl.ops import OPS, Op
from ..dsl.scope import nearest
from ..dsl.source import Source
from . import driver


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
    facts = [("shapes", _shapes(op)), ("NumPy", _numpy(op)), ("math", _shown(op.math))]
    facts.append(("LaTeX", op.latex))
    for parameter, domain in op.domain.items():
        facts.append(("domain", f"{parameter} in {domain}"))
    for parameter, rule in op.rules.items():
        kind = "slope" if op.family == "elementwise" else "gradient"
        facts.append((kind, f"{parameter}: {rule}"))
    if not op.rules:
        lowered = "that of the operations it is written with"
        none = "none: it is constant, or made of integers"
        facts.append(("gradient", none if op.canonical else lowered))
    if op.convention:
        facts.append(("convention", op.convention))
    lines += [f"  {label:<10}  {text}" for label, text in facts if text]
    return "\n".join(lines) + "\n"


def _shapes(op: Op) -> str:
    """How the shape of the result comes about: in words, or for a sample call."""
    if op.sample:
        return _sample(op)[0]
    if op.family in ("elementwise", "pointwise"):
        return "the operands broadcast"
    names = {p.name for p in op.parameters}
    if {"axis", "keepdims"} <= names:
        return "the axes are reduced, all by default; with keepdims they stay, of size 1"
    return ""


_OPERAND = re.compile(r"(\w+): (int|bool|)\[([^\]]*)\]")


@cache
def _sample(op: Op) -> tuple[str, Graph]:
    """The sample call of a declaration with the types of its results, and its lowered graph."""
    call = _OPERAND.sub(r"\1", op.sample)
    lines = []
    for name, kind, sizes in _OPERAND.findall(op.sample):
        lines.append(f"{'data' if kind else 'input'} {name}: {_type_text(kind, sizes)}")
    bound = set(re.findall(r"[A-Z]", " ".join(lines)))
    options = call.partition("(")[2] if not op.sample.startswith("einsum") else ""
    free = [s for s in re.findall(r"\b[A-Z]\b", options) if s not in bound and s not in "AB"]
    lines += [f"size {size}" for size in dict.fromkeys(free)]
    results = op.results if isinstance(op.results, tuple) else ("first", "second")
    names = results or ("result",)
    lines.append(f"node {', '.join(names)} = {call}")
    lines += [f"output {name}" for name in names]
    checked = driver.checked(Source("\n".join(lines) + "\n", f"{op.name}.grad"))
    types = [str(node.type) for node in checked.graph.outputs.values()]
    if results:
        types = [f"{name} {type_}" for name, type_ in zip(names, types, strict=True)]
    shown = _OPERAND.sub(
        lambda m: f"{m[1]} {m[2] or 'float'}{f'[{m[3]}]' if m[3] else ''}", op.sample
    )
    return f"{shown} gives {', '.join(types)}", lower(checked.graph)


def _type_text(kind: str, sizes: str) -> str:
    return f"{kind or 'float'}[{sizes}]" if sizes else kind or "float"


def _numpy(op: Op) -> str:
    """NumPy's text; where it depends on the types, that of the sample."""
    if isinstance(op.numpy, str) or not op.sample:
        return _shown(op.numpy)
    node = next((n for n in _sample(op)[1].nodes if n.op is op), None)
    if node is None:
        return _shown(op.numpy)
    return _shown(op.numpy([o.type for o in node.operands], node.attributes))


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
        "`nan` and infinities go through as in NumPy; what an operation does with them beyond",
        "that, and where its derivative is a convention, its entry says.",
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
