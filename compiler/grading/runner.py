"""Runs a student's file: a script of its own, started in a separate process.

It reads ``job.json`` and the inputs beside it, calls the function at every point, and writes
``answers.json`` with one ``.npy`` file for each array. What the student's file does to ``sys`` or
``builtins`` comes too late: what is needed afterwards is taken first.
"""

from __future__ import annotations

import builtins
import dataclasses
import importlib.machinery
import importlib.util
import inspect
import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

NAMES = ("value_and_grad", "backward", "gradient", "gradients", "grad")
_ARRIVING = ("dout", "dy", "df", "dL", "dl", "dloss", "grad_output", "upstream", "seed", "g")
_MOST_FRAMES = 6


class Unusable(Exception):
    """The file cannot be graded, and why: in words, with a kind for graders."""

    def __init__(self, kind: str, message: str, trace: str = "") -> None:
        super().__init__(message)
        self.kind, self.message, self.trace = kind, message, trace


def load(path: str) -> dict[str, Any]:
    """The names of the student's module. Raises ``Unusable``."""
    sys.path.append(str(Path(path).parent))
    loader = importlib.machinery.SourceFileLoader("student", path)
    spec = importlib.util.spec_from_loader("student", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["student"] = module
    try:
        loader.exec_module(module)
    except BaseException as error:
        raise explained(error, path, "importing the file") from None
    return dict(vars(module))


def explained(error: BaseException, path: str, when: str) -> Unusable:
    """What the student is told about an exception: their own part of the traceback."""
    if isinstance(error, SystemExit):
        return Unusable("exit", f"{when} ends the program: sys.exit({error.code!r})")
    last = traceback.format_exception_only(error)
    own = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == path]
    lines = traceback.format_list(own[:_MOST_FRAMES])
    if len(own) > _MOST_FRAMES:
        lines.append(f"  … {len(own) - _MOST_FRAMES} more calls\n")
    text = last[-1].strip()
    kinds: dict[type[BaseException], tuple[str, str]] = {
        SyntaxError: ("syntax", "is not Python"),
        ImportError: ("import", "imports what is not there"),
        RecursionError: ("recursion", "calls itself without end"),
        MemoryError: ("memory", "needs more memory than there is to have"),
    }
    kind, what = next((v for k, v in kinds.items() if isinstance(error, k)), ("exception", "fails"))
    if isinstance(error, SyntaxError) and "codec" in str(error):
        return Unusable("syntax", "the file is not a text of Python")
    subject = "the file" if kind in ("syntax", "import") else when
    return Unusable(kind, f"{subject} {what}: {text}", "".join([*lines, *last]))


# ── Which function, and how it is called ────────────────────────────────────


def chosen(names: dict[str, Any], wanted: str | None) -> str:
    """The name of the function to grade. Raises ``Unusable``."""
    own = [
        name for name, value in names.items()
        if callable(value) and getattr(value, "__module__", "") == "student"
        and not name.startswith("_")
    ]  # fmt: skip
    there = f"there are: {', '.join(own)}" if own else "there are no functions"
    if wanted is not None:
        if not callable(names.get(wanted)):
            raise Unusable("function", f"the file has no function `{wanted}` ({there})")
        return wanted
    for name in NAMES:
        if callable(names.get(name)):
            return name
    near = [n for n in own if "grad" in n.lower() or "backward" in n.lower()]
    for candidates in (near, own):
        if len(candidates) == 1:
            return candidates[0]
    raise Unusable("function", f"the file has no function {', '.join(NAMES[:-1])} or {NAMES[-1]}"
                   f" ({there}); say which with --function")  # fmt: skip


