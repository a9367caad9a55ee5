"""Answers messages line by line until there are no more."""

from __future__ import annotations

import sys

from .tool import Tool


def main() -> None:
    tool = Tool()
    for line in sys.stdin.buffer:
        if line.strip():
            print(tool.answer(line), flush=True)


if __name__ == "__main__":
    main()
