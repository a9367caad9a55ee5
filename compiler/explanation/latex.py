"""An explanation as LaTeX that needs nothing but ``amsmath``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache

from .layout import Layout
from .notation import PRODUCT, Notation, Piece
from .steps import Explanation, NodeSteps
from .terms import Applied, Term

_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "ζ": "zeta",
    "η": "eta", "θ": "theta", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi",
    "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "varphi", "χ": "chi", "ψ": "psi",
    "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi",
    "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip
_SPELLED = {name: name for name in (*_GREEK.values(), "epsilon", "phi")}
_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
    "%": r"\%", "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": "$<$",
    ">": "$>$", "|": "$|$", "×": r"$\times$", "∞": r"$\infty$", "›": "$>$", '"': "''",
    **{letter: rf"$\{name}$" for letter, name in _GREEK.items()},
}  # fmt: skip
_WORD = re.compile(r"([^\W\d_]+)_?(\d*)")
_ROMAN = re.compile(r"\\mathrm\{([^{}]*)\}")
_FUNCTION = re.compile(r"(\\\w+|\\mathrm\{\w+\})\(\{\w+\}\)")

_TALL = re.compile(r"\\(frac|begin|left|sum|prod|sqrt)|\^")


def escaped(text: str) -> str:
    """Any text, to be read as text."""
    return "".join(_SPECIAL.get(c, c if c.isascii() else "?") for c in text)


class Latex(Notation):
    symbols: Mapping[str, str] = {
        "<=": r" \le ", ">=": r" \ge ", "==": " = ", "!=": r" \ne ", "and": r" \land ",
        "or": r" \lor ", "%": r" \bmod ", "//": r" \mathbin{//} ", "entrywise": r" \odot ",
        "times": r" \times ", "dot": r" \cdot ", "beside": r" \, ",
    }  # fmt: skip
    constants: Mapping[str, str] = {"pi": r"\pi", "inf": r"\infty"}
    dots = r"\cdots"
    open_marks, close_marks = "([|{,", ")]|},"
    quotient_level = PRODUCT

    def prime(self, function: Applied) -> str:
        found = _FUNCTION.fullmatch(self.template(function))
        return (found[1] if found else self.function_name(function.function)) + "'"

    def ratio(self, top: str, bottom: str) -> str:
        return rf"\frac{{{top}}}{{{bottom}}}"

    def partial(self, part: tuple[str, str]) -> str:
        return rf"\partial {self.entry(part)}"

    def entry(self, part: tuple[str, str]) -> str:
        name, letters = part
        if name in ("δ", "Σ"):
            sign = r"\delta" if name == "δ" else r"\sum"
            return f"{sign}_{{{letters}}}"
        label = self.label(name)
        if not letters:
            return label
        return rf"{f'{{{label}}}' if '_' in label else label}_{{{letters}}}"

    def sum_of(self, text: str) -> str:
        return rf"\text{{sum of }} {text}"

    def sentence(self, words: str, *formulas: str) -> str:
        parts = re.split(r"\{(\d)\}", words)
        return "".join(f"${formulas[int(p)]}$" if i % 2 else escaped(p)
                       for i, p in enumerate(parts))  # fmt: skip

    def label(self, text: str) -> str:
        found = _WORD.fullmatch(text)
        if found is None:
            return self.words(text)
        name, number = found.groups()
        if len(name) == 1 and name.isascii():
            word = name
        elif name in _GREEK or name in _SPELLED:
            word = rf"\{_GREEK.get(name, name)}"
        else:
            word = self.words(name)
        return f"{word}_{{{number}}}" if number else word

    def differential(self, text: str) -> str:
        return f"d{' ' if text[:1].isalpha() else ''}{text}"

    def transposed(self, text: str) -> str:
        return rf"{text}^\top"

    def number(self, text: str) -> str:
        mantissa, _, exponent = text.partition("e")
        if exponent and exponent.lstrip("-").isdigit():
            return rf"{mantissa} \cdot 10^{{{exponent}}}"
        return text.replace("∞", r"\infty") if not text.isalpha() else rf"\mathrm{{{text}}}"

    def summary(self, text: str, is_turned: bool) -> str:
        mark = r"^\top" if is_turned else ""
        return rf"[\text{{{escaped(text)}}}]{mark}"

    def matrix(self, rows: Sequence[Sequence[str]]) -> str:
        column = len(rows[0]) == 1
        texts = [[row[0] for row in rows]] if column else rows
        inside = r" \\ ".join(" & ".join(map(self.number, row)) for row in texts)
        mark = r"^\top" if column else ""
        return rf"\begin{{bmatrix}} {inside} \end{{bmatrix}}{mark}"

    def template(self, term: Applied) -> str:
        if not term.op.latex:
            return super().template(term)
        template = _safe(term.op.latex)
        if term.remark and template.endswith(")"):
            return rf"{template[:-1]}, \text{{{escaped(term.remark)}}})"
        return template

    def option(self, text: str) -> str:
        return text if re.fullmatch(r"[\d:, .-]*", text) else self.words(text)

    def grouped(self, text: str) -> str:
        return rf"\left({text}\right)" if _TALL.search(text) else f"({text})"

    def placed(self, term: Term, template: str, hole: re.Match[str]) -> str:
        text = super().placed(term, template, hole)
        again = template[hole.end() :].startswith("_") and "_" in text
        return f"{{{text}}}" if again else text

    def power(self, base: Piece, exponent: Piece) -> str:
        return f"{self.base(base)}^{{{exponent.text}}}"

    def base(self, piece: Piece) -> str:
        raised = "^" in piece.text and not piece.text.startswith(r"\left(")
        return rf"\left({piece.text}\right)" if raised else super().base(piece)

    def quotient(self, top: Piece, bottom: Piece) -> str:
        return rf"\frac{{{top.text}}}{{{bottom.text}}}"

    def choice(self, condition: str, then: str, otherwise: str) -> str:
        return (
            rf"\begin{{cases}} {then} & \text{{if }} {condition} \\ "
            rf"{otherwise} & \text{{else}} \end{{cases}}"
        )

    def negation(self, text: str) -> str:
        return rf"\lnot {text}"

    def function_name(self, name: str) -> str:
        return rf"\mathrm{{{escaped(name)}}}"

    def words(self, text: str) -> str:
        return rf"\text{{{escaped(text)}}}"


@cache
def _safe(template: str) -> str:
    """A text of the table whose words may have underscores."""
    return _ROMAN.sub(lambda m: m[0].replace("_", r"\_") if m[1].isascii()
                      else rf"\text{{{escaped(m[1])}}}", template)  # fmt: skip


# ── The document ────────────────────────────────────────────────────────────

_HEAD = r"""\documentclass{article}
\usepackage{amsmath}
\setlength{\textwidth}{17cm}
\setlength{\oddsidemargin}{-0.5cm}
\setlength{\textheight}{23cm}
\setlength{\topmargin}{-1.5cm}
\setlength{\parindent}{0pt}
\setcounter{MaxMatrixCols}{20}
\allowdisplaybreaks
\begin{document}
"""


def latex(explanation: Explanation) -> str:
    """A document of its own."""
    return document(explanation.title, body(explanation))


def document(title: str, lines: Iterable[str]) -> str:
    head = rf"{_HEAD}\section*{{{escaped(title)}}}"
    return "\n".join([head, *lines, r"\end{document}", ""])


def body(explanation: Explanation) -> Iterator[str]:
    writer = LatexLayout(Latex(explanation.digits))
    if explanation.sentence:
        yield escaped(explanation.sentence)
    for entry in explanation.told:
        yield ""
        yield from writer.entry(entry)
        if explanation.only and entry.inside is not None:
            yield from body(entry.inside)


class LatexLayout(Layout):
    def entry(self, entry: NodeSteps) -> Iterator[str]:
        where = f"{entry.place}: {entry.written}" if entry.written else entry.place
        yield rf"\medskip\hrule\medskip {{\small {escaped(where)}}}"
        yield from self.display(self.equations(entry))
        remarks = [*self.remarks(entry), *(n for e in entry.edges for n in self.notes(e))]
        for remark in dict.fromkeys(remarks):
            yield rf"{{\small {remark}}}\par"

    def display(self, equations: Iterator[tuple[str, ...]]) -> Iterator[str]:
        yield from (r"\begin{align*}", self.rows(equations), r"\end{align*}")

    def rows(self, equations: Iterator[tuple[str, ...]]) -> str:
        """Equations one below another; the sides of long ones too."""
        rows = []
        for left, *others in equations:
            sign = r" \\ &= " if len("".join(others)) > _LONG else " = "
            rows.append(rf"{left} &= {sign.join(others)}")
        return " \\\\\n".join(rows)

    def equations(self, entry: NodeSteps) -> Iterator[tuple[str, ...]]:
        yield self.definition(entry)
        if function := self.function(entry):
            yield function
        for edge in entry.edges:
            if derivative := self.derivative(edge):
                yield derivative
            yield self.numbers(edge)


_LONG = 160
