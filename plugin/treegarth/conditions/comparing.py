"""A comparison as a line of text: `StudyDescription like '*thorax*'`. Read, or refused with what is right. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Protocol

from treegarth.conditions.model import Comparison, Condition, Field, Kind, Not, Operator, Value
from treegarth.conditions.values import OPERATORS, RIGHT, read_duration, read_value, write_value

_TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|(!=|<=|>=|[=<>\[\],])|([^\s'=<>!\[\],]+))")
_BARE = re.compile(r"[A-Za-z0-9_.:/*?+-]+")
_NEGATED = {Operator.EQUALS: "!=", Operator.IN: "not in", Operator.LIKE: "not like", Operator.EXISTS: "not exists"}
_WORDS: dict[tuple[str, ...], tuple[Operator, bool]] = {
    **{tuple(operator.value.split()): (operator, False) for operator in Operator},
    **{tuple(words.split()): (operator, True) for operator, words in _NEGATED.items()},
}
LONGEST_LINE = 20_000
MOST_VALUES = 1_000


class Fields(Protocol):
    """Where a condition's names are looked up."""

    def field(self, name: str) -> Field | None:
        """The field of that name."""

    def nearest(self, name: str) -> Sequence[str]:
        """Names that may have been meant."""


class LineRefused(Exception):
    """A comparison cannot be read. Caught where its place is known."""

    def __init__(self, wrong: str, right: str) -> None:
        super().__init__(wrong, right)
        self.wrong, self.right = wrong, right


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    is_quoted: bool = False


def read_comparison(line: str, fields: Fields) -> Condition:
    """A comparison, or the negation of one. Raises LineRefused."""
    tokens = _tokens(line)
    field = _field(tokens[0], fields)
    if len(tokens) == 1 and field.kind is Kind.TRUTH:
        return Comparison(field=field, operator=Operator.EQUALS, values=(True,))
    operator, negated, rest = _operator(field, tokens[1:])
    comparison = Comparison(field=field, operator=operator, values=_values(field, operator, rest))
    return Not(comparison) if negated else comparison


def write_comparison(comparison: Comparison, *, negated: bool = False) -> str:
    """The line that reads as this comparison. `negated` only for the operators that have a word for it."""
    operator = comparison.operator
    word = _NEGATED[operator] if negated else operator.value
    values = [write_value(value) for value in comparison.values]
    if operator in (Operator.OLDER, Operator.WITHIN):
        right = values[0]
    elif operator is Operator.IN:
        right = f"[{', '.join(map(_quoted, values))}]"
    else:
        right = " and ".join(map(_quoted, values))
    return f"{comparison.field.name} {word} {right}".rstrip()


def can_be_negated(operator: Operator) -> bool:
    """Whether there is a word for the operator's negation."""
    return operator in _NEGATED


def _quoted(text: str) -> str:
    return text if _BARE.fullmatch(text) else "'" + text.replace("'", "''") + "'"


def _tokens(line: str) -> list[_Token]:
    if len(line) > LONGEST_LINE:
        raise LineRefused("The line is too long.", f"At most {LONGEST_LINE} characters are read.")
    found, at, end = [], 0, len(line.rstrip())
    while at < end:
        match = _TOKEN.match(line, at)
        if not match:
            unbalanced = line[at:].lstrip().startswith("'")
            wrong = "A quote is not closed." if unbalanced else f"“{line[at:].lstrip()[:1]}” has no meaning here."
            raise LineRefused(wrong, "Quote a text as 'this'; a quote inside is written twice: 'Alzheimer''s'.")
        quoted, sign, word = match.groups()
        found.append(_Token(quoted[1:-1].replace("''", "'"), True) if quoted else _Token(sign or word))
        at = match.end()
    if not found:
        raise LineRefused("Nothing is compared.", "Write a comparison such as Modality = CT.")
    return found


def _field(token: _Token, fields: Fields) -> Field:
    if not token.is_quoted and (field := fields.field(token.text)):
        return field
    near = fields.nearest(token.text)
    right = f"Near to it: {', '.join(near)}." if near else "The fields are listed in the documentation of conditions."
    raise LineRefused(f"There is no field “{token.text}”.", right)


