"""Checked expressions to canonical operations.

After this, every operation of a graph is marked canonical in the table: no 1-D ``matmul``, axes
counted from the end, helpers of rules expanded. What a node computes and its type never change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from .graph import Graph, Node, constant, make, map_nodes, topological
from .lower_shapes import LOWERINGS, Lowering
from .ops import Attributes
from .shapes import Kind
from .sizes import Size, product
from .source import Span
from .subscripts import Cut

_COUNTING = ("sum", "prod", "as_int")


def lower(graph: Graph) -> Graph:
    """The graph in canonical operations; names and places stay."""
    roots = [*graph.inputs.values(), *graph.landmarks, *graph.outputs.values()]
    return map_nodes(graph, lower_nodes(roots))


def lower_nodes(roots: Iterable[Node], stop: Iterable[Node] = ()) -> Mapping[Node, Node]:
    """Every node under the roots to its canonical form; ``stop`` are canonical already."""
    lowered: dict[Node, Node] = {node: node for node in stop}
    for node in topological(roots, lowered):
        lowered[node] = lower_node(node, tuple(lowered[o] for o in node.operands))
    return lowered


def lower_node(node: Node, operands: tuple[Node, ...]) -> Node:
    if node.type.kind is Kind.INT and node.op.name not in _COUNTING:
        operands = _as_numbers(operands)
    lowering = LOWERINGS.get(node.op.name)
    if lowering is None:
        return node if operands == node.operands else replace(node, operands=operands)
    result = lowering(node, operands)
    if node.name and result in operands:
        result = make("alias", [result], node.span)
    return replace(result, name=node.name, span=node.span) if node.name else result


def _as_numbers(operands: tuple[Node, ...]) -> tuple[Node, ...]:
    """Truth values as integers where all are: NumPy's sum of two is a truth value."""
    if not operands or any(operand.type.kind is not Kind.BOOL for operand in operands):
        return operands
    return tuple(make("as_int", [operand], operand.span) for operand in operands)


def _lowering(*names: str) -> Callable[[Lowering], Lowering]:
    def register(function: Lowering) -> Lowering:
        for name in names:
            LOWERINGS[name] = function
        return function

    return register


# ── Products ────────────────────────────────────────────────────────────────


def swap_last(x: Node, span: Span) -> Node:
    axes = [*range(-x.type.rank, 0)]
    axes[-1], axes[-2] = axes[-2], axes[-1]
    return make("transpose", [x], span, {"axes": tuple(axes)})


@_lowering("matmul")
def _matmul(node: Node, operands: tuple[Node, ...]) -> Node:
    a, b = operands
    if a.type.rank == 1 and b.type.rank == 1:
        return make("vecdot", operands, node.span)
    if b.type.rank == 1:
        return make("matvec", operands, node.span)
    if a.type.rank == 1:
        return make("matvec", [swap_last(b, b.span), a], node.span)
    return make("matmul", operands, node.span)


@_lowering("dot")
def _dot(node: Node, operands: tuple[Node, ...]) -> Node:
    return make("vecdot", operands, node.span)


@_lowering("outer")
def _outer(node: Node, operands: tuple[Node, ...]) -> Node:
    return make("vecouter", operands, node.span)


@_lowering("matrix_transpose")
def _matrix_transpose(node: Node, operands: tuple[Node, ...]) -> Node:
    return swap_last(operands[0], node.span)


@_lowering("untranspose")
def _untranspose(node: Node, operands: tuple[Node, ...]) -> Node:
    axes = node.attributes["axes"]
    return make("transpose", operands, node.span, {"axes": axes})


# ── Powers and norms ────────────────────────────────────────────────────────


@_lowering("power")
def _power(node: Node, operands: tuple[Node, ...]) -> Node:
    a, b = operands
    if b.is_constant(2):
        return _square(node, a)
    if b.is_constant(1):
        return _converted(node, a)
    if b.is_constant(0):
        one = constant(1 if node.type.kind < 2 else 1.0, node.span)
        shape = {"shape": node.type.shape}
        return make("broadcast_to", [one], node.span, shape) if node.type.rank else one
    if not node.type.is_float:
        return make("int_power", operands, node.span)
    return replace(node, operands=operands)


def _square(node: Node, a: Node) -> Node:
    norm_of_all = a.op.name == "norm" and not a.name and not a.type.rank
    if norm_of_all:
        return make("sum_squares", [_converted(node, a.operands[0])], node.span)
    return make("square", [_converted(node, a)], node.span)


def _converted(node: Node, a: Node) -> Node:
    if a.type.kind == node.type.kind:
        return a
    return make("as_float" if node.type.is_float else "as_int", [a], node.span)


@_lowering("square")
def _square_call(node: Node, operands: tuple[Node, ...]) -> Node:
    return _square(node, operands[0])


@_lowering("as_float")
def _as_float(node: Node, operands: tuple[Node, ...]) -> Node:
    return operands[0] if operands[0].type.is_float else replace(node, operands=operands)


# ── Reductions ──────────────────────────────────────────────────────────────


@_lowering("sum", "mean", "max", "min", "logsumexp", "any", "all")
def _reduction(node: Node, operands: tuple[Node, ...]) -> Node:
    """Over no axes, a reduction is the entry itself."""
    if node.attributes["axis"]:
        return replace(node, operands=operands)
    return _converted(node, operands[0])


