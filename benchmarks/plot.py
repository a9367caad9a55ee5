"""The plot of the report: how many times as long as gradc the others take."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib import colormaps, rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from .measure import Row

MARKS = "osD^vPX*<>"
COLOURS = ("#444444", *(colormaps["tab10"](i) for i in range(10) if i != 7))


def draw(path: Path, rows: Sequence[Row]) -> None:
    names = list(dict.fromkeys(n for row in rows for n in row.seconds if n != "gradc"))
    figure = Figure(figsize=(9, 1.6 + 0.27 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for place, row in enumerate(rows):
        ratios = [row.seconds[n] / row.seconds["gradc"] for n in row.seconds]
        axes.plot([min(ratios), max(ratios)], [place, place], color="#dddddd", zorder=1)
    for number, name in enumerate(names):
        places = [place for place, row in enumerate(rows) if name in row.seconds]
        axes.scatter(
            [rows[i].seconds[name] / rows[i].seconds["gradc"] for i in places],
            places,
            label=name,
            marker=MARKS[number % len(MARKS)],
            color=COLOURS[number % len(COLOURS)],
            s=34,
            zorder=3,
        )
    axes.axvline(1, color="black", linewidth=1.5, zorder=2, label="gradc")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}×"))
    axes.grid(axis="x", color="#eeeeee", zorder=0)
    axes.set_yticks(range(len(rows)), [row.workload.title for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel("← faster than gradc · time as a multiple of gradc's · slower →")
    figure.legend(loc="outside upper center", ncols=5, frameon=False)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "gradc"}):
        figure.savefig(path, metadata={"Date": None})
