"""Warnings that need the whole graph: domains that can be left, gradients that are always zero.

They are looked for where formulas are already recognised, so that ``log(1 + exp(x))`` is the stable
function that it will be. What interval reasoning proves, also from the conditions of a branch, is
silent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from ..dsl.errors import Diagnostic, mistakes
from ..dsl.graph import Graph, Input, Node, topological
from ..dsl.intervals import NON_NEGATIVE, POSITIVE, REAL, Interval
from ..dsl.library import prelude
from ..dsl.loops import Loop, called, stacked, with_steps
from ..dsl.lower import lower
from .passes.shelter import guards_of
from .passes.stabilise import stabilise
from .ranges import of_steps, ranges
from .rules import rule_of

_COMPARISONS = ("less", "less_equal", "greater", "greater_equal")
Known = Mapping[Node, Interval]


def cautions(graph: Graph) -> Iterator[Diagnostic]:
    """The warnings of a checked graph."""
    graph = stabilise(lower(graph))
    moving = _reached(graph, [i for i in graph.inputs.values() if _differentiated(graph, i)])
    yield from _zero_gradients(graph)
    yield from _domains(graph, moving, {})


def _differentiated(graph: Graph, node: Node) -> bool:
    return graph.interface.input(node.attributes["name"]).differentiated


def _reached(graph: Graph, sources: Iterable[Node]) -> set[Node]:
    """The float nodes whose derivative with respect to some of the sources is not plainly zero."""
    reached = {node for node in sources if node.type.is_float}
    for node in graph.nodes:
        if node.type.is_float and any(
            operand in reached and (rule_of(node, position) is not None or node.op.name == "grad")
            for position, operand in enumerate(node.operands)
        ):
            reached.add(node)
    return reached


# ── Gradients that are always zero ──────────────────────────────────────────


def _zero_gradients(graph: Graph) -> Iterator[Diagnostic]:
    """Inputs that reach the objective only through operations without a derivative."""
    objective = graph.interface.objective
    if objective is None:
        return
    root = graph.outputs[objective]
    needed = set(topological([root]))
    for declared in graph.interface.inputs:
        node = graph.inputs[declared.name]
        if not (declared.differentiated and declared.type.is_float and node in needed):
            continue
        moving = _reached(graph, [node])
        if root in moving:
            continue
        cuts = [n for n in graph.nodes if n in needed and n not in moving
                and any(operand in moving for operand in n.operands)]  # fmt: skip
        if not any(cut.op.name == "detach" for cut in cuts):
            yield mistakes.not_differentiable(declared.span, declared.name, cuts[0].span)


# ── Domains ─────────────────────────────────────────────────────────────────


def _domains(
    graph: Graph, moving: set[Node], given: Known, positive: Iterable[Node] = ()
) -> Iterator[Diagnostic]:
    """The warnings of a graph and of the steps of its loops, given what placeholders can be, and
    which are ``positive``."""
    if not any(node.op.cautious for node in with_steps(graph.nodes)):
        return
    known = ranges(graph.nodes, given)
    positive = _positive(graph, known, positive)
    yield from _in_graph(graph, moving, known, positive)
    results: dict[Loop, list[Node]] = {}
    for node in graph.nodes:
        if node.op.name == "scan":
            results.setdefault(node.attributes["loop"], []).append(node)
    for loop, nodes in results.items():
        body = _body(graph, loop, nodes)
        places = dict(zip(loop.placeholders[1:], nodes[0].operands, strict=False))
        sources = [p for p, o in places.items() if o in moving or p in loop.states]
        seen = of_steps(nodes[0], known)
        above = _stay_positive(body, nodes[0], seen, positive)
        yield from _domains(body, _reached(body, sources), seen, above)


def _body(graph: Graph, loop: Loop, results: Iterable[Node]) -> Graph:
    """What a step computes, as a graph."""
    kept = stacked(results)
    roots = {str(i): node for i, node in enumerate(loop.roots(kept))}
    return Graph(graph.interface, {called(place): place for place in loop.placeholders}, roots)


def _stay_positive(body: Graph, node: Node, seen: Known, positive: Collection[Node]) -> set[Node]:
    """What a step sees that is positive: of states those that begin so and that no step ends."""
    loop: Loop = node.attributes["loop"]
    places = zip(loop.placeholders[1:], node.operands, strict=False)
    assumed = {place for place, operand in places if operand in positive}
    known = ranges(body.nodes, seen)
    while True:
        found = _positive(body, known, assumed)
        pairs = zip(loop.states, loop.nexts, strict=True)
        wrong = {state for state, after in pairs if state in assumed and after not in found}
        if not wrong:
            return assumed
        assumed = assumed - wrong


def _result_is_positive(graph: Graph, node: Node, known: Known, positive: Collection[Node]) -> bool:
    loop, (sort, which) = node.attributes["loop"], node.attributes["result"]
    if sort == "steps" or (sort == "stack" and loop.dynamic):
        return False
    body, seen = _body(graph, loop, [node]), of_steps(node, known)
    above = _stay_positive(body, node, seen, positive)
    if sort == "final":
        return loop.states[which] in above
    within = ranges(body.nodes, seen)
    return which in _positive(body, within, above)


def _in_graph(
    graph: Graph, moving: set[Node], known: Known, positive: set[Node]
) -> Iterator[Diagnostic]:
    guards = guards_of(graph)
    library = {definition.span.source for definition in prelude().values()}
    for node in graph.nodes:
        if not node.op.cautious or node.span.source in library:
            continue
        for position, domain in _to_be_in(node, moving):
            operand = node.operands[position]
            if known[operand].within(domain) or (domain == POSITIVE and operand in positive):
                continue
            guard = guards.get(node)
            if guard is not None and _under(guard, operand, known).within(domain):
                continue
            inputs = [i for i in graph.interface.inputs if i.name == operand.label]
            declared = inputs[0] if inputs and operand.op.name == "input" else None
            yield _warning(node, operand, domain, known[operand], declared)


def _positive(graph: Graph, known: Known, assumed: Iterable[Node] = ()) -> set[Node]:
    """The nodes that are positive as numbers of mathematics: intervals are those of what is
    computed, where a product of tiny numbers is 0."""
    found = set(assumed)
    for node in graph.nodes:
        operands = node.operands
        above = [operand for operand in operands if operand in found]
        match node.op.name:
            case "multiply" | "divide" | "sqrt" | "square":
                holds = len(above) == len(operands)
            case "add" | "hypot":
                holds = bool(above) and all(known[o].within(NON_NEGATIVE) for o in operands)
            case "scan":
                holds = _result_is_positive(graph, node, known, found)
            case "exp" | "exp2" | "softplus" | "sigmoid" | "softmax" | "cosh":
                holds = True
            case _:
                holds = node.op.view and bool(above)
        if holds or known[node].within(POSITIVE):
            found.add(node)
    return found


def _to_be_in(node: Node, moving: set[Node]) -> Iterator[tuple[int, Interval]]:
    """The operands with the intervals they should be in: where values are numbers, and, for what
    is differentiated, slopes finite."""
    if node.op.name == "power" and _is_whole(node.operands[1]):
        return
    for position, parameter in enumerate(node.op.operands):
        domain = node.op.domain.get(parameter.name)
        if domain is not None:
            if node not in moving:
                domain = node.op.safe.get(parameter.name, domain)
            yield position, domain


def _is_whole(exponent: Node) -> bool:
    while exponent.op.name in ("as_float", "broadcast_to"):
        exponent = exponent.operands[0]
    return not exponent.type.is_float or (
        exponent.is_constant() and float(exponent.attributes["value"]).is_integer()
    )


def _warning(
    node: Node, operand: Node, domain: Interval, known: Interval, declared: Input | None
) -> Diagnostic:
    wanted = _words(domain)
    place = operand.span if operand.op.name != "input" else node.span
    hint = ""
    if declared is not None and domain == POSITIVE:
        keyword = "input" if declared.differentiated else "data"
        hint = f"if it is, declare it so: `{keyword} {declared.name}: {declared.type} > 0`"
    elif domain == POSITIVE:
        hint = "domains of inputs, as `input x: float > 0`, or a small number added, make it so"
    name = "^" if node.op.name == "power" else node.op.name
    return mistakes.domain_left(node.span, name, wanted, place, _range_words(known), hint)


def _words(domain: Interval) -> str:
    if domain.high == float("inf"):
        strict = "greater than" if domain.open_low else "at least"
        if domain.low == 0.0:
            return "positive" if domain.open_low else "0 or more"
        return f"{strict} {domain.low:g}"
    ends = "between" if domain.open_low else "from"
    link = "and" if domain.open_low else "to"
    return f"{ends} {domain.low:g} {link} {domain.high:g}"


def _range_words(known: Interval) -> str:
    return "it can be any number" if known == REAL else f"it can be anything in {known}"


# ── What conditions prove ───────────────────────────────────────────────────


def _under(guard: Node, operand: Node, known: Known) -> Interval:
    """The interval of an operand in entries where a guard holds."""
    entries: dict[Node, Interval] = {}
    everywhere: dict[Node, Interval] = {}
    for fact, whole in _facts(guard, holds=True):
        for node, interval in _comparison(fact, known):
            found = everywhere if whole or not fact.type.rank else entries
            found[node] = interval.intersection(found.get(node, known.get(node, REAL)))
    refined: dict[Node, Interval] = {}
    for node in topological([operand]):
        local = entries if _acts_by_entry(node, operand) else {}
        given = {o: refined[o] for o in node.operands}
        value = ranges([node], given)[node]
        for facts in (everywhere, local):
            value = value.intersection(facts.get(node, REAL))
        refined[node] = value.intersection(known[node])
    return refined[operand]


def _acts_by_entry(node: Node, operand: Node) -> bool:
    """Whether entries of the node are those of the operand at the same place.

    Only what leads there entry by entry has the operand's shape and no other kind of user below.
    """
    if node.type.shape != operand.type.shape:
        return False
    stack = [operand]
    seen: set[Node] = set()
    while stack:
        current = stack.pop()
        if current is node:
            return True
        if current in seen or current.op.family not in ("elementwise", "pointwise"):
            continue
        seen.add(current)
        stack.extend(current.operands)
    return False


def _facts(guard: Node, holds: bool, whole: bool = False) -> Iterator[tuple[Node, bool]]:
    """The comparisons that hold with a guard, and whether they do for all entries."""
    stack = [(guard, holds, whole, False)]
    while stack:
        node, holds, whole, somewhere = stack.pop()
        match node.op.name:
            case "logical_and" if holds:
                stack += [(operand, True, whole, somewhere) for operand in node.operands]
            case "logical_or" if not holds:
                stack += [(operand, False, whole, somewhere) for operand in node.operands]
            case "logical_not":
                stack.append((node.operands[0], not holds, whole, somewhere))
            case "all" if holds:
                stack.append((node.operands[0], True, True, False))
            case "any":  # Where some entry holds, so does what is the same for all of them.
                stack.append((node.operands[0], holds, not holds, holds))
            case name if name in _COMPARISONS and holds and not (somewhere and node.type.rank):
                yield node, whole
            # Nothing follows from a comparison that fails: with nan, all do.


def _comparison(node: Node, known: Known) -> Iterator[tuple[Node, Interval]]:
    """What a comparison that holds says of its two sides."""
    a, b = node.operands
    strict = node.op.name in ("less", "greater")
    if node.op.name in ("less", "less_equal"):
        a, b = b, a
    yield a, Interval(low=known.get(b, REAL).low, open_low=strict or known.get(b, REAL).open_low)
    yield (
        b,
        Interval(high=known.get(a, REAL).high, open_high=strict or known.get(a, REAL).open_high),
    )
