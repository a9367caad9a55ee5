"""``gradc draw``: what it writes, and what it says where it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from gradc.compiler.picture import engine, png

from .test_cli import run

EXAMPLES = Path(__file__).parent.parent / "examples"
PROBLEM = EXAMPLES / "homework" / "problem1.grad"


@pytest.mark.parametrize(
    "suffix, start", [(".svg", b"<svg "), (".png", b"\x89PNG"), (".dot", b"digraph {")]
)
def test_the_name_says_the_format(suffix: str, start: bytes, tmp_path: Path) -> None:
    target = tmp_path / f"graph{suffix}"
    result = run("draw", PROBLEM, "-o", target, "--round", "2")
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"{target} written\n"
    assert target.read_bytes().startswith(start)
    assert [p.name for p in tmp_path.iterdir()] == [target.name]


def test_svg_goes_to_standard_output() -> None:
    result = run(
        "draw", PROBLEM, "--set", "x1=0", "--set", "w1=2", "--set", "x2=1", "--set", "w2=1"
    )
    assert result.returncode == 0
    texts = [e.text for e in ElementTree.fromstring(result.stdout).iter() if e.tag.endswith("text")]
    assert "0.54" in texts and "sin" in texts


def test_inputs_from_a_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "in.npz", x1=1.0, w1=2.0, x2=3.0, w2=4.0)
    result = run("draw", PROBLEM, "--data", tmp_path / "in.npz", "--theme", "dark")
    assert result.returncode == 0 and ">12<" in result.stdout and "@media" not in result.stdout


def test_without_an_example_types_are_drawn(tmp_path: Path) -> None:
    spec = tmp_path / "bare.grad"
    spec.write_text("input x: float[n]\noutput f = sum(x^2)\n", encoding="utf-8")
    result = run("draw", spec)
    assert result.returncode == 0 and ">float[n]<" in result.stdout


def test_groups_fold(tmp_path: Path) -> None:
    spec = EXAMPLES / "network.grad"
    shown, folded = run("draw", spec), run("draw", spec, "--fold", "dense")
    assert shown.stdout.count('class="group"') == 3
    assert folded.stdout.count('class="group"') == 1
    assert folded.stdout.count('class="node folded"') == 2


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["--fold", "nothing"], "there is no group `nothing` (there are: dense"),
        (["-o", "graph.pdf"], "the name must end in .svg, .png, .dot"),
        (["-o", "graph"], "the name must end in .svg, .png, .dot"),
        (["--example", "none"], "there is no example `none`"),
        (["--set", "x=1", "--example", "zeros"], "not both"),
        (["--data", "none.npz"], "none.npz"),
    ],
)
def test_misuse_is_answered_with_a_sentence(words: list[str], sentence: str) -> None:
    result = run("draw", EXAMPLES / "network.grad", *words)
    assert result.returncode == 2 and sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_wrong_files(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.grad"
    wrong.write_text("output f = y\n", encoding="utf-8")
    assert run("draw", wrong).returncode == 1
    wrong.write_bytes(b"\xff\xfe\x00")
    assert run("draw", wrong).returncode == 1
    wrong.write_text("", encoding="utf-8")
    assert "Traceback" not in run("draw", wrong).stderr
    assert run("draw", tmp_path / "none.grad").returncode == 2
    library = run("draw", EXAMPLES / "layers.grad")
    assert library.returncode == 2 and "only functions" in library.stderr


BLOCKED = """
import sys
for name in {names}: sys.modules[name] = None
sys.argv = ["gradc", "draw", {spec!r}, "-o", {target!r}]
from gradc.compiler.cli import main
main()
"""


@pytest.mark.parametrize("name, suffix", [("pygraphviz", ".svg"), ("resvg_py", ".png")])
def test_a_missing_library_is_named(name: str, suffix: str, tmp_path: Path) -> None:
    script = BLOCKED.format(names=[name], spec=str(PROBLEM), target=str(tmp_path / f"g{suffix}"))
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                            env={**os.environ, "PATH": ""})  # fmt: skip
    assert result.returncode == 2
    assert "pip install 'gradc[draw]'" in result.stderr and "Traceback" not in result.stderr


def test_dot_needs_no_library(tmp_path: Path) -> None:
    target = tmp_path / "g.dot"
    script = BLOCKED.format(names=["pygraphviz"], spec=str(PROBLEM), target=str(target))
    subprocess.run([sys.executable, "-c", script], check=True, env={**os.environ, "PATH": ""})
    assert target.exists()


def test_what_graphviz_cannot_do_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(engine.LayoutFailed, match="status"):
        engine.placed("digraph {")
    monkeypatch.setattr(engine, "_SECONDS", 0.001)
    with pytest.raises(engine.LayoutFailed, match="seconds"):
        engine.placed("digraph { a -> b }")


def test_a_machine_without_fonts_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png, "_PROBE", png._PROBE.replace(">W<", "> <"))
    with pytest.raises(png.NoFonts):
        png.png("<svg xmlns='http://www.w3.org/2000/svg' width='1' height='1'/>")
