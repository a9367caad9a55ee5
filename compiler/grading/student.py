"""A student's file, run in a process of its own: with a time limit, limits on memory and output,
a folder and an environment of its own. No sandbox: it keeps mistakes away, not malice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import field
from pathlib import Path
from typing import Any

import numpy as np

from ...dsl.frozen import frozen
from . import runner

_MEMORY = 4 * 2**30
_FILE = 256 * 2**20
_KEPT = 2_000
_MOST_OUTPUT = 4 * 2**20
_KEEP = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class StudentError(Exception):
    """The file cannot be run. ``kind`` is for graders, ``trace`` the student's own traceback."""

    def __init__(self, kind: str, message: str, trace: str = "", output: str = "") -> None:
        super().__init__(message)
        self.kind, self.trace, self.output = kind, trace, output


@frozen()
class Answer:
    """What came back at one point. ``entries`` are named, or numbered in order; a value is an
    array, or a text that says what it is instead. ``changed`` are inputs that the call wrote to,
    ``error`` is what was raised."""

    entries: Mapping[str | int, Any] = field(default_factory=dict)
    value: Any = None
    returned: str = ""
    changed: tuple[str, ...] = ()
    error: StudentError | None = None


@frozen()
class Run:
    """All that a student's file gave: ``called`` says how, ``output`` what it printed."""

    function: str
    called: str
    answers: tuple[Answer, ...]
    output: str


def run(
    path: Path,
    points: Sequence[Mapping[str, Any]],
    interface: Mapping[str, Any],
    function: str | None,
    timeout: float,
) -> Run:
    """Calls the student's function at each point. ``interface`` has the names of ``inputs`` and
    ``sizes``, how many gradients are ``wanted``, and whether all are ``scalars``.
    Raises ``StudentError``, ``OSError``."""
    path.read_bytes()  # What cannot be read is said before a process is started.
    with tempfile.TemporaryDirectory(prefix="gradc-grade-") as name:
        folder = Path(name).resolve()
        (folder / "work").mkdir()
        written = [_written(point, folder, i) for i, point in enumerate(points)]
        job = {**interface, "path": str(path.resolve()), "function": function, "points": written}
        (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        status, output = _execute(folder, timeout)
        return _read(folder, status, output)


def _written(point: Mapping[str, Any], folder: Path, number: int) -> dict[str, Any]:
    """Numbers as they are, arrays as files."""
    given: dict[str, Any] = {}
    for i, (name, value) in enumerate(point.items()):
        if np.ndim(value) == 0:
            given[name] = np.asarray(value).item()
            continue
        file = folder / f"input{number}_{i}.npy"
        np.save(file, np.asarray(value), allow_pickle=False)
        given[name] = str(file)
    return given


def _execute(folder: Path, timeout: float) -> tuple[int, str]:
    """The exit status and the output, cut. Nothing that it starts stays."""
    environment = {k: os.environ[k] for k in _KEEP if k in os.environ}
    environment |= dict.fromkeys(_THREADS, "1")
    environment |= {"HOME": str(folder / "work"), "TMPDIR": str(folder / "work"), "PYTHONUTF8": "1"}
    process = subprocess.Popen(
        [sys.executable, "-I", "-B", "-X", "utf8", runner.__file__],
        cwd=folder, env=environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        preexec_fn=_limits(timeout) if os.name == "posix" else None,
    )  # fmt: skip
    kept = _Kept(process)
    try:
        status = process.wait(timeout)
    except subprocess.TimeoutExpired:
        message = f"no answer within {timeout:g} seconds (--timeout gives it more)"
        raise StudentError("timeout", message, output=kept.text()) from None
    finally:
        _kill(process)
        kept.finish()
    if kept.too_much:
        message = f"it prints more than {_MOST_OUTPUT // 2**20} MB"
        raise StudentError("output", message, output=kept.text())
    return status, kept.text()


class _Kept:
    """The beginning of what a process prints; one that prints without end is ended."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.parts = bytearray()
        self.seen = 0
        self.too_much = False
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        while part := self.process.stdout.read1(65536):  # type: ignore[attr-defined]
            self.parts += part[: max(_KEPT - len(self.parts), 0)]
            self.seen += len(part)
            if self.seen > _MOST_OUTPUT and not self.too_much:
                self.too_much = True
                _kill(self.process)

    def finish(self) -> None:
        self.thread.join(5)
        if self.process.stdout is not None and not self.thread.is_alive():
            self.process.stdout.close()

    def text(self) -> str:
        text = bytes(self.parts).decode("utf-8", "replace")
        return text + ("… (cut)\n" if self.seen > _KEPT else "")


def _kill(process: subprocess.Popen[bytes]) -> None:
    """The process with its children: they share its session."""
    if os.name == "posix":
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    elif process.poll() is None:
        process.kill()
    process.wait()


def _limits(timeout: float) -> Any:
    """What is set in the new process before Python starts, as far as the system has it."""
    import resource

    limits = {
        resource.RLIMIT_CPU: int(timeout) + 2,
        resource.RLIMIT_AS: _MEMORY,
        resource.RLIMIT_FSIZE: _FILE,
        resource.RLIMIT_CORE: 0,
    }

    def limit() -> None:
        for what, most in limits.items():
            try:
                resource.setrlimit(what, (most, most))
            except (OSError, ValueError):
                continue

    return limit


def _read(folder: Path, status: int, output: str) -> Run:
    """What the runner wrote. Raises ``StudentError``."""
    try:
        report = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise StudentError("ended", _ended(status), output=output) from None
    if "error" in report:
        raise _error(report["error"], output)
    answers = tuple(_answer(point, folder, output) for point in report["points"])
    if all(answer.error for answer in answers):
        error = answers[0].error
        assert error is not None
        raise error
    return Run(report["function"], report["called"], answers, output)


def _ended(status: int) -> str:
    if status < 0:
        name = signal.Signals(-status).name
        why = {"SIGSEGV": " (recursion without end?)", "SIGXCPU": " (too much time)"}.get(name, "")
        return f"the process was ended by {name}{why}"
    return f"the program ends itself, with status {status}, before it has given gradients"


def _error(found: Mapping[str, str], output: str) -> StudentError:
    return StudentError(found["kind"], found["message"], found["trace"], output)


def _answer(point: Mapping[str, Any], folder: Path, output: str) -> Answer:
    if "error" in point:
        return Answer(error=_error(point["error"], output))
    entries = {key: _array(value, folder) for key, value in point["entries"]}
    value = _array(point["value"], folder) if point["value"] is not None else None
    return Answer(entries, value, point["returned"], tuple(point["changed"]))


def _array(value: Mapping[str, str], folder: Path) -> Any:
    if "type" in value:
        return value["type"]
    return np.load(folder / Path(value["file"]).name, allow_pickle=False)
