"""The names that exams and protocols have, what each has, and what people call it. Queries only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from sqlalchemy import BigInteger, Column, ColumnElement, Connection, Select, Table, cast, func, literal, or_, select

from treegarth.database.parameters import is_among_numbers
from treegarth.features.dose.analysis.store.name_counts import counts_of_events, counts_of_exams
from treegarth.features.dose.analysis.tables import exam_name, protocol_name, standard_name
from treegarth.features.dose.analysis.wanted import Wanted
from treegarth.record import Record

KindOfName = Literal["standard", "exam", "protocol"]
NAMES_SHOWN = 100


class NamedCount(Record):
    """A name, and how many exams (of a protocol: events with a dose) have it."""

    kind: KindOfName
    """`standard`: of a standard name; `exam`: a name of exams that has none; `protocol`: of irradiation events."""
    id: int
    modality: str
    name: str
    """Of exams: study description, requested procedure and protocols, as far as they are known."""
    count: int


def exam_name_words(row: Any) -> str:
    """What an exam is called, in a line: each text once; with neither, its protocols."""
    texts = dict.fromkeys(one for one in (row.study_description, row.requested_procedure_description) if one)
    protocols = ", ".join(row.protocols[:3]) + ("…" if len(row.protocols) > 3 else "")
    return " · ".join((*texts, *([protocols] if protocols else [])))


_EXAM_WORDS = (exam_name.c.study_description, exam_name.c.requested_procedure_description, exam_name.c.protocols)


def names_of_exams(connection: Connection, numbers: Iterable[int]) -> dict[int, str]:
    found = connection.execute(select(exam_name.c.id, *_EXAM_WORDS).where(is_among_numbers(exam_name.c.id, numbers)))
    return {row.id: exam_name_words(row) for row in found}


def names_of_protocols(connection: Connection, numbers: Iterable[int]) -> dict[int, str]:
    columns = (protocol_name.c.id, protocol_name.c.name)
    found = connection.execute(select(*columns).where(is_among_numbers(protocol_name.c.id, numbers)))
    return {row.id: row.name for row in found}


def names_of_standards(connection: Connection, numbers: Iterable[int]) -> dict[int, str]:
    columns = (standard_name.c.id, standard_name.c.name)
    found = connection.execute(select(*columns).where(is_among_numbers(standard_name.c.id, numbers)))
    return {row.id: row.name for row in found}


def labels_of_names(connection: Connection, kind: KindOfName, numbers: Iterable[int]) -> dict[int, str]:
    """What people call names of this kind, by their numbers."""
    of_kind = {"standard": names_of_standards, "exam": names_of_exams, "protocol": names_of_protocols}
    return of_kind[kind](connection, numbers)


def find_name(connection: Connection, wanted: Wanted) -> NamedCount | None:
    """The one name that is asked for, with no count; None where none is, or where it is not there (any more)."""
    asked: tuple[tuple[KindOfName, int | None, tuple[Column[Any], ...]], ...] = (
        ("standard", wanted.standard_name_id, (standard_name.c.modality, standard_name.c.name)),
        ("exam", wanted.exam_name_id, (exam_name.c.modality, *_EXAM_WORDS)),
        ("protocol", wanted.protocol_name_id, (protocol_name.c.modality, protocol_name.c.name)),
    )
    for kind, number, columns in asked:
        query = select(*columns).where(columns[0].table.c.id == number)
        row = connection.execute(query).first() if number is not None else None
        if number is not None and row is not None:
            return _named(kind, number, row.modality, exam_name_words(row) if kind == "exam" else row.name, 0)
    return None


def _named(kind: KindOfName, number: int, modality: str, name: str, count: int) -> NamedCount:
    return NamedCount(kind=kind, id=number, modality=modality, name=name, count=count)


def most_frequent_names(
    connection: Connection, kind: KindOfName, *, modality: str | None = None, words: str | None = None
) -> list[NamedCount]:
    """At most 100 names, the most frequent first, that have these words."""
    if kind == "exam":
        rows = connection.execute(_exam_names(modality, words)).all()
        return [_named(kind, row.id, row.modality, exam_name_words(row), row.exams) for row in rows]
    found = _standard_names(modality, words) if kind == "standard" else _protocol_names(modality, words)
    return [_named(kind, row.id, row.modality, row.name, row.exams) for row in connection.execute(found)]


def _exam_names(modality: str | None, words: str | None) -> Select[Any]:
    counted = counts_of_exams()
    found = (
        select(exam_name.c.id, exam_name.c.modality, *_EXAM_WORDS, counted.c.count.label("exams"))
        .join_from(counted, exam_name, exam_name.c.id == counted.c.name_id)
        .where(exam_name.c.standard_name_id.is_(None), *_of_modality(exam_name, modality))
    )
    if words:
        texts = (*_EXAM_WORDS[:2], func.array_to_string(exam_name.c.protocols, literal(" ")))
        found = found.where(or_(*(_has(one, words) for one in texts)))
    return found.order_by(counted.c.count.desc(), exam_name.c.id).limit(NAMES_SHOWN)


def _standard_names(modality: str | None, words: str | None) -> Select[Any]:
    counted = counts_of_exams()
    table = standard_name.c
    count = cast(func.sum(counted.c.count), BigInteger).label("exams")
    found = (
        select(table.id, table.modality, table.name, count)
        .join_from(counted, exam_name, exam_name.c.id == counted.c.name_id)
        .join(standard_name, table.id == exam_name.c.standard_name_id)
        .where(*_of_modality(exam_name, modality))
        .group_by(table.id, table.modality, table.name)
    )
    if words:
        found = found.where(_has(table.name, words))
    return found.order_by(count.desc(), table.id).limit(NAMES_SHOWN)


def _protocol_names(modality: str | None, words: str | None) -> Select[Any]:
    table, counted = protocol_name.c, counts_of_events()
    found = (
        select(table.id, table.modality, table.name, counted.c.count.label("exams"))
        .join_from(counted, protocol_name, table.id == counted.c.name_id)
        .where(*_of_modality(protocol_name, modality))
    )
    if words:
        found = found.where(_has(table.name, words))
    return found.order_by(counted.c.count.desc(), table.id).limit(NAMES_SHOWN)


def _has(column: Any, words: str) -> Any:
    return column.icontains(words, autoescape=True)


def _of_modality(names: Table, modality: str | None) -> list[ColumnElement[bool]]:
    return [] if modality is None else [names.c.modality == modality]


def exams_of_modalities(connection: Connection) -> dict[str, int]:
    """How many exams each modality has now, sorted by its name; an exam of several, as a PET-CT, counts for each."""
    counted = counts_of_exams()
    query = (
        select(exam_name.c.modality, cast(func.sum(counted.c.count), BigInteger).label("exams"))
        .join_from(counted, exam_name, exam_name.c.id == counted.c.name_id)
        .group_by(exam_name.c.modality)
        .order_by(exam_name.c.modality)
    )
    return {row.modality: row.exams for row in connection.execute(query)}


def modalities_with_exams(connection: Connection) -> Sequence[str]:
    return list(exams_of_modalities(connection))