class Caller:
    """Calls the student's function with the inputs of a point."""

    def __init__(self, names: dict[str, Any], wanted: str | None, job: dict[str, Any]) -> None:
        self.name = chosen(names, wanted)
        self.function: Callable[..., Any] = names[self.name]
        self.inputs: list[str] = job["inputs"]
        self.sizes: list[str] = job["sizes"]
        self.forward = names.get("forward")
        self.parameters = _parameters(self.function)
        self.cached = self._takes_a_cache()
        self.how = ""

    def _takes_a_cache(self) -> bool:
        if not callable(self.forward) or self.forward is self.function:
            return False
        if self.parameters is None:
            return True
        required = [p.name for p in self.parameters if p.default is p.empty
                    and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]  # fmt: skip
        given = {*self.inputs, *self.sizes, *_ARRIVING}
        return not set(required) <= given and not (
            len([n for n in required if n not in _ARRIVING]) == len(self.inputs) > 1
        )

    def __call__(self, values: dict[str, Any]) -> Any:
        if not self.cached:
            return self._direct(self.function, values)
        out = self._direct(self.forward, values)
        self.how = f"forward({', '.join(self.inputs)}) and {self.name}(cache)"
        pair = isinstance(out, (tuple, list)) and len(out) == 2
        cache = out[1] if pair else out
        required, arriving = [], []
        for p in self.parameters or ():
            if p.name in _ARRIVING:
                arriving.append(p)
            elif p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD):
                required.append(p.name)
        many = len(required) > 1 and isinstance(cache, (tuple, list))
        if many and len(cache) == len(required):
            arguments = dict(zip(required, cache, strict=True))
        elif len(required) == 2:
            # Whatever it is called, the other is what arrives.
            named = next((n for n in required if "cache" in n.lower()), required[0])
            arguments = {n: cache if n == named else 1.0 for n in required}
        else:
            arguments = dict.fromkeys(required, cache)
        arguments |= {p.name: 1.0 for p in arriving if p.default is p.empty}
        return self.function(**arguments)

    def _direct(self, function: Any, values: dict[str, Any]) -> Any:
        """By name where the parameters are called like the inputs, else in order."""
        inputs = [values[name] for name in self.inputs]
        parameters = _parameters(function)
        if parameters is None:
            self.how = f"{self.name}({', '.join(self.inputs)}), in order"
            return function(*inputs)
        plain = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        seeds = [p for p in parameters if p.name in _ARRIVING and p.name not in values]
        arriving = {p.name: 1.0 for p in seeds if p.default is p.empty}
        sizes = {p.name: values[p.name] for p in parameters if p.name in self.sizes}
        required = [p for p in parameters if p.default is p.empty and p.name not in arriving
                    and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]  # fmt: skip
        if required and all(p.name in values for p in required):
            names = [p.name for p in parameters if p.name in values]
            if any(p.kind is p.VAR_KEYWORD for p in parameters):
                names = [*self.inputs, *sizes]
            self.how = f"{self.name}({', '.join(names)}), by name"
            positional = [values[p.name] for p in plain if p.kind is p.POSITIONAL_ONLY]
            only = {p.name for p in plain if p.kind is p.POSITIONAL_ONLY}
            return function(*positional, **{n: values[n] for n in names if n not in only}, **arriving)  # noqa: E501  # fmt: skip
        if any(p.kind is p.VAR_KEYWORD for p in parameters) and not required:
            self.how = f"{self.name}({', '.join(self.inputs)}), by name"
            return function(**{n: values[n] for n in self.inputs}, **sizes, **arriving)
        free = [p for p in plain if p.name not in arriving and p.name not in sizes]
        least = len([p for p in free if p.default is p.empty])
        if any(p.kind is p.VAR_POSITIONAL for p in parameters) or least <= len(inputs) <= len(free):
            self.how = f"{self.name}({', '.join(self.inputs)}), in order"
            return function(*inputs, **sizes, **arriving)
        if least == 1:
            self.how = f"{self.name}(inputs), with a dictionary"
            return function({n: values[n] for n in self.inputs}, **sizes, **arriving)
        have = ", ".join(p.name for p in plain) or "nothing"
        raise Unusable("call", f"`{self.name}` takes {have}, but the inputs are"
                       f" {', '.join(self.inputs)}")  # fmt: skip


def _parameters(function: Any) -> list[inspect.Parameter] | None:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None


# ── What comes back ─────────────────────────────────────────────────────────


