"""The grammar: its soft spots, its comments, its errors for every state of the parser."""

from __future__ import annotations

import lark
import pytest
from gradc.dsl import ast
from gradc.dsl.errors import SpecError
from gradc.dsl.expected import expected_sentence
from gradc.dsl.format import expression_text, format_program
from gradc.dsl.parse import OPTIONS, grammar_text, load_parser, parse, parse_expression
from gradc.dsl.source import Source
from gradc.dsl.tree import TreeBuilder


def program(text: str) -> ast.Program:
    return parse(Source(text))


def node_names(text: str) -> list[str]:
    declarations = program(text).declarations
    return [d.target.names[0].id for d in declarations if isinstance(d, ast.Node)]


def test_grammar_has_no_hidden_conflicts() -> None:
    lark.Lark(grammar_text(), **OPTIONS, strict=True)


def test_every_state_has_a_short_sentence() -> None:
    builder = TreeBuilder()
    builder.begin(Source(""))
    parser = load_parser(builder)
    states = parser.parser.parser.parser.parse_table.states  # type: ignore[attr-defined]
    for actions in states.values():
        # What a state reduces on is a union over contexts; messages name what can be shifted.
        shifts = {name for name, (action, _) in actions.items() if action.name == "Shift"}
        sentence = expected_sentence(frozenset(name for name in shifts if name.isupper()))
        assert sentence.count(",") <= 8, sentence


@pytest.mark.parametrize("name", ["nodeb", "thenx", "round2", "inputs", "iff", "infx", "trueish"])
def test_keywords_are_whole_words(name: str) -> None:
    assert node_names(f"node {name} = 1") == [name]


@pytest.mark.parametrize("name", ["given", "expect", "within", "round", "unchecked"])
def test_soft_keywords_are_names(name: str) -> None:
    text = f"node {name} = 2 example e {{ given {name} = 1, x = {name} round 2 expect {name} = 1 }}"
    assert node_names(text) == [name]
    example = program(text).declarations[1]
    assert isinstance(example, ast.Example)
    assert [type(c) for c in example.clauses] == [ast.Given, ast.Rounding, ast.Expect]


@pytest.mark.parametrize("name", ["node", "if", "pi", "in", "not", "true"])
def test_reserved_words_are_no_names(name: str) -> None:
    with pytest.raises(SpecError):
        program(f"node {name} = 1")


@pytest.mark.parametrize(
    ("text", "grouped"),
    [
        ("-x^2", "-(x^2)"),
        ("2^-1", "2^(-1)"),
        ("a^b^c", "a^(b^c)"),
        ("(a^b)^c", "((a^b)^c)"),
        ("a - b - c", "((a - b) - c)"),
        ("a - (b - c)", "(a - (b - c))"),
        ("-a * b", "((-a) * b)"),
        ("not a == b", "not (a == b)"),
        ("a or b and c", "(a or (b and c))"),
        ("a < b + c", "(a < (b + c))"),
        ("W.T @ x[0]", "((W.T) @ (x[0]))"),
        ("if a then b else if c then d else e", "if a then b else (if c then d else e)"),
    ],
)
def test_precedence(text: str, grouped: str) -> None:
    assert parse_expression(Source(text)) == parse_expression(Source(grouped))


@pytest.mark.parametrize("text", ["x[0]", "x[-1, :, ...]", "x[1:, ::2]", "f(x, axis=[0, 1])",
                                  "sum[i, j in 0..N](A[i, j])", "(a + b) * c", "-(a + b)",
                                  "(if a then b else c) + 1", '[[1, 2], [3, 4.5e-3]]', "(-x)^2"])  # fmt: skip
def test_expressions_format_to_themselves(text: str) -> None:
    assert expression_text(parse_expression(Source(text))) == text


def test_two_stars_become_a_caret() -> None:
    assert expression_text(parse_expression(Source("x**2"))) == "x^2"


def test_names_are_normalised() -> None:
    assert node_names("node \ufb01 = 1") == ["fi"]


def test_documentation_belongs_to_the_declaration_below() -> None:
    text = "## the file\n\n## an input\n## of two lines\ninput x: float\n\n## far\n\nnode y = x\n"
    tree = program(text)
    assert tree.doc == "the file"
    assert [getattr(d, "doc", "") for d in tree.declarations] == ["an input\nof two lines", ""]


def test_comments_survive_formatting() -> None:
    text = (
        "# first\ninput x: float  # behind\n\n\n\nnode y = x +  # inside\n  1\n"
        "example e {  # open\n  # in\n  given x = 1  # given\n}\n# last\n"
    )
    formatted = format_program(program(text))
    for comment in ("first", "behind", "inside", "open", "# in", "given", "last"):
        assert comment in formatted
    assert format_program(program(formatted)) == formatted
    assert "\n\n\n" not in formatted


LONG = """\
node T[i in 0..D, j in 0..D] = if i == j then exp(logarithms_of_pivots[i]) * first
    else if i > j then lower_part_by_rows[i * (i - 1) // 2 + j] else 0
node q = (first_of_two + second_of_two) * second_of_two + first_of_two
    + first_of_two * (second_of_two + first_of_two * second_of_two) / 2
node c = if first_of_two * third_of_three > 0 and second_of_two > 0 and others > 0
    then f(first_of_two, second_of_two, third_of_three) else second_of_two + 2
node h = sum[i in 0..D, j in 0..D](if i > j then T[i, j] * another_rather_long_name
    else T[j, i] * a_rather_long_name)  # why
"""


@pytest.mark.parametrize("text", [LONG, LONG.replace("\n    ", " ")])
def test_long_lines_are_broken_where_operators_bind_loosest(text: str) -> None:
    assert format_program(program(text)) == LONG


def test_depth_is_limited_by_memory_alone() -> None:
    deep = "(" * 5000 + "x" + ")" * 5000
    assert isinstance(parse_expression(Source(deep)), ast.Name)
    long_sum = "+".join(["x"] * 20_000)
    assert expression_text(parse_expression(Source(long_sum))).count("+") == 19_999


def test_all_syntax_errors_are_found() -> None:
    with pytest.raises(SpecError) as caught:
        program("input x: float\nnode a = * x\nnode b = x\nnode c = x +\noutput d = $\n")
    assert [d.span.line for d in caught.value.diagnostics] == [2, 4, 5]
