"""``gradc view``: what it serves, to whom, and how it follows the files."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from gradc.compiler.page.serve import behind

from .browser import browser

EXAMPLES = Path(__file__).parent.parent / "examples"


@contextmanager
def viewed(path: Path, *words: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A running server: its address and its process."""
    command = [sys.executable, "-m", "gradc", "view", str(path), *words]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env=environment)  # fmt: skip
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.match(r"(http://127\.0\.0\.1:\d+/) shows ", line)
        assert found, line + (process.stderr.read() if process.stderr and process.poll() else "")
        yield found[1], process
    finally:
        process.kill()
        process.communicate()


def got(address: str, host: str | None = None) -> str:
    request = urllib.request.Request(address, headers={"Host": host} if host else {})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return str(answer.read().decode("utf-8"))


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    for name in ("network.grad", "layers.grad"):
        shutil.copy(EXAMPLES / name, tmp_path / name)
    return tmp_path / "network.grad"


def until(address: str, text: str) -> str:
    """The page, once it has a text."""
    for _ in range(60):
        page = got(address)
        if text in page:
            return page
        time.sleep(0.1)
    raise AssertionError(text)


def test_it_serves_the_page_and_follows_the_files(spec: Path) -> None:
    with viewed(spec) as (address, _):
        assert "class_loss" in got(address)
        layers = spec.with_name("layers.grad")
        good = layers.read_text("utf-8")
        layers.write_text(good.replace("x @ W + b", "x @ (W + "), encoding="utf-8")
        wrong = until(address, "error[")
        assert "layers.grad" in wrong and "^" in wrong and 'role="alert"' in wrong
        layers.unlink()
        assert "layers.grad" in until(address, "error[G")
        layers.write_text(good, encoding="utf-8")
        until(address, 'id="explanation"')


def test_a_browser_is_told_of_each_version(spec: Path) -> None:
    with (
        viewed(spec) as (address, _),
        urllib.request.urlopen(f"{address}events", timeout=20) as events,
    ):
        assert events.headers["Content-Type"] == "text/event-stream"

        def told() -> str:
            while not (line := events.readline().decode()).startswith("data: "):
                pass
            return line[6:].strip()

        first = told()
        assert f"'{first}'" in got(address)
        spec.write_text(spec.read_text("utf-8") + "\n# more\n", encoding="utf-8")
        second = told()
        assert second != first and f"'{second}'" in until(address, second)


def test_only_this_machine_is_answered(spec: Path) -> None:
    with viewed(spec) as (address, _):
        for host in ("evil.example", "evil.example:80", "127.0.0.1"):
            with pytest.raises(urllib.error.HTTPError, match="403"):
                got(address, host)
        with pytest.raises(urllib.error.HTTPError, match="404"):
            got(f"{address}../network.grad")
        port = int(address.rsplit(":", 1)[1].rstrip("/"))
        other = socket.gethostbyname(socket.gethostname())
        if not other.startswith("127."):
            with pytest.raises(OSError), socket.create_connection((other, port), timeout=2):
                pass


def test_a_wrong_file_is_served_too(spec: Path) -> None:
    spec.write_text(
        'input x: float\noutput f = y + "</pre><script>alert(1)</script>"\n', encoding="utf-8"
    )
    with viewed(spec) as (address, _):
        page = got(address)
        assert "error[" in page and "<script>alert" not in page
        spec.write_text("input x: float\noutput f = x^2\n", encoding="utf-8")
        assert "no example" in until(address, 'id="explanation"')
        spec.write_text("def f(x) = x^2\n", encoding="utf-8")
        until(address, "nothing to draw")


@pytest.fixture
def interruptible() -> Iterator[None]:
    """What runs in the background of a shell ignores Ctrl-C, and so would what it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_it_quietly(spec: Path) -> None:
    with viewed(spec) as (address, process):
        got(address)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        assert (process.returncode, out, err) == (0, "", "")


def test_misuse_is_a_sentence(spec: Path) -> None:
    def run(*words: str) -> tuple[int, str]:
        done = subprocess.run([sys.executable, "-m", "gradc", "view", *words], capture_output=True,
                              text=True, timeout=60)  # fmt: skip
        return done.returncode, done.stderr

    with viewed(spec) as (address, _):
        port = address.rsplit(":", 1)[1].rstrip("/")
        assert run(str(spec), "--port", port) == (2, run(str(spec), "--port", port)[1])
        assert "something else uses this port" in run(str(spec), "--port", port)[1]
    assert "no such file" in run(str(spec.with_name("none.grad")))[1]
    assert "a folder" in run(str(spec.parent))[1]
    assert run(str(spec), "--port", "70000")[0] == 2


def test_draw_writes_a_page(spec: Path) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "gradc", "draw", str(spec), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    target = spec.with_suffix(".html")
    done = run("-o", str(target), "--example", "random", "--fold", "dense")
    assert (done.returncode, done.stdout) == (0, f"{target} written\n")
    text = target.read_text("utf-8")
    assert "example random" in text and '"folded":["dense"' in text and "EventSource" not in text
    assert run("-o", str(target), "--example", "none").returncode == 2
    assert run("-o", str(target), "--fold", "none").returncode == 2
    assert run("-o", str(spec.with_suffix(".htm"))).returncode == 2


def test_the_files_behind_one_are_found(spec: Path) -> None:
    (spec.parent / "layers.grad").write_text(
        'use "deep.grad"\nuse "network.grad"\n', encoding="utf-8"
    )
    names = {path.name for path in behind(spec)}
    assert names == {"network.grad", "layers.grad", "deep.grad"}


def test_an_open_page_reloads(spec: Path) -> None:
    with viewed(spec) as (address, _), browser() as started:
        page = started.new_page()
        wrong: list[str] = []
        page.on("console", lambda message: wrong.append(message.text))
        page.goto(address)
        assert page.locator("#source").inner_text().count("class_loss")
        good = spec.read_text("utf-8")
        spec.write_text(good.replace("output loss", "output los"), encoding="utf-8")
        page.locator('[role="alert"]').or_(
            page.get_by_text("output los ", exact=False)
        ).first.wait_for()
        spec.write_text(good + "# the end\n", encoding="utf-8")
        page.get_by_text("# the end").wait_for()
        assert not wrong
