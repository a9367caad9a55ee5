"""Bad specifications and what is said about them, and odd ones that are fine.

Each ``errors/<topic>_<what>.grad`` has a golden file ``errors/<topic>_<what>.txt`` with its
diagnostics as text; ``pytest --update-golden`` rewrites them. ``errors/lib`` holds what some of
them use.
"""

from __future__ import annotations

import ast
import inspect
import re
import time
from collections.abc import Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradc.compiler import driver
from gradc.compiler.gradcheck import compare
from gradc.compiler.load import execute
from gradc.dsl.errors import SpecError, mistakes, render_all
from gradc.dsl.source import Source

FOLDER = Path(__file__).parent / "errors"
SPECS = sorted(path.name for path in FOLDER.glob("*.grad"))

UNREACHED = {
    "option_as_value": "only options of rules, which no file can write yet, hold lists",
}


@pytest.fixture(autouse=True)
def in_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages show the names of the files alone."""
    monkeypatch.chdir(FOLDER)


def said_of(source: Source) -> str:
    """The diagnostics of a specification; whatever it says, it raises ``SpecError`` at most."""
    try:
        include = FOLDER if source.name.startswith("include_") else None
        return render_all(driver.checked(source, include=include).warnings)
    except SpecError as error:
        return render_all(error.diagnostics)


def said(name: str) -> str:
    try:
        return said_of(driver.read(Path(name)))
    except SpecError as error:
        return render_all(error.diagnostics)


# ── The corpus ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", SPECS)
def test_message(name: str, update_golden: bool) -> None:
    found = said(name)
    assert found, "nothing is said about this file"
    golden = Path(name).with_suffix(".txt")
    if update_golden:
        golden.write_text(f"{found}\n", encoding="utf-8", newline="\n")
    assert f"{found}\n" == golden.read_text(encoding="utf-8")


def test_every_golden_file_has_its_specification() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == {Path(name).stem for name in SPECS}


def test_messages_show_no_paths_of_the_machine() -> None:
    for path in FOLDER.glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert str(FOLDER.parent) not in text
        assert all(ord(c) >= 32 or c == "\n" for c in text), path.name


def test_every_mistake_is_made_by_some_specification(monkeypatch: pytest.MonkeyPatch) -> None:
    functions = {
        name: function
        for name, function in inspect.getmembers(mistakes, inspect.isfunction)
        if function.__module__ == mistakes.__name__
        and inspect.signature(function).return_annotation == "Diagnostic"
        and not name.startswith("_")
    }
    reached = set()

    def watched(name: str, function: Any) -> Any:
        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            reached.add(name)
            return function(*args, **kwargs)

        return call

    for name, function in functions.items():
        monkeypatch.setattr(mistakes, name, watched(name, function))
    for name in SPECS:
        said(name)
    assert functions.keys() - reached == UNREACHED.keys()


def test_every_code_is_in_some_golden_file() -> None:
    """Shape rules choose codes of their own, so these are looked for in the whole front end."""
    front_end = Path(inspect.getfile(mistakes)).parents[1]
    used = {
        code
        for path in front_end.rglob("*.py")
        if path.name != "codes.py"
        for code in re.findall(r'"(G\d{3})"', path.read_text(encoding="utf-8"))
    }
    shown = {
        code
        for path in FOLDER.glob("*.txt")
        for code in re.findall(r"\[(G\d{3})\]", path.read_text(encoding="utf-8"))
    }
    assert used - shown == {"G309"}  # see UNREACHED


@pytest.mark.parametrize("topic", sorted({name.partition("_")[0] for name in SPECS}))
def test_no_part_of_a_specification_breaks_the_checker(topic: str) -> None:
    """Files cut off anywhere, or without their start, are wrong or not, and nothing else."""
    for path in FOLDER.glob(f"{topic}_*.grad"):
        text = path.read_bytes().decode("utf-8", "replace")
        for cut in range(1, len(text), max(len(text) // 6, 1)):
            said_of(Source(text[:cut], "cut.grad"))
            said_of(Source(text[cut:], "cut.grad"))


# ── What is long or deep ────────────────────────────────────────────────────

X = "input x: float\n"
LONG = 10_000_000


@pytest.mark.parametrize(
    "text",
    [
        X + "output f = " + "a" * LONG + "\n",
        X + "output f = x " + "a" * LONG + "\n",
        X + "output f = x + " + "9" * LONG + "\n",
        X + "output f = x + 0." + "9" * LONG + "e999\n",
        "input x: float[" + "9" * LONG + "]\noutput f = sum(x) + y\n",
        'use "' + "a" * LONG + '\n' + X + "output f = x\n",
        'use "' + "a" * LONG + '.grad"\n' + X + "output f = x\n",
        X + "output f = x" + " " * LONG + "&\n",
        X + "output f = x + y # " + "a" * LONG + "\n",
        X + "output f = x\nexample " + "e" * LONG + " { }\n",
        X + "output f = x\nexample e { round " + "9" * LONG + " }\n",
    ],
    ids=["name", "token", "digits", "decimals", "size", "string", "path", "blanks", "comment",
         "example", "round"],
)  # fmt: skip
def test_a_line_of_ten_megabytes_is_reported_shortly_and_soon(text: str) -> None:
    start = time.perf_counter()
    found = said_of(Source(text, "long.grad", FOLDER / "long.grad"))
    assert time.perf_counter() - start < 5.0
    assert found
    assert len(found) < 3000
    assert all(len(line) < 600 for line in found.splitlines())


def nested(before: str, inner: str, after: str, depth: int = 1000) -> str:
    return before * depth + inner + after * depth


@pytest.mark.parametrize(
    "expression",
    [
        nested("(", "x", ")"),
        nested("(", "x + 1", ")") + " * 2",
        nested("-", "x", ""),
        nested("-(", "x", ")"),
        nested("sin(", "x", ")"),
        nested("(x + ", "x", ")"),
        nested("x + 0.5 * (", "x", ")"),
        nested("if x > 0 then (", "x", ") else 2 * x", 300),
    ],
    ids=["parentheses", "operand", "minus", "minuses", "calls", "sums", "mixed", "choices"],
)
def test_deep_nesting_compiles(expression: str) -> None:
    module = compiled(f"{X}output f = {expression}\n", "nested.grad")
    value, gradients = module.value_and_grad(0.25)
    assert np.isfinite([value, *gradients]).all()


@pytest.mark.parametrize("text", [
        nested("(", "x", ")")[:-1],
    nested("(", "x", ")") + ")",
    nested("(", "y", ")"),
    nested("sin(", "y", ")"),
    nested("-", "y", ""),
    "x[" * 1000 + "0" + "]" * 1000,
], ids=["closed", "extra", "unknown", "calls", "minus", "subscripts"])  # fmt: skip
def test_deep_nesting_is_reported(text: str) -> None:
    found = said_of(Source(f"{X}output f = {text}\n", "nested.grad"))
    assert "error[G" in found
    assert len(found) < 1000


# ── Names that are fine ─────────────────────────────────────────────────────


def compiled(text: str, name: str) -> Any:
    source = Source(text, name)
    python = driver.python(driver.compiled(driver.checked(source)))
    return execute(python, "gradc_modules.of_test_errors", f"<{name}>")


def agrees(module: Any, *values: Any) -> None:
    """The gradients of a module against numerical derivatives."""
    inputs = {str(position): value for position, value in enumerate(values)}
    _, gradients = module.value_and_grad(*values)
    found = dict(zip(inputs, gradients, strict=True))

    def value(moved: Any) -> float:
        return float(module.value_and_grad(*moved.values())[0])

    comparisons = compare(value, inputs, found)
    assert [c for c in comparisons if not c.holds or not c.compared] == []


NAMES = [
    "lambda", "np", "__import__", "forward", "cache", "float", "count", "index", "_x", "l", "class",
    "None", "True_", "print", "math", "dout", "self", "Gradients", "Cache", "Outputs", "backward",
    "value_and_grad", "import", "_", "__", "__class__", "_fields", "_replace", "out", "d_x", "x_",
    "O", "dtype", "shape", "Array", "Any", "exec", "return_", "async", "match", "type", "gradients",
    "given", "round", "sin", "σ", "学習率", "ﬁ",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_only_a_name(name: str) -> None:
    """As a scalar, a vector, a node, an output, a size, a parameter and a function."""
    as_input = f"input {name}, w: float\noutput f = sin({name}) * w^2 + {name}\n"
    agrees(compiled(as_input, "input.grad"), 0.7, 1.3)
    as_vector = f"input {name}: float[N]\ninput w: float[N]\noutput f = sum(exp({name}) * w) / N\n"
    agrees(compiled(as_vector, "vector.grad"), np.array([0.7, -0.2]), np.array([1.3, 0.4]))
    as_node = (
        f"input x, w: float\nnode {name} = sin(x) * w\nnode more = {name}^2 + x\n"
        f"output result = more * {name}\n"
    )
    agrees(compiled(as_node, "node.grad"), 0.7, 1.3)
    as_output = f"input x, w: float[2]\noutput {name} = dot(x, w) + norm(x)\n"
    agrees(compiled(as_output, "output.grad"), np.array([0.7, -0.2]), np.array([1.3, 0.4]))
    as_size = f"input x: float[{name}]\noutput f = sum(x^2) * {name}\n"
    agrees(compiled(as_size, "size.grad"), np.array([0.7, -0.2]))
    as_function = (
        f"def {name}({name}) {{\n  node w = {name}^2\n  return w * {name}\n}}\n"
        f"input x: float\noutput f = {name}(x) + x\n"
    )
    agrees(compiled(as_function, "function.grad"), 0.7)


# ── Texts that want to be code ──────────────────────────────────────────────

EVIL = "__import__('pathlib').Path('MARKER').touch()"
TEXTS = [
    f'""" + {EVIL} + """',
    f"''' + {EVIL} + '''",
    f'\\""" + {EVIL} #',
    f'\\\\""" ; {EVIL}',
    f"{EVIL} \\",
    "\\N{BULLET} \\x41 \\u0041 \\U00000041 \\",
    f"\r{EVIL}",
    f"\f{EVIL}",
    f"\x0b{EVIL}\x1c{EVIL}\x1d{EVIL}\x1e{EVIL}",
    f"\x85{EVIL}",
    f"\u2028{EVIL}\u2029{EVIL}",
    f"{{{EVIL}}} #{{x}} {{0}} {{x!r}} %s %(x)s",
    "\x00\x01\x07\x08\x1b[31m\x7f\ufeff\u202e",
    f'"{EVIL}"',
    "coding: latin-1",
    "-*- coding: utf-7 -*-",
    f"  {EVIL}",
    "type: ignore" + '"' * 7,
]


