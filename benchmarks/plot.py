"""The plot of the report: how many times as long as gradc the others take."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter

from .measure import Row

MARKS = "osD^vPX*<>"
COLOURS = ("#7f7f7f", *plt.colormaps["tab10"].colors)


def draw(path: Path, rows: Sequence[Row]) -> None:
    names = list(dict.fromkeys(n for row in rows for n in row.seconds if n != "gradc"))
    figure, axes = plt.subplots(figsize=(9, 1.6 + 0.27 * len(rows)), layout="constrained")
    for place, row in enumerate(rows):
        ratios = [row.seconds[n] / row.seconds["gradc"] for n in row.seconds]
        axes.plot([min(ratios), max(ratios)], [place, place], color="#dddddd", zorder=1)
    for i, name in enumerate(names):
        points = [
            (row.seconds[name] / row.seconds["gradc"], place)
            for place, row in enumerate(rows)
            if name in row.seconds
        ]
        axes.scatter(
            *zip(*points, strict=True),
            label=name,
            marker=MARKS[i % len(MARKS)],
            color=COLOURS[i % len(COLOURS)],
            s=34,
            zorder=3,
        )
    axes.axvline(1, color="black", linewidth=1.5, zorder=2, label="gradc")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}×"))
    axes.grid(axis="x", color="#eeeeee", zorder=0)
    axes.set_yticks(range(len(rows)), [row.workload.title for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel("← faster than gradc        time as a multiple of gradc's        slower →")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=6, frameon=False)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
