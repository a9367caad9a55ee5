"""The checks of arguments on entry, with messages in the words of the specification."""

from __future__ import annotations

from collections.abc import Sequence

from ..dsl.graph import Input
from ..dsl.shapes import Kind
from ..dsl.sizes import Size, size_text, solve
from .paper import plain
from .python import INDENT, bracketed, quoted
from .setting import Setting


class Entry:
    """Writes ``_inputs``, and the line that calls it or does its work."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.inputs = setting.inputs
        self.checks = setting.compilation.options.checks
        self.origin: dict[str, str] = {}
        self.size_expressions: dict[str, str] = {}
        self.resolved: list[tuple[Input, list[str]]] = []
        self._resolve()

    @property
    def separate(self) -> bool:
        """Whether the checks are a function of their own."""
        interface = self.setting.compilation.interface
        if not self.checks or not self.inputs:
            return False
        domains = any(i.domain for i in self.inputs)
        return not self.setting.scalar or domains or bool(interface.conditions)

    def parameter(self, i: Input) -> str:
        return self.setting.parameters[i.name]

    # ── Sizes ───────────────────────────────────────────────────────────────

    def _resolve(self) -> None:
        """For each input, in an order that binds sizes before they are needed, its checks."""
        interface = self.setting.compilation.interface
        known = [*interface.open_sizes]
        waiting = list(self.inputs)
        while waiting:
            ready = next((i for i in waiting if self._solvable(i, known)), waiting[0])
            waiting.remove(ready)
            self.resolved.append((ready, self._shape_checks(ready, known)))

    def _solvable(self, i: Input, known: Sequence[str]) -> bool:
        bound = list(known)
        for dimension in i.type.shape:
            solution = solve(dimension, bound)
            if solution:
                bound.append(solution.name)
        return all(dimension.names() <= set(bound) for dimension in i.type.shape)

    def text(self, size: Size) -> str:
        return size_text(size, lambda name: self.setting.sizes[name], "**")

    def _shape_checks(self, i: Input, known: list[str]) -> list[str]:
        """Statements that check an array's shape and bind the sizes it brings."""
        name, shape = self.parameter(i), i.type.shape
        if self.setting.scalar:
            return []
        rank = len(shape)
        expected = f"{name}: expected {i.type}, got shape {{{name}.shape}}"
        lines: list[str] = []
        needed = {n for d in shape for n in d.names()}
        fresh = [d.name for d in shape if d.name is not None and d.name not in known]
        all_fresh = len(fresh) == rank and len(set(fresh)) == rank and rank > 0
        bindings = []
        for axis, dimension in enumerate(shape):
            solution = solve(dimension, known)
            if solution is None:
                continue
            value = f"{name}.shape[{axis}]"
            if solution.offset != Size.of(0):
                value += f" - {self._grouped(solution.offset)}"
                value = f"({value})" if solution.factor != 1 else value
            if solution.factor != 1:
                value += f" // {solution.factor}"
            self.size_expressions[solution.name] = value
            self.origin[solution.name] = name
            known.append(solution.name)
            bindings.append((solution.name, value, dimension.name is None))
        if bindings or rank == 0:
            lines += self._raise_if(f"{name}.ndim != {rank}", expected)
        if all_fresh:
            targets = [self.setting.sizes[n] for n in fresh if n is not None]
            left = f"({targets[0]},)" if rank == 1 else ", ".join(targets)
            return [*lines, f"{INDENT}{left} = {name}.shape"]
        for size_name, value, _ in bindings:
            lines.append(f"{INDENT}{self.setting.sizes[size_name]} = {value}")
        if rank and not (bindings and len(bindings) == rank and not any(b[2] for b in bindings)):
            given = [n for n in sorted(needed) if n in self.origin and self.origin[n] != name]
            if given:
                places = (f"{n} = {{{self.setting.sizes[n]}}} from {self.origin[n]}" for n in given)
                expected += " with " + ", ".join(places)
            texts = [self.text(d) for d in shape]
            tuple_text = f"({texts[0]},)" if rank == 1 else f"({', '.join(texts)})"
            condition = f"{name}.shape != {tuple_text}"
            for size_name, _, derived in bindings:
                if derived:
                    condition = f"{self.setting.sizes[size_name]} < 0 or {condition}"
            lines += self._raise_if(condition, expected)
        return lines

    def _grouped(self, size: Size) -> str:
        text = self.text(size)
        return text if len(size.terms) == 1 else f"({text})"

    def _raise_if(self, condition: str, message: str) -> list[str]:
        lines = [f"{INDENT}if {condition}:"]
        indent = INDENT * 2
        literal = "f" + quoted(message) if "{" in message else quoted(message)
        return lines + bracketed("raise ValueError(", [literal], ")", indent)

    # ── Conversions ─────────────────────────────────────────────────────────

    def conversions(self) -> list[str]:
        """Statements that turn arguments into what the function computes with."""
        if not self.checks:
            return []
        if self.setting.scalar:
            return self._scalar_conversions()
        floats = [self.parameter(i) for i in self.inputs if i.type.kind is Kind.FLOAT]
        lines: list[str] = []
        dtype = self.setting.compilation.options.dtype
        if dtype is not None:
            np = self.setting.module("np")
            lines += [f"{INDENT}{name} = {np}.asarray({name}, {np}.{dtype})" for name in floats]
        elif floats:
            self.setting.kernel("_float_arrays")
            arguments = [f"{name}={name}" for name in floats]
            left = f"({floats[0]},)" if len(floats) == 1 else ", ".join(floats)
            lines += bracketed(f"{left} = _float_arrays(", arguments, ")", INDENT)
        for i in self.inputs:
            if i.type.kind is not Kind.FLOAT:
                helper = self.setting.kernel(f"_{i.type.kind}_array")
                name = self.parameter(i)
                lines.append(f"{INDENT}{name} = {helper}({quoted(i.name)}, {name})")
        return lines

    def _scalar_conversions(self) -> list[str]:
        lines = []
        for kind in (Kind.FLOAT, Kind.INT, Kind.BOOL):
            names = [self.parameter(i) for i in self.inputs if i.type.kind is kind]
            if len(names) == 1:
                lines.append(f"{INDENT}{names[0]} = {kind}({names[0]})")
            elif names:
                joined = ", ".join(names)
                line = f"{INDENT}{joined} = map({kind}, ({joined}))"
                short = len(line) <= 88
                lines += [line] if short else [f"{INDENT}{n} = {kind}({n})" for n in names]
        return lines

    # ── The function ────────────────────────────────────────────────────────

    def _domain_checks(self, i: Input) -> list[str]:
        domain, name = i.domain, self.parameter(i)
        if domain is None:
            return []
        tests = []
        for limit, strict, sign in (
            (domain.low, domain.open_low, ">"), (domain.high, domain.open_high, "<")
        ):  # fmt: skip
            if limit is not None:
                number = self.text(limit) if isinstance(limit, Size) else _number(limit)
                tests.append(f"{name} {sign}{'' if strict else '='} {number}")
        scalar = self.setting.scalar
        if scalar:
            test = " and ".join(tests)
            condition = f"not {test}" if len(tests) == 1 else f"not ({test})"
        else:
            np = self.setting.module("np")
            joined = tests[0] if len(tests) == 1 else " & ".join(f"({t})" for t in tests)
            condition = f"not {np}.all({joined})"
        expected = f"{name}: expected values {plain(domain.text)}"
        return self._raise_if(condition, expected.replace("{", "{{").replace("}", "}}"))

    def _condition_checks(self) -> list[str]:
        lines = []
        seen = set()
        for condition, span in self.setting.compilation.interface.conditions:
            key = condition.low, condition.high
            if key in seen:
                continue
            seen.add(key)
            names = sorted(condition.low.names() | condition.high.names())
            values = ", ".join(f"{n} = {{{self.setting.sizes[n]}}}" for n in names)
            what = f"line {span.line}: {plain(condition.what)} with {values}"
            test = f"{self.text(condition.low)} > {self.text(condition.high)}"
            lines += self._raise_if(test, what)
        return lines

    def function(self) -> list[str]:
        """``_inputs``, or nothing where a line does the same."""
        if not self.separate:
            return []
        setting = self.setting
        open_sizes = [setting.sizes[n] for n in setting.compilation.interface.open_sizes]
        parameters = [f"{self.parameter(i)}: {setting.accepted(i.type)}" for i in self.inputs]
        parameters += [f"{name}: int" for name in open_sizes]
        types = [setting.annotation(i.type) if setting.scalar else "Array" for i in self.inputs]
        result = types[0] if len(types) == 1 else f"tuple[{', '.join(types)}]"
        lines = bracketed("def _inputs(", parameters, f") -> {result}:")
        what = "numbers" if setting.scalar else "arrays"
        lines.append(f'{INDENT}"""The arguments as {what}. ValueError where one does not fit."""')
        lines += self.conversions()
        for _, checks in self.resolved:
            lines += checks
        lines += self._condition_checks()
        for i in self.inputs:
            lines += self._domain_checks(i)
        lines += bracketed("return ", [self.parameter(i) for i in self.inputs], "", INDENT)
        return lines

    def call(self) -> list[str]:
        """The first statements of a function that takes the inputs."""
        if not self.separate:
            return self.conversions()
        names = [self.parameter(i) for i in self.inputs]
        interface = self.setting.compilation.interface
        arguments = names + [self.setting.sizes[n] for n in interface.open_sizes]
        left = ", ".join(names)
        return bracketed(f"{left} = _inputs(", arguments, ")", INDENT)


def _number(value: float) -> str:
    if value == float("inf") or value == -float("inf"):
        return f'float("{value}")'
    return str(int(value)) if value.is_integer() else repr(value)