def _operator(field: Field, tokens: Sequence[_Token]) -> tuple[Operator, bool, Sequence[_Token]]:
    known = ", ".join(_operators_of(field))
    right = f"{field.name} is {_KINDS[field.kind]} and can be compared by {known}."
    words = tuple("" if token.is_quoted else token.text.lower() for token in tokens[:2])
    for length in (2, 1):
        if words[:length] in _WORDS and len(words) >= length:
            operator, negated = _WORDS[words[:length]]
            if operator not in OPERATORS[field.kind]:
                raise LineRefused(f"“{' '.join(words[:length])}” does not fit {field.name}.", right)
            return operator, negated, tokens[length:]
    wrong = f"“{tokens[0].text}” is no comparison." if tokens else f"{field.name} is compared with nothing."
    raise LineRefused(wrong, right)


_KINDS = {
    Kind.TEXT: "a text",
    Kind.NUMBER: "a number",
    Kind.DATE: "a date",
    Kind.TIME: "a time of the day",
    Kind.MOMENT: "a moment",
    Kind.TRUTH: "true or false",
}


def _operators_of(field: Field) -> list[str]:
    fitting = OPERATORS[field.kind]
    return [*(one.value for one in fitting), *(words for one, words in _NEGATED.items() if one in fitting)]


def _values(field: Field, operator: Operator, tokens: Sequence[_Token]) -> tuple[Value, ...]:
    if operator is Operator.EXISTS:
        if tokens:
            raise LineRefused(f"“{tokens[0].text}” follows “exists”.", f"Write {field.name} exists.")
        return ()
    if operator is Operator.IN:
        return tuple(_value(field, [token]) for token in _listed(field, tokens))
    if operator is Operator.BETWEEN:
        return _range(field, tokens)
    if operator in (Operator.OLDER, Operator.WITHIN):
        try:
            return (read_duration(field.kind, " ".join(token.text for token in tokens)),)
        except ValueError as error:
            raise LineRefused(f"{_said(tokens)} is no duration for {field.name}.", f"Write {error}.") from None
    return (_value(field, tokens, is_pattern=operator is Operator.LIKE),)


def _range(field: Field, tokens: Sequence[_Token]) -> tuple[Value, ...]:
    places = [at for at, token in enumerate(tokens) if token.text.lower() == "and" and not token.is_quoted]
    if len(places) != 1:
        raise LineRefused("“between” takes two values.", f"Write {field.name} between … and …, both included.")
    low, high = _value(field, tokens[: places[0]]), _value(field, tokens[places[0] + 1 :])
    return (low, high)


def _listed(field: Field, tokens: Sequence[_Token]) -> list[_Token]:
    """The values of `[a, b]`."""
    signs = ["" if token.is_quoted else token.text for token in tokens]
    inner = tokens[1:-1]
    fits = len(tokens) >= 3 and len(tokens) % 2 and signs[0] == "[" and signs[-1] == "]"
    if not fits or any((sign == ",") != bool(at % 2) for at, sign in enumerate(signs[1:-1])):
        raise LineRefused("“in” takes a list.", f"Write {field.name} in [one, another], spaces in 'quotes'.")
    if len(inner) > 2 * MOST_VALUES:
        raise LineRefused("The list is too long.", f"At most {MOST_VALUES} values are compared.")
    return list(inner[::2])


def _value(field: Field, tokens: Sequence[_Token], *, is_pattern: bool = False) -> Value:
    if not tokens:
        raise LineRefused(f"{field.name} is compared with nothing.", f"Write {RIGHT[field.kind]}.")
    if len(tokens) > 1:
        joined = " ".join(token.text for token in tokens).replace("'", "''")
        right = f"Write it in quotes: '{joined}'." if field.kind is Kind.TEXT else f"Write {RIGHT[field.kind]}."
        raise LineRefused(f"{_said(tokens)} is more than one value.", right)
    try:
        value = read_value(field.kind, tokens[0].text)
    except ValueError:
        wrong = f"{_said(tokens)} is not {_KINDS[field.kind]}, and {field.name} is one."
        raise LineRefused(wrong, f"Write {RIGHT[field.kind]}.") from None
    if field.choices and not is_pattern and value not in field.choices:
        near = get_close_matches(str(value), field.choices, 1)
        meant = f"Perhaps {near[0]} is meant. " if near else ""
        raise LineRefused(f"{field.name} is never {_said(tokens)}.", f"{meant}It is one of {', '.join(field.choices)}.")
    return value


def _said(tokens: Sequence[_Token]) -> str:
    return f"“{' '.join(token.text for token in tokens)}”"
