"""Types and domains as they are written."""

from __future__ import annotations

from . import ast
from .constants import NotConstant, literal, size_value
from .domains import Domain
from .errors import mistakes
from .scope import Report, Scope
from .shapes import Kind, Type
from .sizes import Size

KINDS = {"float": Kind.FLOAT, "int": Kind.INT, "bool": Kind.BOOL}


def type_of(written: ast.Type, scope: Scope, report: Report) -> Type | None:
    """The type, or ``None`` once what is wrong with it is reported."""
    kind = KINDS.get(written.name.id)
    if kind is None:
        report(mistakes.unknown_type(written.name.span, written.name.id))
        return None
    try:
        return Type(kind, tuple(size_value(size, scope, report) for size in written.shape))
    except NotConstant:
        return None


def domain_of(declaration: ast.Input, kind: Kind, scope: Scope, report: Report) -> Domain | None:
    """The declared domain; float ranges are closed, int ranges half-open."""
    domain = declaration.domain
    if domain is None:
        return None
    if kind is Kind.BOOL:
        report(mistakes.bad_domain(domain.span, "is for numbers, not for bool"))
        return None
    text = domain.span.text
    try:
        if isinstance(domain, ast.Bound):
            limit = _limit(domain.limit, scope, report)
            strict = domain.operator in ("<", ">")
            if domain.operator in (">", ">="):
                return Domain(low=limit, open_low=strict, text=text)
            if domain.operator in ("<", "<="):
                return Domain(high=limit, open_high=strict, text=text)
            report(mistakes.bad_domain(domain.span, "must be <, <=, >, >= or `in a..b`"))
            return None
        low, high = (_limit(e, scope, report) for e in (domain.start, domain.stop))
    except NotConstant:
        return None
    half_open = kind is Kind.INT
    if not isinstance(low, Size) and not isinstance(high, Size):
        if low > high or (half_open and low == high):
            report(mistakes.bad_domain(domain.span, "is empty"))
            return None
    return Domain(low, high, open_high=half_open, text=text)


def _limit(expr: ast.Expr, scope: Scope, report: Report) -> float | Size:
    value = literal(expr)
    if isinstance(value, bool):
        report(mistakes.bad_limit(expr.span))
        raise NotConstant
    if value is not None:
        return float(value)
    try:
        size = size_value(expr, scope, Report())
    except NotConstant:
        report(mistakes.bad_limit(expr.span))
        raise
    return size if size.constant is None else float(size.constant)
