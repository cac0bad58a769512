"""The face of a condition that decides in memory: facts of one study in, true or false out, and why. Pure.

What an operator means is also written in `compiling.py`, for SQL; the tests hold the two together.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any as Anything

from treegarth.conditions.model import All, Any, Comparison, Condition, Facts, Field, Level, Not, Operator, Some, Value
from treegarth.conditions.patterns import matches
from treegarth.conditions.text import condition_document
from treegarth.conditions.values import bounds

_DEPTHS = {Level.STUDY: 0, Level.SERIES: 1, Level.INSTANCE: 2}
MOST_SEEN = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """Why a condition holds or does not, clause by clause."""

    text: str  # the clause's line, or "all", "any", "not", "series", "instance"
    holds: bool
    seen: tuple[Value, ...] = ()  # of a comparison: the values that were there, each once, the first 20
    key: str = ""  # of series and instance: the one that the parts speak of; the first where none fulfils them
    parts: tuple[Explanation, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Matched:
    """A comparison by which a condition holds, and the values that make it true, each once, the first 20."""

    field: Field
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """A study, a series or an instance, with what is known of it and of all above it."""

    level: Level
    facts: Facts
    values: Mapping[str, Value | tuple[Value, ...] | None]

    def at(self, level: Level) -> Iterator[_Place]:
        """The places of a level at or beneath this one. Fields above are this place's own."""
        if _DEPTHS[level] <= _DEPTHS[self.level]:
            yield self
            return
        beneath = Level.SERIES if self.level is Level.STUDY else Level.INSTANCE
        for facts in self.facts.below:
            yield from _Place(beneath, facts, ChainMap(dict(facts.values), dict(self.values))).at(level)


def decide(
    condition: Condition,
    facts: Facts,
    now: datetime,
    *,
    level: Level = Level.STUDY,
    above: Sequence[Facts] = (),
) -> bool:
    """Whether the condition holds for a study (or for what `level` says; `above` then has the facts of its parents).

    The facts must have every field of the condition: `facts.read_facts` reads them. Raises KeyError where one is not.
    """
    return _holds(condition, _place(facts, level, above), now)


def explain(
    condition: Condition,
    facts: Facts,
    now: datetime,
    *,
    level: Level = Level.STUDY,
    above: Sequence[Facts] = (),
) -> Explanation:
    """As `decide`, clause by clause."""
    return _explain(condition, _place(facts, level, above), now)


def matched(condition: Condition, facts: Facts, now: datetime) -> list[Matched]:
    """By what a condition holds for a study: none where it does not. What is only denied has no value to show."""
    place = _place(facts, Level.STUDY, ())
    return list(_matched(condition, place, now)) if _holds(condition, place, now) else []


def _matched(condition: Condition, place: _Place, now: datetime) -> Iterator[Matched]:
    """Of a condition that holds."""
    match condition:
        case Comparison():
            tests = bounds(condition, now)
            fitting = (value for value in _values(condition, place) if _compares(condition.operator, value, tests))
            yield Matched(field=condition.field, values=tuple(dict.fromkeys(fitting))[:MOST_SEEN])
        case All() | Any():
            for part in condition.parts:
                if _holds(part, place, now):
                    yield from _matched(part, place, now)
        case Some():
            chosen = next(one for one in place.at(condition.level) if _holds(condition.part, one, now))
            yield from _matched(condition.part, chosen, now)


def _place(facts: Facts, level: Level, above: Sequence[Facts]) -> _Place:
    return _Place(level, facts, ChainMap(dict(facts.values), *(dict(parent.values) for parent in above)))


def _holds(condition: Condition, place: _Place, now: datetime) -> bool:
    match condition:
        case Comparison():
            tests = bounds(condition, now)
            return any(_compares(condition.operator, value, tests) for value in _values(condition, place))
        case All():
            return all(_holds(part, place, now) for part in condition.parts)
        case Any():
            return any(_holds(part, place, now) for part in condition.parts)
        case Not():
            return not _holds(condition.part, place, now)
        case Some():
            return any(_holds(condition.part, one, now) for one in place.at(condition.level))


def _explain(condition: Condition, place: _Place, now: datetime) -> Explanation:
    holds = _holds(condition, place, now)
    match condition:
        case Comparison():
            return _clause(condition, condition, holds, place)
        case Not(part=Comparison() as comparison) if isinstance(line := condition_document(condition), str):
            return _clause(comparison, condition, holds, place, line)
        case Not():
            return Explanation(text="not", holds=holds, parts=(_explain(condition.part, place, now),))
        case Some():
            places = list(place.at(condition.level))
            chosen = next((one for one in places if _holds(condition.part, one, now)), places[0] if places else None)
            if chosen is None:
                return Explanation(text=condition.level.value, holds=False)
            inside = _explain(condition.part, chosen, now)
            return Explanation(text=condition.level.value, holds=holds, key=chosen.facts.key, parts=(inside,))
        case All() | Any():
            word = "all" if isinstance(condition, All) else "any"
            parts = tuple(_explain(part, place, now) for part in condition.parts)
            return Explanation(text=word, holds=holds, parts=parts)


def _clause(
    comparison: Comparison, clause: Condition, holds: bool, place: _Place, line: str | None = None
) -> Explanation:
    seen = tuple(dict.fromkeys(_values(comparison, place)))[:MOST_SEEN]
    return Explanation(text=line or str(condition_document(clause)), holds=holds, seen=seen)


def _values(comparison: Comparison, place: _Place) -> Iterator[Value]:
    """Every value that the field has here or beneath."""
    for one in place.at(comparison.field.level):
        value = one.values[comparison.field.name]
        if isinstance(value, tuple):
            yield from value
        elif value is not None:
            yield value


def _compares(operator: Operator, value: Anything, tests: Sequence[Anything]) -> bool:
    """Whether a value that is there makes the comparison true."""
    match operator:
        case Operator.EXISTS:
            return True
        case Operator.EQUALS | Operator.IN:
            return value in tests
        case Operator.LIKE:
            return matches(tests[0], value)
        case Operator.LESS | Operator.OLDER:
            return bool(value < tests[0])
        case Operator.AT_MOST:
            return bool(value <= tests[0])
        case Operator.GREATER:
            return bool(value > tests[0])
        case Operator.AT_LEAST | Operator.WITHIN:
            return bool(value >= tests[0])
        case Operator.BETWEEN:
            return bool(tests[0] <= value <= tests[1])
