"""The messages of GradBench and their answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from time import perf_counter_ns
from typing import Any

from .functions import Function, Functions
from .programs import PROGRAMS

Message = Mapping[str, Any]
Reply = dict[str, Any]


class Refusal(Exception):
    """A message that cannot be answered, and why."""


class Tool:
    """Answers messages; remembers what was defined."""

    def __init__(self) -> None:
        self.defined: dict[str, Functions] = {}
        self.kinds: Mapping[str, Callable[[Message], Reply]] = {
            "start": self.start,
            "define": self.define,
            "evaluate": self.evaluate,
            "analysis": self.analysis,
        }

    def answer(self, line: bytes | str) -> str:
        """The line that answers a line, whatever is wrong with it."""
        id_ = None
        try:
            message = json.loads(line)
            if not isinstance(message, dict):
                raise Refusal("a message is a JSON object")
            id_ = message.get("id")
            kind = text(message, "kind")
            if kind not in self.kinds:
                raise Refusal(f"there is no kind of message {kind!r}")
            return json.dumps({"id": id_, **self.kinds[kind](message)}, allow_nan=False)
        except Exception as error:  # whoever sent the message goes on with the next
            return json.dumps({"id": id_, "success": False, "error": described(error)})

    def start(self, message: Message) -> Reply:
        return {"tool": "gradc"}

    def define(self, message: Message) -> Reply:
        """Compiles the specifications of a program."""
        name = text(message, "module")
        if name not in PROGRAMS:
            raise Refusal(f"there is no module {name!r}")
        self.defined[name] = PROGRAMS[name]()
        return {"success": True}

    def evaluate(self, message: Message) -> Reply:
        module, function = text(message, "module"), text(message, "function")
        if module not in self.defined:
            raise Refusal(f"the module {module!r} is not defined")
        if function not in self.defined[module]:
            raise Refusal(f"the module {module!r} has no function {function!r}")
        output, times = evaluated(self.defined[module][function], message["input"])
        timings = [{"name": "evaluate", "nanoseconds": time} for time in times]
        return {"success": True, "output": output, "timings": timings}

    def analysis(self, message: Message) -> Reply:
        return {}


def text(message: Message, name: str) -> str:
    value = message[name]
    if not isinstance(value, str):
        raise Refusal(f"{name} is a name, not {value!r}")
    return value


def evaluated(function: Function, given: Any) -> tuple[Any, list[int]]:
    """The output, and the nanoseconds of each run: as many as the input asks for.

    A bare number cannot ask, and is evaluated once.
    """
    runs, seconds = 1, 0.0
    if isinstance(given, dict):
        runs, seconds = given.get("min_runs", 1), given.get("min_seconds", 1.0)
    arguments = function.decode(given)
    times: list[int] = []
    total = 0
    while not times or len(times) < runs or total < seconds * 1e9:
        start = perf_counter_ns()
        result = function.run(*arguments)
        times.append(perf_counter_ns() - start)
        total += times[-1]
    return function.encode(result), times


def described(error: Exception) -> str:
    match error:
        case Refusal():
            return str(error)
        case KeyError():
            return f"{error} is missing"
        case _:
            return f"{type(error).__name__}: {error}"
