"""A process of ``benchmarks.regress``: prepares a workload, then times one sample a line."""

from __future__ import annotations

import json
import linecache
import sys
from typing import Any

import gradc
import numpy as np

from .contest import compiled, contestant
from .timing import Sampler
from .workloads import ROWS


def prepared(name: str, options: dict[str, Any]) -> tuple[Sampler, dict[str, Any]]:
    workload = ROWS[name]
    module = compiled(workload, **options)
    own = contestant(workload, workload.arguments(), module)
    norms = [float(np.linalg.norm(result)) for result in own.results()]
    sampler = Sampler(own)
    lines = len(linecache.getlines(str(module.__file__)))
    found = {"seconds": sampler.seconds, "norms": norms, "lines": lines}
    return sampler, {**found, "compiler": gradc.__file__}


def main() -> None:
    sampler: Sampler | None = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "prepare" in request:
                sampler, answer = prepared(request["prepare"], request["options"])
            else:
                assert sampler is not None
                answer = {"seconds": sampler()}
        except Exception as error:  # an old compiler may refuse what a new one takes
            answer = {"error": f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
