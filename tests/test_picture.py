"""Pictures: nothing overlaps or is clipped, numbers are right, texts are no markup."""

from __future__ import annotations

import shutil
import subprocess
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from gradc.compiler import driver
from gradc.compiler.given import Inputs, from_example
from gradc.compiler.picture.dot import dot
from gradc.compiler.picture.folding import scene
from gradc.compiler.picture.layout import (
    HEADING,
    LABEL,
    LINE,
    NAME,
    SYMBOL,
    Layout,
    PlacedWire,
    Rectangle,
    layout,
)
from gradc.compiler.picture.model import Picture
from gradc.compiler.picture.svg import svg
from gradc.compiler.picture.themes import DARK, LIGHT
from gradc.compiler.picture.widths import shortened, width
from gradc.compiler.picture.write import drawn, to_fold
from gradc.dsl.check import Checked
from gradc.dsl.source import Source
from hypothesis import given

from .helpers import checked
from .test_random_graphs import Spec, quick, specs

EXAMPLES = Path(__file__).parent.parent / "examples"
SPECS = [p for p in sorted(EXAMPLES.rglob("*.grad")) if p.name != "layers.grad"]
NS = {"svg": "http://www.w3.org/2000/svg"}


def program(path: Path) -> Checked:
    return driver.checked(driver.read(path), include=EXAMPLES)


def example_picture(path: Path) -> Picture:
    found = program(path)
    return drawn(found, from_example(found, None) if found.examples else None)


def picture_of(text: str) -> Picture:
    found = checked(text)
    return drawn(found, from_example(found, None) if found.examples else None)


# ── Geometry ────────────────────────────────────────────────────────────────


def sides(rooms: list[Rectangle]) -> Any:
    """Left, top, right and bottom of each: [rooms, 4]."""
    return np.array([(r.x, r.y, r.x + r.width, r.y + r.height) for r in rooms]).reshape(-1, 4)


def apart(a: Any, b: Any) -> Any:
    """Whether each room of ``a`` is beside each of ``b``; Graphviz rounds places and sizes."""
    a, b = a[:, None], b[None, :]
    return ((a[..., 2:] <= b[..., :2] + 0.5) | (b[..., 2:] <= a[..., :2] + 0.5)).any(axis=-1)


def points(wire: PlacedWire) -> Any:
    """Points of the curves, close together: [points, 2]."""
    t = np.linspace(0, 1, 21)[:, None]
    weights = np.hstack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3])
    parts = [np.array(c[i : i + 4]) for c in wire.curves for i in range(0, len(c) - 1, 3)]
    return np.vstack([weights @ part for part in parts])


def assert_legible(placed: Layout) -> None:
    rooms = [box.at for box in placed.boxes]
    rooms += [wire.label for wire in placed.wires if wire.label is not None]
    beside = apart(sides(rooms), sides(rooms))
    assert beside[~np.eye(len(rooms), dtype=bool)].all()
    for box in placed.boxes:
        assert width(box.symbol, SYMBOL) <= box.at.width - 8, box.symbol
        assert width(box.name, NAME, box.box.is_output) <= box.at.width - 8, box.name
        assert box.at.height >= (SYMBOL + NAME + 8 if box.name else SYMBOL + 6)
    for wire in placed.wires:
        for lines in (wire.wire.value, wire.wire.gradient):
            assert not lines or wire.label is not None
            if wire.label is not None:
                assert all(width(line, LABEL) <= wire.label.width for line in lines)
                assert len(lines) * LINE <= wire.label.height / 2
    for group, frame in placed.groups:
        wide = width(group.heading, HEADING)
        heading = Rectangle(frame.x + 9, frame.y + 4, wide, 16)
        assert wide + 9 <= frame.width
        assert apart(sides([heading]), sides(rooms)).all()
        for box in placed.boxes:
            within = box.box.group[: len(group.path)] == group.path
            assert apart(sides([box.at]), sides([frame])).all() != within
    low = sides([*rooms, *(frame for _, frame in placed.groups)])
    assert low[:, :2].min() >= -1
    assert (low[:, 2:].max(axis=0) <= np.array([placed.width, placed.height]) + 1).all()


