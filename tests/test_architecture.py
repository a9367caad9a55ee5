"""The house keeps its order: imports go one way, files stay small, generated files are fresh."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Every file may import those before it in this list, never those behind.
ORDER = (ROOT / "tests/order.txt").read_text(encoding="utf-8").split()


def name_of(path: Path) -> str:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def files() -> list[Path]:
    folders = ("dsl", "compiler", "grammars", "examples")
    found = (p for folder in folders for p in (ROOT / folder).rglob("*.py"))
    return sorted(p for p in found if "__pycache__" not in p.parts)


MODULES = {name_of(path): path for path in files()}


def imports(path: Path) -> set[str]:
    """The project's modules that a file imports when it is loaded or runs."""
    name = name_of(path)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    # Installed, ``compiler/gradc`` is the package that holds all others.
    inside = "" if package == "compiler.gradc" else package
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not {a.name.split(".")[0] for a in node.names} & {"dsl", "compiler"}, path
        if not isinstance(node, ast.ImportFrom):
            continue
        if not node.level:
            assert (node.module or "").split(".")[0] not in ("dsl", "compiler"), path
            continue
        parts = inside.split(".") if inside else []
        base = parts[: len(parts) - node.level + 1]
        target = ".".join([*base, *(node.module.split(".") if node.module else [])])
        for alias in node.names:
            whole = f"{target}.{alias.name}".strip(".")
            found.add(whole if whole in MODULES else target)
    return {name for name in found if name in MODULES}


def test_every_file_has_a_place_in_the_order() -> None:
    ignored = {"examples.minimise_rosenbrock", "examples.train_network"}
    assert set(MODULES) - ignored == set(ORDER)


@pytest.mark.parametrize("name", [n for n in ORDER if n in MODULES])
def test_imports_go_one_way(name: str) -> None:
    later = [other for other in imports(MODULES[name]) if ORDER.index(other) >= ORDER.index(name)]
    # The package's own functions call into the stages when used, and its version is read by them.
    assert not [n for n in later if n != name and name != "compiler.gradc"], later


def test_files_are_small() -> None:
    sizes = sorted(len(p.read_text(encoding="utf-8").splitlines()) for p in files()
                   if p.name != "tables.py")  # fmt: skip
    assert sizes[len(sizes) // 2] <= 150


def test_no_machine_path_or_host_is_in_the_tree() -> None:
    for path in files():
        text = path.read_text(encoding="utf-8")
        assert "/root/" not in text and "/home/" not in text, path


def test_grammar_tables_are_fresh() -> None:
    from gradc.dsl.parse import fingerprint
    from gradc.grammars import tables

    assert fingerprint() == tables.FINGERPRINT, "run python -m gradc.grammars"


def test_operations_page_is_fresh() -> None:
    from gradc.compiler.catalogue import markdown

    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert page == markdown(), "run python -m gradc.compiler.catalogue > docs/operations.md"
