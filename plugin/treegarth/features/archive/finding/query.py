"""The rows of the index that answer a question of C-FIND. Queries only.

What was pruned is not answered: nobody could retrieve it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, Table, and_, func, literal, null, or_, select

from treegarth.database.folding import folded, holds, is_or_is_like
from treegarth.features.archive.finding.question import (
    KEYS,
    MODALITIES_IN_STUDY,
    FindLevel,
    Match,
    Question,
    days_of,
    times_of,
    values_of,
)
from treegarth.folding import fold, has_wildcard, like_pattern, words_of
from treegarth.index.tables import instance, patient, series, study

_LARGEST_INTEGER = 2**31 - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """One answer: its values by tag; of an instance, what Orthanc calls it."""

    values: Mapping[int, Any]
    orthanc_instance_id: str | None


def find(connection: Connection, question: Question, limit: int) -> list[Found]:
    """The answers, those of the newest study first; at most `limit`. Raises FindRefused."""
    rows = connection.execute(select_answers(question).limit(limit))
    tags = [tag for tag in question.returned if _known(question, tag)]
    return [Found(values=dict(zip(tags, row[1:], strict=True)), orthanc_instance_id=row[0]) for row in rows]


def select_answers(question: Question) -> Select[Any]:
    level = question.level
    columns = [_column(level, KEYS[tag].level, KEYS[tag].column) for tag in question.returned if _known(question, tag)]
    its_name = instance.c.orthanc_instance_id if level is FindLevel.IMAGE else null()
    query = (
        select(its_name, *columns)
        .select_from(_tables(level))
        .where(*(_condition(level, one) for one in question.matches))
    )
    if level is FindLevel.PATIENT:
        has_objects = select(literal(1)).where(
            study.c.orthanc_patient_id == patient.c.orthanc_patient_id, study.c.instance_count > 0
        )
        return query.where(has_objects.exists()).order_by(patient.c.patient_name, patient.c.orthanc_patient_id)
    query = query.where(study.c.instance_count > 0)
    order: list[ColumnElement[Any]] = [
        study.c.study_date.desc().nulls_last(),
        study.c.study_time.desc().nulls_last(),
        study.c.orthanc_study_id.desc(),
    ]
    if level >= FindLevel.SERIES:
        query = query.where(series.c.instance_count > 0)
        order += [series.c.series_number.asc().nulls_last(), series.c.orthanc_series_id]
    if level is FindLevel.IMAGE:
        order += [instance.c.instance_number.asc().nulls_last(), instance.c.orthanc_instance_id]
    return query.order_by(*order)


def _known(question: Question, tag: int) -> bool:
    key = KEYS.get(tag)
    return key is not None and key.level <= question.level


def _tables(level: FindLevel) -> FromClause:
    if level is FindLevel.PATIENT:
        return patient
    found: FromClause = study
    if level >= FindLevel.SERIES:
        found = found.join(series, series.c.orthanc_study_id == study.c.orthanc_study_id)
    if level is FindLevel.IMAGE:
        found = found.join(instance, instance.c.orthanc_series_id == series.c.orthanc_series_id)
    return found


def _column(asked_at: FindLevel, level: FindLevel, name: str) -> ColumnElement[Any]:
    """Below the patient a study's own words of its patient count."""
    if level is FindLevel.PATIENT:
        return (patient if asked_at is FindLevel.PATIENT else study).c[name]
    tables: dict[FindLevel, Table] = {FindLevel.STUDY: study, FindLevel.SERIES: series, FindLevel.IMAGE: instance}
    return tables[level].c[name]


def _condition(asked_at: FindLevel, match: Match) -> ColumnElement[bool]:
    key, value = match.key, match.value
    column = _column(asked_at, key.level, key.column)
    if key is KEYS[MODALITIES_IN_STUDY]:
        return _has_modality(value)
    if key.vr == "PN":
        is_of_study = key.column == "patient_name" and asked_at is not FindLevel.PATIENT
        return _is_name(column, value, is_in_search_text=is_of_study)
    if key.vr == "DA":
        return _is_between(column, *days_of(value))
    if key.vr == "TM":
        return _is_between(column, *times_of(value))
    if key.vr == "IS":
        numbers = [int(one) for one in values_of(value) if one.lstrip("+-").isdecimal()]
        return column.in_([one for one in numbers if abs(one) <= _LARGEST_INTEGER])
    return or_(*(is_or_is_like(column, one) for one in values_of(value) or [value]))


def _is_between(column: ColumnElement[Any], begin: Any, end: Any) -> ColumnElement[bool]:
    bounds = [column >= begin] if begin is not None else []
    return and_(*bounds, column <= end) if end is not None else and_(*bounds, column.is_not(None))


def _has_modality(value: str) -> ColumnElement[bool]:
    listed = values_of(value)
    if not any(map(has_wildcard, listed)):
        overlaps: ColumnElement[bool] = study.c.modalities.overlap(listed)
        return overlaps
    each = func.unnest(study.c.modalities).column_valued("modality_in_study")
    return or_(*(select(literal(1)).where(is_or_is_like(each, one)).exists() for one in listed))


def _is_name(column: ColumnElement[Any], value: str, *, is_in_search_text: bool) -> ColumnElement[bool]:
    """A name, or one of its groups (PS3.5 6.2.1.2), whatever its capitals and accents (PS3.4 C.2.2.2.1). A study's
    search text is asked first: it is at hand, where a name has to be folded."""
    whole, pattern = folded(column), like_pattern(fold(value))
    groups = func.unnest(func.string_to_array(whole, "=")).column_valued("name_group")
    one_group = select(literal(1)).where(groups.like(pattern, escape="\\")).exists()
    words = words_of(value) if is_in_search_text else []
    return and_(*(holds(study.c.search_text, word) for word in words), or_(whole.like(pattern, escape="\\"), one_group))
