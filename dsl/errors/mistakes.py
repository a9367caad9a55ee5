"""Every mistake a specification can make, one function each: the wording of the whole product.

A function takes the places and words it needs and returns a ``Diagnostic``. Codes: ``G0xx``
syntax, ``G1xx`` names, ``G2xx`` shapes and sizes, ``G3xx`` types, ``G4xx`` not differentiable,
``G5xx`` warnings. ``codes.py`` holds the page of each.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..source import Source, Span
from .diagnostic import Diagnostic, Label, Severity

if TYPE_CHECKING:
    from ..shapes import Mismatch


def _error(
    code: str,
    span: Span,
    message: str,
    label: str = "",
    *others: tuple[Span, str],
    hint: str = "",
    severity: Severity = Severity.ERROR,
) -> Diagnostic:
    labels = tuple(Label(place, text) for place, text in others)
    return Diagnostic(code, message, Label(span, label), labels, hint, severity)


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _did_you_mean(near: str | None) -> str:
    return f"did you mean `{near}`?" if near else ""


# ── G0xx: syntax ────────────────────────────────────────────────────────────

_KEYWORDS = {
    "USE", "SIZE", "INPUT", "DATA", "NODE", "OUTPUT", "OBJECTIVE", "DEF", "RETURN", "RULE",
    "SCAN", "UNTIL", "STATE", "NEXT", "EMIT", "EXAMPLE", "IF", "THEN", "ELSE", "AND", "OR",
    "NOT", "IN", "CONSTANT",
}  # fmt: skip
_STARTS = (
    "use", "size", "input", "data", "node", "output", "objective", "def", "rule", "scan", "example",
)  # fmt: skip


def unexpected_token(span: Span, kind: str, expected: str) -> Diagnostic:
    text = span.text
    line = span.source.line_text(span.line)
    first = not line[: span.column - 1].strip()
    declarable = "a declaration" in expected
    if kind == "NAME" and not text.isidentifier():
        return bad_name(span, text)
    if first and text in _STARTS and not declarable:
        place = last_before(span.source, span.start)
        return _error("G002", place, "the declaration ends too early",
                      f"expected {expected} after this")  # fmt: skip
    if kind in _KEYWORDS and expected in ("a name", "an expression", "an operand"):
        if kind not in ("IF", "NOT"):
            return _error("G010", span, f"`{text}` is a reserved word",
                          "it cannot be used as a name", hint="choose another name")  # fmt: skip
    if first and declarable:
        return _error("G001", span, f"expected a declaration, found `{text}`",
                      hint=_declaration_hint(span))  # fmt: skip
    if declarable and "an operator" not in expected and kind in ("NAME", "NUMBER", "STRING"):
        expected = f"an operator, {expected}"
    hint = _token_hint(span, kind, expected)
    return _error("G001", span, f"expected {expected}, found `{text}`", hint=hint)


def _declaration_hint(span: Span) -> str:
    text = span.text
    if text == "//":
        return "a comment starts with `#`"
    near = difflib.get_close_matches(text.lower(), _STARTS, 1, 0.75)
    if near:
        return _did_you_mean(near[0])
    if re.match(r"\s*=[^=]", span.source.text[span.end : span.end + 80]):
        return f"write node {text} = ..."
    return "every declaration starts with a keyword, such as `node`"


def _token_hint(span: Span, kind: str, expected: str) -> str:
    text, before = span.text, span.source.text[max(span.start - 80, 0) : span.start]
    last = before.rstrip()[-1:]
    operand = "an expression" in expected or "an operand" in expected
    operator = "an operator" in expected
    leading = span.source.line_text(span.line).split(maxsplit=1)[:1]
    if kind == "COMMA" and leading and leading[0] in ("input", "data"):
        return f"names after the colon need a `{leading[0]}` of their own"
    if kind == "EQUAL" and operator:
        return "`==` compares; `=` only defines"
    if (kind == "EQUAL" and last == ":") or (text == "==" and "`=`" in expected):
        return "a definition is written with one `=`"
    if kind == "NUMBER" and text.startswith(".") and last.isdigit():
        return "a number has digits on both sides of its point, and only one point"
    if kind in ("IF", "NOT") and operand:
        return f"put the `{text}` in parentheses"
    if kind == "IF":
        return "a choice is written `if c then a else b`"
    if kind == "TO" and "`]`" in expected:
        return "a slice is written x[a:b]"
    if kind == "LBRACE" and operand:
        return "expressions are grouped with parentheses"
    if text.startswith("_") and last.isdigit() and before[-1:] == last:
        return "the digits of a number are written without `_`"
    if kind in ("NAME", "LPAR", "NUMBER") and operator:
        return "write a product with `*`"
    return ""


def last_before(source: Source, offset: int) -> Span:
    """The last character before ``offset`` that is neither blank nor in a comment."""
    for line in range(source.line_of(offset), 0, -1):
        start = source.line_starts[line - 1]
        code = source.text[start : min(offset, start + len(source.line_text(line)))]
        end = start + len(code.split("#", 1)[0].rstrip())
        if end > start:
            return source.span(end - 1, end)
    return source.span(0, 0)


def unexpected_end(source: Source, expected: str) -> Diagnostic:
    return _error("G002", last_before(source, len(source.text)), "the file ends too early",
                  f"expected {expected} after this")  # fmt: skip


_CHARACTER_HINTS = {
    "&": "write `and`",
    "|": "write `or`; the absolute value is abs(x)",
    "!": "write `not`",
    "~": "write `not`",
    "'": 'strings are written in double quotes: "..."',
    "×": "write `*`",
    "·": "write `*`",
    "−": "write `-`",
    "÷": "write `/`",
    "⁻": "write x^-1",
    "√": "write sqrt(x)",
    "∑": "write sum(x)",
    "≤": "write `<=`",
    "≥": "write `>=`",
    "≠": "write `!=`",
    "∞": "write `inf`",
    "?": "a choice is written `if c then a else b`",
    "\\": "an expression goes on over the end of a line by itself",
    ";": "declarations need no separator",
    "\u00a0": "this is a no-break space; write an ordinary one",
    "\ufeff": "a byte order mark belongs at the start of the file, or nowhere",
}


def unexpected_character(source: Source, offset: int) -> Diagnostic:
    character = source.text[offset]
    if character == '"':
        end = offset + len(source.text[offset:].split("\n", 1)[0].rstrip("\r"))
        return _error("G004", source.span(offset, end), "the string does not end",
                      hint='strings end with `"` on the same line')  # fmt: skip
    hint = _CHARACTER_HINTS.get(character, "")
    if character == ".":
        hint = _point_hint(source.text[max(offset - 1, 0) : offset + 80])
    return _error("G003", source.span(offset, offset + 1),
                  f"{_shown(character)} means nothing here", hint=hint)  # fmt: skip


def _shown(character: str) -> str:
    if character.isprintable() and character != "\u00a0":
        return f"`{character}`"
    name = unicodedata.name(character, "").lower()
    return f"the character U+{ord(character):04X}" + (f" ({name})" if name else "")


def _point_hint(text: str) -> str:
    """For a point that means nothing, after the first character of ``text``."""
    if text[0].isdigit():
        return "a number has digits after its point: write 2.0"
    method = re.match(r".\.(\w+)\(", text)
    if method:
        return f"functions are written without a prefix: {method[1]}(...)"
    return "there are no attributes; only `x.T` is written with a point"


def bad_name(span: Span, text: str) -> Diagnostic:
    base = text.rstrip("⁰¹²³⁴⁵⁶⁷⁸⁹")
    plain, power = (unicodedata.normalize("NFKC", t) for t in (base, text[len(base) :]))
    hint = f"write {plain}^{power}" if power else f"write {plain}"
    return _error("G005", span, f"`{text}` is not a name", hint=hint)


def chained_comparison(span: Span, left: Any, operator: str, right: Any) -> Diagnostic:
    second = f"{left.right.span.text} {operator} {right.span.text}"
    return _error("G006", span, "comparisons cannot be chained",
                  hint=f"write {left.span.text} and {second}")  # fmt: skip


def positional_after_keyword(span: Span) -> Diagnostic:
    return _error("G007", span, "a positional argument after a named one",
                  hint="put the named arguments last")  # fmt: skip


def not_an_expectation(span: Span) -> Diagnostic:
    return _error("G008", span, f"cannot expect `{span.text}(...)`",
                  hint="an expectation is `name = value` or `grad(name) = value`")  # fmt: skip


def range_in_subscript(span: Span) -> Diagnostic:
    return _error("G011", span, "a range cannot be a subscript", hint="a slice is written x[a:b]")


def not_a_reduction(span: Span) -> Diagnostic:
    return _error("G012", span, "this cannot be called",
                  hint="a product needs `*`; a reduction over an index is sum[i](...)")  # fmt: skip


def bad_rounding(span: Span) -> Diagnostic:
    return _error("G013", span, "`round` takes the number of decimals, 0 to 15")


def two_roundings(span: Span) -> Diagnostic:
    return _error("G013", span, "an example has one `round`")


def not_utf8(source: Source, offset: int, line: int) -> Diagnostic:
    return _error("G009", source.span(0, 0), f"the file is not UTF-8 (byte {offset}, line {line})",
                  hint="save it with the encoding UTF-8")  # fmt: skip


def not_an_index(span: Span) -> Diagnostic:
    return _error("G128", span, "this is not an index", hint="an index is a new name, as `i`, or "
                  "with its range, as `i in 0..N`")  # fmt: skip


def cannot_reduce(span: Span, name: str, known: Sequence[str]) -> Diagnostic:
    return _error("G128", span, f"`{name}` does not combine the values of an index",
                  hint=f"{_quoted(known)} do")  # fmt: skip


def index_shadows(span: Span, name: str, first: Span) -> Diagnostic:
    return _error("G129", span, f"the index `{name}` has the name of something else",
                  "an index is a new name", (first, f"`{name}` is declared here"),
                  hint="another letter keeps the two apart")  # fmt: skip


def index_without_range(span: Span, name: str) -> Diagnostic:
    return _error("G130", span, f"nothing says what the index `{name}` ranges over",
                  hint=f"use it as a subscript of its own, as x[{name}], or write "
                  f"[{name} in 0..N]")  # fmt: skip


def range_not_size(span: Span, name: str) -> Diagnostic:
    return _error(
        "G131",
        span,
        f"the bounds of a range are sizes; `{name}` is none",
        hint="let the index run over the whole axis, and use `if` for what it depends on",
    )


def empty_range(span: Span, what: str) -> Diagnostic:
    return _error("G131", span, f"the range {what} runs backwards",
                  hint="i in a..b is a, a+1, ..., b-1")  # fmt: skip


def index_two_sizes(span: Span, name: str, size: Any, first: Span, other: Any) -> Diagnostic:
    return _error("G219", span, f"the index `{name}` runs over axes of two sizes",
                  f"this axis has the size {size}", (first, f"and this one {other}"),
                  hint=f"write the range, as [{name} in 0..{other}]")  # fmt: skip


def subscript_not_int(span: Span, actual: Any) -> Diagnostic:
    hint = "take(x, k, axis=0) takes entries at an array of places" if actual.rank else ""
    return _error("G216", span, f"a subscript is an integer, not {actual}", hint=hint)


def moving_slice(span: Span) -> Diagnostic:
    hint = "x[i:i+3] and x[k[i]:k[i]+3] have the length 3; `if` chooses among entries"
    text = "the length of a slice may not depend on an index or on data"
    return _error("G217", span, text, hint=hint)


def state_without_next(span: Span, name: str) -> Diagnostic:
    return _error("G132", span, f"the state `{name}` has no `next`",
                  hint=f"write `next {name} = ...` in the step")  # fmt: skip


def next_twice(span: Span, name: str, first: Span) -> Diagnostic:
    return _error("G132", span, f"the state `{name}` has two `next`", "again here",
                  (first, "the first one"), hint="a step sets a state once")  # fmt: skip


def next_without_state(span: Span, name: str) -> Diagnostic:
    return _error("G132", span, f"`{name}` is not a state of this step",
                  hint=f"declare it in the scan: state {name} = ...")  # fmt: skip


def until_with_emit(span: Span, until: Span) -> Diagnostic:
    return _error(
        "G133",
        span,
        "a loop that ends early has no stacks",
        "how many steps there are is not known when compiling",
        (until, "the loop ends here"),
        hint="keep what is needed as a state",
    )


def until_not_bool(span: Span, actual: Any) -> Diagnostic:
    return _error("G133", span, f"`until` takes a condition, a bool, not {actual}")


def step_not_done(span: Span, name: str, index: str) -> Diagnostic:
    return _error("G134", span, f"this step of `{name}` is not done yet",
                  f"at {index}, only the entries of earlier steps are known",
                  hint=f"the step before is {name}[{index}-1], where {index} counts from 0; "
                  "`next` or a node holds what this step computes")  # fmt: skip


def emit_without_type(span: Span, name: str, emit: Span) -> Diagnostic:
    return _error("G134", span, f"the step reads what `{name}` has emitted, but not of which type",
                  "earlier entries are read here", (emit, "the type is missing here"),
                  hint=f"write it: emit {name}: float = ...")  # fmt: skip


def state_changes(span: Span, name: str, held: Any, actual: Any, first: Span) -> Diagnostic:
    return _error(
        "G220",
        span,
        f"the state `{name}` is {held} and becomes {actual}",
        "a state keeps its type and shape",
        (first, f"it begins as {held} here"),
    )


# ── G1xx: names ─────────────────────────────────────────────────────────────


_NAME_HINTS = {
    "True": "write `true`",
    "False": "write `false`",
    "nan": "there is no nan; compare or use `inf`",
    "e": "the exponential function is exp(x)",
    "π": "write `pi`",
    "Inf": "write `inf`",
}
_FUNCTION_HINTS = {"ln": "write log(x)", "Σ": "write sum(x)", "len": "name the size in a shape"}


def unknown_name(span: Span, name: str, near: str | None) -> Diagnostic:
    hint = _NAME_HINTS.get(name) or _did_you_mean(near)
    if span.text.endswith("ᵀ"):
        hint = f"write {span.text[:-1]}.T"
    return _error("G101", span, f"unknown name `{name}`", "not declared", hint=hint)


def not_visible(span: Span, name: str, declared: Span, in_example: bool) -> Diagnostic:
    what = "an example" if in_example else "a function"
    hint = (
        "what an example gives and expects is made of constants and the sizes it gives"
        if in_example
        else "a function sees only its parameters, sizes and functions: make it a parameter"
    )
    return _error("G101", span, f"`{name}` is not visible in {what}", "not declared here",
                  (declared, f"this `{name}` is outside"), hint=hint)  # fmt: skip


def unknown_function(span: Span, name: str, near: str | None) -> Diagnostic:
    hint = _FUNCTION_HINTS.get(name) or _did_you_mean(near)
    return _error("G102", span, f"unknown function `{name}`", hint=hint)


def duplicate(span: Span, name: str, first: Span) -> Diagnostic:
    if span.source == first.source and span.start < first.start:
        span, first = first, span
    return _error("G103", span, f"`{name}` is declared twice", "declared again",
                  (first, "first declared here"))  # fmt: skip


def cycle(spans: Sequence[tuple[Span, str]], by_entry: bool = False) -> Diagnostic:
    names = [name for _, name in spans]
    path = " -> ".join([*names, names[0]])
    others = [(span, f"`{name}` needs `{names[(i + 1) % len(names)]}`")
              for i, (span, name) in enumerate(spans)]  # fmt: skip
    label = others[0][1] if len(names) > 1 else f"`{names[0]}` needs itself"
    hint = f"a loop computes entries from earlier ones: scan i in 1..N {{ emit {names[0]}: ... }}"
    return _error("G104", spans[0][0], f"the definitions go in a circle: {path}", label,
                  *others[1:], hint=hint if by_entry else "")  # fmt: skip


def not_a_function(span: Span, name: str, declared: Span | None) -> Diagnostic:
    others = [(declared, f"`{name}` is declared here")] if declared else []
    return _error("G105", span, f"`{name}` is not a function", "this is a value", *others,
                  hint=f"a product needs `*`; a subscript is {name}[...]")  # fmt: skip


def function_as_value(span: Span, name: str) -> Diagnostic:
    return _error("G106", span, f"`{name}` is a function, not a value",
                  hint=f"call it: {name}(...)")  # fmt: skip


def no_output(span: Span) -> Diagnostic:
    return _error("G107", span, "there is no output", hint="write `output f = ...`")


def not_an_output(span: Span, name: str) -> Diagnostic:
    return _error("G109", span, f"the objective `{name}` is not an output",
                  hint=f"declare it: output {name}")  # fmt: skip


def recursion(span: Span, names: Sequence[str]) -> Diagnostic:
    return _error("G110", span, f"a function cannot call itself: {' -> '.join(names)}",
                  hint="there is no recursion; a repeated step is a scan")  # fmt: skip


def unknown_size(span: Span, name: str, near: str | None) -> Diagnostic:
    return _error("G111", span, f"unknown size `{name}`", "no input has this size",
                  hint=_did_you_mean(near) or f"declare it: size {name}")  # fmt: skip


def unbound_size(span: Span, name: str) -> Diagnostic:
    return _error("G111", span, f"the shapes of the inputs do not give the size `{name}`",
                  hint=f"use it alone in a shape, or declare it: size {name}")  # fmt: skip


def not_pairwise(span: Span, name: str, given: int) -> Diagnostic:
    return _error("G112", span, f"`{name}` combines the entries of one array; {given} are given",
                  hint=f"entry by entry, of two values: {name}imum(a, b)")  # fmt: skip


def wrong_arity(span: Span, signature: str, given: int, wanted: str) -> Diagnostic:
    return _error("G112", span, f"{given} argument{'s' * (given != 1)} given, {wanted} wanted",
                  f"the function is {signature}")  # fmt: skip


def unknown_keyword(span: Span, name: str, signature: str, near: str | None) -> Diagnostic:
    return _error("G113", span, f"no argument is called `{name}`", f"the function is {signature}",
                  hint=_did_you_mean(near))  # fmt: skip


def missing_argument(span: Span, name: str, signature: str) -> Diagnostic:
    return _error("G114", span, f"the argument `{name}` is missing", f"the function is {signature}")


def argument_twice(span: Span, name: str) -> Diagnostic:
    return _error("G115", span, f"the argument `{name}` is given twice")


def unknown_type(span: Span, name: str) -> Diagnostic:
    return _error("G116", span, f"unknown type `{name}`", hint="types are float, int and bool")


def missing_file(span: Span, path: str) -> Diagnostic:
    return _error("G117", span, f"there is no file `{path}`", "looked for beside this file")


def file_not_utf8(span: Span, path: str) -> Diagnostic:
    return _error("G009", span, f"the file `{path}` is not UTF-8",
                  hint="save it with the encoding UTF-8")  # fmt: skip


def use_cycle(span: Span, path: str) -> Diagnostic:
    return _error("G118", span, f"`{path}` uses this file in turn", "the files use each other")


def not_in_file(span: Span, name: str, path: str, near: str | None) -> Diagnostic:
    return _error("G119", span, f"`{path}` has no function `{name}`", hint=_did_you_mean(near))


def outside_path(span: Span, path: str) -> Diagnostic:
    return _error("G120", span, f"`{path}` leads out of this file's folder",
                  hint="use files in the same folder or below it, or name a folder above both: "
                  "--include FOLDER")  # fmt: skip


def outside_root(span: Span, path: str) -> Diagnostic:
    return _error("G120", span, f"`{path}` leads out of the folder given with --include",
                  hint="use files in that folder or below it")  # fmt: skip


def example_name(span: Span, name: str, what: str, near: str | None) -> Diagnostic:
    return _error("G121", span, f"{what} `{name}`", hint=_did_you_mean(near))


def example_missing(span: Span, names: Sequence[str]) -> Diagnostic:
    return _error("G122", span, f"the example gives no value for {_quoted(names)}",
                  hint="`given` sets every input, and every size that no input has")  # fmt: skip


def example_size(span: Span, name: str, first: int, second: int) -> Diagnostic:
    return _error("G123", span, f"the size {name} is {first} and {second} in one example")


def given_only(span: Span, name: str) -> Diagnostic:
    return _error("G124", span, f"`{name}` is for examples only", hint="randomness is data: "
                  "declare it as `data` and pass it in")  # fmt: skip


def no_body_return(span: Span, name: str) -> Diagnostic:
    return _error("G125", span, f"the function `{name}` must end with one `return`")


def several_results(span: Span, name: str, count: int) -> Diagnostic:
    return _error("G126", span, f"`{name}` has {count} results",
                  hint=f"give each a name: node {', '.join('abcdefgh'[: min(count, 8)])} = "
                  f"{name}(...)")  # fmt: skip


def not_several(span: Span, names: int) -> Diagnostic:
    return _error("G126", span, f"this is one value, and there are {names} names for it",
                  hint="several names stand before a call with several results")  # fmt: skip


def result_count(span: Span, name: str, count: int, names: int) -> Diagnostic:
    return _error("G126", span, f"`{name}` has {count} result{'s' * (count != 1)}, "
                  f"and {names} names are given")  # fmt: skip


def rule_without_function(span: Span, name: str) -> Diagnostic:
    return _error("G127", span, f"there is no function `{name}` in this file",
                  "a rule stands in the file of its function")  # fmt: skip


def rule_parameters(span: Span, name: str, wanted: Sequence[str], function: Span) -> Diagnostic:
    return _error("G127", span, f"the parameters of the rule are not those of `{name}`",
                  f"they are {', '.join(wanted)}", (function, "the function is here"))  # fmt: skip


def rule_results(span: Span, name: str, count: int) -> Diagnostic:
    return _error("G127", span, f"`{name}` has {count} result{'s' * (count != 1)}",
                  "the rule must name as many")  # fmt: skip


def rule_entry(span: Span, name: str, wanted: Sequence[str]) -> Diagnostic:
    return _error("G127", span, f"`{name}` is no gradient of this rule",
                  hint=f"its entries are {', '.join(wanted)}")  # fmt: skip


def rule_entry_missing(span: Span, name: str) -> Diagnostic:
    return _error("G127", span, f"the rule has no entry `{name}`",
                  hint=f"write `{name} = 0` where no gradient goes there")  # fmt: skip


def rule_entry_shape(span: Span, name: str, wanted: Any, actual: Any) -> Diagnostic:
    return _error("G127", span, f"`d{name}` is {actual}, and `{name}` is {wanted}",
                  "neither broadcast nor summed does it fit")  # fmt: skip


def rule_not_float(span: Span, name: str, actual: Any) -> Diagnostic:
    return _error("G127", span, f"a rule is for results that are float; `{name}` is {actual}")


def replaces_library(span: Span, name: str) -> Diagnostic:
    return _error("G504", span, f"`{name}` replaces the library's function of that name",
                  severity=Severity.NOTE)  # fmt: skip


# ── G2xx: shapes and sizes ──────────────────────────────────────────────────


def mismatch(
    error: Mismatch, span: Span, operands: Sequence[Span], declared: Sequence[tuple[Span, str]]
) -> Diagnostic:
    """A shape or type rule's words, at the call or at the operand it points to."""
    if error.operand is not None and error.operand < len(operands):
        span = operands[error.operand]
    return _error(error.code, span, error.message, error.label, *declared, hint=error.hint)


