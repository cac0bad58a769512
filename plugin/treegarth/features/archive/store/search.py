"""Look into the index: lists of studies by filter, sort and page; a study's series and their instances. Reads only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, Table, func, literal, or_, select

from treegarth.errors import NotFound
from treegarth.features.archive.search_model import (
    ArchiveTotals,
    InstanceSummary,
    SeriesSummary,
    StudyFilter,
    StudySummary,
    folded,
    has_wildcard,
    is_written_together,
    like_pattern,
    looks_like_uid,
)
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


def pictured_among(connection: Connection, orthanc_instance_ids: Iterable[str | None]) -> frozenset[str]:
    """Those of the instances that have pixels to show: of others Orthanc answers 415 to whoever asks for a picture."""
    query = select(instance.c.orthanc_instance_id).where(
        instance.c.orthanc_instance_id.in_([one for one in orthanc_instance_ids if one is not None]),
        instance.c.rows > 0,
        instance.c.columns > 0,
    )
    return frozenset(connection.execute(query).scalars())


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
    issues: bool = False,
) -> Select[Any]:
    """The instances of a series, in no order; `issues`: only those that were not read in every part."""
    query = _select(instance, InstanceSummary).where(instance.c.orthanc_series_id == orthanc_series_id)
    if sop_instance_uid is not None:
        query = query.where(instance.c.sop_instance_uid == sop_instance_uid)
    if remote_ae_title is not None:
        query = query.where(instance.c.remote_ae_title == remote_ae_title)
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
    ):
        if value is not None:
            found.append(column.like(like_pattern(value), escape="\\") if has_wildcard(value) else column == value)
    if wanted.study_instance_uid is not None:
        found.append(study.c.study_instance_uid == wanted.study_instance_uid)
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
    found.extend(_word_condition(word) for word in (wanted.text or "").split())
    return found


def _with_issues() -> Select[Any]:
    of_series = instance.c.orthanc_series_id == series.c.orthanc_series_id
    return select(series.c.orthanc_study_id).join(instance, of_series).where(instance.c.issues.is_not(None))


def _name_conditions(value: str) -> list[ColumnElement[bool]]:
    if not has_wildcard(value):
        name = func.lower(func.normalize(func.translate(study.c.patient_name, "^=", "  ")))
        return [_contains(study.c.search_text, value), _contains(name, value)]
    whole = func.lower(func.normalize(study.c.patient_name))
    groups = func.unnest(func.string_to_array(whole, "=")).column_valued("name_group")
    pattern = like_pattern(value.lower())
    one_group = select(literal(1)).where(groups.like(pattern, escape="\\")).exists()
    matches = or_(one_group, whole.like(pattern, escape="\\")) if "=" in value else one_group
    return [study.c.search_text.like(f"%{like_pattern(folded(value))}%", escape="\\"), matches]


def _description_conditions(value: str) -> list[ColumnElement[bool]]:
    description = func.lower(func.normalize(study.c.study_description))
    if has_wildcard(value):
        return [description.like(like_pattern(value.lower()), escape="\\")]
    return [description.contains(value.lower(), autoescape=True)]


def _contains(text: ColumnElement[Any], value: str) -> ColumnElement[bool]:
    """Whether folded text holds the value; a Korean name is found written together, too."""
    spaced = text.contains(folded(value), autoescape=True)
    if not is_written_together(value):
        return spaced
    together = func.replace(text, " ", "").contains(folded(value).replace(" ", ""), autoescape=True)
    return or_(spaced, together)


def _word_condition(word: str) -> ColumnElement[bool]:
    """A word of the search box: what looks like a UID by the indexes, anything else in the study's search text."""
    if not looks_like_uid(word):
        return _contains(study.c.search_text, word)
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


def _select(table: Table, kind: type[SummaryT]) -> Select[Any]:
    return select(*(table.c[name] for name in kind.model_fields))
