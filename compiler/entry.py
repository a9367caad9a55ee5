"""The checks of arguments on entry, with messages in the words of the specification."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..dsl.binding import Binding, bind
from ..dsl.frozen import frozen
from ..dsl.graph import Input
from ..dsl.shapes import Kind
from ..dsl.sizes import ZERO, Size, size_text
from .names import Names
from .python import INDENT, bracketed, exploded, fits, plain, quoted
from .setting import Setting


@frozen()
class _Check:
    """Statements, the sizes they need, and the size they bind, if they do."""

    lines: list[str]
    needs: frozenset[str] = frozenset()
    binds: str | None = None


class Entry:
    """Writes ``_inputs``, and the line that calls it or does its work."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.inputs = setting.inputs
        self.checks = setting.compilation.options.checks
        self.origin: dict[str, str] = {}
        self.size_expressions: dict[str, str] = {}
        self.size_needs: dict[str, frozenset[str]] = {}
        self.shapes: list[_Check] = []
        self._resolve()

    @property
    def separate(self) -> bool:
        """Whether the checks are a function of their own."""
        interface = self.setting.compilation.interface
        if not self.setting.plain:
            return bool(self.inputs)
        domains = any(i.domain for i in self.inputs)
        asked = domains or bool(interface.conditions) or bool(interface.open_sizes)
        return bool(self.inputs) and self.checks and asked

    def parameter(self, i: Input) -> str:
        return self.setting.parameters[i.name]

    # ── Sizes ───────────────────────────────────────────────────────────────

    def _resolve(self) -> None:
        """The checks of shapes, in an order that binds sizes before they are needed."""
        interface = self.setting.compilation.interface
        known = set(interface.open_sizes)
        waiting = list(self.inputs)
        pending = list(bind({i.name: i.type.shape for i in waiting}, known))
        while waiting:
            ready = next((i for i in waiting if _complete(i, pending, known)), None)
            taken = [b for b in pending if b.array == ready.name] if ready else pending[:1]
            for binding in taken:
                self._bind(binding)
                known.add(binding.size)
                pending.remove(binding)
            if ready is not None:
                self.shapes += self._whole_shape(ready)
                waiting.remove(ready)
        for name, length in interface.blocks.items():
            math = self.setting.module("math")
            steps = self._grouped(length)
            self.size_expressions[name] = f"{math}.isqrt(max({steps} - 1, 0)) + 1"
            self.size_needs[name] = length.names()

    def text(self, size: Size) -> str:
        return size_text(size, lambda name: self.setting.sizes[name], "**")

    def _bind(self, binding: Binding) -> None:
        """A statement that takes a size from a shape, once that has as many axes as it should."""
        i = self.setting.compilation.interface.input(binding.array)
        name, solution = self.parameter(i), binding.solution
        value = f"{name}.shape[{binding.axis}]"
        if solution.offset != ZERO:
            value += f" - {self._grouped(solution.offset)}"
            value = f"({value})" if solution.factor != 1 else value
        if solution.factor != 1:
            value += f" // {solution.factor}"
        if i.name not in self.origin.values():
            self.shapes += self._rank(i)
        self.size_expressions[solution.name] = value
        self.size_needs[solution.name] = solution.offset.names()
        self.origin[solution.name] = i.name
        line = f"{INDENT}{self.setting.sizes[solution.name]} = {value}"
        self.shapes.append(_Check([line], binds=solution.name))

    def _expected(self, i: Input) -> str:
        name = self.parameter(i)
        return f"{name}: expected {i.type}, got shape {{{name}.shape}}"

    def _rank(self, i: Input) -> list[_Check]:
        if self.setting.plain or self._may_be_ready(i):
            return []
        test = f"{self.parameter(i)}.ndim != {i.type.rank}"
        return [_Check(self._raise_if(test, self._expected(i)))]

    def _whole_shape(self, i: Input) -> list[_Check]:
        """The comparison of a shape with sizes that are known by now."""
        name, shape = self.parameter(i), i.type.shape
        own = [n for n, origin in self.origin.items() if origin == i.name]
        if not shape:
            return self._rank(i)
        if self.setting.plain or self._may_be_ready(i) or [size.name for size in shape] == own:
            return []
        needed = {n for d in shape for n in d.names()}
        expected = self._expected(i)
        given = [n for n in sorted(needed) if self.origin.get(n, i.name) != i.name]
        if given:
            parameters = self.setting.parameters
            places = ((self.setting.sizes[n], parameters[self.origin[n]]) for n in given)
            expected += " with " + ", ".join(f"{s} = {{{s}}} from {p}" for s, p in places)
        texts = [self.text(d) for d in shape]
        tuple_text = f"({texts[0]},)" if len(shape) == 1 else f"({', '.join(texts)})"
        alone = {size.name for size in shape}
        negative = "".join(f"{self.setting.sizes[n]} < 0 or " for n in own if n not in alone)
        lines = self._raise_if(f"{negative}{name}.shape != {tuple_text}", expected)
        return [_Check(lines, needs=frozenset(needed))]

    def _kept_checks(self) -> list[str]:
        """The checks of all inputs, with the sizes that any of them needs."""
        if not self.checks:
            return []
        checks = self._open_size_checks()
        checks += self.shapes
        checks += self._condition_checks()
        for i in self.inputs:
            checks += self._domain_checks(i)
        needed = self.with_needs(name for check in checks for name in check.needs)
        return [
            line
            for check in checks
            if check.binds is None or check.binds in needed
            for line in check.lines
        ]

    def with_needs(self, sizes: Iterable[str]) -> set[str]:
        """Sizes with those that their expressions mention."""
        needed = set(sizes)
        for name in reversed(self.size_needs):
            if name in needed:
                needed |= self.size_needs[name]
        return needed

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
        """Statements that turn arguments into what the function computes with; they stay where
        checks are left out, for they decide the precision."""
        if self.setting.plain:
            return self._scalar_conversions()
        floats = [self.parameter(i) for i in self.inputs if i.type.kind is Kind.FLOAT]
        lines: list[str] = []
        dtype = self.setting.compilation.options.dtype
        np = self.setting.module("np")
        if self.setting.hands_on_dtype:
            lines.append(f"{INDENT}{self.setting.dtype} = {np}.dtype({np}.{dtype or 'float64'})")
        if dtype is not None:
            lines += [f"{INDENT}{name} = {np}.asarray({name}, {np}.{dtype})" for name in floats]
        elif floats:
            self.setting.kernel("_float_arrays")
            arguments = [f"{name}={name}" for name in floats]
            converted = assigned(floats, "_float_arrays(", arguments, ")", unpacks=True)
            if self.setting.hands_on_dtype:
                converted.append(f"{INDENT}{self.setting.dtype} = {floats[0]}.dtype")
            for i in self.inputs if self.checks else ():
                if self._may_be_ready(i):
                    name = self.parameter(i)
                    converted += self._raise_if(f"{name}.ndim != 0", self._expected(i))
            lines += self._unless_ready(converted) if self.setting.scalar else converted
        for i in self.inputs:
            if i.type.kind is not Kind.FLOAT:
                helper = self.setting.kernel(f"_{i.type.kind}_array")
                name = self.parameter(i)
                lines.append(f"{INDENT}{name} = {helper}({quoted(i.name)}, {name})")
        return lines

    def _may_be_ready(self, i: Input) -> bool:
        """Whether an argument may be a float already, which has no shape to check."""
        numbers = self.setting.scalar and not self.setting.plain
        fixed = self.setting.compilation.options.dtype is not None
        return numbers and not fixed and i.type.is_float and not i.type.rank

    def _unless_ready(self, lines: list[str]) -> list[str]:
        """Conversions, but not of what is an array of float64 or a float already: they take longer
        than what a function of few numbers computes."""
        np = self.setting.module("np")
        tests = []
        for i in self.inputs:
            name = self.parameter(i)
            if i.type.is_float and i.type.rank:
                tests += [f"type({name}) is {np}.ndarray", f"{name}.dtype == {np}.float64"]
            elif i.type.is_float:
                tests.append(f"isinstance({name}, float)")
        line = f"{INDENT}if not ({' and '.join(tests)}):"
        if len(tests) == 1:
            line = f"{INDENT}if not {tests[0]}:"
        head = [line]
        if not fits(line):
            rest = [f"{INDENT * 2}and {test}" for test in tests[1:]]
            head = [f"{INDENT}if not (", f"{INDENT * 2}{tests[0]}", *rest, f"{INDENT}):"]
        return head + [INDENT + line for line in lines]

    def _scalar_conversions(self) -> list[str]:
        lines = []
        floats = [self.parameter(i) for i in self.inputs if i.type.kind is Kind.FLOAT]
        joined = ", ".join(floats)
        line = f"{INDENT}{joined} = map(float, ({joined}))"
        if len(floats) > 1 and fits(line) and not self.setting.quick:  # It is half as fast.
            lines.append(line)
        else:
            lines += [f"{INDENT}{name} = float({name})" for name in floats]
        for i in self.inputs:
            name = self.parameter(i)
            if i.type.kind is Kind.INT:
                helper = self.setting.kernel("_int_number")
                lines.append(f"{INDENT}{name} = {helper}({quoted(i.name)}, {name})")
            elif i.type.kind is Kind.BOOL:
                lines.append(f"{INDENT}{name} = bool({name})")
        return lines

    # ── The function ────────────────────────────────────────────────────────

    def _open_size_checks(self) -> list[_Check]:
        names = self.setting.compilation.interface.open_sizes
        checks = []
        for name in (self.setting.sizes[n] for n in names):
            message = f"{name}: expected a natural number, got {{{name}!r}}"
            lines = self._raise_if(f"not isinstance({name}, int) or {name} < 0", message)
            checks.append(_Check(lines))
        return checks

    def _domain_checks(self, i: Input) -> list[_Check]:
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
        if self.setting.plain or (self.setting.scalar and not i.type.rank):
            test = " and ".join(tests)
            condition = f"not {test}" if len(tests) == 1 else f"not ({test})"
        else:
            np = self.setting.module("np")
            joined = tests[0] if len(tests) == 1 else " & ".join(f"({t})" for t in tests)
            condition = f"not {np}.all({joined})"
        expected = f"{name}: expected values {plain(domain.text)}"
        limits = [limit for limit in (domain.low, domain.high) if isinstance(limit, Size)]
        needs = frozenset(n for limit in limits for n in limit.names())
        return [_Check(self._raise_if(condition, expected), needs=needs)]

    def _condition_checks(self) -> list[_Check]:
        checks = []
        seen = set()
        for condition, span in self.setting.compilation.interface.conditions:
            key = condition.low, condition.high
            if key in seen:
                continue
            seen.add(key)
            names = sorted(condition.low.names() | condition.high.names())
            values = ", ".join(f"{n} = {{{self.setting.sizes[n]}}}" for n in names)
            holds = f"{condition.low} <= {condition.high}"
            what = f"line {span.line}: {plain(span.text)} needs {holds}, got {values}"
            test = f"{self.text(condition.low)} > {self.text(condition.high)}"
            checks.append(_Check(self._raise_if(test, what), needs=frozenset(names)))
        return checks

    def function(self) -> list[str]:
        """``_inputs``, or nothing where a line does the same."""
        if not self.separate:
            return []
        setting = self.setting
        open_sizes = [setting.sizes[n] for n in setting.compilation.interface.open_sizes]
        parameters = [f"{self.parameter(i)}: {setting.accepted(i.type)}" for i in self.inputs]
        parameters += [f"{name}: int" for name in open_sizes]
        types = [setting.held(i.type) for i in self.inputs]
        if setting.hands_on_dtype:
            types.append(f"{setting.module('np')}.dtype[Any]")
        result = types[0] if len(types) == 1 else f"tuple[{', '.join(types)}]"
        if not fits(f") -> {result}:"):
            result = f"tuple[{types[0] if len(set(types)) == 1 else 'Any'}, ...]"
        lines = bracketed("def _inputs(", parameters, f") -> {result}:")
        what = "numbers" if setting.plain else "arrays"
        promise = " ValueError where one does not fit." if self.checks else ""
        lines.append(f'{INDENT}"""The arguments as {what}.{promise}"""')
        lines += self.conversions()
        lines += self._kept_checks()
        results = [self._result(i) for i in self.inputs]
        results += [setting.dtype] * setting.hands_on_dtype
        if result == "Scalar":  # NumPy's stubs do not say what a call of a dtype's type gives.
            name = Names(self.parameter(i) for i in self.inputs).fresh("number")
            lines.append(f"{INDENT}{name}: Scalar = {results[0]}")
            results = [name]
        line = f"{INDENT}return {', '.join(results)}"
        if fits(line):
            return [*lines, line]
        return lines + exploded("return (", results, ")", INDENT)

    def _result(self, i: Input) -> str:
        """An argument as it is handed on: arrays without axes become scalars."""
        name = self.parameter(i)
        if i.type.rank or self.setting.plain:
            return name
        return f"{i.type.kind}({name})" if self.setting.scalar else f"{name}.dtype.type({name})"

    def call(self) -> list[str]:
        """The first statements of a function that takes the inputs."""
        if not self.separate:
            return self.conversions()
        names = [self.parameter(i) for i in self.inputs]
        interface = self.setting.compilation.interface
        arguments = names + [self.setting.sizes[n] for n in interface.open_sizes]
        names += [self.setting.dtype] * self.setting.hands_on_dtype
        return assigned(names, "_inputs(", arguments, ")")


def _complete(i: Input, pending: Sequence[Binding], known: Iterable[str]) -> bool:
    """Whether all sizes in a shape are known, or are given by that shape."""
    own = {binding.size for binding in pending if binding.array == i.name}
    return all(size.names() <= own | set(known) for size in i.type.shape)


def _number(value: float) -> str:
    if value == float("inf") or value == -float("inf"):
        return f'float("{value}")'
    return str(int(value)) if value.is_integer() else repr(value)


def assigned(
    names: Sequence[str], head: str, arguments: Sequence[str], tail: str, *, unpacks: bool = False
) -> list[str]:
    """``a, b = head(arguments)``, by way of a list where the names are too many for a line."""
    left = ", ".join(names) if len(names) != 1 or not unpacks else f"({names[0]},)"
    if fits(f"{INDENT}{left} = {head}"):
        return bracketed(f"{left} = {head}", arguments, tail, INDENT)
    taken = Names(names).fresh("arguments")
    lines = bracketed(f"{taken} = {head}", arguments, tail, INDENT)
    return lines + [f"{INDENT}{name} = {taken}[{at}]" for at, name in enumerate(names)]
