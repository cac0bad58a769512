"""The names that exams and protocols have, what each has, and what people call it. Queries only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from sqlalchemy import Column, Connection, Select, exists, func, literal, or_, select

from treegarth.database.parameters import is_among_numbers
from treegarth.features.dose.analysis.figures import EXAM_COUNT
from treegarth.features.dose.analysis.tables import event_dose, exam_dose, exam_name, protocol_name, standard_name
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


def _counted_exams(modality: str | None) -> Any:
    counted = select(exam_dose.c.exam_name_id, func.count().label("exams")).where(exam_dose.c.quantity == EXAM_COUNT)
    if modality is not None:
        counted = counted.where(exam_dose.c.modality == modality)
    return counted.group_by(exam_dose.c.exam_name_id).subquery("counted")


def _exam_names(modality: str | None, words: str | None) -> Select[Any]:
    counted = _counted_exams(modality)
    found = (
        select(exam_name.c.id, exam_name.c.modality, *_EXAM_WORDS, counted.c.exams)
        .join_from(counted, exam_name, exam_name.c.id == counted.c.exam_name_id)
        .where(exam_name.c.standard_name_id.is_(None))
    )
    if words:
        texts = (*_EXAM_WORDS[:2], func.array_to_string(exam_name.c.protocols, literal(" ")))
        found = found.where(or_(*(_has(one, words) for one in texts)))
    return found.order_by(counted.c.exams.desc(), exam_name.c.id).limit(NAMES_SHOWN)


def _standard_names(modality: str | None, words: str | None) -> Select[Any]:
    counted = _counted_exams(modality)
    table = standard_name.c
    count = func.sum(counted.c.exams).label("exams")
    found = (
        select(table.id, table.modality, table.name, count)
        .join_from(counted, exam_name, exam_name.c.id == counted.c.exam_name_id)
        .join(standard_name, table.id == exam_name.c.standard_name_id)
        .group_by(table.id, table.modality, table.name)
    )
    if words:
        found = found.where(_has(table.name, words))
    return found.order_by(count.desc(), table.id).limit(NAMES_SHOWN)


def _protocol_names(modality: str | None, words: str | None) -> Select[Any]:
    table = protocol_name.c
    counted = (
        select(event_dose.c.protocol_name_id, func.count().label("exams"))
        .where(event_dose.c.protocol_name_id.is_not(None))
        .group_by(event_dose.c.protocol_name_id)
        .subquery("counted")
    )
    found = select(table.id, table.modality, table.name, counted.c.exams).join_from(
        counted, protocol_name, table.id == counted.c.protocol_name_id
    )
    if modality is not None:
        found = found.where(table.modality == modality)
    if words:
        found = found.where(_has(table.name, words))
    return found.order_by(counted.c.exams.desc(), table.id).limit(NAMES_SHOWN)


def _has(column: Any, words: str) -> Any:
    return column.icontains(words, autoescape=True)


def modalities_with_exams(connection: Connection) -> Sequence[str]:
    """Those of names that exams have now, sorted: few names, however many exams."""
    has_exams = exists().where(exam_dose.c.exam_name_id == exam_name.c.id, exam_dose.c.quantity == EXAM_COUNT)
    found = select(exam_name.c.modality).where(has_exams).distinct().order_by(exam_name.c.modality)
    return connection.execute(found).scalars().all()
