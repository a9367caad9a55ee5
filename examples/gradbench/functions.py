"""What a program offers: functions whose timed part is apart from decoding and encoding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import gradc
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Input = Mapping[str, Any]


def plain(result: Any) -> Any:
    """Arrays as lists."""
    return result.tolist() if isinstance(result, np.ndarray | np.generic) else result


def flat(result: Any) -> Any:
    return np.ravel(result).tolist()


@dataclass(frozen=True)
class Function:
    """``run`` takes what ``decode`` makes of an input; ``encode`` makes its result JSON."""

    decode: Callable[[Any], tuple[Any, ...]]
    run: Callable[..., Any]
    encode: Callable[[Any], Any] = plain


Functions = Mapping[str, Function]


def load(name: str, *emit: str) -> ModuleType:
    """The generated module of a specification of this folder."""
    return gradc.load(Path(__file__).with_name(f"{name}.grad"), emit=emit)


def floats(value: Any) -> Floats:
    return np.asarray(value, np.float64)


def integers(value: Any) -> NDArray[np.int64]:
    """An array of integers, also where there are none. Raises ``TypeError`` for other numbers."""
    array = np.asarray(value)
    if array.size and array.dtype.kind not in "iu":
        raise TypeError(f"expected integers, not {array.dtype}")
    return array.astype(np.int64)