def written_type(span: Span, written: Any, actual: Any, value: Span) -> Diagnostic:
    code = "G208" if written.kind == actual.kind else "G304"
    return _error(code, span, f"declared {written}, but the value is {actual}",
                  f"declared {written}", (value, f"this is {actual}"))  # fmt: skip


def new_size_in_type(span: Span, name: str, near: str | None) -> Diagnostic:
    return _error("G211", span, f"a node's type cannot introduce the size `{name}`",
                  hint=_did_you_mean(near) or f"declare it: size {name}")  # fmt: skip


def not_a_size(span: Span) -> Diagnostic:
    return _error("G212", span, "this is not a size",
                  hint="a size is made of natural numbers, size names, + - * and //")  # fmt: skip


def negative_size(span: Span, value: object) -> Diagnostic:
    return _error("G212", span, f"a size cannot be {value}", "sizes are natural numbers")


def too_many_subscripts(span: Span, count: int, actual: Any) -> Diagnostic:
    has = {0: "no axes", 1: "one axis"}.get(len(actual.shape), f"{len(actual.shape)} axes")
    return _error("G207", span, f"{count} subscript{'s' * (count != 1)} for {actual}",
                  f"this has {has}")  # fmt: skip


def bad_subscript(span: Span) -> Diagnostic:
    return _error("G216", span, "this cannot be a subscript",
                  hint="a subscript is an integer, a size or a slice")  # fmt: skip


