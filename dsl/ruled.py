"""Functions whose derivative a specification gives itself.

A call of such a function becomes an operation of its own on what the body computes and on the
arguments. Its value is the body's; gradients go to the arguments alone, by the rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from . import ast
from .errors import mistakes
from .graph import Fragment, Node, constant, make, topological
from .ops import Attributes, Op, Parameter
from .scope import Report, Scope, Static
from .shapes import Type
from .sizes import Size
from .source import Span

ARRIVING = "d(result)"
"""What arrives, among the placeholders of a rule: no name of a specification can be this."""


class Ruling:
    """One call of a function with a rule: its rule entries, as they are elaborated."""

    def __init__(
        self, rule: ast.Rule, arguments: Mapping[str, Node], results: Sequence[Node]
    ) -> None:
        self.rule = rule
        self.arguments = arguments
        self.results = results
        self.names = tuple(name.id for name in rule.results)
        own = {name: _placeholder(name, value) for name, value in arguments.items()}
        for name, value in zip(self.names, results, strict=True):
            own[name] = _placeholder(name, value)
            own[f"d{name}"] = _placeholder(f"d{name}", value)
        self.placeholders = own
        self.fragments: dict[str, Fragment] = {}

    def scope(
        self, constants: Mapping[str, Static], sizes: Mapping[str, Size], hidden: Mapping[str, Span]
    ) -> Scope:
        """What an entry sees: the parameters, the results, and what arrives at them."""
        values: dict[str, Any] = {**self.placeholders, **constants}
        return Scope(values, dict(sizes), prefix=f"{self.rule.name.id}.", hidden=hidden)

    def add(self, parameter: str, value: Node) -> bool:
        """Takes an entry; ``False`` where there are several results and it is not linear."""
        arriving = [self.placeholders[f"d{name}"] for name in self.names]
        if len(arriving) > 1 and not _is_linear(value, arriving):
            return False
        for result, name in enumerate(self.names):
            others = [node for node in arriving if node is not arriving[result]]
            alone = without(value, others) if others else value
            self.fragments[f"{name}.{parameter}"] = Fragment.of(self._given(result), alone)
        return True

    def _given(self, result: int) -> dict[str, Node]:
        """The placeholders that a rule for one result has."""
        arriving = {f"d{name}" for name in self.names}
        own = {name: node for name, node in self.placeholders.items() if name not in arriving}
        return {**own, ARRIVING: self.placeholders[f"d{self.names[result]}"]}

    def nodes(self, span: Span) -> Iterator[Node]:
        """The results of the call."""
        op = self.operation()
        operands = [*self.results, *self.arguments.values()]
        for result in range(len(self.results)):
            yield make(op, operands, span, {"result": result})

    def operation(self) -> Op:
        bodies = [Parameter(str(i), "value") for i in range(len(self.results))]
        name = self.rule.name.id
        given = ", ".join(f"{{{argument}}}" for argument in self.arguments)
        return Op(
            name=f"rule {name}",
            parameters=(*bodies, *(Parameter(name, "value") for name in self.arguments)),
            doc=f"`{name}` of the specification, with its own derivative.",
            infer=_result_type,
            numpy="{0}",
            paper=f"{name}({given})",
            latex=rf"\mathrm{{{name}}}({given})",
            family="ruled",
            rules=self.fragments,
            results=self.names,
            alone={result: f"{{{i}}}" for i, result in enumerate(self.names)},
            checked=not self.rule.unchecked,
            view=True,
            public=False,
        )


def _result_type(types: Sequence[Type], attributes: Attributes) -> tuple[Type, Attributes]:
    return types[attributes["result"]], attributes


def _placeholder(name: str, value: Node) -> Node:
    return make("input", (), value.span, {"name": name, "type": value.type})


def _zero(like: Node) -> Node:
    if not like.type.rank:
        return constant(0.0, like.span)
    return make("zeros", (), like.span, {"shape": like.type.shape})


# ── Declarations ────────────────────────────────────────────────────────────


def rules_of(program: ast.Program, report: Report) -> dict[Span, ast.Rule]:
    """The rules of a file, by the place where the name of their function is declared."""
    functions = {d.name.id: d for d in program.declarations if isinstance(d, ast.Def)}
    found: dict[Span, ast.Rule] = {}
    for rule in (d for d in program.declarations if isinstance(d, ast.Rule)):
        function = functions.get(rule.name.id)
        if function is None:
            report(mistakes.rule_without_function(rule.name.span, rule.name.id))
            continue
        place = function.name.span
        if place in found:
            report(mistakes.duplicate(rule.name.span, f"rule {rule.name.id}", found[place].span))
        elif _fits(rule, function, report):
            found[place] = rule
    return found


def _fits(rule: ast.Rule, function: ast.Def, report: Report) -> bool:
    """Whether a rule has the names that its function asks for."""
    parameters = [p.name.id for p in function.parameters]
    if [name.id for name in rule.parameters] != parameters:
        place = rule.parameters[0].span if rule.parameters else rule.name.span
        name = function.name
        report(mistakes.rule_parameters(place, name.id, parameters, name.span))
        return False
    returned = next((len(s.values) for s in function.body if isinstance(s, ast.Return)), 1)
    if len(rule.results) != returned:
        report(mistakes.rule_results(rule.results[0].span, rule.name.id, returned))
        return False
    own = [(name, name.id) for name in (*rule.parameters, *rule.results)]
    own += [(name, f"d{name.id}") for name in rule.results]
    own += [(name, name.id) for name, _ in rule.entries]
    seen: dict[str, Span] = {}
    for mention, written in own:
        if written in seen:
            report(mistakes.duplicate(mention.span, written, seen[written]))
            return False
        seen[written] = mention.span
    wanted = [f"d{name}" for name in parameters]
    entries = {name.id: name for name, _ in rule.entries}
    for name in entries.values():
        if name.id not in wanted:
            report(mistakes.rule_entry(name.span, name.id, wanted))
            return False
    for parameter in function.parameters:
        integer = parameter.type is not None and parameter.type.name.id in ("int", "bool")
        option = isinstance(parameter.default, ast.Constant)
        if f"d{parameter.name.id}" not in entries and not integer and not option:
            report(mistakes.rule_entry_missing(rule.name.span, f"d{parameter.name.id}"))
            return False
    return True


# ── Linearity ───────────────────────────────────────────────────────────────


def is_linear(fragment: Fragment) -> bool:
    """Whether a rule is linear in ``dy``, so that it has a transpose for forward mode."""
    return _is_linear(fragment.root, [fragment.placeholders[ARRIVING]])


def _is_linear(root: Node, arriving: Sequence[Node]) -> bool:
    moving = set(arriving)
    for node in topological([root]):
        positions = [p for p, operand in enumerate(node.operands) if operand in moving]
        if positions and not _is_linear_at(node, positions):
            return False
        if positions:
            moving.add(node)
    return root in moving or _is_zero(root)


def without(root: Node, arriving: Sequence[Node]) -> Node:
    """What is left of a rule that is linear in some placeholders, where nothing arrives at them."""
    zero = set(arriving)
    kept: dict[Node, Node] = {}
    for node in topological([root]):
        still = [operand for operand in node.operands if operand not in zero]
        moving = [p for p, operand in enumerate(node.operands) if operand in zero]
        together = node.op.linear_in(moving[0]) if moving else ()
        if node in zero or (moving and all(node.operands[p] in zero for p in together)):
            zero.add(node)
        elif node.op.name in ("add", "subtract") and moving:
            left = kept[still[0]]
            if node.op.name == "subtract" and moving == [0]:
                left = make("negative", [left], node.span)
            shape = {"shape": node.type.shape}
            kept[node] = make("broadcast_to", [left], node.span, shape)
        else:
            operands = [kept.get(operand) or _zero(operand) for operand in node.operands]
            kept[node] = replace(node, operands=tuple(operands)) if operands else node
    return kept.get(root) or _zero(root)


def _is_linear_at(node: Node, positions: Sequence[int]) -> bool:
    """Whether a node is linear in the operands that move, the others standing still."""
    together: tuple[int, ...] = node.op.linear_in(positions[0])
    if node.op.variadic and node.op.family == "linear":
        together = tuple(range(len(node.operands)))
    still = [node.operands[p] for p in together if p not in positions]
    return set(positions) <= set(together) and all(
        _is_zero(operand) for operand in still if operand.type.is_float or operand.is_constant()
    )


def _is_zero(node: Node) -> bool:
    if node.op.name in ("broadcast_to", "as_float"):
        return _is_zero(node.operands[0])
    return node.op.name == "zeros" or node.is_constant(0) or node.is_constant(0.0)


def ruled_nodes(roots: Sequence[Node]) -> list[Node]:
    """The calls of functions with rules of their own."""
    return [node for node in topological(roots) if node.op.family == "ruled"]
