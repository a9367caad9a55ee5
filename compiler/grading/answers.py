"""What a student returned, put beside what is right: by name or in order, generously."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any

import numpy as np

from ...dsl.frozen import frozen
from ...dsl.graph import Interface
from .points import Point
from .student import Answer

_LOOSE = 1e-5
_SINGLE = 5e-4


@frozen()
class Answers:
    """The gradients by the names of the specification, point by point; ``None`` where the call
    fails. A text stands for what is no array. ``unknown`` are names that mean nothing."""

    by_point: tuple[Mapping[str, Any] | None, ...]
    unknown: tuple[str, ...] = ()
    remark: str = ""


def matched(answers: Sequence[Answer], interface: Interface, nodes: Iterable[str]) -> Answers:
    """The entries of a result under the names they are meant for."""
    wanted = [i.name for i in interface.inputs if i.differentiated and i.type.is_float]
    every = [i.name for i in interface.inputs]
    names = _Names([*every, *nodes], interface.objective or "")
    unknown: dict[str, None] = {}
    remark = ""
    by_point: list[Mapping[str, Any] | None] = []
    for answer in answers:
        if answer.error is not None:
            by_point.append(None)
            continue
        keys = list(answer.entries)
        values = list(answer.entries.values())
        texts = [str(k) for k in keys]
        found: dict[str, Any] = {}
        meant = [names.meant(k) for k in texts] if not all(isinstance(k, int) for k in keys) else []
        if any(meant):
            for name, key, value in zip(meant, texts, values, strict=True):
                if name is None:
                    unknown[key] = None
                else:
                    found.setdefault(name, value)
        elif len(values) == len(every) != len(wanted):
            found = {n: v for n, v in zip(every, values, strict=True) if n in wanted}
        else:
            found = dict(zip(wanted, values, strict=False))
            if len(values) != len(wanted):
                remark = _counted(len(values), wanted)
        by_point.append(found)
    return Answers(tuple(by_point), tuple(unknown), remark)


def _counted(count: int, wanted: Sequence[str]) -> str:
    given = f"{count} gradient{'s' if count != 1 else ''} returned"
    return f"{given}, {len(wanted)} expected ({', '.join(wanted)}), taken in order"


class _Names:
    """What a key such as ``dW``, ``grad_W`` or ``dL/dW`` means."""

    def __init__(self, names: Sequence[str], objective: str) -> None:
        self.exact = {name: name for name in reversed(names)}
        self.exact |= {n.rpartition(".")[2]: n for n in names if n.rpartition(".")[2] not in names}
        self.objective = objective

    def meant(self, key: str) -> str | None:
        for text in (key, *self._bare(key)):
            if text in self.exact:
                return self.exact[text]
        lower = {name.lower(): full for name, full in self.exact.items()}
        if len(lower) == len(self.exact):
            for text in (key, *self._bare(key)):
                if text.lower() in lower:
                    return lower[text.lower()]
        return None

    def _bare(self, key: str) -> list[str]:
        """The key without what says that it is a gradient."""
        tops = "|".join({re.escape(self.objective), "L", "l", "loss", "f", "J", "E", "y", "out"})
        patterns = (
            rf"[d∂](?:{tops})?\s*[_/]\s*[d∂]_?(.+)",
            r"(?:grad|gradient|delta|adjoint|adj|bar)[_ ]?\(?(.+?)\)?",
            r"(.+?)_(?:grad|gradient|bar|adj)",
            r"[dg∂∇]_?(.+)",
        )
        return [m[1] for pattern in patterns if (m := re.fullmatch(pattern, key))]


# ── Comparison ──────────────────────────────────────────────────────────────


@frozen()
class Verdict:
    """How a returned gradient compares: ``kind`` is ``right``, ``wrong``, ``shape``, ``type``,
    ``missing``, ``nan`` or ``fails``; ``message`` says so in words."""

    name: str
    kind: str
    message: str = ""
    shape: tuple[int, ...] | None = None
    expected: tuple[int, ...] = ()
    error: float | None = None
    point: str = ""

    @property
    def is_right(self) -> bool:
        return self.kind == "right"

    @property
    def is_wrong(self) -> bool:
        """Whether there are numbers that a mistake could explain."""
        return self.kind in ("wrong", "shape", "nan")


@frozen()
class Comparer:
    """Whether two gradients are the same, at a point."""

    scales: Mapping[str, float] = field(default_factory=dict)

    @staticmethod
    def at(point: Point) -> Comparer:
        """Differences of the function itself have errors that grow with its value."""
        sizes = {n: float(np.max(np.abs(g), initial=0.0)) for n, g in point.gradients.items()}
        floor = 1e-3 * max(sizes.values(), default=0.0) + 1e-3 * abs(float(point.value)) + 1e-9
        return Comparer({name: max(size, floor) for name, size in sizes.items()})

    def same(self, name: str, found: Any, wanted: Any) -> bool:
        found, wanted = np.asarray(found), np.asarray(wanted)
        if found.shape != wanted.shape:
            return False
        single = found.dtype.kind == "f" and found.dtype.itemsize < 8
        finite = np.abs(wanted[np.isfinite(wanted)])
        scale = max(self.scales.get(name, 0.0), float(np.max(finite, initial=0.0)))
        limit = (_SINGLE if single else _LOOSE) * scale
        found = found.astype(float)
        with np.errstate(all="ignore"):
            close = np.abs(found - wanted) <= limit
            close |= (found == wanted) | (np.isnan(found) & np.isnan(wanted))
            return bool(np.all(close))


def verdict(name: str, answers: Answers, points: Sequence[Point]) -> Verdict:
    """The first thing that is not right about one gradient."""
    failed = ""
    for point, found in zip(points, answers.by_point, strict=True):
        wanted = np.asarray(point.gradients[name])
        if found is None:
            failed = failed or point.what
            continue
        bad = _at(name, found, wanted, point)
        if bad is not None:
            return bad
    if failed:
        message = f"right where it returns, but the call fails at {failed}"
        return Verdict(name, "fails", message, point=failed)
    return Verdict(name, "right", expected=np.shape(points[0].gradients[name]))


def _at(name: str, found: Mapping[str, Any], wanted: Any, point: Point) -> Verdict | None:
    if name not in found:
        return Verdict(name, "missing", "not returned", expected=wanted.shape, point=point.what)
    value = found[name]
    if isinstance(value, str):
        message = f"is {_article(value)}, where an array of floats is expected"
        return Verdict(name, "type", message, expected=wanted.shape, point=point.what)
    shape, expected = value.shape, wanted.shape
    if shape != expected:
        message = f"has shape {shape_text(shape)}, expected {shape_text(expected)}"
        return Verdict(name, "shape", message, shape, expected, point=point.what)
    numbers = value.astype(float)
    if not np.all(np.isfinite(numbers)) and np.all(np.isfinite(wanted)):
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(numbers))[0])
        message = f"{name}{at(place)} is {numbers[place]}, expected {wanted[place]:.6g}"
        return Verdict(name, "nan", message, shape, expected, point=point.what)
    if Comparer.at(point).same(name, value, wanted):
        return None
    off = np.abs(numbers - wanted)
    place = tuple(int(i) for i in np.unravel_index(int(np.nanargmax(off)), off.shape))
    message = f"{name}{at(place)} is {numbers[place]:.6g}, expected {wanted[place]:.6g}"
    return Verdict(name, "wrong", message, shape, expected, float(off[place]), point.what)


def _article(text: str) -> str:
    return text if text == "None" else f"{'an' if text[:1] in 'aeiouAEIOU' else 'a'} {text}"


def shape_text(shape: Sequence[int]) -> str:
    return f"[{', '.join(map(str, shape))}]" if shape else "[] (a number)"


def at(place: Sequence[int]) -> str:
    return f"[{', '.join(map(str, place))}]" if place else ""
