"""What is plain to see in numbers that no known mistake explains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .diagnose import Trial


def pattern(name: str, trials: Sequence[Trial]) -> str:
    """A sentence about a wrong gradient, or ``""``."""
    pairs = [(t.found[name], t.right[name]) for t in trials if not isinstance(t.found[name], str)]
    if not pairs or len(pairs) < len(trials):
        return ""
    return next(_sentences(name, trials, pairs), "")


def exchanged(wrong: Sequence[str], trials: Sequence[Trial]) -> str:
    """Gradients that are right, but returned for one another."""
    owners: dict[str, str] = {}
    for name in wrong:
        others = [o for o in wrong if o != name and all(_is(t, name, t.right.get(o)) for t in trials)]  # noqa: E501  # fmt: skip
        if len(others) != 1:
            return ""
        owners[name] = others[0]
    if len(owners) < 2 or set(owners.values()) != set(owners):
        return ""
    return "; ".join(f"for {name} it returns the gradient of {o}" for name, o in owners.items())


def _is(trial: Trial, name: str, value: Any) -> bool:
    return value is not None and trial.same(name, value)


def _sentences(name: str, trials: Sequence[Trial], pairs: list[tuple[Any, Any]]) -> Iterator[str]:
    for trial in trials[:1]:
        for other in trial.right:
            if other != name and all(_is(t, name, t.right[other]) for t in trials):
                yield f"{name}: this is the gradient of {other}"
    if all(f.size == w.size and _close(f.ravel(), w.ravel()) for f, w in pairs):
        yield f"{name}: the numbers are right, the shape is not"
    if all(f.ndim == 2 and f.T.shape == w.shape and _close(f.T, w) for f, w in pairs):
        yield f"{name}: it is the transpose of what is right"
    if any(f.shape != w.shape for f, w in pairs):
        return
    if all(not np.any(f) for f, _ in pairs):
        yield f"{name}: it is 0"
        return
    factors = [_factor(f, w) for f, w in pairs]
    factors = [f for f in factors if f is not _ZERO]
    if factors and None not in factors:
        yield from _factor_sentences(name, [float(f) for f in factors if f is not None], trials)
    if all(_close(np.sort(f.ravel()), np.sort(w.ravel())) for f, w in pairs):
        yield f"{name}: the right numbers in another order"
    gaps = [np.unique(np.round(f - w, 9)) for f, w in pairs]
    if all(len(g) == 1 for g in gaps) and len({float(g[0]) for g in gaps}) == 1:
        yield f"{name}: {float(gaps[0][0]):+.6g} at every entry"


_ZERO: Any = object()


def _factor(found: Any, wanted: Any) -> Any:
    """The number that one is of the other; ``None`` if there is none, ``_ZERO`` if all is 0."""
    if not np.any(wanted):
        return None if np.any(found) else _ZERO
    place = np.unravel_index(int(np.argmax(np.abs(wanted))), np.shape(wanted))
    factor = float(found[place] / wanted[place])
    return factor if _close(found, factor * wanted) else None


def _factor_sentences(name: str, factors: list[float], trials: Sequence[Trial]) -> Iterator[str]:
    if np.allclose(factors, factors[0], rtol=1e-4):
        yield f"{name}: it is {factors[0]:.6g} times what is right, everywhere"
        return
    for size in _sizes(trials[0].point.sizes):
        lengths = [t.point.sizes[size] for t in trials]
        if len(lengths) != len(factors):
            continue
        if np.allclose(factors, lengths, rtol=1e-4):
            yield f"{name}: it is {size} times what is right"
        if np.allclose(np.array(factors) * lengths, 1.0, rtol=1e-4):
            yield f"{name}: it is 1/{size} of what is right"
    yield f"{name}: it is a multiple of what is right, but not by the same factor for all inputs"


def _sizes(sizes: Mapping[str, int]) -> list[str]:
    return list(sizes)


def _close(a: Any, b: Any) -> bool:
    if np.shape(a) != np.shape(b):
        return False
    scale = float(np.max(np.abs(b), initial=0.0))
    return bool(np.all(np.abs(np.asarray(a, float) - b) <= 1e-5 * scale + 1e-12))