def _merged_last(x: Node, axes: tuple[int, ...], span: Span) -> Node:
    """The axes moved to the end and merged into one."""
    rest = tuple(axis for axis in range(-x.type.rank, 0) if axis not in axes)
    if rest + axes != tuple(range(-x.type.rank, 0)):
        x = make("transpose", [x], span, {"axes": rest + axes})
    if len(axes) == 1:
        return x
    kept = x.type.shape[: len(rest)]
    merged = product(x.type.shape[len(rest) :])
    return make("reshape", [x], span, {"shape": (*kept, merged)})


@_lowering("prod")
def _prod(node: Node, operands: tuple[Node, ...]) -> Node:
    axes = node.attributes["axis"]
    if not axes:
        return operands[0]
    merged = _merged_last(operands[0], axes, node.span)
    result = make("prod", [merged], node.span, {"axis": (-1,), "keepdims": False})
    if node.attributes["keepdims"]:
        result = make("expand_dims", [result], node.span, {"axis": axes})
    return result


@_lowering("norm")
def _norm(node: Node, operands: tuple[Node, ...]) -> Node:
    (x,), axes = operands, node.attributes["axis"]
    if not axes:
        return make("abs", operands, node.span)
    if len(axes) < 3 or len(axes) == x.type.rank:
        return replace(node, operands=operands)
    merged = _merged_last(x, axes, node.span)
    result = make("norm", [merged], node.span, {"axis": (-1,), "keepdims": False})
    if node.attributes["keepdims"]:
        result = make("expand_dims", [result], node.span, {"axis": axes})
    return result


# ── Helpers of rules ────────────────────────────────────────────────────────


@_lowering("spread")
def _spread(node: Node, operands: tuple[Node, ...]) -> Node:
    dx, x = operands
    axes = node.attributes["axis"]
    leading = axes == tuple(range(-x.type.rank, -x.type.rank + len(axes)))
    if axes and not node.attributes["keepdims"] and not leading:
        dx = make("expand_dims", [dx], node.span, {"axis": axes})
    if dx.type.shape == x.type.shape:
        return dx
    return make("broadcast_to", [dx], node.span, {"shape": x.type.shape})


@_lowering("hits")
def _hits(node: Node, operands: tuple[Node, ...]) -> Node:
    hit = make("as_float", [make("equal", operands, node.span)], node.span)
    axes = {"axis": node.attributes["axis"], "keepdims": True}
    return make("divide", [hit, make("sum", [hit], node.span, axes)], node.span)


@_lowering("count")
def _count(node: Node, operands: tuple[Node, ...]) -> Node:
    size = product(operands[0].type.shape[axis] for axis in node.attributes["axis"])
    return size_node(size, node.span)


def size_node(size: Size, span: Span) -> Node:
    if size.constant is not None:
        return constant(size.constant, span)
    return make("size", (), span, {"size": size})


@_lowering("diagonal_mask")
def _diagonal_mask(node: Node, operands: tuple[Node, ...]) -> Node:
    identity = make("eye", (), node.span, {"shape": node.type.shape})
    return make("equal", [identity, constant(1, node.span)], node.span)


@_lowering("reshape_like")
def _reshape_like(node: Node, operands: tuple[Node, ...]) -> Node:
    dx, x = operands
    return make("reshape", [dx], node.span, {"shape": x.type.shape})


@_lowering("place_like")
def _place_like(node: Node, operands: tuple[Node, ...]) -> Node:
    dx, x = operands
    attributes: Attributes = {"shape": x.type.shape, "index": node.attributes["index"]}
    return make("place", [dx], node.span, attributes)


@_lowering("entry")
def _entry(node: Node, operands: tuple[Node, ...]) -> Node:
    (x,) = operands
    before = (Cut(),) * (x.type.rank + node.attributes["axis"])
    index = (*before, Size.of(node.attributes["position"]))
    return make("getitem", [x], node.span, {"index": index})


@_lowering("part")
def _part(node: Node, operands: tuple[Node, ...]) -> Node:
    (x,), axis = operands, node.attributes["axis"]
    stop = Size.of(node.attributes["stop"])
    last = stop == x.type.shape[axis]
    start = Size.of(node.attributes["start"])
    cut = Cut(None if start == Size.of(0) else start, None if last else stop)
    index = (*(Cut(),) * (x.type.rank + axis), cut)
    return make("getitem", [x], node.span, {"index": index})


@_lowering("squeeze")
def _squeeze(node: Node, operands: tuple[Node, ...]) -> Node:
    if not node.attributes["axis"]:
        return operands[0]
    return replace(node, operands=operands)


@_lowering("getitem")
def _getitem(node: Node, operands: tuple[Node, ...]) -> Node:
    return replace(node, operands=operands) if node.attributes["index"] else operands[0]


@_lowering("reshape", "broadcast_to")
def _same_shape(node: Node, operands: tuple[Node, ...]) -> Node:
    if node.type.shape == operands[0].type.shape:
        return operands[0]
    return replace(node, operands=operands)


@_lowering("transpose")
def _transpose(node: Node, operands: tuple[Node, ...]) -> Node:
    if node.attributes["axes"] == tuple(range(-node.type.rank, 0)):
        return operands[0]
    return replace(node, operands=operands)
