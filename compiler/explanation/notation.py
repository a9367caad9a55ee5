"""Formulas as text. ``Notation`` decides on parentheses and signs between factors and writes
Unicode; other notations replace how the pieces look."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ...dsl import ast
from ...dsl.format import expression_text
from ...dsl.ops import OPS
from .index import IndexForm
from .numbers import shown
from .terms import Amount, Applied, Formula, Name, Term, Total, turned

IF, OR, AND, NOT, COMPARE, SUM, QUOTIENT, PRODUCT, SIGNED, POWER, ATOM = range(11)
_LEVELS = {"or": OR, "and": AND, "+": SUM, "-": SUM, "*": PRODUCT, "@": PRODUCT, "/": QUOTIENT,
           "//": QUOTIENT, "%": QUOTIENT, "^": POWER}  # fmt: skip
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_MOST_TERMS, _BEGIN = 8, 3
_HOLE = re.compile(r"\{(\*?\w+)\}")


@dataclass(frozen=True)
class Piece:
    """A formula printed. ``numeric`` has no names, ``array`` has numbers in brackets, and
    ``first`` and ``last`` say that a name alone stands at that end."""

    text: str
    level: int = ATOM
    numeric: bool = False
    array: bool = False
    first: bool = False
    last: bool = False

    @property
    def signed(self) -> bool:
        return self.text.startswith("-")


class Notation:
    """Unicode, on one line."""

    symbols: Mapping[str, str] = {"<=": "≤", ">=": "≥", "==": "=", "!=": "≠"}
    entrywise, times, dot = "⊙", "×", "·"
    constants: Mapping[str, str] = {"pi": "π", "inf": "∞"}
    dots = "…"
    open_marks, close_marks = "([|‖,", ")]|‖,"

    def __init__(self, digits: int | None = None) -> None:
        self.digits = digits

    # ── What formats ask for ────────────────────────────────────────────────

    def text(self, term: Term) -> str:
        return self.piece(term).text

    def product(self, arriving: Term, slope: Term) -> str:
        """What arrives times the local derivative: ``(1.00)(-1/3.25²)``."""
        left, right = self.piece(arriving), self.piece(slope)
        sign = f" {self.entrywise} " if left.array and right.array else ""
        texts = [p.text if p.array and p.level == ATOM else self.grouped(p.text)
                 for p in (left, right)]  # fmt: skip
        gap = " " if not sign and (left.array and left.level == ATOM) else ""
        return f"{texts[0]}{sign or gap}{texts[1]}"

    def function(self, letters: Sequence[Name], body: Term) -> str:
        return f"f({', '.join(map(self.name, letters))}) = {self.text(body)}"

    def derivative(self, letter: Name, slope: Term) -> str:
        return f"df/d{self.name(letter)} = {self.text(slope)}"

    def gradient(self, name: Name) -> str:
        return self.name(replace(name, arriving=True))

    def primed(self, function: Applied, at: Name, slope: Term) -> str:
        return f"{function.function}'({self.name(at)}) = {self.text(slope)}"

    def index_form(self, form: IndexForm) -> str:
        return f"∂{self.entry(form.result)}/∂{self.entry(form.operand)} = " + (
            " ".join(map(self.entry, form.factors)) or "1"
        )

    def entry(self, part: tuple[str, str]) -> str:
        """A name with the letters of its axes."""
        name, letters = part
        return f"{name}_{letters}" if letters else name

    # ── Terms ───────────────────────────────────────────────────────────────

    def piece(self, term: Term) -> Piece:
        match term:
            case Name():
                return Piece(self.name(term), first=True, last=True)
            case Amount():
                return Piece(self.amount(term), numeric=True, array=term.rank > 0)
            case Formula():
                return self.tree(term.tree, term.terms)
            case Total():
                return self.total(term)
        return self.applied(term)

    def total(self, total: Total) -> Piece:
        """A sum; of a long one the beginning and the end."""
        pieces = [(minus, self.piece(term)) for minus, term in total.parts]
        shown_ = [*pieces[:_BEGIN], None, pieces[-1]] if len(pieces) > _MOST_TERMS else pieces
        texts: list[str] = []
        for part in shown_:
            minus, text = (
                (False, self.dots) if part is None else (part[0], self.right(part[1], QUOTIENT))
            )
            texts.append(f" {'-' if minus else '+'} {text}" if texts else "-" * minus + text)
        numeric = all(p.numeric for _, p in pieces)
        return Piece("".join(texts), SUM, numeric, any(p.array for _, p in pieces))

    def name(self, name: Name) -> str:
        text = name.text
        if name.arriving:
            text = f"d{text}" if text.isidentifier() else f"d({text})"
        return self.transposed(text) if name.turned else text

    def transposed(self, text: str) -> str:
        return f"{text}ᵀ"

    def amount(self, amount: Amount) -> str:
        if amount.exact:
            return str(amount.value)
        texts = shown(amount.value, self.digits)
        if texts.summary:
            return self.summary(texts.summary, amount.turned)
        if not texts.rank:
            return self.number(texts.rows[0][0])
        rows = texts.rows
        if amount.turned:
            rows = tuple(zip(*rows, strict=True))
        return self.matrix(rows)

    def number(self, text: str) -> str:
        return text

    def summary(self, text: str, is_turned: bool) -> str:
        return f"[{text}]{'ᵀ' if is_turned else ''}"

    def matrix(self, rows: Sequence[Sequence[str]]) -> str:
        if len(rows[0]) == 1:
            return f"[{' '.join(row[0] for row in rows)}]ᵀ"
        return f"[{'; '.join(' '.join(row) for row in rows)}]"

    def applied(self, term: Applied) -> Piece:
        formula = term.formula
        if formula is not None:
            return self.piece(formula)
        terms = list(term.terms.values()) or list(term.several)
        pieces = [self.piece(t) for t in terms]
        text = self.filled(self.template(term), term)
        if term.remark and text.endswith(")"):
            text = f"{text[:-1]}, {self.words(term.remark)})"
        whole = all(p.numeric for p in pieces)
        level = ATOM if self.closed(text) else SUM
        return Piece(text, level, whole, any(p.array for p in pieces))

    def template(self, term: Applied) -> str:
        return (
            term.op.paper
            or f"{term.op.name}({', '.join(f'{{{p.name}}}' for p in term.op.operands)})"
        )

    def filled(self, template: str, term: Applied) -> str:
        several = ", ".join(map(self.text, term.several))
        parts, end = [], 0
        for hole in _HOLE.finditer(template):
            parts.append(self.literal(template[end : hole.start()]))
            end = hole.end()
            name = hole[1].removeprefix("*")
            if name == "array" or (term.several and name == term.op.operands[0].name):
                parts.append(several if name != "array" else f"[{several}]")
            elif name in term.terms:
                parts.append(self.placed(term.terms[name], template, hole))
            elif name in term.attributes:
                parts.append(self.option(term.option(name)))
            else:
                parts.append(self.literal(hole[0]))
        parts.append(self.literal(template[end:]))
        return "".join(parts)

    def placed(self, term: Term, template: str, hole: re.Match[str]) -> str:
        """An operand in its place, in parentheses unless there are marks around the place."""
        before, after = template[: hole.start()].rstrip(), template[hole.end() :].lstrip()
        piece = self.piece(term)
        begins = not before or before[-1] in self.open_marks
        ends = not after or after[0] in self.close_marks
        bare = piece.level == ATOM and not piece.signed
        return piece.text if bare or (begins and ends) else self.grouped(piece.text)

    def literal(self, text: str) -> str:
        return text

    def option(self, text: str) -> str:
        return text

    def closed(self, text: str) -> bool:
        """Whether a text is one call or stands between marks."""
        return " " not in text.split("(")[0] and text[-1:] in (")", "]", "|", "‖", "ᵀ")

    def grouped(self, text: str) -> str:
        return f"({text})"

    # ── Trees ───────────────────────────────────────────────────────────────

    def tree(self, tree: ast.Expr, terms: Mapping[str, Term]) -> Piece:
        match tree:
            case ast.Name():
                return self.piece(terms[tree.id] if tree.id in terms else Name(tree.id))
            case ast.Number():
                return Piece(self.number(tree.text), numeric=True)
            case ast.Constant():
                return Piece(self.constants.get(tree.name, tree.name), numeric=True)
            case ast.Unary():
                return self.unary(tree, terms)
            case ast.Binary():
                return self.binary(tree, terms)
            case ast.Transpose():
                return self.transpose(tree, terms)
            case ast.IfElse():
                parts = [self.tree(t, terms) for t in (tree.condition, tree.then, tree.otherwise)]
                text = self.choice(*(p.text for p in parts))
                return Piece(text, IF, all(p.numeric for p in parts), any(p.array for p in parts))
            case ast.Call():
                return self.call(tree, terms)
        known = {name: self.text(term) for name, term in terms.items()}
        return Piece(self.words(expression_text(tree, known)), IF)

    def unary(self, tree: ast.Unary, terms: Mapping[str, Term]) -> Piece:
        inner = self.tree(tree.operand, terms)
        if tree.operator == "not":
            return Piece(self.negation(self.at(inner, NOT)), NOT, inner.numeric, inner.array)
        text = self.at(inner, QUOTIENT)
        return Piece(f"-{text if not inner.signed else self.grouped(inner.text)}", SIGNED,
                     inner.numeric, inner.array, last=inner.last)  # fmt: skip

    def transpose(self, tree: ast.Transpose, terms: Mapping[str, Term]) -> Piece:
        inner = tree.operand
        if isinstance(inner, ast.Transpose):
            return self.tree(inner.operand, terms)
        if isinstance(inner, ast.Name) and isinstance(terms.get(inner.id), Name | Amount):
            return self.piece(turned(terms[inner.id]))
        piece = self.tree(inner, terms)
        return Piece(self.transposed(self.at(piece, ATOM)), ATOM, piece.numeric, piece.array)

    def binary(self, tree: ast.Binary, terms: Mapping[str, Term]) -> Piece:
        left, right = self.tree(tree.left, terms), self.tree(tree.right, terms)
        operator = tree.operator
        numeric, array = left.numeric and right.numeric, left.array or right.array
        if operator == "^":
            return Piece(self.power(left, right), POWER, numeric, array)
        level = _LEVELS.get(operator, COMPARE)
        if operator == "/":
            return Piece(self.quotient(left, right), level, numeric, array)
        texts = self.at(left, level), self.right(right, level + 1)
        if operator in ("*", "@"):
            right = (
                right
                if texts[1] == right.text
                else Piece("", numeric=right.numeric, array=right.array)
            )
            left = (
                left if texts[0] == left.text else Piece("", numeric=left.numeric, array=left.array)
            )
            sign = self.sign(left, right, operator)
            return Piece(sign.join(texts), level, numeric, array, left.first, right.last)
        sign = f" {self.symbols.get(operator, operator)} "
        return Piece(sign.join(texts), level, numeric, array)

    def sign(self, left: Piece, right: Piece, operator: str) -> str:
        """What stands between factors."""
        if operator == "@":
            return " "
        if left.array and right.array:
            return f" {self.entrywise} "
        if left.numeric and right.numeric and not (left.array or right.array):
            return f" {self.times} "
        return f" {self.dot} " if left.last and right.first else " "

    def power(self, base: Piece, exponent: Piece) -> str:
        own = (
            self.grouped(base.text) if base.signed or base.level < ATOM or base.array else base.text
        )
        if exponent.text.isdigit():
            return f"{own}{exponent.text.translate(_SUPERSCRIPTS)}"
        return f"{own}^{self.at(exponent, ATOM)}"

    def quotient(self, top: Piece, bottom: Piece) -> str:
        texts = self.at(top, QUOTIENT), self.right(bottom, POWER)
        return ("/" if " " not in "".join(texts) else " / ").join(texts)

    def at(self, piece: Piece, level: int) -> str:
        return piece.text if piece.level >= level else self.grouped(piece.text)

    def right(self, piece: Piece, level: int) -> str:
        return self.grouped(piece.text) if piece.signed else self.at(piece, level)

    def choice(self, condition: str, then: str, otherwise: str) -> str:
        return f"if {condition} then {then} else {otherwise}"

    def negation(self, text: str) -> str:
        return f"not {text}"

    # ── Calls in rules ──────────────────────────────────────────────────────

    def call(self, tree: ast.Call, terms: Mapping[str, Term]) -> Piece:
        name = tree.function.id
        pieces = [self.tree(argument, terms) for argument in tree.arguments]
        numeric = all(p.numeric for p in pieces)
        array = any(p.array for p in pieces)
        if name in SILENT:
            return pieces[0]
        if name in ("outer", "vecouter", "matvec"):
            parts = list(tree.arguments)
            if name != "matvec":
                parts[1] = ast.Transpose(parts[1].span, parts[1])
            return self.tree(ast.Binary(tree.span, "@", parts[0], parts[1]), terms)
        if name in PHRASES:
            phrase = PHRASES[name].format(*(f"\0{i}\0" for i in range(len(pieces))))
            parts_ = re.split("\0(\\d+)\0", phrase)
            return Piece(self.phrase(parts_, pieces), IF, numeric, array)
        op = OPS.get(name)
        if op is None or op.variadic or len(op.operands) != len(pieces):
            text = f"{self.function_name(name)}({', '.join(p.text for p in pieces)})"
            return Piece(text, ATOM, numeric, array)
        given = {p.name: Formula(a, terms)
                 for p, a in zip(op.operands, tree.arguments, strict=True)}  # fmt: skip
        options = {n.id: self.tree(value, terms).text for n, value in tree.keywords}
        return self.applied(Applied(op, given, options))

    def function_name(self, name: str) -> str:
        return name

    def phrase(self, parts: Sequence[str], pieces: Sequence[Piece]) -> str:
        """Words, and at odd places the numbers of the pieces between them."""
        return "".join(
            pieces[int(part)].text if i % 2 else self.words(part) for i, part in enumerate(parts)
        )

    def words(self, text: str) -> str:
        return text


SILENT = ("spread", "reshape_like", "expand_dims", "alias", "as_float")
PHRASES = {
    "each": "{0} for each entry",
    "place_like": "{0} in its place, 0 elsewhere",
    "diagonal_like": "{0} on the diagonal, 0 elsewhere",
    "trace_like": "{0} on the diagonal, 0 elsewhere",
    "untake": "{0} added up at {2}",
    "untake_along": "{0} added up at {2}",
    "untile": "{0}, its repeats added up",
    "unrepeat": "{0}, its repeats added up",
    "unwindow": "{0} added up where windows overlap",
    "unpad": "{0} without its borders",
    "unroll": "{0} rolled back",
    "untranspose": "{0}, its axes turned back",
    "part": "its part of {0}",
    "entry": "its entry of {0}",
}
"""Helpers of rules in words."""
