"""Operations whose options or operands change when they act on all entries at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..graph import Fragment, Node, make
from ..lowering.table import size_node
from ..shapes import Shape
from ..sizes import ONE, ZERO, Size, product
from ..subscripts import Cut
from .spread import Spread, aligned, lengths, permuted, union, whole
from .subscript import taken_at
from .sums import Letters
from .variables import Variable
from .vectorise import BY_FAMILY, Vectoriser, handles

_Operands = Sequence[Spread]


# ── Shapes as options ───────────────────────────────────────────────────────


@handles("broadcast_to", "reshape")
def _to_shape(vectoriser: Vectoriser, node: Node, operands: _Operands) -> Spread:
    (x,) = operands
    shape: Shape = node.attributes["shape"]
    rank = len(shape) if node.op.name == "broadcast_to" else x.entry_rank
    array = aligned(x, x.axes, rank, node.span)
    options = {"shape": (*lengths(x.axes), *shape)}
    return Spread(make(node.op, [array], node.span, options), x.axes)


@handles("getitem")
def _getitem(vectoriser: Vectoriser, node: Node, operands: _Operands) -> Spread:
    (x,) = operands
    index = (*[Cut()] * len(x.axes), *node.attributes["index"])
    return Spread(make("getitem", [x.node], node.span, {"index": index}), x.axes)


@handles("place")
def _place(vectoriser: Vectoriser, node: Node, operands: _Operands) -> Spread:
    (x,) = operands
    index = (*[Cut()] * len(x.axes), *node.attributes["index"])
    options = {"shape": (*lengths(x.axes), *node.attributes["shape"]), "index": index}
    return Spread(make("place", [x.node], node.span, options), x.axes)


@handles("pad")
def _pad(vectoriser: Vectoriser, node: Node, operands: _Operands) -> Spread:
    (x,) = operands
    widths = (*[(ZERO, ZERO)] * len(x.axes), *node.attributes["widths"])
    options = {**node.attributes, "widths": widths}
    return Spread(make("pad", [x.node], node.span, options), x.axes)


@handles("tile")
def _tile(vectoriser: Vectoriser, node: Node, operands: _Operands) -> Spread:
    (x,) = operands
    rank = max(x.entry_rank, len(node.attributes["reps"]))
    array = aligned(x, x.axes, rank, node.span)
    return Spread(make("tile", [array], node.span, node.attributes), x.axes)


@handles("transpose")
def _transpose(vectoriser: Vectoriser, node: Node, operands: _Operands) -> Spread:
    (x,) = operands
    kept = range(-x.node.type.rank, -x.entry_rank)
    options = {"axes": (*kept, *node.attributes["axes"])}
    return Spread(make("transpose", [x.node], node.span, options), x.axes)


@handles("sum_squares")
def _sum_squares(vectoriser: Vectoriser, node: Node, operands: _Operands) -> Spread:
    (x,) = operands
    square = make("square", [x.node], node.span)
    if not x.entry_rank:
        return Spread(square, x.axes)
    options = {"axis": tuple(range(-x.entry_rank, 0)), "keepdims": False}
    return Spread(make("sum", [square], node.span, options), x.axes)


# ── Several arrays as one ───────────────────────────────────────────────────


@handles("stack", "concat")
def _joined(vectoriser: Vectoriser, node: Node, operands: _Operands) -> Spread:
    axes = union(operands)
    arrays = [whole(operand, axes, node.span) for operand in operands]
    return Spread(make(node.op, arrays, node.span, node.attributes), axes)


@handles("array")
def _array(vectoriser: Vectoriser, node: Node, operands: _Operands) -> Spread:
    axes = union(operands)
    arrays = [whole(operand, axes, node.span) for operand in operands]
    kinds = {array.type.kind for array in arrays}
    if len(kinds) > 1:
        op = "as_float" if node.type.is_float else "as_int"
        arrays = [a if a.type.kind == node.type.kind else make(op, [a], node.span) for a in arrays]
    rank = operands[0].entry_rank
    row = make("stack", arrays, node.span, {"axis": -1 - rank})
    shape = (*lengths(axes), *node.type.shape)
    if row.type.shape != shape:
        row = make("reshape", [row], node.span, {"shape": shape})
    return Spread(row, axes)


# ── Gathers ─────────────────────────────────────────────────────────────────


@handles("take")
def _take(vectoriser: Vectoriser, node: Node, operands: _Operands) -> Spread:
    x, places = operands
    if not places.axes:
        return Spread(make("take", [x.node, places.node], node.span, node.attributes), x.axes)
    label = x.entry_rank + node.attributes["axis"]
    return taken_at(x, label, places, node.span)


@handles("take_along_axis")
def _take_along_axis(vectoriser: Vectoriser, node: Node, operands: _Operands) -> Spread:
    """Both have all axes: NumPy does not broadcast arrays of different rank here."""
    axes = union(operands)
    nodes = []
    for operand in operands:
        array = aligned(operand, axes, operand.entry_rank, node.span)
        missing = len(axes) + operand.entry_rank - array.type.rank
        new = tuple(range(-array.type.rank - missing, -array.type.rank))
        nodes.append(make("expand_dims", [array], node.span, {"axis": new}) if new else array)
    return Spread(make("take_along_axis", nodes, node.span, node.attributes), axes)


@handles("scatter")
def _scatter(vectoriser: Vectoriser, node: Node, operands: _Operands) -> Spread:
    """Where each entry has places of its own, the axis is one in which all entries have a part."""
    (x, places), span = operands, node.span
    if not places.axes:
        return Spread(make("scatter", [x.node, places.node], span, node.attributes), x.axes)
    axes = union(operands)
    shape, count = lengths(axes), Size.of(node.attributes["count"])
    lead, before = len(axes), x.entry_rank - places.entry_rank + 1 + node.attributes["axis"]
    front, own = range(lead, lead + before), range(lead)
    rows, indices = (whole(operand, axes, span) for operand in operands)
    rows = permuted(rows, [*front, *own, *range(lead + before, rows.type.rank)], span)
    part = make("arange", (), span, {"bounds": (ZERO, product(shape))})
    spread_out = (*shape, *[ONE] * places.entry_rank)
    part = make("reshape", [part], span, {"shape": spread_out})
    first = make("multiply", [part, size_node(count, span)], span)
    indices = make("add", [indices, first], span)
    options = {**node.attributes, "count": product(shape) * count}
    total = make("scatter", [rows, indices], span, options)
    kept = total.type.shape
    apart = (*kept[:before], *shape, count, *kept[before + 1 :])
    total = make("reshape", [total], span, {"shape": apart})
    order = [*range(before, before + lead), *range(before), *range(before + lead, total.type.rank)]
    return Spread(permuted(total, order, span), axes)


@handles("scatter_along", "recurrence")
def _all_whole(vectoriser: Vectoriser, node: Node, operands: _Operands) -> Spread:
    """Kernels that do not broadcast arrays of different rank."""
    axes = union(operands)
    nodes = [whole(operand, axes, node.span) for operand in operands]
    return Spread(make(node.op, nodes, node.span, node.attributes), axes)


# ── Products ────────────────────────────────────────────────────────────────


@handles("matmul", "matvec", "vecdot", "vecouter", "contract")
def _product(vectoriser: Vectoriser, node: Node, operands: _Operands) -> Spread:
    """With a letter for each axis, or aligned where entries are more than matrices and vectors."""
    a, b = operands
    axes = union(operands)
    terms = _TERMS.get(node.op.name, ("", ""))
    if node.op.name == "contract":
        left, right, out = (node.attributes[k] for k in ("left", "right", "out"))
    elif (a.entry_rank, b.entry_rank) == (len(terms[0]), len(terms[1])):
        left, right = terms
        out = _OUT[node.op.name]
    else:
        return _leading_product(node, operands, terms, axes)
    letters = Letters()
    names = {c: letters.of([c]) for c in dict.fromkeys(left + right + out)}
    texts = [
        letters.of(o.axes) + "".join(names[c] for c in term) for o, term in ((a, left), (b, right))
    ]
    result = letters.of(axes) + "".join(names[c] for c in out)
    text = f"{texts[0]},{texts[1]}->{result}"
    return Spread(make("einsum", [a.node, b.node], node.span, {"subscripts": text}), axes)


_TERMS = {
    "matmul": ("ij", "jk"), "matvec": ("ij", "j"), "vecdot": ("i", "i"), "vecouter": ("i", "j"),
}  # fmt: skip
_OUT = {"matmul": "ik", "matvec": "i", "vecdot": "", "vecouter": "ij"}


def _leading_product(
    node: Node, operands: _Operands, terms: tuple[str, str], axes: tuple[Variable, ...]
) -> Spread:
    """Entries that are stacks of matrices or vectors themselves: what leads is aligned."""
    lead = max(o.entry_rank - len(t) for o, t in zip(operands, terms, strict=True))
    nodes = [
        aligned(o, axes, lead + len(t), node.span) for o, t in zip(operands, terms, strict=True)
    ]
    return Spread(make(node.op, nodes, node.span, node.attributes), axes)


@handles("solve_vector")
def _solve_vector(vectoriser: Vectoriser, node: Node, operands: _Operands) -> Spread:
    """One matrix and many right-hand sides are one call."""
    a, b = operands
    if a.axes or len(b.axes) != 1 or b.entry_rank != 1 or a.entry_rank != 2:
        return _leading_product(node, operands, ("ij", "j"), union(operands))
    columns = make("transpose", [b.node], node.span, {"axes": (-1, -2)})
    solved = make("solve", [a.node, columns], node.span)
    return Spread(make("transpose", [solved], node.span, {"axes": (-1, -2)}), b.axes)


def ruled(vectoriser: Vectoriser, node: Node, operands: _Operands) -> Spread:
    """A function with its own derivative: operands and rule for all entries."""
    axes = union(operands)
    nodes = [whole(operand, axes, node.span) for operand in operands]
    rules = {name: _for_all(rule, axes) for name, rule in node.op.rules.items()}
    op = replace(node.op, rules=rules)
    return Spread(make(op, nodes, node.span, node.attributes), axes)


def _for_all(rule: Fragment, axes: tuple[Variable, ...]) -> Fragment:
    """A rule for one entry as the rule for all of them."""
    placeholders: dict[str, Node] = {}
    known: dict[Node, Spread] = {}
    for name, own in rule.placeholders.items():
        type_ = own.type.with_shape((*lengths(axes), *own.type.shape))
        placeholders[name] = make("input", (), own.span, {**own.attributes, "type": type_})
        known[own] = Spread(placeholders[name], axes)
    inner = Vectoriser(known)
    inner.all([rule.root])
    return Fragment.of(placeholders, whole(inner(rule.root), axes, rule.root.span))


BY_FAMILY["ruled"] = ruled