def two_ellipses(span: Span) -> Diagnostic:
    return _error("G216", span, "a subscript has at most one `...`")


def bad_step(span: Span) -> Diagnostic:
    return _error("G217", span, "the step of a slice must be an integer literal other than 0")


def argument_shape(
    span: Span, parameter: str, wanted: str, actual: Any, sizes: Sequence[str] = ()
) -> Diagnostic:
    wanted = f"{wanted} with {', '.join(sizes)}" if sizes else wanted
    return _error("G214", span, f"the parameter `{parameter}` is {wanted}, not {actual}",
                  f"this is {actual}")  # fmt: skip


def example_shape(
    span: Span, name: str, wanted: Any, actual: Any, declared: Span, sizes: Sequence[str] = ()
) -> Diagnostic:
    wanted = f"{wanted} with {', '.join(sizes)}" if sizes else wanted
    return _error("G215", span, f"`{name}` is {wanted}, but the value is {actual}",
                  f"this is {actual}", (declared, "declared here"))  # fmt: skip


# ── G3xx: types ─────────────────────────────────────────────────────────────


def must_be_constant(span: Span, name: str, what: str) -> Diagnostic:
    return _error("G303", span, f"`{name}` must be {what}", "needed when compiling",
                  hint=_NAME_HINTS.get(span.text, ""))  # fmt: skip


