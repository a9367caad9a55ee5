"""The order of definitions: by dependence, cycles reported whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from . import ast
from .errors import mistakes
from .scope import Report
from .source import Span


def children(expr: ast.Item) -> Iterator[ast.Item]:
    """The direct sub-expressions, in the order of the text."""
    match expr:
        case ast.Binary():
            yield expr.left
            yield expr.right
        case ast.Unary() | ast.Transpose():
            yield expr.operand
        case ast.Call():
            yield from expr.arguments
            yield from (value for _, value in expr.keywords)
        case ast.IfElse():
            yield from (expr.condition, expr.then, expr.otherwise)
        case ast.Subscript():
            yield expr.base
            yield from expr.items
        case ast.Array():
            yield from expr.items
        case ast.Slice():
            yield from (e for e in (expr.start, expr.stop, expr.step) if e is not None)
        case ast.Reduction():
            yield from expr.indices
            yield expr.body
        case ast.IndexRange():
            yield from (expr.start, expr.stop)
        case ast.NextState():
            yield expr.name


def free_names(expr: ast.Item) -> list[ast.Name]:
    """The names an expression mentions as values, without recursion."""
    return [item for item in _walk(expr) if isinstance(item, ast.Name)]


def _walk(expr: ast.Item) -> Iterator[ast.Item]:
    """The expression and all inside it, without recursion."""
    stack: list[ast.Item] = [expr]
    while stack:
        item = stack.pop()
        yield item
        stack.extend(children(item))


def calls(expr: ast.Item) -> Iterator[ast.Call]:
    return (item for item in _walk(expr) if isinstance(item, ast.Call))


def introduced(items: Iterable[ast.Item]) -> Iterator[ast.Name]:
    """The indices that stand on the left of a node or in the brackets of a reduction."""
    for item in items:
        if isinstance(item, ast.IndexRange):
            yield item.name
        elif isinstance(item, ast.Name):
            yield item


def index_names(expr: ast.Item) -> Iterator[ast.Name]:
    """The indices that the reductions of an expression introduce."""
    for item in _walk(expr):
        if isinstance(item, ast.Reduction):
            yield from introduced(item.indices)


Definition: TypeAlias = ast.Node | ast.Size


def _place(definition: Definition) -> Span:
    name = definition.name if isinstance(definition, ast.Size) else definition.target.names[0]
    return name.span


def ordered(nodes: Mapping[str, Definition], report: Report) -> list[str]:
    """Names in an order of computation that keeps to the text where it can.

    Nodes on a cycle, and those that need one, are left out after the cycle is reported.
    """
    needs = {name: _needs(node, nodes) for name, node in nodes.items()}
    order: list[str] = []
    state: dict[str, bool] = {}  # False while being visited, True when done
    for root in nodes:
        if root in state:
            continue
        state[root] = False
        stack = [(root, iter(needs[root]))]
        while stack:
            name, rest = stack[-1]
            following = next((n for n in rest if n not in state), None)
            if following is not None:
                state[following] = False
                stack.append((following, iter(needs[following])))
                continue
            stack.pop()
            state[name] = True
            order.append(name)
    cyclic = _report_cycles(nodes, needs, order, report)
    return [name for name in order if name not in cyclic]


def _needs(node: Definition, nodes: Mapping[str, Definition]) -> list[str]:
    names = sorted(free_names(node.value) if node.value else (), key=lambda name: name.span.start)
    return list(dict.fromkeys(n.id for n in names if n.id in nodes))


def _report_cycles(
    nodes: Mapping[str, Definition],
    needs: Mapping[str, list[str]],
    order: list[str],
    report: Report,
) -> set[str]:
    """The names that no order can compute; one diagnostic for each cycle."""
    place = {name: position for position, name in enumerate(order)}
    if all(place[n] < place[name] for name in nodes for n in needs[name]):
        return set()
    import networkx

    graph = networkx.DiGraph([(name, n) for name in nodes for n in needs[name]])
    stuck: set[str] = set()
    for component in networkx.strongly_connected_components(graph):
        start = min(component, key=lambda name: nodes[name].span.start)
        if len(component) == 1 and not graph.has_edge(start, start):
            continue
        edges = networkx.find_cycle(graph.subgraph(component), start)
        cycle = [edge[0] for edge in edges]
        report(mistakes.cycle([(_place(nodes[name]), name) for name in cycle]))
        stuck |= component
        for member in component:
            stuck |= networkx.ancestors(graph, member)
    return stuck
