"""The face of a condition that compiles to SQL over the archive. Builds expressions; what runs them stands elsewhere.

SQL's NULL is no third truth here: in a condition without a negation a NULL ends as false by itself, and a negation is
written `IS NOT TRUE`, so that an absent value makes a comparison false, as in memory.
"""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from operator import eq, ge, gt, le, lt
from typing import Any as Anything

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Date,
    DateTime,
    Double,
    Exists,
    FromClause,
    Text,
    Time,
    and_,
    cast,
    collate,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.visitors import replacement_traverse
from sqlalchemy.types import TypeEngine

from treegarth.conditions.model import All, Any, Comparison, Condition, Kind, Level, Not, Operator, Some
from treegarth.conditions.patterns import like_pattern
from treegarth.conditions.values import bounds
from treegarth.conditions.vocabulary import NOW, LevelTable, Term, Vocabulary

_ORDER = (Level.STUDY, Level.SERIES, Level.INSTANCE)
_TYPES: dict[Kind, TypeEngine[Anything]] = {
    Kind.TEXT: Text(),
    Kind.NUMBER: Double(),
    Kind.DATE: Date(),
    Kind.TIME: Time(),
    Kind.MOMENT: DateTime(timezone=True),
}

_ORDERED = {
    Operator.EQUALS: eq,
    Operator.LESS: lt,
    Operator.OLDER: lt,
    Operator.AT_MOST: le,
    Operator.GREATER: gt,
    Operator.AT_LEAST: ge,
    Operator.WITHIN: ge,
}


def compile_condition(condition: Condition, vocabulary: Vocabulary, now: datetime) -> ColumnElement[bool]:
    """True for the rows of the study table that fulfil the condition (never use it negated: NULL stands for false)."""
    return compile_for(Level.STUDY, condition, vocabulary, now)


def compile_for(level: Level, condition: Condition, vocabulary: Vocabulary, now: datetime) -> ColumnElement[bool]:
    """True for the rows of a level's table that fulfil the condition; fields above are those of the row's parents."""
    return _Compiler(vocabulary, now).compile(condition, level, frozenset({level}))


class _Compiler:
    """Compiles for a row of a level. `scope` has the levels whose tables are in reach around it, itself included."""

    def __init__(self, vocabulary: Vocabulary, now: datetime) -> None:
        self._vocabulary = vocabulary
        self._now = now

    def compile(self, condition: Condition, level: Level, scope: frozenset[Level]) -> ColumnElement[bool]:
        match condition:
            case Comparison():
                return self._comparison(condition, level, scope)
            case All():
                return and_(true(), *(self.compile(part, level, scope) for part in condition.parts))
            case Any():
                return or_(false(), *(self.compile(part, level, scope) for part in condition.parts))
            case Not():
                return _negated(self.compile(condition.part, level, scope))
            case Some():
                inside = scope | _between(level, condition.level)
                part = self.compile(condition.part, condition.level, inside)
                return self._reached(level, condition.level, part, scope)

    def _comparison(self, comparison: Comparison, level: Level, scope: frozenset[Level]) -> ColumnElement[bool]:
        term = self._vocabulary.term(comparison.field.name)
        target = term.field.level
        if target in scope:
            return self._test(term, comparison, scope)
        if term.at_study is not None and level is Level.STUDY:
            return _array_test(term.at_study, comparison, bounds(comparison, self._now), self._tables(scope))
        inside = scope | _between(level, target)
        return self._reached(level, target, self._test(term, comparison, inside), scope)

    def _test(self, term: Term, comparison: Comparison, scope: frozenset[Level]) -> ColumnElement[bool]:
        """On the row of the term's own level."""
        tests, tables = bounds(comparison, self._now), self._tables(scope)
        if term.rows is None:
            return _expression_test(term, comparison, tests, tables)
        inner = _expression_test(term, comparison, tests, [*tables, term.rows])
        where = [inner] if term.where is None else [_at(term.where, self._now), inner]
        return select(literal(1)).select_from(term.rows).where(*where).correlate(*tables).exists()

    def _reached(
        self, level: Level, target: Level, test: ColumnElement[bool], scope: frozenset[Level]
    ) -> ColumnElement[bool]:
        """Whether the test holds for some row of the target level beneath this row, or for the one above it."""
        levels = [self._vocabulary.levels[one] for one in _ORDER if one in _between(level, target)]
        source: FromClause = levels[0].table
        for upper, lower in pairwise(levels):
            source = source.join(lower.table, _parent(lower) == upper.key)
        here = self._vocabulary.levels[level]
        deeper = _ORDER.index(target) > _ORDER.index(level)
        link = _parent(levels[0]) == here.key if deeper else levels[-1].key == _parent(here)
        return select(literal(1)).select_from(source).where(link, test).correlate(*self._tables(scope)).exists()

    def _tables(self, scope: frozenset[Level]) -> list[FromClause]:
        return [self._vocabulary.levels[level].table for level in scope]


