"""``gradc run``: the generated functions on inputs, their results as a table, JSON or arrays."""

from __future__ import annotations

import io
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from ..dsl.check import Checked
from ..dsl.frozen import frozen
from . import driver
from .evaluate import evaluate
from .given import InputError, Inputs
from .load import execute
from .testing import arguments


@frozen()
class Quantity:
    """A value and, for what has one, the gradient of the objective with respect to it."""

    name: str
    kind: str
    type: str
    value: Any
    gradient: Any = None


def results(program: Checked, inputs: Inputs) -> list[Quantity]:
    """Outputs by the generated module; every named node as the graph is interpreted.

    An example with ``round`` is done as on paper.
    """
    computed = _by_module(program, inputs)
    evaluation = evaluate(program, inputs.values, inputs.sizes, inputs.digits)
    interface = program.interface
    values, gradients = dict(evaluation.values), dict(evaluation.gradients)
    if inputs.digits is None:
        values |= computed[0]
        gradients |= computed[1]
    quantities = []
    types = {i.name: i.type for i in interface.inputs}
    types |= {node.name: node.type for node in program.graph.landmarks}
    for name, value in values.items():
        kind = "node"
        if name in interface.outputs:
            kind = "output"
        elif name in {i.name for i in interface.inputs}:
            kind = "input" if interface.input(name).differentiated else "data"
        gradient = gradients.get(name) if kind != "data" else None
        quantities.append(Quantity(name, kind, str(types[name]), value, gradient))
    order = {"output": 0, "node": 1, "input": 2, "data": 3}
    return sorted(quantities, key=lambda q: order[q.kind])


def _by_module(program: Checked, inputs: Inputs) -> tuple[dict[str, Any], dict[str, Any]]:
    """Outputs and gradients of the generated module. Raises ``InputError`` if it refuses."""
    text = driver.python(driver.compiled(program))
    module = execute(text, "gradc_modules.run", "<gradc run>")
    positional, named = arguments(program, inputs.values, inputs.sizes)
    interface = program.interface
    try:
        out, _ = module.forward(*positional, **named)
    except ValueError as error:
        raise InputError(str(error)) from None
    outputs = out if len(interface.outputs) > 1 else (out,)
    values = dict(zip(interface.outputs, outputs, strict=True))
    if interface.objective is None:
        return values, {}
    _, found = module.value_and_grad(*positional, **named)
    fields = [i.name for i in interface.inputs if i.differentiated and i.type.is_float]
    return values, dict(zip(fields, found, strict=True))


def results_table(quantities: list[Quantity], *, colour: bool) -> str:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("")
    table.add_column("name", style="bold", no_wrap=True)
    table.add_column("type")
    table.add_column("value")
    table.add_column("gradient")
    for q in quantities:
        gradient = "" if q.gradient is None else _short(q.gradient)
        table.add_row(q.kind, q.name, q.type, _short(q.value), gradient)
    text = io.StringIO()
    console = Console(file=text, force_terminal=colour, no_color=not colour, width=_width())
    console.print(table, markup=False)
    return "".join(line.rstrip() + "\n" for line in text.getvalue().splitlines())


def _width() -> int:
    import shutil

    return max(shutil.get_terminal_size((100, 24)).columns, 60)


def _short(value: Any) -> str:
    array = np.asarray(value)
    if array.ndim == 0:
        return f"{float(array):.9g}" if array.dtype.kind == "f" else str(array)
    return np.array2string(array, precision=6, threshold=12, edgeitems=2, separator=" ")


def results_json(quantities: list[Quantity]) -> str:
    """Values and gradients by name; NaN and infinities as strings, so that it is JSON."""
    found = {
        "values": {q.name: _plain(q.value) for q in quantities},
        "gradients": {q.name: _plain(q.gradient) for q in quantities if q.gradient is not None},
    }
    return json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    value = np.asarray(value).tolist() if not isinstance(value, list) else value
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    return value


def write_npz(path: Path, quantities: list[Quantity]) -> None:
    """Values under their names, gradients under ``grad(name)``; the whole file or none."""
    arrays = {q.name: np.asarray(q.value) for q in quantities}
    arrays |= {
        f"grad({q.name})": np.asarray(q.gradient) for q in quantities if q.gradient is not None
    }
    handle, temporary = tempfile.mkstemp(suffix=".npz", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
