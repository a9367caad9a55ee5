"""Colours and type of pictures, light and dark."""

from __future__ import annotations

from .layout import HEADING, LABEL, NAME, SYMBOL

# Green and red as the lecture notes have them, in hues that stay apart for colour-blind eyes
# (bluish green and vermilion), each with a contrast of 4.5 or more to the paper.
LIGHT = {
    "paper": "#ffffff", "ink": "#1b1f24", "muted": "#57606a", "line": "#8c959f",
    "box": "#f6f8fa", "input": "#e8f0fe", "folded": "#fff3d6", "group": "#f3f4f6",
    "frame": "#afb8c1", "value": "#00704f", "gradient": "#b83a00",
}  # fmt: skip
DARK = {
    "paper": "#0d1117", "ink": "#e6edf3", "muted": "#9ea7b3", "line": "#768390",
    "box": "#21262d", "input": "#14263f", "folded": "#3a2f12", "group": "#161b22",
    "frame": "#484f58", "value": "#2fd0b0", "gradient": "#ff8f4d",
}  # fmt: skip

_STYLE = f"""
.gradc-picture text {{ font-family: Helvetica, Arial, "DejaVu Sans", "Liberation Sans", sans-serif;
  text-anchor: middle; fill: var(--ink) }}
.gradc-picture .paper {{ fill: var(--paper) }}
.gradc-picture .node rect {{ fill: var(--box); stroke: var(--line); stroke-width: 1.2 }}
.gradc-picture .input rect {{ fill: var(--input) }}
.gradc-picture .data rect, .gradc-picture .given rect {{ stroke-dasharray: 4 3 }}
.gradc-picture .state rect {{ stroke-width: 2; stroke-dasharray: 7 3 }}
.gradc-picture .folded rect {{ fill: var(--folded) }}
.gradc-picture .output rect {{ stroke: var(--ink); stroke-width: 2.2 }}
.gradc-picture .symbol {{ font-size: {SYMBOL}px }}
.gradc-picture .name {{ font-size: {NAME}px; fill: var(--muted) }}
.gradc-picture .output .name {{ font-weight: bold; fill: var(--ink) }}
.gradc-picture .edge path {{ fill: none; stroke: var(--line); stroke-width: 1.2 }}
.gradc-picture .edge path.arrow, .gradc-picture .edge circle {{ fill: var(--line); stroke: none }}
.gradc-picture .edge text {{ font-size: {LABEL}px }}
.gradc-picture .edge .value {{ fill: var(--value) }}
.gradc-picture .edge .gradient {{ fill: var(--gradient); font-style: italic }}
.gradc-picture .group > rect {{ fill: var(--group); stroke: var(--frame); stroke-dasharray: 2 2 }}
.gradc-picture .group.loop > rect {{ stroke-width: 2 }}
.gradc-picture .heading {{ font-size: {HEADING}px; text-anchor: start; fill: var(--muted) }}
"""


def style(theme: str) -> str:
    """The style sheet; ``auto`` leaves the choice to the reader's system."""
    if theme != "auto":
        text = _STYLE
        for name, colour in (LIGHT if theme == "light" else DARK).items():
            text = text.replace(f"var(--{name})", colour)
        return text
    light, dark = (" ".join(f"--{n}: {c};" for n, c in theme.items()) for theme in (LIGHT, DARK))
    return (
        f"\n.gradc-picture {{ {light} }}\n@media (prefers-color-scheme: dark) {{\n"
        f".gradc-picture {{ {dark} }}\n}}{_STYLE}"
    )
