"""Recursive functions without recursion: generators that ask for the results of other calls."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any


def run(walk: Generator[Any, Any, Any]) -> Any:
    """The result of a generator that yields further ones and is sent their results.

    The depth is limited by memory, not by Python's stack. An exception ends the whole walk.
    """
    stack = [walk]
    value: Any = None
    while stack:
        try:
            stack.append(stack[-1].send(value))
            value = None
        except StopIteration as finished:
            stack.pop()
            value = finished.value
    return value
