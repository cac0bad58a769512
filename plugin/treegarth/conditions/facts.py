"""What conditions need to know of a few studies, read from the database: the fields that they name and no others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any as Anything

from sqlalchemy import ColumnElement, Connection, FromClause, Row, Select, Text, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from treegarth.conditions.model import All, Any, Comparison, Condition, Facts, Level, Not, Some, Value
from treegarth.conditions.vocabulary import NOW, Term, Vocabulary

_ORDER = (Level.STUDY, Level.SERIES, Level.INSTANCE)


def read_facts(
    connection: Connection,
    vocabulary: Vocabulary,
    conditions: Iterable[Condition],
    orthanc_study_ids: Sequence[str],
    now: datetime,
    *,
    also: Iterable[str] = (),
    deepest: Level = Level.STUDY,
) -> dict[str, Facts]:
    """The facts of those of the studies that are in the index, with series and instances as deep as the conditions go.

    `also` names further fields; with `deepest` series or instances are read even where no condition asks for them.
    """
    named, depth = {vocabulary.term(name).field.name for name in also}, deepest
    for condition in conditions:
        for found in fields_and_levels(condition):
            if isinstance(found, Level):
                depth = max(depth, found, key=_ORDER.index)
            else:
                named.add(found)
    terms = [vocabulary.term(name) for name in sorted(named)]
    depth = max([depth, *(term.field.level for term in terms)], key=_ORDER.index)
    reader = _Reader(connection, vocabulary, terms, list(orthanc_study_ids), now)
    return {facts.key: facts for facts in reader.read(depth)}


def fields_and_levels(condition: Condition) -> Iterator[str | Level]:
    """The names of the fields that a condition speaks of, and the levels of its groups."""
    match condition:
        case Comparison():
            yield condition.field.name
        case All() | Any():
            for part in condition.parts:
                yield from fields_and_levels(part)
        case Not():
            yield from fields_and_levels(condition.part)
        case Some():
            yield condition.level
            yield from fields_and_levels(condition.part)


class _Reader:
    """Reads one level after the other, the deepest first: one statement each."""

    def __init__(
        self, connection: Connection, vocabulary: Vocabulary, terms: list[Term], ids: list[str], now: datetime
    ) -> None:
        self._connection = connection
        self._vocabulary = vocabulary
        self._terms = terms
        self._ids = ids
        self._now = now

    def read(self, depth: Level) -> list[Facts]:
        below: dict[str, list[Facts]] = {}
        for level in reversed(_ORDER[: _ORDER.index(depth) + 1]):
            terms = [term for term in self._terms if term.field.level is level]
            rows = self._connection.execute(self._statement(level, terms), {"ids": self._ids, NOW.key: self._now})
            above: dict[str, list[Facts]] = defaultdict(list)
            for row in rows:
                above[row.parent].append(_facts(row, terms, below))
            below = above
        return [facts for found in below.values() for facts in found]

    def _statement(self, level: Level, terms: Sequence[Term]) -> Select[Anything]:
        """key, parent, then the terms' values, for the rows of a level that belong to the studies."""
        here, top = self._vocabulary.levels[level], self._vocabulary.levels[Level.STUDY]
        source: FromClause = here.table
        study_key: ColumnElement[str] = top.key
        if level is Level.SERIES:
            study_key = _column(here.parent)
        elif level is Level.INSTANCE:
            upper = self._vocabulary.levels[Level.SERIES]
            source = source.join(upper.table, upper.key == _column(here.parent))
            study_key = _column(upper.parent)
        values = [_read(term, here.table).label(f"value_{at}") for at, term in enumerate(terms)]
        parent = here.key if here.parent is None else here.parent
        return (
            select(here.key.label("key"), parent.label("parent"), *values)
            .select_from(source)
            .where(study_key == func.any(bindparam("ids", type_=ARRAY(Text))))
            .order_by(here.key)
        )


def _column(column: ColumnElement[str] | None) -> ColumnElement[str]:
    if column is None:
        raise TypeError("A level beneath the study has a level above it.")
    return column


def _read(term: Term, table: FromClause) -> ColumnElement[Anything]:
    """The term's value on a row, as an array where it may have several."""
    if term.rows is None:
        return term.expression
    gathered = term.field.many and not term.is_array
    value: ColumnElement[Anything] = func.array_agg(term.expression) if gathered else term.expression
    where = [] if term.where is None else [term.where]
    read: Select[Anything] = select(value).select_from(term.rows).where(*where).correlate(table)
    return read.scalar_subquery()


def _facts(row: Row[Anything], terms: Sequence[Term], below: dict[str, list[Facts]]) -> Facts:
    values = {term.field.name: _value(term, found) for term, found in zip(terms, tuple(row)[2:], strict=True)}
    return Facts(key=row.key, values=values, below=tuple(below.get(row.key, ())))


def _value(term: Term, value: Anything) -> Value | tuple[Value, ...] | None:
    if not term.field.many:
        return None if value is None else _plain(value)
    return tuple(sorted({_plain(one) for one in value or () if one is not None}))


def _plain(value: Anything) -> Anything:
    """Numbers as PostgreSQL compares them here."""
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
