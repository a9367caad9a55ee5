"""What may stand at a place, said in words, for every state of the parser."""

from __future__ import annotations

_NAME = frozenset({"NAME", "GIVEN", "EXPECT", "WITHIN", "ROUND", "UNCHECKED"})
_OPERAND = frozenset({"NUMBER", "CONSTANT", "MINUS", "LPAR", "LSQB", "NEXT", "STRING"})
_OPERATOR = frozenset(
    {"PLUS", "MINUS", "PRODUCT_OPERATOR", "POWER", "COMPARISON", "AND", "OR", "TRANSPOSE"}
)
_DECLARATION = frozenset(
    {"INPUT", "DATA", "SIZE", "NODE", "OUTPUT", "OBJECTIVE", "DEF", "RULE", "USE", "SCAN",
     "EXAMPLE"}
)  # fmt: skip
_STEP = frozenset({"STATE", "NODE", "NEXT", "EMIT", "SCAN"})
_CLAUSE = frozenset({"GIVEN", "EXPECT", "ROUND"})

# Tried in this order; each group found is taken out of the set and said by its phrase.
_GROUPS = (
    (_OPERAND | _NAME | {"IF", "NOT"}, "an expression"),
    (_OPERAND | _NAME | {"NOT"}, "an operand"),
    (_OPERAND | _NAME, "an operand"),
    (_DECLARATION, "a declaration"),
    (_STEP, "a declaration of a step (`state`, `node`, `next`, `emit`, `scan`)"),
    (frozenset({"NODE", "RETURN"}), "`node` or `return`"),
    (_NAME, "a name"),
    (_CLAUSE, "`given`, `expect` or `round`"),
)
_TOKENS = {
    "$END": "the end of the file",
    "COLON": "`:`",
    "COMMA": "`,`",
    "EQUAL": "`=`",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "LSQB": "`[`",
    "RSQB": "`]`",
    "LBRACE": "`{`",
    "RBRACE": "`}`",
    "PLUS": "`+`",
    "MINUS": "`-`",
    "POWER": "`^`",
    "TRANSPOSE": "`.T`",
    "COMPARISON": "a comparison",
    "NUMBER": "a number",
    "STRING": "a string in double quotes",
    "PRODUCT_OPERATOR": "`*`",
    "CONSTANT": "a constant",
    "TO": "`..`",
    "ARROW": "`->`",
    "ELLIPSIS": "`...`",
}


def expected_sentence(expected: frozenset[str]) -> str:
    """``"an operator, `)` or a declaration"`` for a set of Lark's terminal names."""
    rest = set(expected)
    phrases = []
    for group, phrase in _GROUPS:
        if group <= rest:
            rest -= group
            phrases.append(phrase)
    if len(rest & _OPERATOR) > 1:
        rest -= _OPERATOR
        phrases.insert(0, "an operator")
    phrases += sorted(_token(name) for name in rest)
    if len(phrases) < 2:
        return "".join(phrases)
    return ", ".join(phrases[:-1]) + " or " + phrases[-1]


def _token(name: str) -> str:
    return _TOKENS.get(name, f"`{name.lower()}`")
