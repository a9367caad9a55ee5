"""Values with gradients by gradc, by hand and by other libraries, all in one run.

    python -m benchmarks --peers jax,autograd --report docs/benchmarks.md

A contestant whose results differ from gradc's is reported, not timed.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from . import report
from .limits import Machine
from .measure import PEERS, Row, imported, measure
from .workloads import ROWS, Workload


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.split("\n")[0])
    made.add_argument("--peers", default="", help=f"some of {','.join(PEERS)}")
    made.add_argument("--only", default="", help="names of rows, or what they begin with")
    made.add_argument("--level", type=int, choices=(0, 1, 2), help="gradc's -O")
    made.add_argument("--threads", type=int, default=0, help="gradc's --threads")
    made.add_argument("--report", type=Path, help="write a page, and a plot beside it")
    made.add_argument("--cores", type=int, help="what all contestants may use (on Linux)")
    made.add_argument("--note", default="", help="a sentence for the page about the machine")
    made.add_argument("--quick", action="store_true", help="a tenth of the time for each row")
    made.add_argument("--list", action="store_true", help="the names of all rows")
    return made


def words(text: str) -> list[str]:
    return [word for word in text.split(",") if word]


def chosen(only: Sequence[str]) -> list[Workload]:
    """Rows of these names, or whose names begin so. Raises ``ValueError`` where there are none."""
    names: set[str] = set()
    for start in only or [""]:
        found = {start} & set(ROWS) or {name for name in ROWS if name.startswith(start)}
        if not found:
            raise ValueError(f"there is no row {start!r}; `--list` shows them")
        names |= found
    return [row for name, row in ROWS.items() if name in names]


def confine(cores: int, arguments: Sequence[str]) -> None:
    """Starts anew on so many cores, before any library has made its threads."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) > cores:
        os.sched_setaffinity(0, allowed[:cores])
        os.execv(sys.executable, [sys.executable, "-m", "benchmarks", *arguments])


def main(arguments: Sequence[str]) -> int:
    options = parser().parse_args(arguments)
    if options.list:
        print("\n".join(f"{row.name:22} {row.title}" for row in ROWS.values()))
        return 0
    unknown = set(words(options.peers)) - set(PEERS)
    try:
        rows = chosen(words(options.only))
        if unknown:
            raise ValueError(f"there is no peer {min(unknown)!r}, only {', '.join(PEERS)}")
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    if options.cores:
        confine(options.cores, arguments)
    peers, missing = imported(words(options.peers))
    for name, why in missing.items():
        print(f"{name} is left out: {why}", file=sys.stderr)
    compiling = {"threads": options.threads}
    if options.level is not None:
        compiling["level"] = options.level
    machine = Machine()
    done: list[Row] = []
    for workload in rows:
        done.append(measure(workload, peers, machine, 0.3 if options.quick else 3.0, compiling))
        print(report.line(done[-1]), flush=True)
    if options.report:
        report.write(options.report, done, machine, missing, arguments, options.note)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
