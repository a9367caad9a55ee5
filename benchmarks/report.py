"""What was measured, as lines on a terminal and as a page with a plot."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from .limits import Machine
from .measure import Row

PACKAGES = {
    "jax": "jax",
    "torch": "torch",
    "autograd": "autograd",
    "pytensor": "pytensor",
    "casadi": "casadi",
    "sympy": "sympy",
    "numba": "numba",
}
FAR = 1000
EVEN = 1.05
"""Ratios up to this, either way, are called a tie."""


def number(value: float) -> str:
    """Three digits, two of small ones."""
    if value >= 100:
        return f"{float(f'{value:.3g}'):,.0f}"
    if value < 0.1:
        return f"{value:.2g}"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def line(row: Row) -> str:
    times = "  ".join(f"{name} {number(1e6 * t)}" for name, t in row.seconds.items())
    problems = "".join(f"\n    {name}: {why}" for name, why in row.problems.items())
    return f"{row.workload.name:22} {times}  {compared(row)}{problems}"


def compared(row: Row) -> str:
    ratio = row.ratio() if row.seconds else None
    return "" if ratio is None else f"{number(ratio)}× {row.best()}"


def to_limit(row: Row, machine: Machine) -> str:
    """Nothing where what moves and is multiplied says little of the work."""
    limit = machine.seconds(row.moved, row.products, row.workload.dtype)
    ratio = row.seconds["gradc"] / limit if limit else FAR
    return number(ratio) if ratio < FAR else ""


def contestants(rows: Iterable[Row]) -> list[str]:
    """gradc in front, then in the order of their first row."""
    found = dict.fromkeys(name for row in rows for name in row.seconds)
    return sorted(found, key=lambda name: not name.startswith("gradc"))


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(head)} |",
        "|---|" + "---:|" * (len(head) - 1),
        *(f"| {' | '.join(cells)} |" for cells in lines),
    ]


def times(rows: Sequence[Row], machine: Machine) -> list[str]:
    names = contestants(rows)
    return table(
        ["workload", *names, "best other ÷ gradc", "gradc ÷ limit"],
        [
            [
                row.workload.title,
                *(number(1e6 * row.seconds[n]) if n in row.seconds else "" for n in names),
                compared(row),
                to_limit(row, machine),
            ]
            for row in rows
        ],
    )


def memory(rows: Sequence[Row]) -> list[str]:
    names = list(dict.fromkeys(name for row in rows for name in row.memory))
    large = [row for row in rows if max(row.memory.values()) > 2**20]
    return table(
        ["workload", *names],
        [
            [
                row.workload.title,
                *(number(row.memory[n] / 1e6) if n in row.memory else "" for n in names),
            ]
            for row in large
        ],
    )


def summary(rows: Sequence[Row]) -> list[str]:
    """Who wins where; losses by name."""
    ratios = {row.workload.title: row for row in rows if row.ratio() is not None}
    lost = sorted(
        (title for title, row in ratios.items() if (row.ratio() or 0) < 1 / EVEN),
        key=lambda title: ratios[title].ratio() or 0,
    )
    won = sum((row.ratio() or 0) > EVEN for row in ratios.values())
    lines = [
        f"gradc is faster than every other contestant in {won} rows of {len(ratios)}, within 5 % "
        f"of the best in {len(ratios) - won - len(lost)}, and slower in {len(lost)}."
    ]
    if lost:
        lines += ["", "Where it is slower, and how many times:", ""]
        lines += [
            f"- {title}: {number(1 / (ratios[title].ratio() or 1))} ({ratios[title].best()})"
            for title in lost
        ]
    return lines


def problems(rows: Sequence[Row], missing: Mapping[str, str]) -> list[str]:
    found = [f"- {name} is left out: {why}" for name, why in missing.items()]
    found += [
        f"- {row.workload.title}, {name}: {why}"
        for row in rows
        for name, why in row.problems.items()
    ]
    return ["## Not timed", "", *found, ""] if found else []


def processor() -> str:
    """Cores and the widest vector instructions, in words."""
    try:
        known = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        known = ""
    flags = known.split()
    widest = "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else ""
    names = [text.split(":")[1] for text in known.splitlines() if text.startswith("model name")]
    used = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    words = [f"{used} of {os.cpu_count()} cores", *(name.strip() for name in names[:1])]
    return ", ".join([*words, *([widest] if widest else []), platform.machine()])


def versions(names: Iterable[str]) -> str:
    found = [f"Python {platform.python_version()}"]
    for package in ("numpy", *names):
        found.append(f"{package} {importlib.metadata.version(package)}")
    return ", ".join(found)


def write(
    path: Path,
    rows: Sequence[Row],
    machine: Machine,
    missing: Mapping[str, str],
    arguments: Sequence[str],
    note: str = "",
) -> None:
    """The page, and the plot where matplotlib is installed."""
    every, rows = rows, [row for row in rows if row.seconds]
    names = contestants(rows)
    command = shlex.join(["python", "-m", "benchmarks", *arguments])
    peers = [p for p in PACKAGES if any(n.split("-")[0] == p for n in names)]
    picture = plotted(path.with_suffix(".svg"), rows)
    lines = [
        "# Benchmarks",
        "",
        "Microseconds for a value and its gradient (or what else a row names), NumPy in and out:",
        "medians of one run in which all contestants take turns. `naive` is NumPy by hand, forward",
        "and backward, without a thought of speed. Before anything is timed, all results are",
        "compared with those of gradc. The specifications in",
        "[benchmarks/specs](../benchmarks/specs) are the mathematics, not tuned; rows of GradBench",
        "use [examples/gradbench](../examples/gradbench). `--fast-math`, which gives up digits in",
        "places, has a column of its own and counts for nothing else; it is empty where the option",
        "changes nothing.",
        "",
        "The limit of a row is the time in which the machine can read its arguments and write its",
        "results once, or do the arithmetic of its matrix products, whichever is longer.",
        "",
        f"Machine: {processor()}. {versions(PACKAGES[p] for p in peers)}.",
        machine.described(),
        *([note] if note else []),
        "",
        f"Made by `{command}`.",
        "",
        *summary(rows),
        "",
        *(
            [f"![Time of each contestant as a multiple of gradc's]({picture})", ""]
            if picture
            else []
        ),
        *times(rows, machine),
        "",
        "## Memory",
        "",
        "The peak during one call in MB, with results, without arguments, of those whose arrays",
        "are NumPy's; rows above 1 MB.",
        "",
        *memory(rows),
        "",
        *problems(every, missing),
    ]
    path.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


def plotted(path: Path, rows: Sequence[Row]) -> str | None:
    """The name of the picture."""
    try:
        from . import plot
    except ImportError:
        return None
    plot.draw(path, rows)
    return path.name