def text_as_value(span: Span) -> Diagnostic:
    return _error("G305", span, "a text cannot be a value here")


def bad_domain(span: Span, reason: str) -> Diagnostic:
    return _error("G306", span, f"this domain {reason}")


def empty_array(span: Span) -> Diagnostic:
    return _error("G307", span, "an array literal needs entries", hint="write zeros(0)")


def number_too_large(span: Span) -> Diagnostic:
    return _error("G308", span, "this number does not fit a float", hint="write inf")


def option_as_value(span: Span, name: str) -> Diagnostic:
    return _error("G309", span, f"`{name}` is an option, not a value")


def bad_limit(span: Span) -> Diagnostic:
    return _error("G310", span, "this is not a constant",
                  hint="the limits of a domain are numbers and sizes")  # fmt: skip


def bad_tolerance(span: Span) -> Diagnostic:
    return _error("G310", span, "a tolerance is a number literal that is not negative")


# ── G4xx: differentiation ───────────────────────────────────────────────────


def objective_not_scalar(span: Span, name: str, actual: Any) -> Diagnostic:
    return _error("G401", span, f"the objective `{name}` must be a scalar float, not {actual}",
                  hint="reduce it, for example with sum(...)" if actual.shape else "")  # fmt: skip


def no_objective(span: Span) -> Diagnostic:
    return _error("G402", span, "there is no objective to take the gradient of",
                  hint="an objective is a scalar float; of several outputs, name it: "
                  "objective NAME")  # fmt: skip


