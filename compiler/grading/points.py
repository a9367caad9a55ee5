"""Where a student's gradient is compared: the given inputs, the examples of the file, and random
inputs of other sizes.

What is declared as ``data`` keeps its character, since a gradient may rely on it (rows that sum to
1, labels): rows are drawn from those of the example. Sizes that only count such rows, or stand in
``input`` alone, are changed, to distinct ones where that is possible.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ...dsl.check import Checked
from ...dsl.frozen import frozen
from ...dsl.graph import Input
from ...dsl.shapes import Kind
from ...dsl.sizes import Size
from ..evaluate import evaluate, given_values
from ..given import Inputs
from ..sampling import RANGES, limits

_EXAMPLES = 3
_OF_EACH = 2
_MANY = 10_000


@frozen()
class Point:
    """Inputs, and the right value and gradients of all inputs and named nodes there."""

    what: str
    values: Mapping[str, Any]
    sizes: Mapping[str, int]
    value: Any
    gradients: Mapping[str, Any]
    given: bool = False


def points(program: Checked, inputs: Inputs) -> list[Point]:
    """The given inputs first."""
    first = inputs.example.name if inputs.example is not None else ""
    found = [_point(program, first and f"example `{first}`", inputs.values, inputs.sizes, True)]
    for example in program.examples:
        if example.name != first and len(found) < _EXAMPLES:
            values = given_values(example)
            point = _point(program, f"example `{example.name}`", values, example.sizes, True)
            found += [point] if finite(point) else []
    rng = np.random.default_rng(7)
    source = max([inputs, *_examples(program)], key=_telling)
    others = _other_sizes(program, source)
    drawn = [(inputs, dict(inputs.sizes)), (source, dict(source.sizes)), (source, others)]
    for i, (like, sizes) in enumerate(drawn):
        if sizes not in [earlier for _, earlier in drawn[:i]]:
            found += _random(program, like, sizes, rng)
    return found


def _examples(program: Checked) -> list[Inputs]:
    return [Inputs(given_values(e), e.sizes, example=e) for e in program.examples]


def _telling(inputs: Inputs) -> tuple[int, int]:
    """How well inputs tell axes apart: by sizes that are not 1, and differ."""
    sizes = inputs.sizes.values()
    small = sum(np.size(v) for v in inputs.values.values()) < _MANY
    return sum(size > 1 for size in sizes) * small, len(set(sizes)) * small


def _point(
    program: Checked, what: str, values: Mapping[str, Any], sizes: Mapping[str, int], given: bool
) -> Point:
    found = evaluate(program, values, sizes)
    objective = program.interface.objective
    assert objective is not None
    value = found.values[objective]
    return Point(what or "the given inputs", values, sizes, value, found.gradients, given)


def _random(
    program: Checked, inputs: Inputs, sizes: Mapping[str, int], rng: np.random.Generator
) -> list[Point]:
    """Points with finite values and gradients, as far as some are found."""
    found: list[Point] = []
    shown = ", ".join(f"{name} = {size}" for name, size in sizes.items())
    what = f"random inputs with {shown}" if shown else "random inputs"
    for values in _candidates(program, inputs, sizes, rng):
        try:
            point = _point(program, what, values, sizes, False)
        except (ValueError, IndexError, ArithmeticError, np.linalg.LinAlgError):
            continue
        if finite(point):
            found.append(point)
        if len(found) == _OF_EACH:
            break
    return found


def finite(point: Point) -> bool:
    numbers = [point.value, *point.gradients.values()]
    return all(np.all(np.isfinite(np.asarray(n, float))) for n in numbers)


def _candidates(
    program: Checked, inputs: Inputs, sizes: Mapping[str, int], rng: np.random.Generator
) -> Iterator[dict[str, Any]]:
    """From usual ranges of numbers, then close to those given."""
    declared = program.interface.inputs
    for chosen in RANGES:
        for _ in range(_OF_EACH):
            yield {i.name: _drawn(i, inputs, sizes, chosen, rng) for i in declared}
    if dict(sizes) == dict(inputs.sizes):
        for spread in (0.3, 0.1, 0.03, 0.01):
            for _ in range(_OF_EACH):
                yield {i.name: _moved(i, inputs.values[i.name], spread, rng) for i in declared}


def _shape(declared: Input, sizes: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(size.evaluate(sizes) for size in declared.type.shape)


def _drawn(
    declared: Input, inputs: Inputs, sizes: Mapping[str, int], chosen: tuple[float, float],
    rng: np.random.Generator,
) -> Any:  # fmt: skip
    shape = _shape(declared, sizes)
    given = np.asarray(inputs.values[declared.name])
    if not declared.differentiated:
        return given if not shape else given[rng.integers(0, len(given), shape[0])]
    low, high = limits(declared, sizes, chosen)
    if declared.type.kind is Kind.FLOAT:
        return rng.uniform(low, high, shape)
    return given


def _moved(declared: Input, value: Any, spread: float, rng: np.random.Generator) -> Any:
    value = np.asarray(value)
    if not declared.differentiated or not declared.type.is_float:
        return value
    return value * (1 + spread * rng.normal(size=value.shape))


def _other_sizes(program: Checked, inputs: Inputs) -> dict[str, int]:
    """The sizes that may be others, distinct and from 3 on."""
    fixed = _fixed(program.interface.inputs, program.interface.open_sizes)
    taken = {inputs.sizes[name] for name in fixed if name in inputs.sizes}
    sizes = dict(inputs.sizes)
    free = [name for name in sizes if name not in fixed]
    if not free or any(len(np.atleast_1d(v)) == 0 for v in inputs.values.values()):
        return sizes
    candidates = iter(n for n in range(3, 100) if n not in taken)
    for name in free:
        sizes[name] = next(n for n in candidates if n != inputs.sizes[name])
    interface = program.interface
    holds = all(c.low.evaluate(sizes) <= c.high.evaluate(sizes) for c, _ in interface.conditions)
    sane = all(n > 0 for i in interface.inputs for n in _shape(i, sizes))
    return sizes if holds and sane else dict(inputs.sizes)


def _fixed(inputs: Sequence[Input], open_sizes: Sequence[str]) -> set[str]:
    """Sizes of what is data within a row, and those that no shape gives."""
    found = set(open_sizes)
    for i in inputs:
        inner = i.type.shape if i.type.kind is not Kind.FLOAT else i.type.shape[1:]
        if not i.differentiated:
            found |= {name for size in inner for name in size.names()}
            found |= set() if not i.type.rank or _plain(i.type.shape[0]) else set(i.type.shape[0].names())  # noqa: E501  # fmt: skip
        domain = i.domain
        for limit in (domain.low, domain.high) if domain is not None else ():
            if isinstance(limit, Size):
                found |= set(limit.names())
    return found


def _plain(size: Size) -> bool:
    return len(size.names()) <= 1
