"""What an operation is, and the helpers that declare one.

A declaration is all that the project knows of an operation. The checker reads its signature and
shape rule, the emitters its texts, differentiation its rules, the explanation its formulas, the
tests its domain.

Templates name operands and options in braces: ``"np.exp({x})"``. ``{, axis}`` writes
``, axis=...`` unless the option has its default value; ``{*xs}`` writes all operands of a variadic
parameter, separated by commas.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any

from ..frozen import frozen
from ..intervals import REAL, Interval, Transfer
from ..shapes import Type
from ..sizes import Size, product
from ..subscripts import Condition

Attributes = dict[str, Any]
Infer = Callable[[Sequence[Type], Attributes], tuple[Type, Attributes]]
Rule = Any
"""A text; a ``Chosen`` one; or, for a function of a specification that has its own rule, a
``Fragment``."""

REQUIRED = object()


@frozen()
class Parameter:
    """``sort`` is ``value`` (an operand), ``values`` (any number of them), or that of an option:
    ``axis axes flag shape sizes size integer number string index type``."""

    name: str
    sort: str
    default: Any = REQUIRED


@frozen()
class Chosen:
    """A rule whose text depends on the operands or options; ``text`` is what the docs show."""

    text: str
    choose: Callable[[Sequence[Type], Attributes], str]

    def __str__(self) -> str:
        return self.text


@frozen(eq=False)
class Op:
    """One operation. Rules are texts in the language: ``y`` is the result, ``dy`` what arrives."""

    name: str
    parameters: tuple[Parameter, ...]
    doc: str
    infer: Infer
    numpy: str | Callable[[Sequence[Type], Attributes], str]
    math: str = ""
    safe: Mapping[str, Interval] = field(default_factory=dict)
    """Operands for which ``math`` cannot raise; elsewhere its kernel, ``_name``, is called."""
    direct: str | Callable[[Sequence[Type], Attributes], str] = ""
    """The NumPy text where the operands are known to be ``safe``; elsewhere ``numpy`` checks."""
    places: tuple[str, ...] = ()
    """Operands that say where: integers that stay so, whatever the precision of the result."""
    sample: str = ""
    """A call with the types of its operands, ``take(x: [N, D], indices: int[K])``, for the docs."""
    paper: str = ""
    latex: str = ""
    einstein: str | Callable[[Sequence[Type], Attributes], str] = ""
    """For a sum of products, or what only moves entries, ``"ij,j->i"``: derivatives entry by entry
    follow from it. Without the leading axes."""
    family: str = "general"
    """``elementwise`` (acts by entry, rules are slopes), ``pointwise`` (acts by entry, rules are
    adjoints), ``linear`` or ``general`` (rules are adjoints)."""
    linear: str = ""
    """In which operands it is linear: ``"a, b"`` in each of them, ``"a + b"`` in both together.
    The family ``linear`` is so in all its operands together unless this says otherwise."""
    rules: Mapping[str, Rule] = field(default_factory=dict)
    """By operand; where there are several results by both, as ``"Q.x"``."""
    shown: Mapping[str, str] = field(default_factory=dict)
    """Slopes as on paper, where the rule itself is written to reuse the result."""
    tangent: str | Mapping[str, Rule] = ""
    """The rule of forward mode; where there are several results, one for each."""
    results: tuple[str, ...] | Callable[[Attributes], tuple[str, ...]] = ()
    """The names of several results. A node is one of them: its option ``result`` says which, and
    rules call all of them by these names."""
    alone: Mapping[str, str] = field(default_factory=dict)
    """NumPy's text where only one of several results is wanted."""
    of_floats: bool = False
    """Other operands are converted first: NumPy would compute in a precision of its own."""
    needs: Callable[[Sequence[Type], Attributes], Sequence[Condition]] | None = None
    """Conditions on the sizes that could not be decided when compiling."""
    shield: Mapping[str, str] = field(default_factory=dict)
    """What stands for an operand in a branch that is not taken, where 0 will not do."""
    reach: Mapping[str, str] = field(default_factory=dict)
    """Which entries of an operand can count, given those of the result that do (``dy``, truth
    values); by default the rule itself says."""
    domain: Mapping[str, Interval] = field(default_factory=dict)
    cautious: bool = False
    """Whether a warning is due where an operand can leave its domain."""
    values: Transfer = field(default=lambda _: REAL)
    flops: Callable[[Sequence[Type], Attributes, Type], Size] | None = None
    """Arithmetic operations, given operands, options and result; by default one for each entry."""
    commutative: bool = False
    cost: float | tuple[float, float] = 0.5
    """What NumPy takes for an entry of float64, in ns: on a core with AVX-512 and, where that is
    not the same, on one that has only AVX2."""
    view: bool = False
    """The result may share memory with the operand."""
    public: bool = True
    canonical: bool = True
    """May stand in a graph; others are rewritten by ``lower.py``."""
    convention: str = ""
    """What the derivative is at a kink, for the header of generated code."""
    checked: bool = True
    """Whether numerical derivatives must agree: a specification's own rule may say no."""
    given_only: bool = False
    """Allowed only in the examples of a specification."""

    operands: tuple[Parameter, ...] = field(init=False)
    variadic: bool = field(init=False)

    def __post_init__(self) -> None:
        operands = tuple(p for p in self.parameters if p.sort in ("value", "values"))
        object.__setattr__(self, "operands", operands)
        object.__setattr__(self, "variadic", any(p.sort == "values" for p in operands))

    @property
    def by_entry(self) -> bool:
        """Whether each entry of the result comes from one entry of each operand."""
        return self.family in ("elementwise", "pointwise")

    def linear_in(self, position: int) -> tuple[int, ...]:
        """The operands in which the result is linear together with this one; none if it is not."""
        if self.family == "linear" and not self.linear:
            return tuple(range(len(self.operands)))
        names = [p.name for p in self.operands]
        for group in self.linear.split(", ") if self.linear else ():
            members = tuple(names.index(name) for name in group.split(" + "))
            if position in members:
                return members
        return ()

    def result_names(self, attributes: Attributes) -> tuple[str, ...]:
        """The names of several results, none where there is one."""
        return self.results(attributes) if callable(self.results) else self.results

    def operand_name(self, position: int) -> str:
        return self.operands[0 if self.variadic else position].name

    @property
    def signature(self) -> str:
        parts = []
        for p in self.parameters:
            text = f"*{p.name}" if p.sort in ("values", "sizes") else p.name
            if p.default is not REQUIRED:
                text += f"={_literal(p.default)}"
            parts.append(text)
        return f"{self.name}({', '.join(parts)})"


