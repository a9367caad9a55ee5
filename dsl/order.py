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


Definition: TypeAlias = ast.Node | ast.Size | ast.Scan


def _place(definition: Definition) -> Span:
    if isinstance(definition, ast.Node):
        return definition.target.names[0].span
    return (definition.name if isinstance(definition, ast.Size) else definition.index).span


def statements_of(scan: ast.Scan, *keywords: str) -> list[ast.Name]:
    """The names that statements of a step declare."""
    return [
        name for statement in scan.body
        if isinstance(statement, ast.Node) and statement.keyword in keywords
        for name in statement.target.names
    ]  # fmt: skip


def left_by(statement: ast.Node | ast.Scan) -> list[ast.Name]:
    """The names that a statement leaves behind."""
    if isinstance(statement, ast.Scan):
        return statements_of(statement, "state", "emit")
    return list(statement.target.names)


def names_inside(scan: ast.Scan) -> set[str]:
    """All names that a loop declares, those of loops in its steps included."""
    found = {scan.index.id}
    for statement in scan.body:
        if isinstance(statement, ast.Scan):
            found |= names_inside(statement)
        else:
            found |= {name.id for name in statement.target.names}
            found |= {name.id for name in introduced(statement.target.indices)}
    return found


def expressions(definition: Definition) -> Iterator[ast.Expr]:
    """All expressions of a definition, those of a loop's steps included."""
    stack: list[Definition] = [definition]
    while stack:
        part = stack.pop()
        if isinstance(part, ast.Scan):
            yield from (e for e in (part.start, part.stop, part.until) if e is not None)
            stack += part.body
        elif part.value is not None:
            yield part.value


def mentioned(definition: Definition) -> set[str]:
    """The names that a definition mentions as values; ``next h`` is one of its own."""
    found: set[str] = set()
    for expression in expressions(definition):
        for item in _walk(expression):
            if isinstance(item, ast.Name):
                found.add(item.id)
            elif isinstance(item, ast.NextState):
                found.add(f"next {item.name.id}")
    return found


def place_of(definition: Definition, name: str) -> Span | None:
    """Where a definition mentions a name first."""
    for expression in expressions(definition):
        for item in _walk(expression):
            if isinstance(item, ast.Name) and item.id == name:
                return item.span
    return None


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
    if isinstance(node, ast.Scan):
        return sorted((mentioned(node) - names_inside(node)) & nodes.keys())
    found: list[tuple[int, str]] = []
    for item in _walk(node.value) if node.value else ():
        if isinstance(item, ast.Name):
            found.append((item.span.start, item.id))
        elif isinstance(item, ast.NextState):
            found.append((item.span.start, f"next {item.name.id}"))
    return list(dict.fromkeys(n for _, n in sorted(found) if n in nodes))


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
        parts = [nodes[name] for name in cycle]
        by_entry = any(isinstance(part, ast.Node) and part.target.indices for part in parts)
        places = [(_place(part), name) for part, name in zip(parts, cycle, strict=True)]
        report(mistakes.cycle(places, by_entry))
        stuck |= component
        for member in component:
            stuck |= networkx.ancestors(graph, member)
    return stuck