def crossings(placed: Layout) -> list[tuple[str, Rectangle]]:
    """Wires that run through a box, or through the text of another wire."""
    rooms = [box.at for box in placed.boxes]
    rooms += [wire.label for wire in placed.wires if wire.label is not None]
    inner = sides(rooms) + np.array([2, 2, -2, -2])
    found = []
    for wire in placed.wires:
        p = points(wire)[:, None]
        through = ((p > inner[:, :2]) & (p < inner[:, 2:])).all(axis=-1).any(axis=0)
        found += [(wire.wire.edge, rooms[i]) for i in np.flatnonzero(through)]
    return found


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)
def test_nothing_overlaps_in_the_examples(path: Path) -> None:
    found = example_picture(path)
    everything = to_fold(found, ["all"], unfold=False)
    for folded in {frozenset(), everything}:
        placed = layout(scene(found, folded))
        assert_legible(placed)
        assert not crossings(placed)


def test_what_overlaps_is_found() -> None:
    """The checks above can fail."""
    placed = layout(scene(example_picture(EXAMPLES / "homework" / "problem1.grad")))
    first, second, *others = placed.boxes
    moved = replace(placed, boxes=(first, replace(second, at=first.at), *others))
    with pytest.raises(AssertionError):
        assert_legible(moved)
    label = next(wire.label for wire in placed.wires if wire.label is not None)
    line = replace(
        placed.wires[-1], curves=(((label.x, label.middle[1]),) * 4, (label.middle,) * 4)
    )
    assert crossings(replace(placed, wires=(*placed.wires[:-1], line)))


@quick
@given(specs())
def test_nothing_overlaps_in_random_graphs(spec: Spec) -> None:
    found = checked(spec.text)
    sizes = {"n": 3, "m": 2}
    pictured = drawn(found, Inputs(spec.values, sizes))
    placed = layout(scene(pictured))
    assert_legible(placed)
    assert not crossings(placed)
    assert_sums(pictured)


def long_chain(count: int) -> str:
    """A chain with branches that come back later."""
    lines = ["input x, y: float", "node v0 = x * y"]
    for i in range(1, count):
        other = f"v{max(0, i - 2 - i % 7)}" if i % 3 else "x"
        lines.append(f"node v{i} = " + (f"sin(v{i - 1})" if i % 4 else f"v{i - 1} + {other}"))
    lines += [f"output f = v{count - 1}", "example e { given x = 1, y = 2 }"]
    return "\n".join(lines) + "\n"


def test_five_hundred_nodes() -> None:
    placed = layout(scene(picture_of(long_chain(500))))  # Within two minutes, or it fails.
    assert len(placed.boxes) > 500
    assert_legible(placed)
    assert not crossings(placed)


# ── Numbers ─────────────────────────────────────────────────────────────────


def assert_sums(found: Picture) -> None:
    """What comes back along the edges from an item adds up to its gradient."""
    back: dict[str, list[Any]] = defaultdict(list)
    for edge in found.edges:
        if edge.gradient is not None:
            back[edge.source].append(edge.gradient.value)
    outputs = {id_ for box in found.boxes if box.is_output for id_ in box.ids}
    for id_, total in found.gradients.items():
        if id_ not in outputs:
            near = 0.02 if found.digits is not None else 1e-9
            np.testing.assert_allclose(sum(back[id_]), total.value, rtol=near, atol=near)


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)
def test_gradients_of_uses_add_up(path: Path) -> None:
    found = example_picture(path)
    assert_sums(found)
    folded = scene(found, to_fold(found, ["all"], unfold=False))
    assert {id_ for box in folded.boxes for id_ in box.ids} == set(found.values)


def test_the_numbers_of_the_homework() -> None:
    wires = scene(example_picture(EXAMPLES / "homework" / "problem1.grad")).wires
    found = [(w.target.symbol if w.target else "", *w.value, *w.gradient) for w in wires]
    assert sorted(found) == sorted([
        ("*", "1.00", "-0.08"), ("*", "1.00", "-0.08"), ("*", "1.00", "0.08"), ("*", "1.00", "0.08"),
        ("sin", "1.00", "-0.08"), ("x²", "0.84", "-0.15"), ("cos", "1.00", "0.08"),
        ("+", "0.71", "-0.09"), ("+", "0.54", "-0.09"), ("+2", "1.25", "-0.09"),
        ("1/x", "3.25", "-0.09"), ("", "0.31", "1.00"),
    ])  # fmt: skip


