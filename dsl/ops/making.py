"""Arrays made from sizes, from a value, or in the shape of another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import intervals as iv
from ..shapes import Kind, Mismatch, Type
from ..sizes import Size
from ..subscripts import Condition, undecided
from .declare import Attributes, Table

TABLE = Table()


def _declare(name: str, signature: str, doc: str, **declaration: Any) -> None:
    declaration.setdefault("paper", f"{name}({{x}})")
    declaration.setdefault("latex", rf"\mathrm{{{name}}}({{x}})")
    declaration.setdefault("numpy", "")
    TABLE.declare(name, signature, doc, family="linear", **declaration)


def _full_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    (value,) = types
    if value.rank:
        raise Mismatch("G210", f"`full` repeats a scalar, not {value}", f"this is {value}",
                       "broadcast_to repeats an array", 0)  # fmt: skip
    shape = tuple(Size.of(size) for size in attributes["shape"])
    return value.with_shape(shape), {"shape": shape}


_declare(
    "full", "shape:shape, value", "An array of one value.", sample="full([M, N], value: [])",
    infer=_full_type, canonical=False,
    paper="full({value})", latex=r"\mathrm{full}({value})",
)  # fmt: skip


def _as_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    return types[0], attributes


_declare(
    "zeros_like",
    "x",
    "Zeros in the shape of `x`.",
    sample="zeros_like(x: [N])",
    infer=_as_type,
    canonical=False,
)
_declare(
    "ones_like",
    "x",
    "Ones in the shape of `x`.",
    sample="ones_like(x: [N])",
    infer=_as_type,
    canonical=False,
)


def _arange_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    bounds = [Size.of(bound) for bound in attributes["bounds"]]
    if not 1 <= len(bounds) <= 3:
        forms = "write arange(stop), arange(start, stop) or arange(start, stop, step)"
        raise Mismatch("G210", f"`arange` takes one to three sizes, not {len(bounds)}", hint=forms)
    start, stop = (Size.of(0), bounds[0]) if len(bounds) == 1 else (bounds[0], bounds[1])
    step = bounds[2].constant if len(bounds) == 3 else 1
    if step is None or step < 1:
        raise Mismatch("G212", f"the step of `arange` is a positive number, not {bounds[2]}",
                       hint="flip(arange(...)) counts down")  # fmt: skip
    count = (stop - start + (step - 1)) // step
    if (count.constant or 0) < 0:
        raise Mismatch("G212", f"`arange` cannot count from {start} to {stop}",
                       "the first number is larger than the second",
                       "flip(arange(...)) counts down")  # fmt: skip
    return Type(Kind.INT, (count,)), {
        "bounds": (start, stop, Size.of(step)),
        "start": start,
        "stop": stop,
        "step": step,
    }


def _ascending(types: Sequence[Type], attributes: Attributes) -> Sequence[Condition]:
    start, stop = attributes["start"], attributes["stop"]
    return undecided([(start, stop, f"arange({start}, {stop})")])


def _arange_text(types: Sequence[Type], attributes: Attributes) -> str:
    if attributes["step"] != 1:
        return "np.arange({start}, {stop}, {step})"
    if attributes["start"] != Size.of(0):
        return "np.arange({start}, {stop})"
    return "np.arange({stop})"


_declare(
    "arange", "*bounds:sizes", "The integers from `start` (0) below `stop`, in steps of 1 or more.",
    sample="arange(N)",
    infer=_arange_type, needs=_ascending, numpy=_arange_text, paper="arange({bounds})",
    latex=r"\mathrm{arange}({bounds})", values=iv.constant(iv.REAL),
)  # fmt: skip
