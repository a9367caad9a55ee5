"""More functions of one or two floats, under the names of NumPy."""

from __future__ import annotations

import math

from .. import intervals as iv
from ..intervals import OPEN_UNIT, POSITIVE, Interval
from .declare import Table
from .elementwise import entrywise, function

TABLE = Table()
_FROM_ONE = Interval(1.0, open_low=True)

# ── Roots, powers and logarithms ────────────────────────────────────────────

function(TABLE, "cbrt", "The cube root, also of negative numbers.", "1 / (3 * y^2)",
         domain={"x": POSITIVE}, latex=r"\sqrt[3]{{x}}", cost=(1.3, 15.0))  # fmt: skip
function(TABLE, "exp2", "2 to the power `x`.", "y * log(2)", safe={"x": Interval(high=1023.0)},
         latex="2^{{x}}", values=iv.constant(iv.NON_NEGATIVE), cost=(1.0, 4.5))  # fmt: skip
function(TABLE, "log2", "The logarithm to base 2.", "1 / (x * log(2))", safe={"x": POSITIVE},

         cautious=True, domain={"x": POSITIVE}, latex=r"\log_2 {x}",
         values=iv.increasing(math.log2), cost=(1.1, 5.0))  # fmt: skip
function(TABLE, "log10", "The logarithm to base 10.", "1 / (x * log(10))", safe={"x": POSITIVE},
         cautious=True, domain={"x": POSITIVE}, latex=r"\log_{10} {x}",
         values=iv.increasing(math.log10), cost=(1.1, 5.0))  # fmt: skip
function(TABLE, "reciprocal", "`1 / x`.", "-y^2", shown={"x": "-1 / x^2"},
         numpy="1 / {x}", math="1 / {x}", paper="1 / {x}", latex=r"\frac{1}{{x}}",
         safe={"x": POSITIVE}, domain={"x": POSITIVE}, cost=0.7)  # fmt: skip

# ── Inverse hyperbolic functions, angles ────────────────────────────────────

function(TABLE, "arcsinh", "The inverse hyperbolic sine.", "1 / hypot(1, x)",
         math="math.asinh({x})", latex=r"\mathrm{arsinh}({x})", cost=(2.4, 15.0))  # fmt: skip
function(TABLE, "arccosh", "The inverse hyperbolic cosine.", "1 / (sqrt(x - 1) * sqrt(x + 1))",
         math="math.acosh({x})", safe={"x": Interval(1.0)}, cautious=True, domain={"x": _FROM_ONE},
         latex=r"\mathrm{arcosh}({x})", values=iv.constant(iv.NON_NEGATIVE),
         cost=(4.9, 15.0))  # fmt: skip
function(TABLE, "arctanh", "The inverse hyperbolic tangent.", "1 / ((1 - x) * (1 + x))",
         math="math.atanh({x})", safe={"x": OPEN_UNIT}, cautious=True, domain={"x": OPEN_UNIT},
         latex=r"\mathrm{artanh}({x})", cost=(2.5, 15.0))  # fmt: skip
entrywise(TABLE, "arctan2", "a, b", "The angle of the point with the height `a` over `b`.",
          numpy="np.arctan2({a}, {b})", math="math.atan2({a}, {b})", paper="arctan2({a}, {b})",
          latex=r"\mathrm{arctan2}({a}, {b})", values=iv.constant(Interval(-3.2, 3.2)),
          rules={"a": "b / hypot(a, b) / hypot(a, b)",
                 "b": "-(a / hypot(a, b) / hypot(a, b))"},
          shown={"a": "b / (a^2 + b^2)", "b": "-a / (a^2 + b^2)"}, cost=(3.3, 15.0))  # fmt: skip

# ── Rounding: piecewise constant, so without a gradient ─────────────────────

function(TABLE, "floor", "Rounded down.", "", math="_floor({x})",
         latex=r"\lfloor {x} \rfloor")  # fmt: skip
function(TABLE, "ceil", "Rounded up.", "", math="_ceil({x})", latex=r"\lceil {x} \rceil")
function(TABLE, "trunc", "Rounded towards 0.", "", math="_trunc({x})",
         latex=r"\mathrm{trunc}({x})")  # fmt: skip
function(TABLE, "round", "Rounded to the nearest integer, halves to the even one.", "",
         math="_round({x})", latex=r"\mathrm{round}({x})")  # fmt: skip
