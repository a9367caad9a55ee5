"""JavaScript for tests: what a script computes, in Node where there is one, else in Chromium; and
a page of Chromium without windows, driven by Playwright."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome")
                 if (found := shutil.which(name))), None)  # fmt: skip


@contextmanager
def browser() -> Iterator[Any]:
    """A running Chromium; skips the test where there is none."""
    if CHROMIUM is None:
        pytest.skip("no Chromium: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield started
        finally:
            started.close()


Engine = Callable[[Path, str, Any], Any]


@contextmanager
def engine() -> Iterator[Engine]:
    """What gives the value of an expression over ``given``, a script having run before."""
    node = shutil.which("node")
    if node is None:
        with browser() as started:
            page = started.new_page()
            yield lambda *words: json.loads(
                page.evaluate(f"(() => {{ {_program(*words, 'return')} }})()")
            )
        return

    def run(*words: Any) -> Any:
        done = subprocess.run([node, "-"], input=_program(*words, "console.log"), capture_output=True,
                              text=True, check=True, encoding="utf-8")  # fmt: skip
        return json.loads(done.stdout)

    yield run


def _program(script: Path, expression: str, argument: Any, end: str) -> str:
    text = script.read_text(encoding="utf-8")
    return f"{text}\nconst given = {json.dumps(argument)};\n{end}(JSON.stringify({expression}));"
