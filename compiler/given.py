"""Inputs from an example, from ``--set x=1.0`` or from a file of arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from ..dsl import ast
from ..dsl.binding import bind
from ..dsl.check import Checked
from ..dsl.elaborate import Elaborator
from ..dsl.errors import SpecError
from ..dsl.examples import Example, check_examples
from ..dsl.frozen import frozen
from ..dsl.library import prelude
from ..dsl.parse import parse
from ..dsl.scope import Functions, Report
from ..dsl.shapes import Shape
from ..dsl.sizes import Size
from ..dsl.source import Source
from .evaluate import given_values


class InputError(Exception):
    """The inputs asked for do not fit the specification or cannot be read."""


@frozen()
class Inputs:
    """Values by name; ``sizes`` are those of their shapes, and those given by name."""

    values: Mapping[str, Any]
    sizes: Mapping[str, int]
    digits: int | None = None
    example: Example | None = None


def from_example(program: Checked, name: str | None) -> Inputs:
    """The example of that name, or the first. Raises ``InputError``."""
    known = {example.name: example for example in program.examples}
    if not known:
        raise InputError("the file has no example; give inputs with --set or --data")
    if name is not None and name not in known:
        raise InputError(f"there is no example `{name}` (there are: {', '.join(known)})")
    example = known[name] if name is not None else next(iter(known.values()))
    return Inputs(given_values(example), example.sizes, example.digits, example)


def from_words(program: Checked, words: Sequence[str], data: Path | None) -> Inputs:
    """``name=expression`` words and an ``.npz`` file. Raises ``InputError``, ``SpecError``."""
    arrays = _arrays(data) if data is not None else {}
    given = dict(word.partition("=")[::2] for word in words)
    for word, text in given.items():
        if not text:
            raise InputError(f"--set {word}: write name=value")
    values: dict[str, Any] = {}
    sizes: dict[str, int] = {}
    interface = program.interface
    inputs = {i.name: i for i in interface.inputs}
    size_names = {*interface.sizes, *interface.open_sizes}
    for name in (*arrays, *given):
        if name not in inputs and name not in size_names:
            raise InputError(f"there is no input or size `{name}`")
    for name, array in arrays.items():
        if name not in inputs:
            if np.ndim(array) or np.asarray(array).dtype.kind not in "iu":
                raise InputError(f"{name}: a size is an integer")
            sizes[name] = int(array)
        else:
            values[name] = array
    lengths = {name: np.shape(array) for name, array in values.items()}
    sizes = _sizes(lengths, {name: i.type.shape for name, i in inputs.items()}, sizes)
    if given or not arrays:
        example = _as_example(program, given, values, sizes)
        own = given_values(example)
        values |= {n: v for n, v in own.items() if n in given}
        sizes = dict(example.sizes)
    missing = [n for n in inputs if n not in values]
    missing += [n for n in sorted(size_names) if n not in sizes]
    if missing:
        raise InputError(f"no value for {', '.join(missing)}")
    return Inputs(values, sizes)


def _arrays(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, AttributeError, EOFError, TypeError, BadZipFile) as error:
        raise InputError(f"--data {path}: {error}") from None


def _sizes(
    arrays: Mapping[str, tuple[int, ...]], shapes: Mapping[str, Shape], known: Mapping[str, int]
) -> dict[str, int]:
    """The sizes that arrays of such lengths have, with those that are known already."""
    for name, lengths in arrays.items():
        if len(lengths) != len(shapes[name]):
            raise InputError(f"{name}: expected {len(shapes[name])} axes, got shape {lengths}")
    sizes = {name: Size.of(value) for name, value in known.items()}
    for binding in bind({name: shapes[name] for name in arrays}, sizes):
        length = arrays[binding.array][binding.axis]
        value = binding.solution.value(Size.of(length), sizes)
        if value is None:
            dimension = shapes[binding.array][binding.axis]
            raise InputError(f"{binding.array}: {dimension} cannot be {length}")
        sizes[binding.size] = value
    for name, lengths in arrays.items():
        wanted = tuple(size.substitute(sizes).constant for size in shapes[name])
        if None not in wanted and wanted != lengths:
            raise InputError(f"{name}: expected shape {wanted}, got {lengths}")
    found = {name: size.constant for name, size in sizes.items()}
    return {name: size for name, size in found.items() if size is not None}


def _as_example(
    program: Checked, given: Mapping[str, str], arrays: Mapping[str, Any], sizes: Mapping[str, int]
) -> Example:
    """The words as an example of the file, so that they mean the same and are checked the same."""
    bindings = [f"{name} = {text}" for name, text in given.items()]
    bindings += [f"{name} = {value}" for name, value in sizes.items() if name not in given]
    for name, array in arrays.items():
        if name not in given:
            shape = ", ".join(map(str, np.shape(array)))
            bindings.append(f"{name} = " + (f"zeros({shape})" if shape else "0"))
    source = Source(f"example given_here {{ given {', '.join(bindings)} }}\n", "--set")
    tree = parse(source)
    report = Report()
    functions = Functions({}, prelude())
    wanted = [d for d in tree.declarations if isinstance(d, ast.Example)]
    checked = check_examples(wanted, program.graph, Elaborator(functions, report))
    if report.diagnostics or not checked:
        raise SpecError(report.diagnostics)
    return checked[0]
