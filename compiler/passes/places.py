"""A sum of parts that lie apart along one axis, each put among zeros, is the parts joined.

What flows back to the parts of an array that was taken apart would else be as many arrays of zeros,
each added to the one before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ...dsl.frozen import frozen
from ...dsl.graph import Graph, Node, constant, make
from ...dsl.shapes import Shape, Type
from ...dsl.sizes import ZERO, Size
from ...dsl.subscripts import Cut, from_start
from .rewrite import anonymous, rewrite

_MOST = 16  # Longer vectors are rather filled place by place.


@frozen()
class _Part:
    """What lies between two places of an axis."""

    node: Node
    axis: int
    start: Size
    stop: Size
    entry: bool = False
    """Whether it is one entry, without the axis."""

    def before(self, other: _Part) -> bool:
        return (other.start - self.stop).natural


def joined(graph: Graph) -> Graph:
    """Sums of at least two parts of one array, in whatever order they are added."""
    if sum(node.op.name == "place" for node in graph.nodes) < 2:
        return graph
    uses = Counter(operand for node in graph.nodes for operand in node.operands)
    uses.update([*graph.outputs.values(), *graph.gradients.values()])
    inner = {
        operand for node in graph.nodes if node.op.name == "add" for operand in node.operands
        if operand.op.name == "add" and uses[operand] == 1 and anonymous(operand)
        and operand.type == node.type
    }  # fmt: skip

    def step(node: Node) -> Node | None:
        whole = node.op.name == "add" and node.type.is_float and node not in inner
        return _joined(node, inner) if whole else None

    return rewrite(graph, step, "places")


def _joined(node: Node, inner: set[Node]) -> Node | None:
    terms = [(term, _parts(term, node.type)) for term in _terms(node, inner)]
    for axis in sorted({part.axis for _, found in terms for part in found}):
        kept: list[_Part] = []
        rest: list[Node] = []
        for term, found in terms:
            more = _inserted(kept, found) if found and found[0].axis == axis else None
            if more is None:
                rest.append(term)
            kept = more or kept
        whole = _filled(kept, node) if len(terms) - len(rest) > 1 else None
        if whole is not None:
            for term in rest:
                whole = make("add", [whole, term], node.span)
            return whole
    return None


def _terms(node: Node, inner: set[Node]) -> Iterator[Node]:
    stack = list(reversed(node.operands))
    while stack:
        term = stack.pop()
        if term in inner:
            stack.extend(reversed(term.operands))
        else:
            yield term


def _parts(term: Node, whole: Type) -> list[_Part]:
    """What a term has at places of one axis, if it is 0 everywhere else."""
    if term.type != whole or not anonymous(term):
        return []
    if term.op.name == "place":
        return _placed(term)
    if term.op.name != "concat":
        return []
    found, start, axis = [], ZERO, term.attributes["axis"]
    for piece in term.operands:
        stop = start + piece.type.shape[axis]
        if piece.op.name != "zeros":
            found.append(_Part(piece, axis, start, stop))
        start = stop
    return found if len(found) < len(term.operands) else []


def _placed(term: Node) -> list[_Part]:
    (x,), index, shape = term.operands, term.attributes["index"], term.type.shape
    own = [(i, item) for i, item in enumerate(index) if item != Cut()]
    if len(own) != 1:
        return []
    i, item = own[0]
    axis = i - len(shape)
    if isinstance(item, Size):
        start = from_start(item, shape[i])
        return [_Part(x, axis, start, start + 1, entry=True)]
    if item.step != 1:
        return []
    start = ZERO if item.start is None else from_start(item.start, shape[i])
    stop = shape[i] if item.stop is None else from_start(item.stop, shape[i])
    return [_Part(x, axis, start, stop)]


def _inserted(parts: list[_Part], more: list[_Part]) -> list[_Part] | None:
    """All of them in their order; ``None`` unless it is known that none overlap."""
    found = list(parts)
    for part in more:
        place = sum(other.before(part) for other in found)
        if not all(other.before(part) for other in found[:place]):
            return None
        if not all(part.before(other) for other in found[place:]):
            return None
        found.insert(place, part)
    return found


def _filled(parts: list[_Part], node: Node) -> Node | None:
    """The parts joined, with zeros between them; single numbers only as an array of a few."""
    axis, shape = parts[0].axis, node.type.shape
    pieces: list[Node] = []
    reached = ZERO
    for part in parts:
        pieces += _gap(part.start - reached, axis, shape, node)
        pieces.append(part.node)
        reached = part.stop
    pieces += _gap(shape[axis] - reached, axis, shape, node)
    if len(shape) == 1 and any(part.entry for part in parts):
        return _array(parts, node)
    if len(pieces) == len(parts) and all(part.entry for part in parts):
        return make("stack", pieces, node.span, {"axis": axis})
    entries = {part.node for part in parts if part.entry}
    wide = [make("expand_dims", [piece], node.span, {"axis": (axis,)})
            if piece in entries else piece for piece in pieces]  # fmt: skip
    return make("concat", wide, node.span, {"axis": axis})


def _array(parts: list[_Part], node: Node) -> Node | None:
    length = node.type.shape[0].constant
    if length is None or length > _MOST or not all(part.entry for part in parts):
        return None
    entries = [constant(0.0, node.span)] * length
    for part in parts:
        place = part.start.constant
        assert place is not None
        entries[place] = part.node
    return make("array", entries, node.span, {"shape": node.type.shape})


def _gap(length: Size, axis: int, shape: Shape, node: Node) -> list[Node]:
    if length == ZERO:
        return []
    at = axis + len(shape)
    empty = (*shape[:at], length, *shape[at + 1 :])
    return [make("zeros", (), node.span, {"shape": empty})]
