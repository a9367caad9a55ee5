"""The tutorial: its commands are run, and say what it says they do.

``pytest tests/test_tutorial.py --update-golden`` writes what they say now.
"""

from __future__ import annotations

import doctest
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from .test_docs_pictures import without_places

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "tutorial.md"
BLOCK = re.compile(
    r"(?:<!-- file: (?P<file>\S+) -->\n)?```(?P<kind>\w+)\n(?P<text>.*?)```\n", re.DOTALL
)


@dataclass
class Command:
    line: str
    wanted: str


def commands(text: str) -> list[Command]:
    """The commands of a block, each with the lines that it is to print."""
    found: list[Command] = []
    for line in text.splitlines(keepends=True):
        if line.startswith("$ "):
            found.append(Command(line[2:].strip(), ""))
        else:
            found[-1].wanted += line
    return found


def said(command: str, folder: Path) -> str:
    """What a command prints; it may fail, as a grader does where something is wrong."""
    words = shlex.split(command)
    program = {"gradc": [sys.executable, "-m", "gradc"], "python": [sys.executable]}
    environment = {**os.environ, "COLUMNS": "120", "NO_COLOR": "1"}
    done = subprocess.run(
        [*program[words[0]], *words[1:]], cwd=folder, env=environment, text=True, encoding="utf-8",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False,
    )  # fmt: skip
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("tutorial")
    shutil.copytree(
        ROOT / "examples", place / "examples", ignore=shutil.ignore_patterns("__pycache__")
    )
    return place


def test_the_commands_say_what_the_tutorial_says(folder: Path, update_golden: bool) -> None:
    page = PAGE.read_text(encoding="utf-8")
    checker = doctest.OutputChecker()

    def block(match: re.Match[str]) -> str:
        if match["file"]:
            (folder / match["file"]).write_text(match["text"], encoding="utf-8")
        if match["kind"] != "console":
            return match[0]
        lines = []
        for command in commands(match["text"]):
            output = said(command.line, folder)
            if not checker.check_output(command.wanted, output, doctest.ELLIPSIS):
                assert update_golden, f"$ {command.line}\n{output}\ninstead of\n{command.wanted}"
                command.wanted = output
            lines += [f"$ {command.line}\n", command.wanted]
        return f"```console\n{''.join(lines)}```\n"

    made = BLOCK.sub(block, page)
    if update_golden:
        PAGE.write_text(made, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == made


def test_specifications_are_those_of_the_examples() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "examples").rglob("*.grad")]
    blocks = [
        m["text"] for m in BLOCK.finditer(PAGE.read_text(encoding="utf-8")) if m["kind"] == "grad"
    ]
    assert len(blocks) == 3
    for text in blocks:
        assert any(text in source for source in sources), text


def test_pictures_are_those_that_the_commands_make(folder: Path, update_golden: bool) -> None:
    """By the commands of the page; a picture in it is a file beside it."""
    page = PAGE.read_text(encoding="utf-8")
    named = re.findall(r"\]\(pictures/(\S+?)\)", page)
    assert named
    for name in named:
        made = (folder / name).read_text(encoding="utf-8")
        kept = ROOT / "docs" / "pictures" / name
        if update_golden:
            kept.write_text(made, encoding="utf-8")
        assert without_places(kept.read_text(encoding="utf-8")) == without_places(made)
