"""Explanations: every operation of the table explains itself, and what is said is true."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from gradc.compiler import driver
from gradc.compiler.evaluate import evaluate
from gradc.compiler.explanation.build import explain
from gradc.compiler.explanation.formats import FORMATS
from gradc.compiler.explanation.html import sections
from gradc.compiler.explanation.index import index_form
from gradc.compiler.explanation.latex import body, document
from gradc.compiler.explanation.markdown import code, escaped
from gradc.compiler.explanation.quiz import quiz
from gradc.compiler.explanation.select import UnknownValue, select
from gradc.compiler.explanation.steps import Explanation, NodeSteps
from gradc.compiler.explanation.terms import Name
from gradc.compiler.explanation.text import text
from gradc.compiler.given import from_example
from gradc.compiler.interpret import Interpreter
from gradc.compiler.rules import apply_rule, rule_of
from gradc.dsl.check import Checked
from gradc.dsl.graph import constant, make
from gradc.dsl.lower import lower
from gradc.dsl.ops import OPS
from gradc.dsl.shapes import Kind
from gradc.dsl.source import Source

from .cases.case import Case
from .helpers import checked, single, type_of
from .test_operations import CASES, sample

EXAMPLES = Path(__file__).parent.parent / "examples"
SPAN = Source("f").span(0, 1)
# Made by names or sizes alone, only in examples, or always rewritten before there are values.
ALONE = {"normal", "uniform", "integers", "linspace"}


def explained(program: Checked, digits: int | None = None, **values: Any) -> Explanation:
    sizes = {"n": 4} | {
        size: int(np.shape(values[i.name])[axis])
        for i in program.interface.inputs
        for axis, length in enumerate(i.type.shape)
        for size in [str(length)]
        if size.isidentifier()
    }
    evaluation = evaluate(program, values, sizes, digits)
    return explain(evaluation, program.program, digits)


def of(spec: str, digits: int | None = None, **values: Any) -> Explanation:
    return explained(checked(spec), digits, **{k: np.asarray(v) for k, v in values.items()})


def example(path: Path) -> Explanation:
    program = driver.checked(driver.read(path))
    inputs = from_example(program, None)
    evaluation = evaluate(program, inputs.values, inputs.sizes, inputs.digits)
    return explain(evaluation, program.program, inputs.digits)


# ── Every operation ─────────────────────────────────────────────────────────


def case_of(name: str) -> Case:
    """The largest of the cases of an operation that has not more than 60 entries."""
    own = [c for c in CASES if c.op == name and "index" not in c.options]
    sizes = {c: [s.evaluate({"n": 4}) for t in c.operands.values() for s in t.shape] for c in own}
    fit = [c for c in own if 0 not in sizes[c] and sum(map(np.size, sample(c).values())) <= 60]
    return max(fit, key=lambda c: (len(c.floats), sum(sizes[c])))


def specification(case: Case) -> str:
    """The operation alone, what it gives added up."""
    kinds = {Kind.FLOAT: "input", Kind.BOOL: "data", Kind.INT: "data"}
    lines = [f"{kinds[t.kind]} {name}: {t}" for name, t in case.operands.items()]
    op = OPS[case.op]
    names = op.results if isinstance(op.results, tuple) else ("first", "second")
    if names:
        lines.append(f"node {', '.join(names)} = {case.expression}")
        terms = names
    else:
        lines.append(f"node made = {case.expression}")
        terms = ("made",)
    found = checked("\n".join([*lines, *(f"output {name}" for name in terms)])).graph.outputs
    parts = [f"sum({t})" if found[t].type.rank else t for t in terms if found[t].type.is_float]
    return "\n".join([*lines, f"output total = {' + '.join(parts) or '0.0'}"]) + "\n"


@cache
def of_operation(name: str) -> Explanation:
    case = case_of(name)
    return explained(checked(specification(case)), **sample(case))


PUBLIC = [op.name for op in OPS.values() if op.public and op.name not in ALONE]


@pytest.mark.parametrize("name", PUBLIC)
def test_every_operation_explains_itself(name: str) -> None:
    found = of_operation(name)
    for form, write in FORMATS.items():
        written = write(found)
        assert written.endswith("\n") and "None" not in written, form
    for section in sections(found):
        ElementTree.fromstring(f"<div>{section}</div>")
    balanced(FORMATS["latex"](found))
    for entry in found.entries:
        consistent(entry)


def balanced(tex: str) -> None:
    """Braces, environments, and marks that grow with what is between them."""
    plain = re.sub(r"\\[\\{}$&#%_^~]", "", tex)
    depth = 0
    for character in plain:
        depth += (character == "{") - (character == "}")
        assert depth >= 0
    assert depth == 0
    assert len(re.findall(r"\\left\b", plain)) == len(re.findall(r"\\right\b", plain))
    opened: list[str] = []
    for which, name in re.findall(r"\\(begin|end)\{(\w+\*?)\}", plain):
        if which == "begin":
            opened.append(name)
        else:
            assert opened.pop() == name
    assert not opened


def consistent(entry: NodeSteps) -> None:
    """What the uses send back adds up to the gradient."""
    if entry.uses and entry.adjoint is not None:
        total = sum(np.asarray(use.value) for use in entry.uses)
        np.testing.assert_allclose(total, entry.adjoint, rtol=1e-9, atol=1e-12)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX here")
def test_latex_compiles_with_amsmath_alone(tmp_path: Path) -> None:
    parts = [line for name in PUBLIC for line in body(of_operation(name))]
    sheet = quiz(example(EXAMPLES / "homework" / "problem2.grad"), "latex")
    made = {"all": document("a_b & c", parts), "sheet": sheet.worksheet, "key": sheet.key}
    for name, tex in made.items():
        (tmp_path / f"{name}.tex").write_text(tex, encoding="utf-8")
        done = subprocess.run(["pdflatex", "-interaction=nonstopmode", "-halt-on-error", name],
                              cwd=tmp_path, capture_output=True, text=True)  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:]


EINSTEIN = [op for op in OPS.values() if isinstance(op.einstein, str) and op.einstein]


@pytest.mark.parametrize("op", EINSTEIN, ids=lambda op: op.name)
def test_index_forms_are_the_derivatives(op: Any) -> None:
    """Entry by entry, against what the operation computes of unit arrays."""
    inside, _, out = op.einstein.partition("->")
    letters = dict.fromkeys(re.sub("[^a-z]", "", op.einstein))
    lengths = dict(zip(letters, (2, 3, 4), strict=False))
    parts = inside.split(",")
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=[lengths[i] for i in part]) for part in parts]
    declared = [f"{'xyz'[i]}: float[{', '.join(str(lengths[k]) for k in part)}]"
                for i, part in enumerate(parts)]  # fmt: skip
    names = [Name("xyz"[i], len(part)) for i, part in enumerate(parts)]
    for position, part in enumerate(parts):
        operands = [
            make("input", (), SPAN, {"name": n.text, "type": type_of(d.partition(": ")[2])})
            for n, d in zip(names, declared, strict=True)
        ]
        form = index_form(make(op.name, operands, SPAN), position, Name("f", len(out)), names)
        assert form is not None
        values = dict(zip("xyz", arrays, strict=False))
        sizes = {k: lengths[i] for i, k in zip(part, form.operand[1], strict=True)}
        sizes |= {k: lengths[i] for i, k in zip(out, form.result[1], strict=True)}
        terms = [np.eye(*(sizes[k] for k in letters)) if name == "δ" else values[name]
                 for name, letters in form.factors]  # fmt: skip
        written = ",".join(letters for _, letters in form.factors)
        whole = form.result[1] + form.operand[1]
        jacobian = np.einsum(f"{written}->{whole}", *terms)
        for entry in np.ndindex(arrays[position].shape):
            unit = np.zeros(arrays[position].shape)
            unit[entry] = 1.0
            given = [unit if i == position else array for i, array in enumerate(arrays)]
            np.testing.assert_allclose(jacobian[(..., *entry)], np.einsum(op.einstein, *given))


@pytest.mark.parametrize("op", [op for op in OPS.values() if op.shown], ids=lambda op: op.name)
def test_what_is_shown_is_the_slope(op: Any) -> None:
    """Slopes as on paper are those that the rules compute with."""
    case = case_of(op.name)
    program = single(case.expression, case.operands)
    node = lower(program.graph).outputs["out"]
    interpreter = Interpreter(sample(case), {"n": 4})
    for position, parameter in enumerate(op.operands):
        shown = op.shown.get(parameter.name)
        rule = rule_of(node, position)
        if shown is None or rule is None:
            continue
        one = constant(1.0, node.span)
        slope = apply_rule(shown, node, position, {"y": node})
        own = apply_rule(rule, node, position, {"y": node, "dy": one})
        first, second = interpreter.run([slope, own])
        np.testing.assert_allclose(first, second, rtol=1e-9)


# ── What is said ────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.grad")), ids=lambda p: p.stem)
def test_examples_explain_themselves(path: Path) -> None:
    if path.stem == "layers":
        pytest.skip("a library of functions")
    found = example(path)
    for entry in found.entries if found.digits is None else ():
        consistent(entry)
    for write in FORMATS.values():
        assert "None" not in write(found)
    told = [item for entry in found.entries for item in entry.items]
    assert set(told) == set(found.outline.items) and len(told) == len(set(told))
    made = "".join(sections(found))
    assert all(f'data-node="{entry.item.id}"' in made for entry in found.entries)


def lines(found: Explanation) -> list[str]:
    return [line.strip() for line in text(found).splitlines()]


def test_gradients_of_several_uses_add_up() -> None:
    found = of("input x: float output f = 0.3 * x + 0.5 * x", x=2.0)
    assert "x is used 2 times: its gradients add up: 0.3 + 0.5 = 0.8" in text(found)
    assert "its gradients add up" in FORMATS["html"](found)


def test_a_sum_that_undoes_a_broadcast_says_so() -> None:
    found = text(of("input b: float data v: float[3] output f = sum(v * b)", b=1.0, v=np.ones(3)))
    assert "db: sum of [1 1 1]ᵀ ⊙ [1 1 1]ᵀ = 3" in found
    assert "b is used 3 times: the sum adds up what the copies receive." in found


def test_branches_say_where_they_count() -> None:
    spec = "input x: float[2] output f = sum(if x > 0 then sqrt(x) else 0 * x)"
    found = of(spec, x=[-1.0, 4.0])
    assert "dt1 = if x > 0 then dt3 else 0 = [0 1]ᵀ" in lines(found)
    (x,) = [entry for entry in found.entries if entry.item.is_input]
    np.testing.assert_allclose(x.adjoint, [0.0, 0.25])
    assert "nan" not in str([edge.result for entry in found.entries for edge in entry.edges])


def test_a_long_sum_is_told_at_once() -> None:
    found = of(f"input x: float output f = {' + '.join(['x * x'] * 1000)}", x=2.0)
    total = found.entries[0]
    assert len(total.edges) == 1000 and len(total.items) == 999
    assert "x · x" in text(found) and "… +" in lines(found)[0]


def test_large_arrays_are_abbreviated() -> None:
    rng = np.random.default_rng(1)
    found = of("input W: float[100, 50] output f = sum(W^2)", W=rng.uniform(-1.2, 3.4, (100, 50)))
    assert re.search(r"\[100×50 array, between -1\.\d+ and 3\.\d+\]", text(found))
    assert len(text(found)) < 1500


def test_values_without_gradient() -> None:
    found = of("input x, z: float data d: float output f = x * d", x=1.0, z=1.0, d=2.0)
    assert "d is data: no gradient is asked for." in text(found)
    assert "f does not change with z: its gradient is 0." in text(found)
    assert text(of("input x: float[2] output y = x * 2", x=[1, 2])).startswith("There is no obj")
    aside = of("input x: float output f = x * x output p = 3 * x objective f", x=1.0)
    (p,) = [entry for entry in aside.entries if entry.name.text == "p"]
    assert p.notes == ("f does not change with p: its gradient is 0.",) and not p.edges
    (x,) = [entry for entry in aside.entries if entry.name.text == "x"]
    assert len(x.uses) == 2
    stopped = of("input x: float output f = detach(x) * x", x=3.0)
    assert "detach sends nothing back" in text(stopped)


def test_the_step_of_a_loop() -> None:
    spec = """input x: float[T] scan t in 0..T {
      state s = 1.0
      node twice = 2 * x[t]
      next s = s * twice
    }
    output f = s"""
    found = of(spec, x=[2.0, 3.0])
    step = select(found, "twice", ())
    assert "t = 1" in step.sentence
    assert "dx[t]: (4)(2) = 8" in text(step) or "(4)(2) = 8" in text(step)
    (loop,) = [entry for entry in found.entries if entry.item.loop is not None]
    assert loop.inside is not None
    assert f'data-node="{loop.item.id}.n0"' in "".join(sections(loop.inside))
    assert "next s" in text(select(found, "s", ()))


def test_a_function_with_a_rule_of_its_own() -> None:
    spec = """def my_square(u) = u^2
    rule my_square(u) -> v { du = 2 * u * dv }
    input a: float[2]
    output f = sum(my_square(a))"""
    found = of(spec, a=[1.0, -3.0])
    assert "f(x) = my_square(x)" in text(found) and "t2 = my_square(a) = [1 9]ᵀ" in text(found)
    assert "da = 2 a · dt2" in text(found)
    assert r"\mathrm{my\_square}(a)" in FORMATS["latex"](found)


def test_selecting() -> None:
    found = example(EXAMPLES / "homework" / "problem1.grad")
    towards = select(found, None, ["w2"])
    edges = [e.operand.label for entry in towards.entries for e in entry.edges]
    assert edges == ["e", "d", "c", "b", "w2"]
    assert [entry.name.text for entry in select(found, "n4", ()).entries] == ["a"]
    with pytest.raises(UnknownValue, match="there is no value `nope`"):
        select(found, "nope", ())
    long = of("input weight: float output f = 2 * weight", weight=1.0)
    with pytest.raises(UnknownValue, match="did you mean `weight`"):
        select(long, None, ["wieght"])


def test_nothing_breaks_out() -> None:
    program = driver.checked(Source(
        "input a_b: float input 名: float output f = if a_b < 名 then a_b else 名 * 2\n",
        "<script>_*|.grad",
    ))  # fmt: skip
    found = explained(program, None, a_b=1.0, 名=2.0)
    page = FORMATS["html"](found)
    assert "<script>" not in page and "&lt;script&gt;" in page and "a_b &lt; 名" in page
    assert r"\textasciicircum{}" not in FORMATS["latex"](found)
    assert "$<$script$>$\\_*$|$" in FORMATS["latex"](found) and "名" not in FORMATS["latex"](found)
    assert FORMATS["markdown"](found).startswith("# \\<script\\>\\_\\*\\|\\.grad\n")
    assert escaped("a|b_*`<&") == r"a\|b\_\*\`\<\&"
    assert code("a`b") == "`` a`b ``"


@pytest.mark.parametrize("form", ["markdown", "latex"])
def test_a_quiz_has_an_answer_for_every_blank(form: str) -> None:
    found = example(EXAMPLES / "homework" / "problem2.grad")
    made = quiz(found, form)
    blanks = re.findall(r"\\underline\{\\hspace\{6em\}\}_\{\((\d+)\)\}", made.worksheet)
    answers = re.findall(r"\\boxed\{.*?\}_\{\((\d+)\)\}", made.key)
    assert blanks == answers == [str(n) for n in range(1, len(blanks) + 1)] and len(blanks) == 11
    assert "0.27" in made.key and "0.27" not in made.worksheet
    assert made == quiz(example(EXAMPLES / "homework" / "problem2.grad"), form)
