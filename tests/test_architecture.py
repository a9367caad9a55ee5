"""The house keeps its order: imports go one way, files stay small, generated files are fresh."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Every file may import those above it in this list, never those below.
ORDER = [
    "dsl.frozen", "dsl.source", "dsl.sizes", "dsl.binding", "dsl.intervals", "dsl.shapes", "dsl.subscripts", "dsl.einsum",
    "dsl.errors.diagnostic", "dsl.errors.render", "dsl.errors", "dsl.errors.mistakes",
    "dsl.errors.codes", "dsl.ast", "dsl.expected", "grammars", "grammars.tables", "dsl.tree",
    "dsl.parse", "grammars.__main__", "dsl.kernels.arrays", "dsl.kernels.gather", "dsl.kernels.matrices", "dsl.kernels.threads", "dsl.kernels.scalars",
    "dsl.kernels.special", "dsl.kernels.special_scalars", "dsl.kernels.statistics",
    "dsl.kernels.array_entries", "dsl.kernels.scalar_entries", "dsl.kernels.checking", "dsl.kernels",
    "dsl.ops.declare", "dsl.ops.elementwise", "dsl.ops.functions", "dsl.ops.special",
    "dsl.ops.reductions", "dsl.ops.statistics", "dsl.ops.arrays",
    "dsl.ops.shaping", "dsl.ops.splitting", "dsl.ops.making", "dsl.ops.gather",
    "dsl.ops.indexing", "dsl.ops.linalg", "dsl.ops.loops", "dsl.ops.contractions", "dsl.ops.diagonals", "dsl.ops.decompositions", "dsl.ops.calculus", "dsl.ops", "dsl.domains", "dsl.graph", "dsl.alike", "dsl.loops", "dsl.walk", "dsl.scope", "dsl.order",
    "dsl.lowering.table", "dsl.lowering.products", "dsl.lowering.reductions",
    "dsl.lowering.helpers", "dsl.lowering.shapes", "dsl.lowering.pairing", "dsl.lowering.contractions", "dsl.lowering.matrices", "dsl.lowering", "dsl.lower",
    "dsl.indices.variables", "dsl.indices.spread", "dsl.indices.subscript", "dsl.indices.sums",
    "dsl.indices.vectorise", "dsl.indices.operations", "dsl.indices.loops", "dsl.indices",
    "dsl.ruled", "dsl.constants", "dsl.written", "dsl.fitting", "dsl.indexed", "dsl.inlining", "dsl.scanning", "dsl.calls", "dsl.elaborate", "dsl.examples", "dsl.library",
    "dsl.declarations", "dsl.check",
    "dsl.wrapping", "dsl.format", "dsl",
    "compiler.machine", "compiler.prices", "compiler.cut", "compiler.rules", "compiler.guards", "compiler.reverse_loops", "compiler.reverse", "compiler.forward_loops", "compiler.forward", "compiler.compilation",
    "compiler.differentiate", "compiler.nested", "compiler.ranges",
    "compiler.branches", "compiler.schedule", "compiler.records", "compiler.keeping", "compiler.templates", "compiler.interpret", "compiler.passes.log", "compiler.passes.rewrite", "compiler.passes.fold",
    "compiler.passes.patterns", "compiler.passes.simplify", "compiler.passes.symmetry",
    "compiler.passes.stabilise", "compiler.passes.shelter", "compiler.passes.shapes", "compiler.passes.gathers",
    "compiler.passes.prune", "compiler.passes.axes", "compiler.passes.fission", "compiler.passes.factors", "compiler.passes.turned", "compiler.passes.interchange", "compiler.passes.common", "compiler.passes.strength", "compiler.passes.associate", "compiler.passes.places", "compiler.passes.contract", "compiler.passes.units", "compiler.passes.rows_last", "compiler.passes.parts", "compiler.passes.scales", "compiler.passes.blocks", "compiler.passes.products", "compiler.passes.numbers", "compiler.passes.conditions", "compiler.passes.precision",
    "compiler.passes.entries", "compiler.passes.moving", "compiler.passes.expansions", "compiler.passes.unroll", "compiler.passes.trailing", "compiler.passes.columns", "compiler.passes.small_loops",
    "compiler.passes", "compiler.directions", "compiler.request", "compiler.cost", "compiler.specialise",
    "compiler.python", "compiler.names", "compiler.paper",
    "compiler.render", "compiler.setting", "compiler.boundary", "compiler.guarded", "compiler.body", "compiler.states", "compiler.stacks", "compiler.threads", "compiler.direct", "compiler.looping", "compiler.attempt", "compiler.comments",
    "compiler.entry", "compiler.functions", "compiler.matrices", "compiler.directional",
    "compiler.sampling", "compiler.checking", "compiler.header", "compiler.module", "compiler.caution", "compiler.batch", "compiler.checkpoint", "compiler.driver", "compiler.estimate", "compiler.calibrate",
    "compiler.rounding", "compiler.evaluate", "compiler.outline", "compiler.backflow",
    "compiler.explanation", "compiler.explanation.terms", "compiler.explanation.words", "compiler.explanation.numbers", "compiler.explanation.index",
    "compiler.explanation.glyphs", "compiler.explanation.notation", "compiler.explanation.naming", "compiler.explanation.rules", "compiler.explanation.steps", "compiler.explanation.values", "compiler.explanation.edges", "compiler.explanation.build",
    "compiler.explanation.select", "compiler.explanation.layout", "compiler.explanation.text", "compiler.explanation.latex", "compiler.explanation.markdown",
    "compiler.explanation.mathml", "compiler.explanation.html", "compiler.explanation.formats", "compiler.explanation.quiz",
    "compiler.gradcheck", "compiler.rulecheck", "compiler.given", "compiler.trace", "compiler.load", "compiler.build",
    "compiler.picture.quantity", "compiler.picture.flows", "compiler.picture.symbols", "compiler.picture.model", "compiler.picture.folding",
    "compiler.picture.widths", "compiler.picture.engine", "compiler.picture.layout", "compiler.picture.themes", "compiler.picture.markup",
    "compiler.picture.svg", "compiler.picture.dot", "compiler.picture.png", "compiler.picture.write", "compiler.picture",
    "compiler.page.marks", "compiler.page.sources", "compiler.page.lines", "compiler.page.live", "compiler.page.fields",
    "compiler.page.pictures", "compiler.page.program", "compiler.page.document", "compiler.page.build", "compiler.page.serve", "compiler.page.view", "compiler.page",
    "compiler.grading.runner", "compiler.grading.walk", "compiler.grading.mutations", "compiler.grading.products", "compiler.grading.uses", "compiler.grading.kinds",
    "compiler.grading.student", "compiler.grading.points", "compiler.grading.answers", "compiler.grading.diagnose", "compiler.grading.patterns",
    "compiler.grading.grade", "compiler.grading.report", "compiler.grading",
    "compiler.drawable", "compiler.notebook", "compiler.testing", "compiler.run", "compiler.catalogue", "compiler",
    "examples", "examples.__main__",
    "examples.gradbench", "examples.gradbench.functions", "examples.gradbench.ba", "examples.gradbench.ht",
    "examples.gradbench.descent", "examples.gradbench.programs", "examples.gradbench.tool", "examples.gradbench.__main__",
    "compiler.console", "compiler.explanation.commands", "compiler.grading.commands", "compiler.page.commands", "compiler.cli", "compiler.gradc",
    "compiler.gradc.importer", "compiler.gradc.__main__",
]  # fmt: skip


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
