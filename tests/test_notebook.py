"""The magic ``%%grad``, and graphs that notebooks show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradc
import pytest
from gradc.compiler import drawable
from gradc.compiler.picture.engine import MissingLibrary
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

EXAMPLES = Path(__file__).parent.parent / "examples"
CELL = "input x: float\noutput f = x^2\nexample e { given x = 3 }\nexample o { given x = 5 }\n"


@pytest.fixture
def shell() -> Iterator[Any]:
    config = Config()
    config.HistoryManager.enabled = False
    found = InteractiveShell.instance(config=config)
    found.run_line_magic("load_ext", "gradc")
    yield found
    InteractiveShell.clear_instance()


def pictures(captured: Any) -> list[str]:
    return [output.data["image/svg+xml"] for output in captured.outputs]


def test_a_cell_shows_its_graph_and_defines_its_functions(shell: Any) -> None:
    with capture_output() as captured:
        assert shell.run_cell(f"%%grad square\n{CELL}").success
    (picture,) = pictures(captured)
    assert picture.startswith("<svg") and ">9<" in picture
    value, gradients = shell.user_ns["value_and_grad"](4.0)
    assert (value, gradients.x) == (16.0, 8.0)
    output, cache = shell.user_ns["forward"](4.0)
    assert output == 16.0 and shell.user_ns["backward"](cache).x == 8.0
    assert shell.user_ns["square"].value_and_grad is shell.user_ns["value_and_grad"]


def test_options_of_the_magic(shell: Any) -> None:
    with capture_output() as captured:
        shell.run_cell(f"%%grad m --example o --round 1 --emit jvp -O 2\n{CELL}")
    assert ">25.0<" in pictures(captured)[0]
    assert hasattr(shell.user_ns["m"], "jvp")


def test_a_mistake_is_shown_with_its_place(shell: Any) -> None:
    with capture_output() as captured:
        assert shell.run_cell("%%grad wrong\ninput x: float\noutput f = y\n").success
    assert captured.stderr.startswith("cell:2:12: error[G101]: unknown name `y`")
    assert "^" in captured.stderr and "Traceback" not in captured.stderr + captured.stdout
    assert not captured.outputs and "wrong" not in shell.user_ns


@pytest.mark.parametrize("line, sentence", [
    ("3m", "`3m` is not a name"), ("m --example none", "no example `none`"),
    ("m --fold g", "no group `g`"), ("m --emit speed", "speed"), ("m --nope", "--nope"),
])  # fmt: skip
def test_misuse_of_the_magic(shell: Any, line: str, sentence: str) -> None:
    with capture_output() as captured:
        shell.run_cell(f"%%grad {line}\n{CELL}")
    assert sentence in captured.stderr and "Traceback" not in captured.stderr + captured.stdout


def test_a_cell_uses_files_beside_it(
    shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("twice.grad").write_text("def twice(u) = 2 * u\n", encoding="utf-8")
    cell = '%%grad\nuse "twice.grad": twice\ninput x: float\noutput f = twice(x)\n'
    with capture_output():
        assert shell.run_cell(cell).success
    assert shell.user_ns["value_and_grad"](3.0)[0] == 6.0


def test_parsed_graphs_show_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    graph: Any = gradc.parse(EXAMPLES / "homework" / "problem2.grad")
    assert graph._repr_svg_().startswith("<svg") and ">[1.90 1.90 1.90]<" in graph._repr_svg_()
    assert graph._repr_svg_() in graph._repr_html_()
    assert repr(graph).endswith("problem2.grad: f from x, W>")
    assert "def backward" in gradc.compile(graph)
    assert gradc.parse(EXAMPLES / "layers.grad")._repr_svg_() is None  # type: ignore[attr-defined]

    def missing(*_: Any) -> None:
        raise MissingLibrary("Graphviz")

    monkeypatch.setattr(drawable, "drawing", missing)
    assert graph._repr_svg_() is None and graph._repr_html_() is None