def test_a_value_used_twice_forks() -> None:
    shown = scene(picture_of("input x: float output f = sin(x) + 3 * x example e { given x = 0 }"))
    stem = next(wire for wire in shown.wires if wire.forks)
    branches = [wire for wire in shown.wires if wire.source is stem]
    assert (stem.edge, stem.value, stem.gradient) == ("n0", ("0",), ("4",))
    assert sorted(wire.gradient for wire in branches) == [("1",), ("3",)]


def test_data_has_no_gradient() -> None:
    shown = scene(
        picture_of("data x: float input w: float output f = x * w example e { given x = 2, w = 3 }")
    )
    assert {(w.value, w.gradient) for w in shown.wires} == {
        (("2",), ()),
        (("3",), ("2",)),
        (("6",), ("1",)),
    }


@pytest.mark.parametrize(
    "written, expected",
    [
        ("x * z", "*"), ("x - z", "x - z"), ("x + 2", "+2"), ("x / 2", "/2"), ("2 / x", "2/x"),
        ("1 / x", "1/x"), ("x^3", "x³"), ("x^0.5", "x^0.5"), ("sigmoid(x)", "σ"), ("sin(x)", "sin"),
        ("-x", "-x"), ("abs(x)", "|x|"), ("maximum(x, z)", "max"), ("maximum(x, 0)", "max(x, 0)"),
        ("clip(x, 0, 1)", "clip(x, 0, 1)"), ("M @ v", "M @ v"), ("v[0]", "v[0]"), ("norm(v)", "‖v‖"),
        ("if x > 0 then x else z", "where"), ("concat(v, v)", "concat"), ("M.T", "Mᵀ"),
    ],
)  # fmt: skip
def test_symbols(written: str, expected: str) -> None:
    found = picture_of(
        f"input x, z: float input v: float[3] input M: float[3, 3] node r = {written} output f = sum(r)"
    )
    assert expected in [box.symbol for box in found.boxes if box.name == "r"]


def test_shapes_stand_for_large_arrays() -> None:
    text = "input v: float[2] input M: float[40, n] input s: float[n] output f = sum(M) + sum(v) + sum(s)"
    given_ = " example e { given v = [1, 2.5], M = ones(40, 2), s = [1, 2] }"
    values = {wire.value for wire in scene(picture_of(text + given_)).wires}
    assert {("float[40, 2]",), ("[1 2.5]",)} <= values
    assert ("float[40, n]",) in {wire.value for wire in scene(picture_of(text)).wires}


# ── Groups ──────────────────────────────────────────────────────────────────

CALLS = """def square_of(u: float[n]) = sum(u^2) + 1
input x: float[3]
input z: float[3]
node a = square_of(x)
output f = a * square_of(2 * z)
example e { given x = [1, 2, 3], z = [1, 0, 0] }
"""
LOOP = """input x: float
scan t in 0..3 {
  state h = 2 * x
  next h = sin(h) * x
}
output f = h + 1
example e { given x = 1 }
"""


def test_calls_fold_to_one_box_each() -> None:
    found = picture_of(CALLS)
    assert [group.id for group in found.groups] == ["square_of", "square_of (2)"]
    folded = scene(found, to_fold(found, ["square_of"], unfold=False))
    boxes = [box for box in folded.boxes if box.sort == "folded"]
    assert [(box.symbol, box.name) for box in boxes] == [("square_of", "a"), ("square_of (2)", "")]
    assert not folded.groups
    assert [len(box.ids) for box in boxes] == [3, 3]


def test_a_loop_is_a_group_with_one_step() -> None:
    found = picture_of(LOOP)
    (group,) = found.groups
    assert group.is_loop and group.heading == "scan t in 0..3"
    inside = {box.symbol: box for box in found.boxes if box.group}
    assert inside["h"].sort == "state" and inside["x"].sort == "given"
    assert inside["*"].name == "next h" and "last" in inside
    assert all("." in box.ids[0] for box in inside.values() if box.symbol != "last")


def test_a_loop_gets_back_what_belongs_to_each_operand() -> None:
    """Through the first state, and as what each step sees: both add up to the gradient of x."""
    found = picture_of(LOOP)
    assert_sums(found)
    folded = scene(found, to_fold(found, ["scan"], unfold=False))
    (box,) = [box for box in folded.boxes if box.sort == "folded"]
    assert box.name == "h"
    edges = [wire.edge for wire in folded.wires if wire.target is box]
    assert len(edges) == 2