def by_entry_of_operand(types: Sequence[Type], attributes: Attributes, result: Type) -> Size:
    """The work of a reduction: one operation for each entry that it combines."""
    return product(types[0].shape)


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "all" if value is None else str(value)


_PARAMETER = re.compile(r"(?P<star>\*?)(?P<name>\w+)(?::(?P<sort>\w+))?(?:=(?P<default>.+))?")
_DEFAULTS: dict[str, Any] = {"all": None, "false": False, "true": True}


def parameters(signature: str) -> tuple[Parameter, ...]:
    """``"x, axis:axes=all, keepdims:flag=false"`` as parameters."""
    result = []
    for part in signature.split(", ") if signature else ():
        match = _PARAMETER.fullmatch(part)
        assert match, f"bad signature {signature!r}"
        sort = match["sort"] or ("values" if match["star"] else "value")
        default: Any = REQUIRED
        if match["default"] is not None:
            text = match["default"]
            default = _DEFAULTS[text] if text in _DEFAULTS else int(text)
        result.append(Parameter(match["name"], sort, default))
    return tuple(result)


class Table(dict[str, Op]):
    """The operations of one file, by name."""

    def declare(self, name: str, signature: str, doc: str, **declaration: Any) -> Op:
        op = Op(name=name, parameters=parameters(signature), doc=doc, **declaration)
        assert name not in self, f"{name} is declared twice"
        assert all(p.name not in ("y", "dy") for p in op.parameters), name
        self[name] = op
        return op
