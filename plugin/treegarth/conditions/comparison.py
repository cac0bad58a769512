"""A comparison as a line of text: `StudyDescription like '*thorax*'`. Read, or refused with what is right. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Protocol

from treegarth.conditions.model import Comparison, Condition, Field, Kind, Not, Operator, Value
from treegarth.conditions.values import OPERATORS, RIGHT, read_duration, read_value, write_value
from treegarth.phrases import P_

_TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|(!=|<=|>=|[=<>\[\],])|([^\s'=<>!\[\],]+))")
_BARE = re.compile(r"[A-Za-z0-9_.:/*?+-]+")
_NEGATED = {Operator.EQUALS: "!=", Operator.IN: "not in", Operator.LIKE: "not like", Operator.EXISTS: "not exists"}
_WORDS: dict[tuple[str, ...], tuple[Operator, bool]] = {
    **{tuple(operator.value.split()): (operator, False) for operator in Operator},
    **{tuple(words.split()): (operator, True) for operator, words in _NEGATED.items()},
}
_QUOTING = P_("Quote a text as 'this'; a quote inside is written twice: 'Alzheimer''s'.")
LONGEST_LINE = 20_000
MOST_VALUES = 1_000
_FIELDS = P_("The fields are listed in the documentation of conditions.")


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
        most = P_("At most %(most)s characters are read.", most=LONGEST_LINE)
        raise LineRefused(P_("The line is too long."), most)
    found, at, end = [], 0, len(line.rstrip())
    while at < end:
        match = _TOKEN.match(line, at)
        if not match:
            unbalanced = line[at:].lstrip().startswith("'")
            wrong = P_("“%(word)s” has no meaning here.", word=line[at:].lstrip()[:1])
            raise LineRefused(P_("A quote is not closed.") if unbalanced else wrong, _QUOTING)
        quoted, sign, word = match.groups()
        found.append(_Token(quoted[1:-1].replace("''", "'"), True) if quoted else _Token(sign or word))
        at = match.end()
    if not found:
        raise LineRefused(P_("Nothing is compared."), P_("Write a comparison such as Modality = CT."))
    return found


def _field(token: _Token, fields: Fields) -> Field:
    if not token.is_quoted and (field := fields.field(token.text)):
        return field
    near = fields.nearest(token.text)
    right = P_("Near to it: %(names)s.", names=", ".join(near)) if near else _FIELDS
    raise LineRefused(P_("There is no field “%(name)s”.", name=token.text), right)


def _operator(field: Field, tokens: Sequence[_Token]) -> tuple[Operator, bool, Sequence[_Token]]:
    known = ", ".join(_operators_of(field))
    right = P_(
        "%(field)s is %(kind)s and can be compared by %(known)s.",
        field=field.name,
        kind=_KINDS[field.kind],
        known=known,
    )
    words = tuple("" if token.is_quoted else token.text.lower() for token in tokens[:2])
    for length in (2, 1):
        if words[:length] in _WORDS and len(words) >= length:
            operator, negated = _WORDS[words[:length]]
            if operator not in OPERATORS[field.kind]:
                wrong = P_("“%(word)s” does not fit %(field)s.", word=" ".join(words[:length]), field=field.name)
                raise LineRefused(wrong, right)
            return operator, negated, tokens[length:]
    if tokens:
        raise LineRefused(P_("“%(word)s” is no comparison.", word=tokens[0].text), right)
    raise LineRefused(P_("%(field)s is compared with nothing.", field=field.name), right)


_KINDS = {
    Kind.TEXT: P_("a text"),
    Kind.NUMBER: P_("a number"),
    Kind.DATE: P_("a date"),
    Kind.TIME: P_("a time of the day"),
    Kind.MOMENT: P_("a moment"),
    Kind.TRUTH: P_("true or false"),
}


def _operators_of(field: Field) -> list[str]:
    fitting = OPERATORS[field.kind]
    return [*(one.value for one in fitting), *(words for one, words in _NEGATED.items() if one in fitting)]


def _values(field: Field, operator: Operator, tokens: Sequence[_Token]) -> tuple[Value, ...]:
    if operator is Operator.EXISTS:
        if tokens:
            wrong = P_("“%(word)s” follows “exists”.", word=tokens[0].text)
            raise LineRefused(wrong, P_("Write %(field)s exists.", field=field.name))
        return ()
    if operator is Operator.IN:
        return tuple(_value(field, [token]) for token in _listed(field, tokens))
    if operator is Operator.BETWEEN:
        return _range(field, tokens)
    if operator in (Operator.OLDER, Operator.WITHIN):
        try:
            return (read_duration(field.kind, " ".join(token.text for token in tokens)),)
        except ValueError as error:
            wrong = P_("%(word)s is no duration for %(field)s.", word=_said(tokens), field=field.name)
            raise LineRefused(wrong, P_("Write %(what)s.", what=error.args[0])) from None
    return (_value(field, tokens, is_pattern=operator is Operator.LIKE),)


def _range(field: Field, tokens: Sequence[_Token]) -> tuple[Value, ...]:
    places = [at for at, token in enumerate(tokens) if token.text.lower() == "and" and not token.is_quoted]
    if len(places) != 1:
        right = P_("Write %(field)s between … and …, both included.", field=field.name)
        raise LineRefused(P_("“between” takes two values."), right)
    low, high = _value(field, tokens[: places[0]]), _value(field, tokens[places[0] + 1 :])
    return (low, high)


def _listed(field: Field, tokens: Sequence[_Token]) -> list[_Token]:
    """The values of `[a, b]`."""
    signs = ["" if token.is_quoted else token.text for token in tokens]
    inner = tokens[1:-1]
    fits = len(tokens) >= 3 and len(tokens) % 2 and signs[0] == "[" and signs[-1] == "]"
    if not fits or any((sign == ",") != bool(at % 2) for at, sign in enumerate(signs[1:-1])):
        right = P_("Write %(field)s in [one, another], spaces in 'quotes'.", field=field.name)
        raise LineRefused(P_("“in” takes a list."), right)
    if len(inner) > 2 * MOST_VALUES:
        most = P_("At most %(most)s values are compared.", most=MOST_VALUES)
        raise LineRefused(P_("The list is too long."), most)
    return list(inner[::2])


def _value(field: Field, tokens: Sequence[_Token], *, is_pattern: bool = False) -> Value:
    looks = P_("Write %(what)s.", what=RIGHT[field.kind])
    if not tokens:
        raise LineRefused(P_("%(field)s is compared with nothing.", field=field.name), looks)
    if len(tokens) > 1:
        joined = " ".join(token.text for token in tokens).replace("'", "''")
        right = P_("Write it in quotes: '%(text)s'.", text=joined) if field.kind is Kind.TEXT else looks
        raise LineRefused(P_("%(word)s is more than one value.", word=_said(tokens)), right)
    try:
        value = read_value(field.kind, tokens[0].text)
    except ValueError:
        wrong = P_(
            "%(word)s is not %(kind)s, and %(field)s is one.",
            word=_said(tokens),
            kind=_KINDS[field.kind],
            field=field.name,
        )
        raise LineRefused(wrong, looks) from None
    if field.choices and not is_pattern and value not in field.choices:
        raise LineRefused(*_never(field, str(value), _said(tokens)))
    return value


def _never(field: Field, value: str, said: str) -> tuple[str, str]:
    """What is wrong with a value that the field never has, and what would be right."""
    wrong = P_("%(field)s is never %(word)s.", field=field.name, word=said)
    known = ", ".join(field.choices)
    near = get_close_matches(value, field.choices, 1)
    if near:
        return wrong, P_("Perhaps %(near)s is meant. It is one of %(known)s.", near=near[0], known=known)
    return wrong, P_("It is one of %(known)s.", known=known)


def _said(tokens: Sequence[_Token]) -> str:
    return f"“{' '.join(token.text for token in tokens)}”"
