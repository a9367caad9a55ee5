"""The pictures of a page: one for each way in which its groups are folded."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from html import escape
from itertools import combinations

from ..picture.model import Path, Picture
from ..picture.svg import svg

_ALL_WAYS = 3
_LARGEST = 400_000


def pictures(drawn: Picture, folded: Collection[Path]) -> tuple[str, str]:
    """The picture that is seen first, and templates of all of them, by what is folded."""
    found: dict[str, str] = {}
    size = 0
    for way in (folded, *_ways([group.path for group in drawn.groups])):
        name = _name(way)
        if name not in found and size <= _LARGEST:
            found[name] = svg(drawn, folded=way)
            size += len(found[name])
    templates = "".join(
        f'<template class="picture" data-folded="{escape(name)}">{text}</template>'
        for name, text in found.items()
    )
    return f'<div id="picture">{found[_name(folded)]}</div>', templates if len(found) > 1 else ""


def _ways(paths: list[Path]) -> Iterator[Collection[Path]]:
    """All of a few groups; of many, all open, all folded, and each open alone or folded alone."""
    yield ()
    yield paths
    if len(paths) <= _ALL_WAYS:
        for count in range(1, len(paths)):
            yield from combinations(paths, count)
        return
    for path in paths:
        around = [p for p in paths if path[: len(p)] != p]
        yield around
        yield [path]


def _name(folded: Collection[Path]) -> str:
    """The ids of groups that are folded, those inside of others left out."""
    outer = [p for p in folded if not any(p != q and p[: len(q)] == q for q in folded)]
    return "\n".join(sorted("/".join(path) for path in outer))