def nothing_to_differentiate(span: Span, name: str, what: str) -> Diagnostic:
    return _error("G403", span, f"there is no gradient for `{name}`", what)


def gradient_of_expression(span: Span) -> Diagnostic:
    return _error("G405", span, "`grad` takes a name as its second argument",
                  "this is an expression", hint="give it a name: node a = ...")  # fmt: skip


def wide_forward(span: Span, actual: str) -> Diagnostic:
    return _error("G406", span, f"forward mode makes one pass for each entry of {actual}",
                  "the number of passes is not known, or above 64",
                  hint="leave out mode: reverse mode makes one pass")  # fmt: skip


def rule_not_linear(span: Span, name: str) -> Diagnostic:
    return _error("G407", span, f"`{name}` is not linear in the gradient that arrives",
                  hint="forward mode and rules of several results need a rule that is")  # fmt: skip


def unknown_mode(span: Span) -> Diagnostic:
    return _error("G303", span, '`mode` must be "reverse" or "forward"', "needed when compiling")


def no_dependence(span: Span, value: str, name: str) -> Diagnostic:
    return _error("G507", span, f"{value} does not depend on `{name}`", "this gradient is zero",
                  severity=Severity.WARNING)  # fmt: skip


# ── G5xx: warnings ──────────────────────────────────────────────────────────


