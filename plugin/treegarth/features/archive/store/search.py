"""Look into the index: lists of studies by filter, sort and page; a study's series and their instances. Reads only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, false, func, literal, or_, select

from treegarth.database.folding import folded, holds, is_or_is_like, matches
from treegarth.errors import NotFound
from treegarth.features.archive.search_model import (
    ArchiveTotals,
    Face,
    InstanceSummary,
    SeriesSummary,
    StudyFilter,
    StudySummary,
    is_part_of_uids,
    looks_like_uid,
)
from treegarth.folding import fold, has_wildcard, like_pattern, words_of
from treegarth.index.labels import has_label, labels_column
from treegarth.index.tables import instance, series, study
from treegarth.phrases import P_

SummaryT = TypeVar("SummaryT", StudySummary, SeriesSummary, InstanceSummary)


def select_studies(wanted: StudyFilter) -> Select[Any]:
    """The studies that are wanted, in no order."""
    return _select(study, StudySummary).where(*conditions(wanted))


def latest_studies(connection: Connection, limit: int) -> list[StudySummary]:
    """The studies to which something was added last."""
    order = (study.c.last_received_at.desc(), study.c.orthanc_study_id.desc())
    rows = connection.execute(_select(study, StudySummary).order_by(*order).limit(limit))
    return [StudySummary(**row._mapping) for row in rows]


def read_study(connection: Connection, orthanc_study_id: str) -> StudySummary:
    """A study of the index. Raises NotFound where it left meanwhile."""
    query = _select(study, StudySummary).where(study.c.orthanc_study_id == orthanc_study_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(P_("There is no study with this Study Instance UID."))
    return StudySummary(**row._mapping)


def list_series(connection: Connection, orthanc_study_id: str) -> list[SeriesSummary]:
    """The series of a study, in the order of their numbers."""
    query = _select(series, SeriesSummary).where(series.c.orthanc_study_id == orthanc_study_id)
    order = (series.c.series_number.asc().nulls_last(), series.c.series_instance_uid, series.c.orthanc_series_id)
    return [SeriesSummary(**row._mapping) for row in connection.execute(query.order_by(*order))]


def faces_of(connection: Connection, orthanc_instance_ids: Iterable[str | None]) -> dict[str, Face]:
    """What each of these instances is for a reader, by its identifier."""
    c = instance.c
    has_picture = func.coalesce(and_(c.rows > 0, c.columns > 0), false())
    query = select(c.orthanc_instance_id, c.sop_instance_uid, c.sop_class_uid, has_picture.label("has_picture")).where(
        c.orthanc_instance_id.in_([one for one in orthanc_instance_ids if one is not None])
    )
    return {
        row.orthanc_instance_id: Face(
            sop_instance_uid=row.sop_instance_uid, sop_class_uid=row.sop_class_uid or "", has_picture=row.has_picture
        )
        for row in connection.execute(query)
    }


def other_studies(connection: Connection, summary: StudySummary, *, limit: int) -> list[StudySummary]:
    """The patient's other studies, the newest first."""
    ours = study.c.orthanc_patient_id == summary.orthanc_patient_id
    query = _select(study, StudySummary).where(ours, study.c.orthanc_study_id != summary.orthanc_study_id)
    newest = (study.c.study_date.desc().nulls_last(), study.c.study_time.desc().nulls_last(), study.c.orthanc_study_id)
    return [StudySummary(**row._mapping) for row in connection.execute(query.order_by(*newest).limit(limit))]


