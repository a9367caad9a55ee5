"""``gradc test``: the examples' expectations, and gradients against numerical derivatives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from ..dsl.check import Checked
from ..dsl.examples import Example
from ..dsl.frozen import frozen
from . import driver
from .evaluate import Evaluation, evaluate, given_values, outcomes
from .gradcheck import Comparison, check_module
from .load import execute
from .rulecheck import RuleCheck, check_rules, unchecked_rules


@frozen()
class Result:
    """One test: its name, whether it passed, and what to say where it did not."""

    name: str
    passed: bool
    details: tuple[str, ...] = ()


def run_tests(program: Checked, place: str) -> Iterator[Result]:
    """For each example: its expectations, the generated code against the interpretation of the
    graph, and its gradients against numerical derivatives."""
    if program.is_library:
        return
    text = driver.python(driver.compiled(program))
    module = execute(text, "gradc_modules.under_test", f"<gradc test {place}>")
    for example in program.examples:
        inputs = given_values(example)
        evaluation = evaluate(program, inputs, example.sizes, example.digits)
        yield _expectations(example, evaluation)
        refused = _refused(example, program, module, inputs)
        if refused:
            yield Result(f"{example.name}: inputs", False, (refused,))
            continue
        yield _generated(example, program, module, inputs)
        for check in check_rules(program, inputs, example.sizes):
            yield _rule(example, check)
        unchecked = unchecked_rules(program)
        if unchecked:
            names = ", ".join(unchecked)
            yield Result(f"{example.name}: gradients not compared, unchecked rule: {names}", True)
        elif module.__dict__.get("backward") is not None:
            yield _gradients(example, program, module, inputs)


def _rule(example: Example, check: RuleCheck) -> Result:
    """The rule of a function of the specification is its derivative."""
    wrong = tuple(
        f"d({row.name}){row.place} is {row.found:.10g}, {row.against} {row.wanted:.10g}"
        for row in check.comparisons
        if not row.holds
    )
    return Result(f"{example.name}: rule {check.function}, line {check.line}", not wrong, wrong)


def _refused(
    example: Example, program: Checked, module: ModuleType, inputs: Mapping[str, Any]
) -> str:
    """Why the generated code does not take the inputs of an example, if it does not."""
    positional, named = arguments(program, inputs, example.sizes)
    try:
        with np.errstate(all="ignore"):
            module.forward(*positional, **named)
    except ValueError as error:
        return f"{example.span}: {error}"
    return ""


def _expectations(example: Example, evaluation: Evaluation) -> Result:
    results = outcomes(example, evaluation)
    wrong = tuple(f"{o.expectation.span}: {o.worst}" for o in results if not o.holds)
    count = len(results)
    name = f"{example.name}: {count} expectation{'s' * (count != 1)}"
    return Result(name, not wrong, wrong)


def arguments(program: Checked, inputs: Mapping[str, Any], sizes: Mapping[str, int]) -> Any:
    """The positional and named arguments of a generated function."""
    positional = [inputs[i.name] for i in program.interface.inputs]
    return positional, {n: sizes[n] for n in program.interface.open_sizes}


def _generated(
    example: Example, program: Checked, module: ModuleType, inputs: Mapping[str, Any]
) -> Result:
    """The module's values and gradients are those of the interpreted graph."""
    exact = evaluate(program, inputs, example.sizes)
    positional, named = arguments(program, inputs, example.sizes)
    with np.errstate(all="ignore"):
        out, cache = module.forward(*positional, **named)
    names = program.interface.outputs
    found = dict(zip(names, out if len(names) > 1 else (out,), strict=True))
    wanted = {name: exact.values[name] for name in names}
    if exact.gradients:
        with np.errstate(all="ignore"):
            gradients = module.backward(cache)
        fields = [n for n in program.interface.differentiated if n in exact.gradients]
        found |= {f"grad({n})": v for n, v in zip(fields, gradients, strict=True)}
        wanted |= {f"grad({n})": exact.gradients[n] for n in fields}
    wrong = tuple(
        f"{name}: the generated code gives {np.asarray(value)}, the graph {wanted[name]}"
        for name, value in found.items()
        if not np.allclose(value, wanted[name], rtol=1e-9, atol=1e-12, equal_nan=True)
    )
    return Result(f"{example.name}: generated code", not wrong, wrong)


def _gradients(
    example: Example, program: Checked, module: ModuleType, inputs: Mapping[str, Any]
) -> Result:
    """``backward`` and ``value_and_grad`` against differences."""
    positional, named = arguments(program, inputs, example.sizes)
    floats = [n for n in program.interface.outputs if program.graph.outputs[n].type.is_float]
    rows, at_once = check_module(module, program.interface, floats, positional, named)
    wanted = [i.name for i in program.interface.inputs if i.differentiated and i.type.is_float]
    fields = dict(zip(module.Gradients._fields, wanted, strict=True))
    wrong = tuple(_words(row, fields[row.name]) for row in (*rows, *at_once) if not row.holds)
    entries, skipped = sum(row.compared for row in rows), sum(row.kinks for row in rows)
    tail = f", {skipped} at kinks or edges skipped" if skipped else ""
    what = f"{entries} entr{'y' if entries == 1 else 'ies'}{tail}"
    return Result(f"{example.name}: gradients, {what}", not wrong, wrong)


def _words(row: Comparison, name: str) -> str:
    return (
        f"{row.function}: grad({name}){row.place} is {row.found:.10g}, "
        f"{row.against} {row.wanted:.10g}"
    )
