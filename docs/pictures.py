"""Makes the pictures of the documents again, by the commands that stand in them.

    python docs/pictures.py

A command is a line ``$ gradc draw ... -o docs/pictures/NAME`` of README.md or of a page in docs/.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER = "docs/pictures"


def commands() -> dict[str, list[str]]:
    """The words of each command, by the name of the picture that it makes."""
    found: dict[str, list[str]] = {}
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for line in page.read_text(encoding="utf-8").splitlines():
            words = shlex.split(line, comments=True) if line.startswith("$ gradc ") else []
            names = [word for word in words if word.startswith(f"{FOLDER}/")]
            if names:
                found[names[0].removeprefix(f"{FOLDER}/")] = words[2:]
    return found


def make(folder: Path) -> list[Path]:
    """Runs all commands, their pictures going to a folder."""
    made = []
    for name, words in commands().items():
        target = folder / name
        own = [str(target) if word == f"{FOLDER}/{name}" else word for word in words]
        subprocess.run([sys.executable, "-m", "gradc", *own], cwd=ROOT, check=True)
        made.append(target)
    return made


if __name__ == "__main__":
    make(ROOT / FOLDER)