def entries(result: Any, job: dict[str, Any], name: str) -> tuple[str, Any, dict[str, Any] | list[Any]]:  # noqa: E501  # fmt: skip
    """How a result is understood, the value of the function in it, and the gradients by name or
    in order."""
    value = None
    if _is_pair(result) and (name == "value_and_grad" or _holds_several(result[1])):
        value, result = result[0], result[1]
    if dataclasses.is_dataclass(result) and not isinstance(result, type):
        result = {f.name: getattr(result, f.name) for f in dataclasses.fields(result)}
    fields = getattr(result, "_fields", None)
    if isinstance(result, tuple) and fields is not None:
        return "a named tuple", value, dict(zip(fields, result, strict=True))
    if isinstance(result, Mapping):
        return "a dictionary", value, {str(k): v for k, v in result.items()}
    count = job["wanted"]
    if isinstance(result, tuple) or (isinstance(result, list) and count > 1):
        return f"a {type(result).__name__} in order", value, list(result)
    scalars = isinstance(result, np.ndarray) and result.shape == (count,) and job["scalars"]
    if scalars and count > 1:
        return "one array in order", value, list(result)
    return "one gradient", value, [result]


def _is_pair(result: Any) -> bool:
    plain = isinstance(result, (tuple, list)) and not hasattr(result, "_fields")
    return plain and len(result) == 2 and _is_number(result[0])


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.generic)) or (
        isinstance(value, np.ndarray) and value.ndim == 0
    )


def _holds_several(value: Any) -> bool:
    return isinstance(value, (Mapping, tuple, list))


class Writer:
    """Writes arrays beside the answers; what is none is described."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0
        self.save, self.load, self.asarray = np.save, np.load, np.asarray
        self.builtins = dict(vars(builtins))

    def restored(self) -> None:
        """What a student's file may have put in the place of Python's own functions."""
        vars(builtins).update(self.builtins)

    def __call__(self, value: Any) -> dict[str, Any]:
        kind = type(value).__name__
        if value is None:
            return {"type": "None"}
        try:
            array = self.asarray(value)
        except Exception:
            return {"type": f"{kind}, which is not an array"}
        if array.dtype.kind not in "fiub":
            what = f"array of {array.dtype}" if isinstance(value, np.ndarray) else kind
            return {"type": what}
        name = f"answer{self.count}.npy"
        self.count += 1
        self.save(self.folder / name, array, allow_pickle=False)
        return {"file": name}


def answer(call: Caller, point: dict[str, Any], job: dict[str, Any], write: Writer) -> dict[str, Any]:  # noqa: E501  # fmt: skip
    """What the function gives at one point."""
    given = {
        name: write.load(file, allow_pickle=False) if isinstance(file, str) else file
        for name, file in point.items()
    }
    values = {name: v.copy() if isinstance(v, np.ndarray) else v for name, v in given.items()}
    with np.errstate(all="ignore"):
        result = call(values)
        write.restored()
        if result is None:
            raise Unusable("nothing", f"`{call.name}` returns nothing: is there a `return`?")
        how, value, found = entries(result, job, call.name)
        items = found.items() if isinstance(found, dict) else enumerate(found)
        written = [[key, write(v)] for key, v in items]
    own = write(value) if value is not None else None
    changed = [name for name, v in given.items() if not np.array_equal(v, values[name])]
    return {"returned": how, "value": own, "entries": written, "changed": changed}


def main() -> None:
    dump, end, opened = json.dumps, os._exit, open
    job = json.loads(Path("job.json").read_text(encoding="utf-8"))
    place = Path("answers.json").resolve()
    os.chdir("work")
    report: dict[str, Any] = {"points": []}
    path = job["path"]
    folder = place.parent
    write = Writer(folder)
    try:
        call = Caller(load(path), job["function"], job)
        report["function"] = call.name
        write.restored()
        for point in job["points"]:
            try:
                report["points"].append(answer(call, point, job, write))
            except Unusable:
                raise
            except BaseException as error:
                found = explained(error, path, f"calling `{call.name}`")
                report["points"].append({"error": vars(found)})
        report["called"] = call.how
    except Unusable as error:
        report["error"] = vars(error)
    with opened(place, "w", encoding="utf-8") as file:
        file.write(dump(report))
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:
            continue
    end(0)


if __name__ == "__main__":
    main()
