"""In which order the factors of a sum of products are multiplied, two at a time.

Chosen when compiling, by the work of all products (a multiplication for each combination of their
letters), then by the entries of what is made on the way, then as written. Sizes that are not known
count as 64: where one order needs less work at all sizes, it is found.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from ..frozen import frozen
from ..sizes import Size

_UNKNOWN = 64
_EXHAUSTIVE = 6

Tree = int | tuple["Tree", "Tree"]
"""The position of a factor, or two trees whose products are multiplied."""


@frozen()
class _Plan:
    """How some factors are multiplied: the letters left, and what it costs."""

    tree: Tree
    letters: frozenset[str]
    work: int = 0
    entries: int = 0

    @property
    def cost(self) -> tuple[int, int]:
        return self.work, self.entries


def pairing(terms: Sequence[str], result: str, sizes: Mapping[str, Size]) -> Tree:
    """The order for factors with these letters: the cheapest of all for a few factors; for more,
    always the cheapest pair next."""
    lengths = {letter: _length(sizes[letter]) for letter in sizes}
    plans = {1 << i: _Plan(i, frozenset(term)) for i, term in enumerate(terms)}
    chosen = _best if len(terms) <= _EXHAUSTIVE else _greedy
    return chosen(plans, frozenset(result), lengths).tree


def _length(size: Size) -> int:
    return max(size.evaluate(defaultdict(lambda: _UNKNOWN)), 1)


def _best(plans: dict[int, _Plan], result: frozenset[str], lengths: Mapping[str, int]) -> _Plan:
    """The cheapest order, built up from those of fewer factors. Factors are bits of a number."""
    every = (1 << len(plans)) - 1
    terms = [plan.letters for plan in plans.values()]
    for subset in sorted(range(1, every + 1), key=int.bit_count):
        if subset in plans:
            continue
        needed = _needed(terms, subset, result)
        halves = [(a, subset - a) for a in range(1, subset) if a & subset == a and a > subset - a]
        # As written: the fewest factors, and the last of them, on the right.
        halves.sort(key=lambda pair: (pair[0].bit_count(), -pair[0]))
        options = [_joined(plans[b], plans[a], needed, lengths) for a, b in halves]
        plans[subset] = min(options, key=lambda plan: plan.cost)
    return plans[every]


def _greedy(plans: dict[int, _Plan], result: frozenset[str], lengths: Mapping[str, int]) -> _Plan:
    terms = [plan.letters for plan in plans.values()]
    while len(plans) > 1:
        options = {
            a | b: _joined(plans[a], plans[b], _needed(terms, a | b, result), lengths)
            for a, b in itertools.combinations(plans, 2)
        }
        taken = min(options, key=lambda subset: options[subset].cost)
        plans = {s: plan for s, plan in plans.items() if not s & taken} | {taken: options[taken]}
    return next(iter(plans.values()))


def _needed(terms: Sequence[frozenset[str]], subset: int, result: frozenset[str]) -> frozenset[str]:
    """The letters that the result and the factors outside of a subset have."""
    return result.union(*(term for i, term in enumerate(terms) if not subset >> i & 1))


def _joined(a: _Plan, b: _Plan, needed: frozenset[str], lengths: Mapping[str, int]) -> _Plan:
    every = a.letters | b.letters
    kept = every & needed
    work = a.work + b.work + _product(lengths[letter] for letter in every)
    entries = a.entries + b.entries + _product(lengths[letter] for letter in kept)
    return _Plan((a.tree, b.tree), kept, work, entries)


def _product(lengths: Iterable[int]) -> int:
    result = 1
    for length in lengths:
        result *= length
    return result
