"""Operations that act on each entry; operands broadcast.

A rule is the slope: the derivative of the entry with respect to the operand's entry.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

from .. import intervals as iv
from ..intervals import FINITE, NON_NEGATIVE, OPEN_UNIT, POSITIVE, UNIT, Interval
from ..shapes import Kind, Mismatch, Type, broadcast
from .declare import Attributes, Infer, Table

TABLE = Table()


def _entries(minimum: Kind, exactly: Kind | None = None, only_bool: bool = False) -> Infer:
    def infer(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
        if only_bool:
            for position, t in enumerate(types):
                if t.kind is not Kind.BOOL:
                    raise Mismatch(
                        "G301",
                        f"a truth value is needed here, not {t}",
                        f"this is {t}",
                        "compare it, for example with `!= 0`",
                        position,
                    )
        kind = exactly if exactly is not None else max([t.kind for t in types] + [minimum])
        shape = broadcast([t.shape for t in types])
        for t in types:
            if t.kind is kind and t.shape is shape:
                return t, attributes
        return Type(kind, shape), attributes

    return infer


def entrywise(table: Table, name: str, signature: str, doc: str, **declaration: Any) -> None:
    """Declares an operation on entries. ``minimum`` or ``exactly`` say what kind results are;
    ``only_bool`` admits truth values alone."""
    minimum = declaration.pop("minimum", Kind.FLOAT)
    exactly = declaration.pop("exactly", None)
    only_bool = declaration.pop("only_bool", False)
    declaration.setdefault("infer", _entries(minimum, exactly, only_bool))
    table.declare(name, signature, doc, family="elementwise", **declaration)


def function(table: Table, name: str, doc: str, slope: str, **declaration: Any) -> None:
    """A function of one float that NumPy and ``math`` have under the same name, unless said."""
    declaration.setdefault("numpy", f"np.{name}({{x}})")
    declaration.setdefault("math", f"math.{name}({{x}})")
    declaration.setdefault("paper", f"{name}({{x}})")
    declaration.setdefault("latex", rf"\{name}({{x}})")
    declaration["rules"] = {"x": slope} if slope else {}
    entrywise(table, name, "x", doc, **declaration)


_declare = partial(entrywise, TABLE)
_unary = partial(function, TABLE)


# ── Arithmetic ──────────────────────────────────────────────────────────────

_declare(
    "add", "a, b", "The sum.",
    numpy="{a} + {b}", math="{a} + {b}", paper="{a} + {b}", latex="{a} + {b}",
    linear="a + b",
    rules={"a": "1", "b": "1"}, minimum=Kind.INT, values=iv.add, commutative=True,
)  # fmt: skip
_declare(
    "subtract", "a, b", "The difference.",
    numpy="{a} - {b}", math="{a} - {b}", paper="{a} - {b}", latex="{a} - {b}",
    linear="a + b", rules={"a": "1", "b": "-1"}, minimum=Kind.INT, values=iv.subtract,
)  # fmt: skip
_declare(
    "multiply", "a, b", "The product, entry by entry.",
    numpy="{a} * {b}", math="{a} * {b}", paper="{a} * {b}", latex="{a} {b}",
    linear="a, b", rules={"a": "b", "b": "a"},
    minimum=Kind.INT, values=iv.multiply, commutative=True,
)  # fmt: skip
_declare(
    "divide", "a, b", "The quotient; a float, also of integers.",
    numpy="{a} / {b}", math="{a} / {b}", paper="{a} / {b}", latex=r"\frac{{a}}{{b}}",
    safe={"b": POSITIVE}, domain={"b": POSITIVE}, linear="a",
    rules={"a": "1 / b", "b": "-y / b"}, shown={"b": "-a / b^2"}, values=iv.divide, cost=0.7,
)  # fmt: skip
_declare(
    "floor_divide", "a, b", "The quotient rounded down, as Python's `//`.",
    numpy="{a} // {b}", math="_floor_divide({a}, {b})", paper="{a} // {b}",
    latex=r"\lfloor {a} / {b} \rfloor", minimum=Kind.INT, domain={"b": POSITIVE}, cost=10.0,
)  # fmt: skip
_declare(
    "remainder", "a, b", "What `//` leaves, with the sign of the divisor, as Python's `%`.",
    numpy="{a} % {b}", math="_remainder({a}, {b})", paper="{a} % {b}", latex=r"{a} \bmod {b}",
    rules={"a": "1", "b": "-(a // b)"}, minimum=Kind.INT, domain={"b": POSITIVE}, cost=10.0,
)  # fmt: skip
_declare(
    "negative", "x", "The negative.",
    numpy="-{x}", math="-{x}", paper="-{x}", latex="-{x}",
    linear="x", rules={"x": "-1"}, minimum=Kind.INT, values=iv.negative, cost=0.3,
)  # fmt: skip


def _power_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    shape = broadcast([t.shape for t in types])
    natural = attributes.get("natural", False) and types[0].kind is not Kind.FLOAT
    return Type(Kind.INT if natural else Kind.FLOAT, shape), attributes


_declare(
    "power", "a, b", "`a` to the power `b`; an integer to a literal natural power is an integer.",
    infer=_power_type, numpy="{a} ** {b}", math="_power({a}, {b})", paper="{a}^{b}",
    latex="{a}^{{b}}", cautious=True, domain={"a": POSITIVE},
    rules={
        "a": "if b == 0 then 0 else b * a^(b - 1)",
        "b": "if a == 0 and b >= 0 then 0 else y * log(a)",
    },
    shown={"a": "b * a^(b - 1)", "b": "a^b * log(a)"}, cost=40.0,
)  # fmt: skip
_declare(
    "int_power", "a, b", "An integer to a natural power.",
    numpy="{a} ** {b}", math="{a} ** {b}", paper="{a}^{b}", latex="{a}^{{b}}",
    minimum=Kind.INT, public=False, cost=2.5,
)  # fmt: skip
_unary(
    "square", "The square.", "2 * x",
    numpy="{x} ** 2", math="{x} * {x}", paper="{x}²", latex="{x}^2",
    minimum=Kind.INT, values=iv.square, cost=0.4,
)  # fmt: skip

# ── Exponentials, logarithms, roots ─────────────────────────────────────────

_EXP_SAFE = Interval(high=709.0)
_unary("exp", "The exponential.", "y", safe={"x": _EXP_SAFE}, latex="e^{{x}}",
       values=iv.increasing(math.exp, NON_NEGATIVE), cost=(1.0, 4.5))  # fmt: skip
_unary("expm1", "`exp(x) - 1`, accurate near 0.", "exp(x)", safe={"x": _EXP_SAFE},
       latex="e^{{x}} - 1",
       values=iv.increasing(math.expm1, Interval(-1.0)), cost=(1.5, 6.0))  # fmt: skip
_unary("log", "The natural logarithm.", "1 / x", safe={"x": POSITIVE}, domain={"x": POSITIVE},
       cautious=True,
       values=iv.increasing(math.log), cost=(1.0, 3.5))  # fmt: skip
_unary("log1p", "`log(1 + x)`, accurate near 0.", "1 / (1 + x)",
       safe={"x": Interval(-1.0, open_low=True)},
       cautious=True, domain={"x": Interval(-1.0, open_low=True)},
       latex=r"\log(1 + {x})", values=iv.increasing(math.log1p), cost=(1.1, 5.3))  # fmt: skip
TABLE.declare(
    "sqrt", "x", "The square root. At 0 the slope is infinite, and 0 where nothing arrives.",
    infer=_entries(Kind.FLOAT), numpy="np.sqrt({x})", math="math.sqrt({x})", paper="sqrt({x})",
    latex=r"\sqrt{{x}}", family="pointwise",
    convention="sqrt at 0 sends back 0 where nothing arrives, else inf",
    safe={"x": NON_NEGATIVE}, cautious=True, domain={"x": POSITIVE},
    rules={"x": "if x == 0 and dy == 0 then 0 else dy / (2 * y)"},
    shown={"x": "1 / (2 * sqrt(x))"}, tangent="if x == 0 and dx == 0 then 0 else dx / (2 * y)",
    values=iv.increasing(math.sqrt, NON_NEGATIVE), cost=1.0,
)  # fmt: skip

_declare(
    "logaddexp", "a, b", "`log(exp(a) + exp(b))`, without overflow.",
    numpy="np.logaddexp({a}, {b})", math="_logaddexp({a}, {b})", paper="logaddexp({a}, {b})",
    latex=r"\log(e^{{a}} + e^{{b}})", commutative=True,
    rules={
        "a": "if y == -inf then 0 else sigmoid(a - b)",
        "b": "if y == -inf then 0 else sigmoid(b - a)",
    },
    shown={"a": "sigmoid(a - b)", "b": "sigmoid(b - a)"}, cost=(15.0, 24.0),
)  # fmt: skip
_declare(
    "hypot", "a, b", "`sqrt(a^2 + b^2)`, without overflow; the slope at 0 is 0.",
    numpy="np.hypot({a}, {b})", math="math.hypot({a}, {b})", paper="hypot({a}, {b})",
    latex=r"\sqrt{{a}^2 + {b}^2}", commutative=True, convention="hypot has slope 0 at 0",
    rules={"a": "if y == 0 then 0 else a / y", "b": "if y == 0 then 0 else b / y"},
    shown={"a": "a / hypot(a, b)", "b": "b / hypot(a, b)"},
    values=iv.constant(NON_NEGATIVE), cost=13.0,
)  # fmt: skip
_declare(
    "xlogy", "a, b", "`a * log(b)`, and 0 where `a` is 0.",
    numpy="_xlogy({a}, {b})", math="_xlogy({a}, {b})", paper="{a} * log({b})",
    latex=r"{a} \log {b}", domain={"a": POSITIVE, "b": POSITIVE},
    rules={"a": "log(b)", "b": "if a == 0 then 0 else a / b"},
    shown={"b": "a / b"}, cost=(7.0, 10.0),
)  # fmt: skip

# ── Trigonometric and hyperbolic functions ──────────────────────────────────

_unary("sin", "The sine.", "cos(x)", safe={"x": FINITE}, values=iv.constant(UNIT), cost=8.5)
_unary("cos", "The cosine.", "-sin(x)", safe={"x": FINITE}, values=iv.constant(UNIT), cost=8.5)
_unary("tan", "The tangent.", "1 + y^2", safe={"x": FINITE}, domain={"x": Interval(-1.5, 1.5)},
       cost=(1.8, 9.1))  # fmt: skip
_unary("arcsin", "The inverse sine.", "1 / sqrt((1 - x) * (1 + x))", math="math.asin({x})",
       safe={"x": UNIT},
       cautious=True, domain={"x": OPEN_UNIT}, values=iv.constant(Interval(-1.6, 1.6)),
       cost=(2.1, 9.0),
       )  # fmt: skip
_unary("arccos", "The inverse cosine.", "-1 / sqrt((1 - x) * (1 + x))", math="math.acos({x})",
       safe={"x": UNIT},
       cautious=True, domain={"x": OPEN_UNIT}, values=iv.constant(Interval(0.0, 3.2)),
       cost=(2.2, 9.0),
       )  # fmt: skip
_unary("arctan", "The inverse tangent.", "1 / (1 + x^2)", math="math.atan({x})",
       values=iv.constant(Interval(-1.6, 1.6)), cost=(1.9, 9.0))  # fmt: skip
_HYPERBOLIC_SAFE = Interval(-709.0, 709.0)
_unary("sinh", "The hyperbolic sine.", "cosh(x)", safe={"x": _HYPERBOLIC_SAFE}, cost=(1.9, 9.0))
_unary("cosh", "The hyperbolic cosine.", "sinh(x)", safe={"x": _HYPERBOLIC_SAFE},
       values=iv.constant(Interval(1.0)), cost=(1.6, 9.0))  # fmt: skip
_unary("tanh", "The hyperbolic tangent.", "1 - y^2", values=iv.constant(UNIT), cost=(2.0, 6.4))

# ── Activation functions ────────────────────────────────────────────────────

_unary("sigmoid", "The logistic function `1 / (1 + exp(-x))`, without overflow.", "(1 - y) * y",
       numpy="_sigmoid({x})", math="_sigmoid({x})", paper="σ({x})", latex=r"\sigma({x})",
       values=iv.constant(Interval(0.0, 1.0)), cost=(4.0, 7.5))  # fmt: skip
_unary("relu", "The positive part; the slope at 0 is 0.", "x > 0",
       convention="relu has slope 0 at 0",
       numpy="np.maximum({x}, 0)", math="_maximum({x}, 0.0)", latex=r"\mathrm{relu}({x})",
       values=lambda x: iv.maximum((x[0], iv.point(0.0))), cost=1.5)  # fmt: skip
_unary("softplus", "`log(1 + exp(x))`, without overflow.", "sigmoid(x)",
       numpy="_softplus({x})", math="_softplus({x})", latex=r"\mathrm{softplus}({x})",
       values=iv.constant(NON_NEGATIVE), cost=(4.5, 12.0))  # fmt: skip

# ── Kinks and steps ─────────────────────────────────────────────────────────

_unary("abs", "The absolute value; the slope at 0 is 0.", "sign(x)",
       convention="abs has slope 0 at 0",
       numpy="np.abs({x})", math="abs({x})", paper="|{x}|", latex="|{x}|",
       minimum=Kind.INT, values=iv.absolute)  # fmt: skip
_unary("sign", "-1, 0 or 1.", "", numpy="np.sign({x})", math="_sign({x})",
       minimum=Kind.INT, latex=r"\mathrm{sign}({x})", values=iv.constant(UNIT),
       cost=1.6)  # fmt: skip
_declare(
    "maximum", "a, b", "The larger; at a tie each has slope 1/2.",
    convention="maximum gives each operand 1/2 at a tie",
    numpy="np.maximum({a}, {b})", math="_maximum({a}, {b})", paper="max({a}, {b})",
    latex=r"\max({a}, {b})", minimum=Kind.INT, values=iv.maximum, commutative=True, cost=1.0,
    rules={"a": "(a > b) + 0.5 * (a == b)", "b": "(b > a) + 0.5 * (a == b)"},
)  # fmt: skip
_declare(
    "minimum", "a, b", "The smaller; at a tie each has slope 1/2.",
    convention="minimum gives each operand 1/2 at a tie",
    numpy="np.minimum({a}, {b})", math="_minimum({a}, {b})", paper="min({a}, {b})",
    latex=r"\min({a}, {b})", minimum=Kind.INT, values=iv.minimum, commutative=True, cost=1.0,
    rules={"a": "(a < b) + 0.5 * (a == b)", "b": "(b < a) + 0.5 * (a == b)"},
)  # fmt: skip


def _clip_text(types: Sequence[Type], attributes: Attributes) -> str:
    """To the stubs of NumPy, clipping a scalar gives a scalar, whatever the bounds are."""
    if types[0].rank < max(types[1].rank, types[2].rank):
        return "np.minimum(np.maximum({x}, {low}), {high})"
    return "np.clip({x}, {low}, {high})"


_declare(
    "clip", "x, low, high", "`x` held between two bounds; at a bound the slope is x's.",
    convention="clip gives x the slope 1 at a bound",
    numpy=_clip_text, math="_clip({x}, {low}, {high})",
    latex=r"\mathrm{clip}({x}, {low}, {high})", paper="clip({x}, {low}, {high})",
    minimum=Kind.INT, values=lambda v: iv.minimum((iv.maximum((v[0], v[1])), v[2])),
    rules={
        "x": "x >= low and x <= high",
        "low": "low <= high and x < low",
        "high": "x > high or low > high",
    },
    cost=2.0,
)  # fmt: skip


def _where_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    if types[0].kind is not Kind.BOOL:
        raise Mismatch(
            "G302",
            f"a condition must be bool, not {types[0]}",
            f"this is {types[0]}",
            "compare it, for example with `!= 0`",
            0,
        )
    kind = max(types[1].kind, types[2].kind)
    return Type(kind, broadcast([t.shape for t in types])), attributes


TABLE.declare(
    "where", "condition, a, b",
    "`a` where the condition holds, else `b`; the branch not taken contributes nothing.",
    sample="where(condition: bool[N], a: [N], b: [])",
    infer=_where_type, numpy="np.where({condition}, {a}, {b})",
    math="{a} if {condition} else {b}", paper="if {condition} then {a} else {b}",
    latex=r"\begin{cases} {a} & {condition} \\ {b} \end{cases}", family="pointwise",
    convention="the branch not taken contributes 0, even where it is infinite or nan",
    # The reverse pass knows this operation by name: it turns its condition into a guard.
    linear="a + b", rules={"a": "dy", "b": "dy"}, tangent="if condition then da else db",
    values=lambda v: v[1].hull(v[2]), cost=2.0,
)  # fmt: skip

# ── Comparison and logic ────────────────────────────────────────────────────

for _name, _symbol, _latex, _doc in (
    ("less", "<", "<", "Whether a < b."),
    ("less_equal", "<=", r"\le", "Whether a <= b."),
    ("greater", ">", ">", "Whether a > b."),
    ("greater_equal", ">=", r"\ge", "Whether a >= b."),
    ("equal", "==", "=", "Whether a = b."),
    ("not_equal", "!=", r"\ne", "Whether a and b differ."),
):
    _declare(
        _name, "a, b", _doc, numpy=f"{{a}} {_symbol} {{b}}", math=f"{{a}} {_symbol} {{b}}",
        paper=f"{{a}} {_symbol} {{b}}", latex=f"{{a}} {_latex} {{b}}", exactly=Kind.BOOL,
        commutative=_symbol in ("==", "!="), values=iv.constant(Interval(0.0, 1.0)), cost=0.3,
    )  # fmt: skip

for _name, _symbol, _word, _latex in (
    ("logical_and", "&", "and", r"\land"),
    ("logical_or", "|", "or", r"\lor"),
):
    _declare(
        _name, "a, b", f"`a {_word} b`, entry by entry.",
        numpy=f"{{a}} {_symbol} {{b}}", math=f"{{a}} {_word} {{b}}",
        paper=f"{{a}} {_word} {{b}}", latex=f"{{a}} {_latex} {{b}}",
        exactly=Kind.BOOL, only_bool=True, commutative=True, cost=0.2,
        values=iv.constant(Interval(0.0, 1.0)),
    )  # fmt: skip
_declare(
    "logical_not", "x", "`not x`, entry by entry.",
    numpy="~{x}", math="not {x}", paper="not {x}", latex=r"\lnot {x}",
    exactly=Kind.BOOL, only_bool=True, values=iv.constant(Interval(0.0, 1.0)), cost=0.2,
)  # fmt: skip


def _as_float_text(types: Sequence[Type], attributes: Attributes) -> str:
    return "np.asarray({x}, {dtype})" if types[0].rank else "{dtype}.type({x})"


def _as_int_text(types: Sequence[Type], attributes: Attributes) -> str:
    return "np.asarray({x}, np.int64)" if types[0].rank else "np.int64({x})"


_declare(
    "as_float", "x", "The same number in the working precision.",
    numpy=_as_float_text, math="float({x})", paper="{x}", latex="{x}", linear="x",
    rules={"x": "1"}, public=False, values=iv.same, cost=0.4,
)  # fmt: skip
_declare(
    "as_int", "x", "The same truth value as a number.",
    numpy=_as_int_text, math="int({x})", paper="{x}", latex="{x}",
    exactly=Kind.INT, only_bool=True, public=False, values=iv.same, cost=0.4,
)  # fmt: skip
_declare(
    "detach", "x", "The same value, through which no gradient goes.",
    numpy="{x}", math="{x}", paper="detach({x})", latex="{x}", minimum=Kind.BOOL, values=iv.same,
    view=True,
)  # fmt: skip
_declare(
    "alias", "x", "The same value under another name.",
    numpy="{x}", math="{x}", paper="{x}", latex="{x}", rules={"x": "1"}, minimum=Kind.BOOL,
    linear="x", values=iv.same, view=True, public=False,
)  # fmt: skip

# ── Arithmetic as on paper ──────────────────────────────────────────────────


def _rounded_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    return types[0], attributes


TABLE.declare(
    "round_on_paper", "x, digits:integer",
    "Rounded to decimals, half away from zero; so is the gradient on its way back.",
    infer=_rounded_type, numpy="_round_on_paper({x}, {digits})", paper="{x}", latex="{x}",
    family="pointwise", rules={"x": "round_on_paper(dy, digits=digits)"}, public=False,
    cost=2000.0,
)  # fmt: skip
TABLE.declare(
    "given_on_paper", "x, digits:integer", "As given; the gradient is rounded on its way back.",
    infer=_rounded_type, numpy="{x}", paper="{x}", latex="{x}",
    family="pointwise", rules={"x": "round_on_paper(dy, digits=digits)"}, public=False,
)  # fmt: skip