def find_series(connection: Connection, orthanc_study_id: str, series_instance_uid: str) -> SeriesSummary | None:
    """A study's series; None where it is not here."""
    query = (
        _select(series, SeriesSummary)
        .where(series.c.orthanc_study_id == orthanc_study_id, series.c.series_instance_uid == series_instance_uid)
        .order_by(series.c.instance_count.desc(), series.c.orthanc_series_id)
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else SeriesSummary(**row._mapping)


def select_instances(
    orthanc_series_id: str,
    *,
    sop_instance_uid: str | None = None,
    remote_ae_title: str | None = None,
    http_user: str | None = None,
    issues: bool = False,
) -> Select[Any]:
    """The instances of a series, in no order; `issues`: only those that were not read in every part."""
    query = _select(instance, InstanceSummary).where(instance.c.orthanc_series_id == orthanc_series_id)
    if sop_instance_uid is not None:
        query = query.where(is_or_is_like(instance.c.sop_instance_uid, sop_instance_uid))
    if remote_ae_title is not None:
        query = query.where(is_or_is_like(instance.c.remote_ae_title, remote_ae_title))
    if http_user is not None:
        query = query.where(is_or_is_like(instance.c.http_user, http_user))
    return query.where(instance.c.issues.is_not(None)) if issues else query


def totals(connection: Connection) -> ArchiveTotals:
    """How much the index holds, by the sums that each study carries."""
    sums = select(
        func.count(),
        func.coalesce(func.sum(study.c.instance_count), 0),
        func.coalesce(func.sum(study.c.size_bytes), 0),
    ).select_from(study)
    studies, instances, size = connection.execute(sums).one()
    return ArchiveTotals(study_count=studies, instance_count=int(instances), size_bytes=int(size))


def conditions(wanted: StudyFilter) -> list[ColumnElement[bool]]:
    """The filter as conditions on `study`; every value is bound."""
    found: list[ColumnElement[bool]] = []
    for column, value in (
        (study.c.patient_id, wanted.patient_id),
        (study.c.accession_number, wanted.accession_number),
        (study.c.study_instance_uid, wanted.study_instance_uid),
    ):
        if value is not None:
            found.append(is_or_is_like(column, value))
    if wanted.label is not None:
        found.append(has_label(wanted.label))
    if wanted.modalities:
        found.append(study.c.modalities.overlap(list(wanted.modalities)))
    if wanted.study_date_from is not None:
        found.append(study.c.study_date >= wanted.study_date_from)
    if wanted.study_date_to is not None:
        found.append(study.c.study_date <= wanted.study_date_to)
    if wanted.patient_name is not None:
        found.extend(_name_conditions(wanted.patient_name))
    if wanted.study_description is not None:
        found.extend(_description_conditions(wanted.study_description))
    if wanted.issues:
        found.append(study.c.orthanc_study_id.in_(_with_issues()))
    found.extend(_word_condition(word) for word in re.split(r"[\s,]+", wanted.text or "") if word.strip("*^="))
    return found


def _with_issues() -> Select[Any]:
    of_series = instance.c.orthanc_series_id == series.c.orthanc_series_id
    return select(series.c.orthanc_study_id).join(instance, of_series).where(instance.c.issues.is_not(None))


def _name_conditions(value: str) -> list[ColumnElement[bool]]:
    """The search text is asked first: it is at hand, where a name has to be folded."""
    words = words_of(value)
    if not has_wildcard(value):
        if not words:
            return [_text().contains(fold(value), autoescape=True), folded(study.c.patient_name).contains(fold(value))]
        together = _all_in("=^, ", " ", ["".join(words)])
        return [together if len(words) == 1 else or_(_all_in("^=,", "   ", words), together)]
    whole = folded(study.c.patient_name)
    groups = func.unnest(func.string_to_array(whole, "=")).column_valued("name_group")
    pattern = like_pattern(re.sub(r"\s*,\s*", "^", fold(value)))
    one_group = select(literal(1)).where(groups.like(pattern, escape="\\")).exists()
    matches_name = or_(one_group, whole.like(pattern, escape="\\")) if "=" in value else one_group
    return [*(holds(_text(), word) for word in words), matches_name]


def _all_in(marks: str, instead: str, words: Sequence[str]) -> ColumnElement[bool]:
    """Whether a name has all of these, its marks taken for something else, as the search text does."""
    name = folded(func.translate(study.c.patient_name, marks, instead))
    return and_(*(text.contains(word, autoescape=True) for text in (_text(), name) for word in words))


def _description_conditions(value: str) -> list[ColumnElement[bool]]:
    if has_wildcard(value):
        return [matches(study.c.study_description, value)]
    return [holds(_text(), value), matches(study.c.study_description, value)]


def _word_condition(word: str) -> ColumnElement[bool]:
    """A word of the search box: what looks like a UID by the indexes, anything else in the study's search text."""
    if is_part_of_uids(word) and has_wildcard(word):
        return or_(holds(_text(), word), is_or_is_like(study.c.study_instance_uid, word))
    if not looks_like_uid(word):
        return and_(*(holds(_text(), part) for part in words_of(word) or [word]))
    of_series = select(series.c.orthanc_study_id).where(series.c.series_instance_uid == word)
    of_instance = (
        select(series.c.orthanc_study_id)
        .join(instance, instance.c.orthanc_series_id == series.c.orthanc_series_id)
        .where(instance.c.sop_instance_uid == word)
    )
    return or_(
        study.c.study_instance_uid == word,
        study.c.orthanc_study_id == func.any(func.array(of_series.scalar_subquery())),
        study.c.orthanc_study_id == func.any(func.array(of_instance.scalar_subquery())),
        study.c.accession_number == word,
        study.c.patient_id == word,
    )


def _text() -> ColumnElement[Any]:
    return study.c.search_text


def _select(table: Table, kind: type[SummaryT]) -> Select[Any]:
    made = {"labels": labels_column().label("labels")}
    return select(*(made[name] if name in made else table.c[name] for name in kind.model_fields))
