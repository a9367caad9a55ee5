"""The cost of a change: two commits of the compiler, measured in one run.

    python -m benchmarks.regress main HEAD [--only homework,network] [--level 2]

Each commit is checked out in a temporary folder and runs in a process of its own; the two take
turns. Workloads are those of this checkout. Above 1, the second commit is slower.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from .__main__ import chosen, words

ROOT = Path(__file__).parent.parent
AGREED = 1e-9


def checkout(commit: str, folder: Path, stack: ExitStack) -> None:
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(folder), commit], check=True)
    stack.callback(subprocess.run, [*git, "remove", "--force", str(folder)], check=False)


class Worker:
    """A process that has the compiler of one commit: a request a line, an answer a line."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        paths = os.pathsep.join([str(folder / ".path"), str(ROOT)])
        self.process = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=folder.parent,  # not where an older `benchmarks` is
                env={**os.environ, "PYTHONPATH": paths},
            )
        )
        stack.callback(self.close)

    def ask(self, **request: Any) -> dict[str, Any]:
        """Raises ``RuntimeError`` where the process has ended or has failed."""
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise RuntimeError("the worker has ended") from None
        answer = self.process.stdout.readline()
        found: dict[str, Any] = json.loads(answer or '{"error": "the worker has ended"}')
        if "error" in found:
            raise RuntimeError(found["error"])
        return found

    def close(self) -> None:
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.close()


def same(first: Sequence[float], second: Sequence[float]) -> bool:
    return len(first) == len(second) and all(
        math.isclose(a, b, rel_tol=AGREED, abs_tol=AGREED) or (a != a and b != b)
        for a, b in zip(first, second, strict=True)
    )


def compare(name: str, workers: Sequence[Worker], budget: float, options: dict[str, Any]) -> str:
    """A line of the table."""
    try:
        ready = [worker.ask(prepare=name, options=options) for worker in workers]
    except RuntimeError as error:
        return f"{name:22} {error}"
    where = [answer["compiler"] for answer in ready]
    assert where[0] != where[1], where
    turn = sum(answer["seconds"] for answer in ready)
    rounds = min(200, max(5, math.ceil(budget / turn)))
    samples: list[list[float]] = [[], []]
    for i in range(rounds):
        for place in (0, 1) if i % 2 else (1, 0):
            samples[place].append(workers[place].ask(sample=True)["seconds"])
    before, after = (statistics.median(times) for times in samples)
    length = f"{ready[0]['lines']} → {ready[1]['lines']}"
    note = "" if same(ready[0]["norms"], ready[1]["norms"]) else "  results differ"
    return (
        f"{name:22} {1e6 * before:12.2f} {1e6 * after:12.2f} {after / before:8.3f}"
        f" {length:>16}{note}"
    )


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("before", help="a commit")
    parser.add_argument("after", help="a commit")
    parser.add_argument("--only", default="", help="names of rows, or what they begin with")
    parser.add_argument("--level", type=int, choices=(0, 1, 2))
    parser.add_argument("--seconds", type=float, default=2.0, help="for each row, about")
    given = parser.parse_args(arguments)
    options = {} if given.level is None else {"level": given.level}
    rows = chosen(words(given.only))
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        workers = []
        for name, commit in (("before", given.before), ("after", given.after)):
            checkout(commit, place / name, stack)
            workers.append(Worker(place / name, stack))
        print(f"{'µs':22} {'before':>12} {'after':>12} {'ratio':>8} {'lines':>16}")
        for row in rows:
            print(compare(row.name, workers, given.seconds, options), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
