"""Formulas as text: what stands in parentheses, and which signs between factors, however the
pieces look."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from ...dsl import ast
from ...dsl.format import expression_text
from ...dsl.frozen import frozen
from ...dsl.ops import OPS
from .glyphs import Glyphs
from .index import IndexForm
from .numbers import shown
from .terms import Amount, Applied, Formula, Name, Term, Total, turned
from .words import PHRASES, SILENT

IF, OR, AND, NOT, COMPARE, SUM, QUOTIENT, PRODUCT, SIGNED, POWER, ATOM = range(11)
_LEVELS = {"or": OR, "and": AND, "+": SUM, "-": SUM, "*": PRODUCT, "@": PRODUCT, "/": QUOTIENT,
           "//": SUM, "%": SUM, "^": POWER}  # fmt: skip
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_HOLE = re.compile(r"\{(\*?\w+)\}")
_MOST_TERMS, _BEGIN = 8, 3
T = TypeVar("T")


@frozen()
class Piece:
    """A formula printed. ``numeric`` has no names, ``array`` has numbers in brackets, ``signed``
    begins with a minus, ``digit`` with a digit; ``first`` and ``last`` say that a name alone stands
    at that end."""

    text: str
    level: int = ATOM
    numeric: bool = False
    array: bool = False
    signed: bool = False
    digit: bool = False
    first: bool = False
    last: bool = False


class Notation(Glyphs):
    """Unicode, on one line."""

    quotient_level = QUOTIENT

    def __init__(self, digits: int | None = None) -> None:
        self.digits = digits

    # ── What formats ask for ────────────────────────────────────────────────

    def text(self, term: Term) -> str:
        return self.piece(term).text

    def product(self, arriving: Term, slope: Term) -> str:
        """What arrives times the local derivative: ``(1.00)(-1/3.25²)``."""
        left, right = self.piece(arriving), self.piece(slope)
        both = left.array and right.array
        bare = left.array and left.level == ATOM
        sign = self.symbols["entrywise"] if both else self.symbols["beside"] if bare else ""
        texts = [p.text if p.array and p.level == ATOM else self.grouped(p.text)
                 for p in (left, right)]  # fmt: skip
        return sign.join(texts)

    def function(self, letters: Sequence[Name], body: Term) -> tuple[str, str]:
        return self.called(self.label("f"), letters), self.text(body)

    def called(self, function: str, arguments: Sequence[Name]) -> str:
        names = [self.dots if a is None else self.name(a) for a in _ends(arguments)]
        return f"{function}{self.grouped(self.comma.join(names))}"

    def derivative(self, letter: Name, slope: Term) -> tuple[str, str]:
        return self.ratio(self.gradient(Name("f")), self.gradient(letter)), self.text(slope)

    def primed(self, function: Applied, at: Name, slope: Term) -> tuple[str, str]:
        return self.called(self.prime(function), [at]), self.text(slope)

    def prime(self, function: Applied) -> str:
        return f"{function.function}'"

    def index_form(self, form: IndexForm) -> tuple[str, str]:
        left = self.ratio(self.partial(form.result), self.partial(form.operand))
        factors = [self.entry(factor) for factor in form.factors]
        return left, self.symbols["beside"].join(factors) or self.number("1")

    def gradient(self, name: Name) -> str:
        return self.name(replace(name, arriving=True))

    # ── Terms ───────────────────────────────────────────────────────────────

    def piece(self, term: Term) -> Piece:
        match term:
            case Name():
                return Piece(self.name(term), first=True, last=True)
            case Amount():
                return self.amount_piece(term)
            case Formula():
                return self.tree(term.tree, term.terms)
            case Total():
                return self.total(term)
        return self.applied(term)

    def name(self, name: Name) -> str:
        text = self.transposed(self.label(name.text)) if name.turned else self.label(name.text)
        if not name.arriving:
            return text
        plain = name.text.isidentifier() and not name.turned
        return self.differential(text if plain else self.grouped(text))

    def amount(self, amount: Amount) -> str:
        return self.amount_piece(amount).text

    def amount_piece(self, amount: Amount) -> Piece:
        if amount.exact:
            value = amount.value
            text = f"{value:g}" if isinstance(value, float) else str(value).lower()
            return self.plain(text)
        texts = shown(amount.value, self.digits)
        if texts.summary:
            return Piece(self.summary(texts.summary, amount.turned), numeric=True, array=True)
        if not texts.rank:
            return self.plain(texts.rows[0][0])
        rows = texts.rows
        if amount.turned:
            rows = tuple(zip(*rows, strict=True))
        return Piece(self.matrix(rows), numeric=True, array=True)

    def plain(self, text: str) -> Piece:
        """A number."""
        return Piece(self.number(text), numeric=True, signed=text.startswith("-"), digit=True)

    def total(self, total: Total) -> Piece:
        """A sum; of a long one the beginning and the end."""
        texts: list[str] = []
        pieces = []
        for part in _ends(total.parts):
            if part is None:
                texts += [self.symbol("+"), self.dots]
                continue
            is_less, term = part
            pieces.append(self.piece(term))
            sign = self.symbol("-" if is_less else "+") if texts else self.minus * is_less
            texts += [
                sign,
                self.right(pieces[-1], QUOTIENT) if texts or is_less else pieces[-1].text,
            ]
        numeric, array = all(p.numeric for p in pieces), any(p.array for p in pieces)
        return Piece("".join(texts), SUM, numeric, array, total.parts[0][0] or pieces[0].signed)

    # ── Operations as the table writes them ─────────────────────────────────

    def applied(self, term: Applied) -> Piece:
        formula = term.formula
        if formula is not None:
            return self.piece(formula)
        pieces = [self.piece(t) for t in (*term.terms.values(), *term.several)]
        template = self.template(term)
        text = self.filled(template, term)
        numeric = bool(pieces) and all(p.numeric for p in pieces)
        level = ATOM if self.closed(template) else SUM
        return Piece(text, level, numeric, any(p.array for p in pieces))

    def template(self, term: Applied) -> str:
        operands = ", ".join(f"{{{p.name}}}" for p in term.op.operands)
        template = term.op.paper or f"{term.op.name}({operands})"
        if term.remark and template.endswith(")"):
            return f"{template[:-1]}, {term.remark})"
        return template

    def filled(self, template: str, term: Applied) -> str:
        several = self.comma.join(map(self.text, term.several))
        parts, end = [], 0
        for hole in _HOLE.finditer(template):
            name = hole[1].removeprefix("*")
            if name == "array":
                part = self.bracketed(several)
            elif term.several and name == term.op.operands[0].name:
                part = several
            elif name in term.terms:
                part = self.placed(term.terms[name], template, hole)
            elif name in term.attributes:
                part = self.option(term.option(name))
            else:
                continue
            parts += [self.literal(template[end : hole.start()]), part]
            end = hole.end()
        return "".join([*parts, self.literal(template[end:])])

    def placed(self, term: Term, template: str, hole: re.Match[str]) -> str:
        """An operand in its place, in parentheses unless there are marks around the place."""
        before, after = template[: hole.start()].rstrip(), template[hole.end() :].lstrip()
        piece = self.piece(term)
        begins = not before or before[-1] in self.open_marks
        ends = not after or after[0] in self.close_marks
        return piece.text if begins and ends else self.base(piece)

    def closed(self, template: str) -> bool:
        """Whether a text is one call or stands between marks."""
        return " " not in template.split("(")[0] and template[-1:] in (")", "]", "|", "‖", "}")

    # ── Trees ───────────────────────────────────────────────────────────────

    def tree(self, tree: ast.Expr, terms: Mapping[str, Term]) -> Piece:
        match tree:
            case ast.Name():
                return self.piece(terms[tree.id] if tree.id in terms else Name(tree.id))
            case ast.Number():
                return self.plain(tree.text)
            case ast.Constant():
                return Piece(self.constants.get(tree.name, self.label(tree.name)), numeric=True)
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
        # What only a rule of a specification has: its own text, with the names of the values.
        known = {name: Notation(self.digits).text(term) for name, term in terms.items()}
        return Piece(self.words(expression_text(tree, known)), IF)

    def unary(self, tree: ast.Unary, terms: Mapping[str, Term]) -> Piece:
        inner = self.tree(tree.operand, terms)
        if tree.operator == "not":
            return Piece(self.negation(self.at(inner, NOT)), NOT, inner.numeric, inner.array)
        text = self.right(inner, QUOTIENT)
        return Piece(f"{self.minus}{text}", SIGNED, inner.numeric, inner.array, True,
                     last=inner.last)  # fmt: skip

    def transpose(self, tree: ast.Transpose, terms: Mapping[str, Term]) -> Piece:
        inner = tree.operand
        if isinstance(inner, ast.Transpose):
            return self.tree(inner.operand, terms)
        term = turned(terms.get(inner.id)) if isinstance(inner, ast.Name) else None
        if term is not None:
            return self.piece(term)
        piece = self.tree(inner, terms)
        return Piece(self.transposed(self.base(piece)), ATOM, piece.numeric, piece.array)

    def binary(self, tree: ast.Binary, terms: Mapping[str, Term]) -> Piece:
        operator = tree.operator
        if operator == "/" and isinstance(tree.left, ast.Unary) and self.quotient_level == PRODUCT:
            positive = ast.Binary(tree.span, "/", tree.left.operand, tree.right)
            return self.unary(ast.Unary(tree.span, tree.left.operator, positive), terms)
        left, right = self.tree(tree.left, terms), self.tree(tree.right, terms)
        numeric, array = left.numeric and right.numeric, left.array or right.array
        if operator == "^":
            return Piece(self.power(left, right), POWER, numeric, array, digit=left.digit)
        if operator == "/":
            text = self.quotient(left, right)
            signed = left.signed and self.quotient_level == QUOTIENT
            return Piece(text, self.quotient_level, numeric, array, signed)
        level = _LEVELS.get(operator, COMPARE)
        texts = self.at(left, level), self.right(right, level + 1)
        bare = texts[0] == left.text, texts[1] == right.text
        product = operator in ("*", "@")
        sign = self.between(left, right, operator, bare) if product else self.symbol(operator)
        return Piece(sign.join(texts), level, numeric, array, left.signed and bare[0],
                     left.digit and bare[0], left.first, right.last and bare[1])  # fmt: skip

    def between(self, left: Piece, right: Piece, operator: str, bare: tuple[bool, bool]) -> str:
        """What stands between factors; ``bare`` are those that are not in parentheses."""
        if operator == "@":
            return self.symbols["beside"]
        if left.array and right.array:
            return self.symbols["entrywise"]
        if left.numeric and right.numeric and not (left.array or right.array):
            return self.symbols["times"]
        names = left.last and bare[0] and bare[1] and (right.first or right.digit)
        return self.symbols["dot" if names else "beside"]

    def power(self, base: Piece, exponent: Piece) -> str:
        if exponent.text.isdigit():
            return f"{self.base(base)}{exponent.text.translate(_SUPERSCRIPTS)}"
        return f"{self.base(base)}^{self.base(exponent)}"

    def base(self, piece: Piece) -> str:
        """What a power or a transpose is of."""
        bare = piece.level == ATOM and not piece.signed and not piece.array
        return piece.text if bare else self.grouped(piece.text)

    def quotient(self, top: Piece, bottom: Piece) -> str:
        texts = self.at(top, QUOTIENT), self.right(bottom, POWER)
        return ("/" if " " not in "".join(texts) else " / ").join(texts)

    def at(self, piece: Piece, level: int) -> str:
        return piece.text if piece.level >= level else self.grouped(piece.text)

    def right(self, piece: Piece, level: int) -> str:
        """What stands behind an operator."""
        return self.grouped(piece.text) if piece.signed else self.at(piece, level)

    # ── Calls in rules ──────────────────────────────────────────────────────

    def call(self, tree: ast.Call, terms: Mapping[str, Term]) -> Piece:
        name = tree.function.id
        if name in ("outer", "vecouter", "matvec"):
            return self.tree(_product(tree), terms)
        pieces = [self.tree(argument, terms) for argument in tree.arguments]
        if name in SILENT:
            return pieces[0]
        numeric = bool(pieces) and all(p.numeric for p in pieces)
        array = any(p.array for p in pieces)
        if name in PHRASES:
            parts = re.split(r"\{(\d)\}", PHRASES[name])
            return Piece(self.phrase(parts, pieces), IF, numeric, array)
        op = OPS.get(name)
        if op is None or op.variadic or len(op.operands) != len(pieces):
            inside = self.comma.join(p.text for p in pieces)
            return Piece(f"{self.function_name(name)}{self.grouped(inside)}", ATOM, numeric, array)
        given = {p.name: Formula(a, terms)
                 for p, a in zip(op.operands, tree.arguments, strict=True)}  # fmt: skip
        plain = Notation(self.digits)
        options = {n.id: plain.tree(value, terms).text for n, value in tree.keywords}
        return self.applied(Applied(op, given, options))

    def phrase(self, parts: Sequence[str], pieces: Sequence[Piece]) -> str:
        """Words, and at odd places the numbers of the pieces between them."""
        texts = (pieces[int(p)].text if i % 2 else self.words(p) for i, p in enumerate(parts) if p)
        return "".join(texts)


def _ends(parts: Sequence[T]) -> list[T | None]:
    """The parts of a list; ``None`` stands for those in the middle of a long one."""
    return [*parts[:_BEGIN], None, parts[-1]] if len(parts) > _MOST_TERMS else list(parts)


def _product(tree: ast.Call) -> ast.Expr:
    """Helpers that multiply vectors, as products of matrices."""
    left, right = tree.arguments
    if tree.function.id != "matvec":
        right = ast.Transpose(right.span, right)
    return ast.Binary(tree.span, "@", left, right)
