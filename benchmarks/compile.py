"""Processor time and peak memory of the compiler itself on chains of 100, 1,000, 10,000 nodes.

    python -m benchmarks.compile [--nodes 100 1000 10000] [--repeats 3]

Each size runs in a process of its own, so that the peak of memory is its own.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import statistics
import subprocess
import sys
import time


def chain(nodes: int) -> str:
    """A scalar specification in which each node uses the two before it."""
    lines = ["input x, y: float", "node n0 = sin(x) * y", "node n1 = cos(y) + n0"]
    forms = ("{a} * sin({b}) + 0.5", "cos({a}) - {b} / 3", "tanh({a}) * {b}", "{a} + 0.1 * {b}^2")
    for i in range(2, nodes):
        form = forms[i % len(forms)]
        lines.append(f"node n{i} = " + form.format(a=f"n{i - 1}", b=f"n{i - 2}"))
    lines.append(f"output f = n{nodes - 1}")
    return "\n".join(lines) + "\n"


def measure(nodes: int) -> dict[str, float]:
    """Processor seconds of each stage, from text to imported module, and the peak memory in MB."""
    from gradc.compiler import driver
    from gradc.compiler.load import execute
    from gradc.dsl.check import check
    from gradc.dsl.library import Files, prelude
    from gradc.dsl.parse import parse
    from gradc.dsl.source import Source

    prelude()
    gc.disable()  # As the driver does.
    source = Source(chain(nodes), "chain.grad")
    clock = time.process_time
    start = clock()
    program = parse(source)
    parsed = clock()
    checked = check(program, prelude(), Files().load)
    done = clock()
    compilation = driver.compiled(checked)
    differentiated = clock()
    text = driver.python(compilation)
    emitted = clock()
    del program, checked, compilation  # As `gradc.load` does.
    module = execute(text, "chain", "<chain>")
    imported = clock()
    module.value_and_grad(0.3, 0.7)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "parse": parsed - start,
        "check": done - parsed,
        "derive, optimise": differentiated - done,
        "emit": emitted - differentiated,
        "import": imported - emitted,
        "total": imported - start,
        "peak MB": peak,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, nargs="+", default=[100, 1000, 10000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one)))
        return
    header = True
    for nodes in options.nodes:
        runs = []
        for _ in range(options.repeats):
            command = [sys.executable, "-m", "benchmarks.compile", "--one", str(nodes)]
            runs.append(json.loads(subprocess.run(command, capture_output=True, check=True).stdout))
        median = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        if header:
            print("nodes  " + "  ".join(f"{key:>16}" for key in median))
            header = False
        print(f"{nodes:>5}  " + "  ".join(f"{value:>16.3f}" for value in median.values()))


if __name__ == "__main__":
    main()
