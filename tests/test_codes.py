"""Every error code has a page, and the examples on the pages are true."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import gradc
import pytest
from click.testing import CliRunner
from gradc import dsl
from gradc.compiler import cli, driver
from gradc.dsl.errors.codes import BESIDE, CODES, GROUPS, markdown, page

ROOT = Path(__file__).parent.parent
SOURCES = (Path(dsl.__file__).parent, Path(cli.__file__).parent)
RAISED = re.compile(r'"(G\d{3})"')

WITHOUT_EXAMPLES = {
    "G009": "bytes that are not UTF-8 cannot be shown in a text; tested below",
    "G309": "no call can bind an option that is not a number or a truth value",
}

# What the first error brings about: the functions of a file that is not read are unknown.
FOLLOWING = {"G117": {"G102"}, "G118": {"G102", "G103"}, "G120": {"G102"}}


def raised() -> set[str]:
    """The codes in the sources: ``mistakes.py``, and wherever a ``Mismatch`` is raised."""
    files = [p for root in SOURCES for p in root.rglob("*.py") if p.name != "codes.py"]
    return {code for p in files for code in RAISED.findall(p.read_text("utf-8"))}


def codes_of(text: str, beside: str, folder: Path) -> list[str]:
    """The codes of errors, warnings and notes of a file, with another one beside it, in order."""
    path = folder / "model.grad"
    path.write_text(text, encoding="utf-8")
    if beside:
        (folder / BESIDE).write_text(beside, encoding="utf-8")
    try:
        return [d.code for d in driver.checked(driver.read(path)).warnings]
    except gradc.SpecError as error:
        return [d.code for d in error.diagnostics]


def explain_error(code: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli.gradc, ["explain-error", code])
    return result.exit_code, result.output


def test_every_code_has_a_page() -> None:
    assert raised() - CODES.keys() == set()


def test_every_page_has_a_code() -> None:
    assert CODES.keys() - raised() == set()


def test_pages_are_in_order_and_grouped() -> None:
    assert list(CODES) == sorted(CODES)
    assert {code[:2] for code in CODES} <= GROUPS.keys()


def test_pages_without_examples() -> None:
    assert {c for c, p in CODES.items() if not p.wrong or not p.right} == WITHOUT_EXAMPLES.keys()


@pytest.mark.parametrize("code", [code for code in CODES if CODES[code].wrong])
def test_wrong_example(code: str, tmp_path: Path) -> None:
    codes = codes_of(CODES[code].wrong, CODES[code].beside, tmp_path)
    assert codes[:1] == [code]
    assert set(codes) <= {code} | FOLLOWING.get(code, set())


@pytest.mark.parametrize("code", [code for code in CODES if CODES[code].right])
def test_right_example(code: str, tmp_path: Path) -> None:
    assert codes_of(CODES[code].right, CODES[code].beside, tmp_path) == []


def test_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "latin1.grad"
    path.write_bytes("# größer\n".encode("latin-1"))
    with pytest.raises(gradc.SpecError) as raised:
        driver.read(path)
    assert [d.code for d in raised.value.diagnostics] == ["G009"]


@pytest.mark.parametrize("code", CODES)
def test_pages_are_short(code: str) -> None:
    text = page(code)
    assert text.startswith(f"{code}: {CODES[code].title}\n\n")
    assert text.endswith("\n") and not text.endswith("\n\n")
    assert max(map(len, text.splitlines())) <= 80
    assert len(CODES[code].meaning.split()) <= 80


def test_document_is_fresh() -> None:
    text = (ROOT / "docs" / "errors.md").read_text("utf-8")
    assert text == markdown(), "run: python -m gradc.dsl.errors.codes > docs/errors.md"


def test_the_command_writes_the_document() -> None:
    command = [sys.executable, "-m", "gradc.dsl.errors.codes"]
    written = subprocess.run(command, capture_output=True, check=True)
    assert written.stdout.decode("utf-8") == markdown()
    assert written.stderr == b""


@pytest.mark.parametrize("code", ["G203", "g203"])
def test_explain_error(code: str) -> None:
    assert explain_error(code) == (0, page("G203"))


def test_explain_error_of_an_unknown_code() -> None:
    status, output = explain_error("G299")
    assert status == 2
    assert "there is no error code G299" in output