def test_large_pictures_fold_by_default() -> None:
    text = (
        "def g(u: float) = "
        + "sin(" * 90
        + "u"
        + ")" * 90
        + "\ninput x: float\noutput f = 1 + g(x)\n"
    )
    found = picture_of(text)
    assert to_fold(found, [], unfold=False) == {("g",)} and not to_fold(found, [], unfold=True)


# ── Texts ───────────────────────────────────────────────────────────────────

HOSTILE = """## </title><script>alert("&'1")</script> ]]> \x07
input x: float
node a = if x < 1 and x > -1 then x else -x  # <b>
output f = a * 2
example e { given x = 0.5 }
"""


def hostile_picture() -> Picture:
    source = Source(HOSTILE, '<img src=x onerror="alert(1)">&.grad')
    found = driver.checked(source)
    return drawn(found, from_example(found, None))


def test_nothing_from_a_specification_is_markup() -> None:
    root = ElementTree.fromstring(svg(hostile_picture()))
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags == {"svg", "title", "desc", "style", "rect", "g", "path", "text", "circle"}
    title = root.find("svg:title", NS)
    assert title is not None and title.text is not None and "<script>" in title.text


@pytest.mark.parametrize("path", SPECS[::6], ids=lambda p: p.stem)
def test_svg_is_well_formed_and_the_same_every_time(path: Path) -> None:
    text = svg(example_picture(path))
    assert text == svg(example_picture(path))
    root = ElementTree.fromstring(text)
    assert root.get("role") == "img" and root.get("aria-label")
    nodes = [g.get("data-node") for g in root.iterfind(".//svg:g[@data-node]", NS)]
    assert len(set(nodes)) == len(nodes) > 0
    known = set(" ".join(n or "" for n in nodes).split())
    edges = [g.get("data-edge") or "" for g in root.iterfind(".//svg:g[@data-edge]", NS)]
    assert {id_ for edge in edges for id_ in edge.split()} <= known


def test_a_fixed_theme_has_no_variables() -> None:
    found = picture_of(LOOP)
    for theme, colours in (("light", LIGHT), ("dark", DARK)):
        text = svg(found, theme=theme)
        assert "var(" not in text and "@media" not in text and colours["gradient"] in text
    assert "prefers-color-scheme: dark" in svg(found)


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
@pytest.mark.parametrize("pictured", [picture_of(CALLS), picture_of(LOOP), hostile_picture()])
def test_graphviz_reads_the_dot_text(pictured: Picture) -> None:
    result = subprocess.run(["dot", "-Tplain"], input=dot(pictured), capture_output=True, text=True)
    assert result.returncode == 0 and not result.stderr
    nodes = [line for line in result.stdout.splitlines() if line.startswith("node b")]
    assert len(nodes) == len(pictured.boxes)


def test_texts_are_shortened_where_they_must() -> None:
    assert shortened("abc", 10, 100) == "abc"
    cut = shortened("a" * 100, 10, 100)
    assert cut.endswith("…") and width(cut, 10) <= 100
    assert width("漢", 10) >= 10 and width("é", 10) >= 6


# ── Colours ─────────────────────────────────────────────────────────────────


def linear(colour: str) -> Any:
    """A colour as linear light: [3]."""
    values = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast(a: str, b: str) -> float:
    """As the Web Content Accessibility Guidelines measure it."""
    low, high = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (a, b))
    return (high + 0.05) / (low + 0.05)


# Machado, Oliveira and Fernandes (2009): eyes without red, green or blue cones.
BLIND = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}  # fmt: skip


def lab(light: Any) -> Any:
    """Linear light in the space CIELAB, where distances are about those that eyes see."""
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    x, y, z = np.cbrt(np.maximum(to_xyz @ light / [0.9505, 1.0, 1.089], 1e-6))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_are_legible_and_stay_apart(colours: dict[str, str]) -> None:
    for text in ("ink", "muted", "value", "gradient"):
        for ground in ("paper", "group"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for ground in ("box", "input", "folded"):
        assert contrast(colours["ink"], colours[ground]) >= 7
        assert contrast(colours["muted"], colours[ground]) >= 4.5
    assert contrast(colours["line"], colours["group"]) >= 2.5
    for matrix in (np.eye(3), *map(np.array, BLIND.values())):
        value, gradient = (lab(matrix @ linear(colours[n])) for n in ("value", "gradient"))
        assert np.linalg.norm(value - gradient) >= 24
