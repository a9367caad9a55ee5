"""gradc from Python: load, parse, compile, and the import hook."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import gradc
import networkx
import pytest

SPEC = "input x: float\noutput f = x^2\n"


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "square.grad"
    path.write_text(SPEC, encoding="utf-8")
    return path


def test_load_caches_beside_the_spec(spec: Path) -> None:
    model = gradc.load(spec)
    assert model.value_and_grad(3.0) == (9.0, (6.0,))
    assert gradc.load(spec) is model
    assert (spec.parent / "__pycache__" / "square.gradc.py").exists()


def test_load_sees_changes_also_of_used_files(tmp_path: Path) -> None:
    (tmp_path / "lib.grad").write_text("def g(x) = x^2\n", encoding="utf-8")
    spec = tmp_path / "main.grad"
    spec.write_text('use "lib.grad"\ninput x: float\noutput f = g(x)\n', encoding="utf-8")
    assert gradc.load(spec).forward(3.0)[0] == 9.0
    (tmp_path / "lib.grad").write_text("def g(x) = x^3\n", encoding="utf-8")
    assert gradc.load(spec).forward(3.0)[0] == 27.0


def test_load_with_options_is_another_module(spec: Path) -> None:
    assert gradc.load(spec, checks=False) is not gradc.load(spec)


def test_a_damaged_cache_is_not_believed(spec: Path) -> None:
    cached = spec.parent / "__pycache__" / "square.gradc.py"
    cached.parent.mkdir()
    cached.write_text("raise SystemExit\n", encoding="utf-8")
    assert gradc.load(spec).forward(2.0)[0] == 4.0


def test_load_raises_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "wrong.grad"
    path.write_text("output f = y\n", encoding="utf-8")
    with pytest.raises(gradc.SpecError, match="unknown name `y`"):
        gradc.load(path)
    with pytest.raises(FileNotFoundError):
        gradc.load(tmp_path / "none.grad")


def test_parse_gives_the_graph(spec: Path) -> None:
    graph = gradc.parse(spec)
    assert isinstance(graph.nx, networkx.MultiDiGraph)
    assert networkx.is_directed_acyclic_graph(graph.nx)
    assert graph.nx.nodes["f"]["op"] == "power"
    assert gradc.compile(graph) == gradc.compile(spec)


def test_names_come_as_lists(spec: Path) -> None:
    assert "def jvp(" in gradc.compile(spec, emit=["jvp"])
    assert "def check(" in gradc.compile(spec, emit=["all"])
    with pytest.raises(ValueError, match="lists of names"):
        gradc.compile(spec, emit="jvp")


def hooked(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    program = f"import sys; sys.path.insert(0, {str(folder)!r}); import gradc.importer\n{code}"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


def test_importer_finds_specs(spec: Path) -> None:
    result = hooked(spec.parent, "import square; assert square.forward(3.0)[0] == 9.0")
    assert result.returncode == 0, result.stderr


def test_importer_prefers_python_and_warns_where_it_is_stale(spec: Path) -> None:
    module = spec.with_suffix(".py")
    module.write_text(gradc.compile(spec), encoding="utf-8")
    result = hooked(spec.parent, "import square; assert square.__file__.endswith('.py')")
    assert result.returncode == 0 and "Warning" not in result.stderr
    spec.write_text(SPEC.replace("2", "3"), encoding="utf-8")
    result = hooked(spec.parent, "import square; assert square.forward(3.0)[0] == 9.0")
    assert result.returncode == 0, result.stderr
    assert (
        "StaleWarning: square.py was not generated from square.grad as it is now" in result.stderr
    )


def test_importer_reports_a_wrong_spec(spec: Path) -> None:
    spec.write_text("output f = y\n", encoding="utf-8")
    result = hooked(spec.parent, "import square")
    assert result.returncode == 1 and "unknown name `y`" in result.stderr


def test_the_rosenbrock_example_finds_the_minimum() -> None:
    pytest.importorskip("scipy")
    script = Path(__file__).parent.parent / "examples" / "minimise_rosenbrock.py"
    result = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert float(result.stdout.split()[-1]) < 1e-5


def test_the_network_of_the_examples_learns() -> None:
    script = Path(__file__).parent.parent / "examples" / "train_network.py"
    result = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    *losses, last = result.stdout.splitlines()
    assert float(losses[0].split()[-1]) > 20 * float(losses[-1].split()[-1])
    assert float(last.split("%")[0]) > 98


def test_the_readme_shows_what_is_generated() -> None:
    """Every line of the README's Python excerpt is a line of the module it speaks of."""
    root = Path(__file__).parent.parent
    readme = (root / "README.md").read_text(encoding="utf-8")
    excerpt = readme.split("```python\n")[1].split("```")[0]
    module = gradc.compile(root / "examples" / "homework" / "problem2.grad").splitlines()
    assert [line for line in excerpt.splitlines() if line not in module] == []
    spec = readme.split("```grad\n")[1].split("```")[0]
    text = (root / "examples" / "homework" / "problem2.grad").read_text(encoding="utf-8")
    assert spec in text