def grows_both(span: Span, left: str, right: str, result: str) -> Diagnostic:
    return _error("G502", span, f"both operands grow: {left} with {right} gives {result}",
                  hint="if that is meant, write `# gradc: allow G502` on this line",
                  severity=Severity.WARNING)  # fmt: skip


def domain_left(
    span: Span, name: str, wanted: str, place: Span, known: str, hint: str
) -> Diagnostic:
    label = known if place == span else ""
    others = () if place == span else ((place, known),)
    return _error("G501", span, f"the operand of `{name}` is not known to be {wanted}", label,
                  *others, hint=hint, severity=Severity.WARNING)  # fmt: skip


def not_differentiable(span: Span, name: str, cut: Span) -> Diagnostic:
    return _error("G508", span, f"the gradient of `{name}` is always zero", "no derivative",
                  (cut, "this has none, and there is no other path"),
                  hint="declare it as `data`, or give the function a `rule`",
                  severity=Severity.WARNING)  # fmt: skip


def unreached_input(span: Span, name: str, objective: str) -> Diagnostic:
    return _error("G503", span, f"`{name}` never reaches `{objective}`", "its gradient is zero",
                  severity=Severity.WARNING)  # fmt: skip


def input_without_gradient(span: Span, name: str, actual: Any) -> Diagnostic:
    return _error("G506", span, f"the input `{name}` gets no gradient", f"it is {actual}",
                  hint="declare it as `data`, or make it float",
                  severity=Severity.WARNING)  # fmt: skip


def unused_node(span: Span, name: str) -> Diagnostic:
    return _error("G505", span, f"no output needs `{name}`", "it is not computed",
                  severity=Severity.WARNING)  # fmt: skip
