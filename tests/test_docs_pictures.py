"""The pictures of the documents are those that the commands in them make."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "pictures"
_PLACES = re.compile(r'(?<= )(?:x|y|d|width|height|viewBox|cx|cy)="[^"]*"')


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "docs" / "pictures.py"))


def without_places(text: str) -> str:
    """Versions of Graphviz put boxes at slightly different places."""
    return _PLACES.sub("", text)


def test_pictures_are_fresh(script: dict[str, Any], tmp_path: Path) -> None:
    made = script["make"](tmp_path)
    assert made
    for path in made:
        kept = (FOLDER / path.name).read_text(encoding="utf-8")
        fresh = path.read_text(encoding="utf-8")
        assert without_places(kept) == without_places(fresh), "run python docs/pictures.py"


def test_pages_show_pictures_that_exist() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for link in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), (page, link)
