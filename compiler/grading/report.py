"""A grade as text for the student, and as JSON for those who grade."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ...dsl.errors import render
from ...dsl.errors.diagnostic import Diagnostic, Label, Severity
from ...dsl.errors.render import visible
from ...dsl.graph import Node
from ..paper import definition, differential, label, rule_on_paper
from .answers import Verdict
from .diagnose import Diagnosis, Slips
from .grade import Grade
from .mutations import TITLES, Place
from .student import StudentError
from .walk import Slip

SCHEMA = 1
_MOST_ALTERNATIVES = 4
_OVERWRITTEN = "parts of an array overlap, and are overwritten, not added"


_AT_OUTPUT = "the derivative is taken at the output, where it must be at the input"
_VARIANTS = {
    ("factor", "half"): "a factor 2 is missing",
    ("factor", "twice"): "a factor 2 is too much",
    ("wrong-point", "output"): _AT_OUTPUT,
    ("wrong-point", "output again"): _AT_OUTPUT,
    ("wrong-point", "input"): "the derivative is written for the output, but taken at the input",
    ("power", "exponent"): "the exponent is not lowered by one",
    ("power", "coefficient"): "the factor from the exponent is missing",
    ("power", "square"): "the divisor is not squared in the derivative of the quotient",
    ("power", "divided"): "the derivative is taken for the dividend, where it must be the divisor",
    ("overwritten", "first"): _OVERWRITTEN,
    ("overwritten", "last"): _OVERWRITTEN,
}


def title(slip: Slip) -> str:
    return _VARIANTS.get((slip.kind, slip.variant), TITLES[slip.kind])


def _usual(slip: Slip, node: Node) -> tuple[int, int, int]:
    """What to think of first: kinds that say much, and general ones where the rule has it."""
    general = ("sign", "factor", "arriving-forgotten", "local-forgotten", "value-for-slope",
               "inverted-slope", "power")  # fmt: skip
    text = _rule(slip, node).partition("=")[2]
    there = {"sign": "-", "factor": "2"}.get(slip.kind, "")
    kind = general.index(slip.kind) + 1 if slip.kind in general else 0
    return (0 if there and (there in text or "²" in text) else 1 if kind else 0), kind, -slip.place


def _rule(slip: Slip, node: Node) -> str:
    if slip.position is None:
        return f"{differential(label(node))} = the sum of what comes back from each use"
    rule = rule_on_paper(node, slip.position)
    if Place(slip.place, node, slip.position).summed:
        left, _, right = rule.partition(" = ")
        return (
            f"{left} = the sum of {right} where {label(node.operands[slip.position])} is repeated"
        )
    return rule


class Words:
    def __init__(self, grade: Grade) -> None:
        self.grade = grade
        self.places = grade.diagnoser.places

    def ranked(self, diagnosis: Diagnosis) -> list[Slips]:
        return sorted(diagnosis.alternatives, key=lambda h: [_usual(s, self.places[s.place]) for s in h])  # noqa: E501  # fmt: skip

    def groups(self, hypothesis: Slips) -> list[list[Slip]]:
        """Slips of one kind, which are one mistake made several times, together."""
        found: dict[tuple[str, str], list[Slip]] = {}
        for slip in sorted(hypothesis, key=lambda s: -s.place):
            found.setdefault((slip.kind, slip.variant), []).append(slip)
        return list(found.values())

    def diagnostic(self, together: list[Slip]) -> Diagnostic:
        first, *others = together
        labels = [Label(self.node(s).span, _rule(s, self.node(s))) for s in (first, *others)]
        again = f", {len(together)} times" if others else ""
        hint = f"these are the numbers of {first.wrote}" if first.wrote else ""
        return Diagnostic("", f"{title(first)}{again}", labels[0], tuple(labels[1:]), hint,
                          Severity.MISTAKE)  # fmt: skip

    def node(self, slip: Slip) -> Node:
        return self.places[slip.place]

    def short(self, hypothesis: Slips) -> str:
        parts = []
        for slip in sorted(hypothesis, key=lambda s: -s.place):
            node = self.node(slip)
            parts.append(f"{title(slip)}, at {definition(node)} (line {node.span.line})")
        return " and ".join(parts)


# ── Text ────────────────────────────────────────────────────────────────────


def text(grade: Grade, *, colour: bool = False) -> str:
    return "\n".join(_lines(grade, colour)) + "\n"


def _lines(grade: Grade, colour: bool) -> Iterator[str]:
    run = grade.run
    returned = next((a.returned for a in run.answers if a.returned), "")
    yield visible(f"{grade.student}: {run.called}; it returns {returned}")
    verdicts = [*grade.inputs, *grade.nodes]
    width = max(len(v.name) for v in verdicts)
    for v in verdicts:
        yield f"  {v.name:<{width}}  {_verdict(v)}".rstrip()
    right = sum(v.is_right for v in grade.inputs)
    yield f"{right} of {len(grade.inputs)} gradients right"
    for remark in grade.remarks:
        yield visible(f"note: {remark}")
    words = Words(grade)
    for diagnosis in grade.diagnoses:
        yield ""
        yield from _diagnosis(diagnosis, words, colour)
    if grade.unexplained and grade.diagnoser.tells_apart:
        yield ""
        yield f"no known mistake fits {', '.join(grade.unexplained)}"
        if grade.nodes and grade.parts_at:
            yield f"from the output down, {grade.parts_at} is the first gradient that differs"
    if run.output:
        yield ""
        yield "what it printed:"
        yield from (f"  {visible(line)}" for line in run.output.splitlines()[:10])


def _verdict(v: Verdict) -> str:
    if v.is_right:
        return "right"
    where = f"  ({v.point})" if v.point and v.kind != "missing" and v.kind != "fails" else ""
    head = {"nan": "wrong", "fails": "wrong", "type": "wrong", "shape": "wrong"}.get(v.kind, v.kind)
    return f"{head:<7}  {visible(v.message)}{where}" if v.kind != "missing" else "missing"


def _diagnosis(diagnosis: Diagnosis, words: Words, colour: bool) -> Iterator[str]:
    best, *others = words.ranked(diagnosis)
    groups = words.groups(best)
    if len(groups) > 1:
        names = ", ".join(diagnosis.explains)
        yield f"{len(groups)} mistakes together explain {names}:"
    for together in groups:
        yield render(words.diagnostic(together), colour=colour)
    for other in others[:_MOST_ALTERNATIVES]:
        yield f"  or, with the same numbers: {words.short(other)}"
    if len(others) > _MOST_ALTERNATIVES:
        yield f"  or one of {len(others) - _MOST_ALTERNATIVES} more with the same numbers"


# ── JSON ────────────────────────────────────────────────────────────────────


def as_json(grade: Grade) -> str:
    words = Words(grade)
    run = grade.run
    found = {
        "schema": SCHEMA,
        "spec": grade.spec,
        "student": grade.student,
        "status": "right" if grade.is_right else "wrong",
        "score": grade.score,
        "function": run.function,
        "called": run.called,
        "inputs": [_verdict_json(v) for v in grade.inputs],
        "nodes": [_verdict_json(v) for v in grade.nodes],
        "diagnoses": [
            {
                "explains": list(d.explains),
                "alternatives": [
                    {"mistakes": [_slip_json(s, words) for s in h]} for h in words.ranked(d)
                ],
            }
            for d in grade.diagnoses
        ],
        "unexplained": list(grade.unexplained),
        "first_difference": grade.parts_at or None,
        "notes": list(grade.remarks),
        "output": run.output,
    }
    return json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False)


def _verdict_json(v: Verdict) -> dict[str, Any]:
    return {
        "name": v.name,
        "verdict": v.kind,
        "message": v.message,
        "shape": None if v.shape is None else list(v.shape),
        "expected_shape": list(v.expected),
        "largest_error": v.error,
        "at": v.point or None,
    }


def _slip_json(slip: Slip, words: Words) -> dict[str, Any]:
    node = words.node(slip)
    return {
        "kind": slip.kind,
        "title": title(slip),
        "node": label(node),
        "operand": None if slip.position is None else label(node.operands[slip.position]),
        "line": node.span.line,
        "column": node.span.column,
        "rule": _rule(slip, node),
        "wrote": slip.wrote,
    }


def failure_text(student: str, error: StudentError) -> str:
    lines = [f"{student}: {error}"]
    if error.trace:
        lines.append(error.trace.rstrip())
    if error.output:
        lines += ["what it printed:", *(f"  {line}" for line in error.output.splitlines()[:10])]
    return "\n".join(visible(line) for text in lines for line in text.split("\n"))


def failure_json(spec: str, student: str, error: StudentError) -> str:
    found = {
        "schema": SCHEMA,
        "spec": spec,
        "student": student,
        "status": "failed",
        "score": 0.0,
        "error": {"kind": error.kind, "message": str(error), "traceback": error.trace},
        "output": error.output,
    }
    return json.dumps(found, indent=2, ensure_ascii=False)