def _between(level: Level, target: Level) -> frozenset[Level]:
    """The levels that lead from one to the other, without the first."""
    here, there = _ORDER.index(level), _ORDER.index(target)
    return frozenset(_ORDER[min(here, there) : max(here, there) + 1]) - {level}


def _parent(level: LevelTable) -> Column[str]:
    if level.parent is None:
        raise TypeError(f"{level.table.name} has no level above it.")
    return level.parent


def _at(where: ColumnElement[bool], now: datetime) -> ColumnElement[bool]:
    """With the time in the place of NOW."""

    def replace(element: Anything, **_: Anything) -> Anything:
        return literal(now, NOW.type) if element is NOW else None

    return replacement_traverse(where, {}, replace)


def _negated(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return not_(condition) if isinstance(condition, Exists) else condition.is_not(true())


def _expression_test(
    term: Term, comparison: Comparison, tests: tuple[Anything, ...], tables: list[FromClause]
) -> ColumnElement[bool]:
    if term.is_array:
        return _array_test(term.expression, comparison, tests, tables)
    return _scalar_test(term.expression, comparison, tests)


def _array_test(
    values: ColumnElement[Anything], comparison: Comparison, tests: tuple[Anything, ...], tables: list[FromClause]
) -> ColumnElement[bool]:
    """Whether one of the array's values makes the comparison true; an index on the array serves what it can."""
    if comparison.operator is Operator.EXISTS:
        return func.cardinality(values) > 0
    if comparison.operator in (Operator.EQUALS, Operator.IN):
        return values.op("&&", is_comparison=True)(cast(list(tests), ARRAY(_TYPES[comparison.field.kind])))
    each = func.unnest(values).column_valued("each_value")
    test = _scalar_test(each, comparison, tests)
    return select(literal(1)).select_from(each.scalar_alias).where(test).correlate(*tables).exists()


def _scalar_test(
    value: ColumnElement[Anything], comparison: Comparison, tests: tuple[Anything, ...]
) -> ColumnElement[bool]:
    operator, kind = comparison.operator, comparison.field.kind
    if operator is Operator.EXISTS:
        return value.is_not(None)
    if kind is Kind.TRUTH:
        return value if tests[0] else not_(value)
    if operator is Operator.LIKE:
        # ILIKE on the bare column, not LIKE on its small letters: of columns PostgreSQL knows how often values occur.
        pattern = literal(like_pattern(tests[0]), Text())
        return collate(value, "C").op("ILIKE", is_comparison=True, return_type=Boolean())(pattern)
    if operator is Operator.IN:  # one parameter, however many values: a statement takes 65,535
        return value == func.any(literal(list(tests), ARRAY(_TYPES[kind])))
    given = [literal(test, _TYPES[kind]) for test in tests]
    if operator is Operator.BETWEEN:
        return value.between(given[0], given[1])
    compared: ColumnElement[bool] = _ORDERED[operator](value, given[0])
    return compared