def spec_with(text: str) -> str:
    """A specification in which the text stands wherever text can stand."""
    return (
        f"## {text}\n## {text}\n\n# {text}\n"
        f"## {text}\n## {text}\ninput x: float[N] > 0  # {text}\n"
        f"## {text}\ndata k: int in 0..3\n"
        f"## {text}\ndef g(a) {{  # {text}\n  ## {text}\n  node t = a^2  # {text}\n  return t\n}}\n"
        f"## {text}\nnode y = g(x) *  # {text}\n  k\n"
        f"## {text}\noutput f = sum(y)\n"
        f"## {text}\nexample e {{\n  # {text}\n  given x = [1, 2], k = 2\n  expect f = 10\n}}\n"
        f"# {text}"
    )


def without_texts(python: str) -> str:
    """The syntax tree of a module without its docstrings and the hash of its specification."""
    tree = ast.parse(python)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            if ast.get_docstring(node, clean=False) is not None:
                node.body[0] = ast.Pass()
    return re.sub(r"[0-9a-f]{64}", "HASH", ast.dump(tree))


def strings(python: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(python)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize("text", TEXTS)
def test_text_never_becomes_code(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = Source(spec_with(text), "spec.grad")
    python = driver.python(driver.compiled(driver.checked(source)))
    plain = Source(spec_with("text"), "spec.grad")
    assert without_texts(python) == without_texts(
        driver.python(driver.compiled(driver.checked(plain)))
    )
    module = execute(python, "gradc_modules.of_test_errors", "<evil>")
    _, gradients = module.value_and_grad([1.0, 2.0], 2)
    assert np.allclose(gradients[0], [4.0, 8.0])
    assert list(tmp_path.iterdir()) == []
    assert all(c.isprintable() or c == "\n" for c in python)


@pytest.mark.parametrize(
    "name",
    [
        f'""" {EVIL.replace("/", "")}.grad',
        f"a\n{EVIL}\n#.grad",
        f"a\r{EVIL}.grad",
        "a\\.grad",
        "a'\"b.grad",
        "{x} %s.grad",
        "a\x1b[31m\x07.grad",
        "coding: utf-7.grad",
        "ünï 学.grad",
    ],
)
def test_the_name_of_a_file_never_becomes_code(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        Path(name).write_text(spec_with("text"), encoding="utf-8")
        Path("plain.grad").write_text(spec_with("text"), encoding="utf-8")
    except OSError:
        pytest.skip("this system has no such file names")
    pythons = [
        driver.python(driver.compiled(driver.checked(driver.read(tmp_path / file))))
        for file in (name, "plain.grad")
    ]
    assert without_texts(pythons[0]) == without_texts(pythons[1])
    execute(pythons[0], "gradc_modules.of_test_errors", "<evil>")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([name, "plain.grad"])
    Path(name).write_text("output f = y\n", encoding="utf-8")
    assert all(c.isprintable() or c == "\n" for c in said(name))


@pytest.mark.parametrize("text", ["{EVIL}", "a\\", "#{x}", "{x}", "\x07", "'", "\x1b]0;x\x07"])
def test_strings_never_become_code(text: str) -> None:
    """No operation takes a text: a string ends in a message, without its control characters."""
    evil = text.replace("EVIL", EVIL)
    for spec in (f'use "{evil}"\n{X}output f = x\n', f'{X}output f = sum(x, axis="{evil}")\n'):
        found = said_of(Source(spec, "strings.grad", FOLDER / "strings.grad"))
        assert "error[G" in found
        assert all(c.isprintable() or c == "\n" for c in found)
