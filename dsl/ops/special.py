"""Special functions: sinc, the error function, the logarithm of the gamma function."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .. import intervals as iv
from ..intervals import POSITIVE, UNIT, Interval
from ..shapes import Kind
from .declare import Table
from .elementwise import entrywise, function

TABLE = Table()

# ── sinc ────────────────────────────────────────────────────────────────────

function(TABLE, "sinc", "`sin(pi * x) / (pi * x)`, and 1 at 0, where the slope is 0.",
         "sinc_derivative(x, order=1)", shown={"x": "(cos(pi * x) - sinc(x)) / x"},
         math="_sinc({x})", latex=r"\mathrm{sinc}({x})", convention="sinc has slope 0 at 0",
         values=iv.constant(Interval(-0.22, 1.0)), cost=17.0)  # fmt: skip
entrywise(TABLE, "sinc_derivative", "x, order:integer", "The derivatives of `sinc`.",
          numpy="_sinc_derivative({x}, {order})", math="_sinc_derivative({x}, {order})",
          paper="sinc^({order})({x})", latex=r"\mathrm{sinc}^{({order})}({x})",
          rules={"x": "sinc_derivative(x, order=order + 1)"}, public=False, cost=20.0)  # fmt: skip

# ── The error function ──────────────────────────────────────────────────────

function(TABLE, "erf", "The error function, `2 / sqrt(pi)` times the integral of `exp(-t^2)`.",
         "1.1283791670955126 * exp(-x^2)", shown={"x": "2 / sqrt(pi) * exp(-x^2)"},
         numpy="_erf({x})", latex=r"\mathrm{erf}({x})",
         values=iv.increasing(math.erf, UNIT), cost=10.0)  # fmt: skip
function(TABLE, "erfc", "`1 - erf(x)`, accurate where that is tiny.",
         "-1.1283791670955126 * exp(-x^2)", shown={"x": "-2 / sqrt(pi) * exp(-x^2)"},
         numpy="_erfc({x})", latex=r"\mathrm{erfc}({x})",
         values=iv.constant(Interval(0.0, 2.0)), cost=10.0)  # fmt: skip

# ── The gamma function ──────────────────────────────────────────────────────


def _lgamma_values(operands: Sequence[Interval]) -> Interval:
    (x,) = operands
    return Interval(-0.1215) if x.low >= 0.0 else iv.REAL


function(TABLE, "lgamma", "The logarithm of `|gamma(x)|`; infinite at 0, -1, -2 and so on.",
         "digamma(x)", numpy="_lgamma({x})", latex=r"\log|\Gamma({x})|",
         safe={"x": Interval(0.0, 1e305, open_low=True)}, domain={"x": POSITIVE},
         values=_lgamma_values, cost=40.0)  # fmt: skip
function(TABLE, "digamma", "The slope of `lgamma`; nan at negative integers.",
         "polygamma(x, order=1)", numpy="_polygamma({x}, 0)", math="_polygamma({x}, 0)",
         paper="ψ({x})", latex=r"\psi({x})", domain={"x": POSITIVE}, cost=40.0)  # fmt: skip
entrywise(TABLE, "polygamma", "x, order:integer", "The derivatives of `digamma`.",
          numpy="_polygamma({x}, {order})", math="_polygamma({x}, {order})",
          paper="ψ^({order})({x})", latex=r"\psi^{({order})}({x})", domain={"x": POSITIVE},
          rules={"x": "polygamma(x, order=order + 1)"}, public=False, cost=60.0)  # fmt: skip

# ── Whether a float is a number ─────────────────────────────────────────────

for _name, _doc in (
    ("isfinite", "Whether x is neither infinite nor nan."),
    ("isnan", "Whether x is nan."),
    ("isinf", "Whether x is infinite."),
):
    function(TABLE, _name, _doc, "", exactly=Kind.BOOL, latex=rf"\mathrm{{{_name}}}({{x}})",
             values=iv.constant(Interval(0.0, 1.0)))  # fmt: skip
