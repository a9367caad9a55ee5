"""``check`` and what ``python model.py --check`` runs: a module held against differences."""

from __future__ import annotations

from collections.abc import Mapping

from ..dsl.examples import Example
from ..dsl.graph import Input
from ..dsl.kernels import SCALARS, kernels
from ..dsl.lower import lower_nodes
from ..dsl.shapes import Kind
from .functions import Functions
from .interpret import Interpreter, Value
from .python import INDENT, bracketed, docstring, exploded, fits, quoted
from .ranges import ranges
from .render import Renderer
from .sampling import limits, small_sizes, suitable_range


class Checking:
    """Writes ``check``. What it calls of a module are its public functions alone."""

    def __init__(self, functions: Functions) -> None:
        self.functions = functions
        self.setting = functions.setting
        self.compilation = functions.compilation
        self.interface = functions.interface
        self.example = self.first_example()

    def first_example(self) -> Example | None:
        """The first example of the specification that has the sizes asked for."""
        fixed = dict(self.compilation.options.sizes).items()
        if self.compilation.options.batch:
            return None  # Examples have one value for each input.
        examples = self.compilation.checked.examples[:1]
        return next((e for e in examples if fixed <= e.sizes.items()), None)

    def check(self) -> list[str]:
        inputs, where = self.inputs()
        module = "random" if self.setting.plain else self.setting.module("np")
        if self.setting.plain:
            self.setting.uses.modules.add("random")
        made = "Random" if self.setting.plain else "random.default_rng"
        doc = [
            "Compare the derivatives with differences of the functions, and print a table.",
            f"{where} ``seed`` chooses what is random: what arrives at outputs, directions, and "
            "64 entries of an input that has more. The result is the exit status: 0, or 3 where a "
            "derivative is wrong.",
        ]
        # Points near the edge of a domain are no reason to warn.
        lines = [] if self.setting.plain else [f'@{module}.errstate(all="ignore")']
        lines += ["def check(seed: int = 0) -> int:", *docstring(doc, INDENT)]
        lines.append(f"{INDENT}rng = {module}.{made}(seed)")
        lines += inputs
        lines += self.tests()
        return [*lines, f"{INDENT}return {self.setting.kernel('_report')}(rows)"]

    def main(self) -> list[str]:
        self.setting.uses.modules.add("sys")
        command = self.setting.kernel("_command_line")
        return ['if __name__ == "__main__":', f"{INDENT}sys.exit({command}(check, __doc__))"]

    # ── What is compared ────────────────────────────────────────────────────

    def tests(self) -> list[str]:
        """Statements that compare, and collect ``rows``."""
        setting, compilation = self.setting, self.compilation
        lines = _table("seeds", {setting.outputs[o]: n for o, n in self.functions.seeds.items()})
        lines += self.rows("=", "_check_backward", "forward", "backward", "seeds")
        if self.interface.objective is not None:
            objective = quoted(setting.outputs[self.interface.objective])
            lines += self.rows(
                "+=", "_check_value_and_grad", "forward", "value_and_grad", objective
            )
        if compilation.graphs.jvp is not None:
            lines += self.directions("tangents", "d")
            given = ("forward", "backward", "jvp", "seeds", "tangents")
            lines += self.rows("+=", "_check_jvp", *given)
        if compilation.graphs.hvp is not None:
            lines += self.directions("directions", "v_")
            lines += self.rows("+=", "_check_hvp", "value_and_grad", "hvp", "directions")
        emitted = compilation.options.emit
        if "jacobian" in emitted:
            names = ("forward", "backward", "jacobian", "seeds")
            lines += self.rows("+=", "_check_jacobian", *names)
        if "hessian" in emitted:
            lines += self.rows("+=", "_check_hessian", "value_and_grad", "hessian")
        return lines

    def rows(self, sign: str, kernel: str, *given: str) -> list[str]:
        head = f"rows {sign} {self.setting.kernel(kernel)}("
        return bracketed(head, [*given, "point", "rng"], ")", INDENT)

    def directions(self, name: str, prefix: str) -> list[str]:
        """The parameters for directions, by input."""
        parameters, names = self.setting.parameters, self.functions.directions
        return _table(name, {parameters[n]: names[prefix + n] for n in self.functions.wrt})

    # ── Where ───────────────────────────────────────────────────────────────

    def inputs(self) -> tuple[list[str], str]:
        """Statements that make ``point``, and a sentence about it."""
        if self.example is not None:
            values = self.of_example(self.example)
            sizes = self.example.sizes
            where = f"The inputs are those of the example ``{self.example.name}``."
        else:
            sizes = small_sizes(self.interface)
            values = self.sampled(sizes)
            shown = ", ".join(f"{name} = {value}" for name, value in sizes.items())
            where = f"The inputs are random{', with ' + shown if shown else ''}."
        for name in self.interface.open_sizes:
            values[self.setting.sizes[name]] = str(sizes[name])
        items = [f"{quoted(name)}: {text}" for name, text in values.items()]
        lines = exploded("point: dict[str, Any] = {", items, "}", INDENT)
        if not all(map(fits, lines)):
            lines[-1] += "  # fmt: skip"
        return lines, where

    def of_example(self, example: Example) -> dict[str, str]:
        """The given values as expressions, by parameter."""
        nodes = list(example.given.values())
        lowered = lower_nodes(nodes)
        scalar = self.setting.plain
        known = ranges(lowered.values()) if scalar else {}
        sizes = {name: str(value) for name, value in example.sizes.items()}
        renderer = Renderer(scalar, known, {}, self.setting.modules, sizes, "float")
        texts = [renderer.expression(lowered[node]).text for node in nodes]
        if self.setting.scalar and not scalar and renderer.uses.kernels & kernels(SCALARS).keys():
            values = Interpreter({}, example.sizes).run(lowered[node] for node in nodes)
            texts = [self.literal(value) for value in values]  # The helpers here take numbers.
        else:
            self.setting.merge(renderer.uses)
        parameters = [self.setting.parameters[name] for name in example.given]
        return dict(zip(parameters, texts, strict=True))

    def literal(self, value: Value) -> str:
        """A value as it is, an array of numbers."""
        np = self.setting.module("np")
        text = repr(value.tolist()).replace("inf", f"{np}.inf").replace("nan", f"{np}.nan")
        return f"{np}.array({text})" if value.ndim else text

    def sampled(self, sizes: Mapping[str, int]) -> dict[str, str]:
        default = suitable_range(self.compilation.forward, sizes)
        return {
            self.setting.parameters[i.name]: self.draw(i, sizes, default)
            for i in self.setting.inputs
        }

    def draw(self, i: Input, sizes: Mapping[str, int], default: tuple[float, float]) -> str:
        """An expression for a random value of one input."""
        low, high = limits(i, sizes, default)
        if i.type.kind is Kind.BOOL:
            low, high = 0, 2
        shape = [str(size.evaluate(sizes)) for size in i.type.shape]
        given = [repr(x) if i.type.is_float else str(int(x)) for x in (low, high)]
        if shape:
            given.append(shape[0] if len(shape) == 1 else f"({', '.join(shape)})")
        if i.type.is_float:
            return f"rng.uniform({', '.join(given)})"
        if shape:
            call = f"{self.setting.kernel('_mixed')}({', '.join(given)}, rng)"
        else:
            integers = "randrange" if self.setting.plain else "integers"
            call = f"rng.{integers}({', '.join(given)})"
        return f"{call} == 1" if i.type.kind is Kind.BOOL else call


def _table(name: str, names: Mapping[str, str]) -> list[str]:
    """``name = {...}``, on one line if it fits."""
    items = [f"{quoted(k)}: {quoted(v)}" for k, v in names.items()]
    line = f"{INDENT}{name} = {{{', '.join(items)}}}"
    return [line] if fits(line) else exploded(f"{name} = {{", items, "}", INDENT)
