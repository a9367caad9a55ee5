"""Sizes as polynomials, against the integers they stand for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from gradc.dsl.binding import bind, solve
from gradc.dsl.shapes import Mismatch, broadcast, reshape
from gradc.dsl.sizes import Size, product, size_text
from hypothesis import given
from hypothesis import strategies as st

NAMES = ("N", "M", "K")
Pair = tuple[Size, Callable[[dict[str, int]], int]]


def leaves() -> st.SearchStrategy[Pair]:
    numbers = st.integers(0, 5).map(lambda n: (Size.of(n), lambda values: n))
    names = st.sampled_from(NAMES).map(lambda n: (Size.of(n), lambda values: values[n]))
    return st.one_of(numbers, names)


def extend(children: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    def combine(left: Pair, right: Pair, operator: str) -> Pair:
        (a, f), (b, g) = left, right
        if operator == "+":
            return a + b, lambda v: f(v) + g(v)
        if operator == "-":
            return a - b, lambda v: f(v) - g(v)
        if operator == "*":
            return a * b, lambda v: f(v) * g(v)
        return a // 3, lambda v: f(v) // 3

    return st.builds(combine, children, children, st.sampled_from("+-*/"))


SIZES = st.recursive(leaves(), extend, max_leaves=8)
VALUES = st.fixed_dictionaries({name: st.integers(0, 20) for name in NAMES})


@given(SIZES, VALUES)
def test_normal_forms_keep_values(pair: Pair, values: dict[str, int]) -> None:
    size, meaning = pair
    assert size.evaluate(values) == meaning(values)


@given(SIZES, VALUES)
def test_text_says_the_same(pair: Pair, values: dict[str, int]) -> None:
    size, meaning = pair
    assert eval(size_text(size, power="**"), dict(values)) == meaning(values)


@given(SIZES, SIZES)
def test_equal_forms_are_equal_functions(left: Pair, right: Pair) -> None:
    (a, f), (b, g) = left, right
    if a == b:
        for n in range(4):
            values = {"N": n, "M": n + 2, "K": 3 * n}
            assert f(values) == g(values)


@given(SIZES, st.lists(VALUES, min_size=20, max_size=20))
def test_what_is_natural_is_never_negative(pair: Pair, points: list[dict[str, int]]) -> None:
    size, meaning = pair
    if size.natural:
        assert all(meaning(values) >= 0 for values in points)


def test_products_of_neighbours_are_natural() -> None:
    d, n = Size.of("D"), Size.of("N")
    natural = [
        d * (d - 1) // 2,
        d * (d - 1) * (d - 2) // 6 + n * d * (d - 1),
        n // 2,
        d * d - d + 1,
    ]
    assert all(size.natural for size in natural)
    # The fourth is not negative either, but that is not a matter of differences at 0.
    other = [d - 1, (n - 1) // 2, n * d - n, d * d - d * 2 + 1]
    assert not any(size.natural for size in other)


def test_triangle_numbers_are_exact() -> None:
    d = Size.of("D")
    assert d * (d - 1) // 2 == (d * d - d) // 2
    assert d * (d - 1) // 2 * 2 == d * d - d
    assert d // 2 * 2 != d
    assert (d * 4) // 2 == d * 2
    with pytest.raises(ZeroDivisionError):
        Size.of(3) // 0


@given(st.integers(1, 4), st.integers(0, 5), st.integers(0, 30))
def test_solving_a_size_from_a_dimension(factor: int, offset: int, value: int) -> None:
    dimension = Size.of("N") * factor + offset + Size.of("M")
    solution = solve(dimension, ["M"])
    assert solution is not None and solution.name == "N"
    actual = dimension.evaluate({"N": value, "M": 7})
    assert (actual - solution.offset.evaluate({"M": 7})) // solution.factor == value


def test_what_cannot_be_solved() -> None:
    n, m = Size.of("N"), Size.of("M")
    assert solve(n * n, []) is None
    assert solve(n + m, []) is None
    assert solve(n * m, ["M"]) is None
    assert solve(n // 2, []) is None


def test_a_dimension_that_stands_alone_gives_a_size_before_any_that_is_solved() -> None:
    n, k, d = Size.of("N"), Size.of("K"), Size.of("D")
    shapes = {"m": [n - k + 1], "y": [n * 2, d + k], "x": [n], "w": [k]}
    found = [(b.size, b.array, b.axis) for b in bind(shapes, [])]
    assert found == [("N", "x", 0), ("K", "w", 0), ("D", "y", 1)]
    assert [b.size for b in bind(shapes, ["N"])] == ["K", "D"]
    assert bind({"m": [n - k + 1]}, []) == ()


@pytest.mark.parametrize(("length", "size"), [(7, 3), (6, None), (0, None)])
def test_only_natural_numbers_solve_a_dimension(length: int, size: int | None) -> None:
    solution = solve(Size.of("N") * 2 + Size.of("M"), ["M"])
    assert solution is not None
    found = solution.value(Size.of(length), {"M": Size.of(1)})
    assert (found and found.constant) == size


def test_broadcasting_needs_equal_sizes_or_the_number_one() -> None:
    n, m, one = Size.of("N"), Size.of("M"), Size.of(1)
    assert broadcast([(n, one), (m,)]) == (n, m)
    with pytest.raises(Mismatch):
        broadcast([(n,), (m,)])


def test_reshape_computes_one_size() -> None:
    n = Size.of("N")
    assert reshape((n, Size.of(4)), (Size.of(2), Size.of(-1))) == (Size.of(2), n * 2)
    with pytest.raises(Mismatch):
        reshape((n,), (Size.of(2), Size.of(-1)))
    assert product([n, n]) == n * n
