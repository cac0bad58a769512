"""What is missing: studies of dose modalities of which no dose, or not every dose, could be read. Queries only.

What a study with a dose lacks is a column of its row (`lacking.py`). An index has it beside all else that the list asks
of that row, so that it goes by the studies' date and looks once into this index for each.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Date,
    Select,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    null,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by, array

from treegarth.database.phrase_column import IssuesColumn
from treegarth.features.dose.registry.lacking import DEMANDED, DOSE_MODALITIES, WITHOUT_ANY, Lacking
from treegarth.features.dose.registry.store.not_patients import is_no_patient_without_dose
from treegarth.features.dose.registry.tables import dose_report, dose_study
from treegarth.index.tables import series, study
from treegarth.record import Record

Known: TypeAlias = Literal["none", "partly"]
"""Of the doses that a study's modalities demand: nothing was read of any object, or something is lacking."""

DEVICE = ("manufacturer", "manufacturer_model_name", "station_name", "device_serial_number")

_STUDIES = study.outerjoin(dose_study, dose_study.c.orthanc_study_id == study.c.orthanc_study_id)
_HAS_DOSE = dose_study.c.orthanc_study_id.is_not(None)
_COUNTS_ITSELF = (
    dose_study.c.replaced_by.is_(None),
    dose_study.c.not_patient.is_(None),
    dose_study.c.is_void.is_not(True),  # of a study without a dose it is NULL
)


class Refusal(Record):
    """Why objects of a study are no sources of dose."""

    reason: str
    count: int
    """How many of them."""


class StudyWithoutDose(Record):
    """One study of a dose modality of which no dose, or not every dose, is known."""

    orthanc_study_id: str
    study_instance_uid: str
    """(0020,000D)"""
    patient_id: str | None
    """(0010,0020)"""
    patient_name: str | None
    """(0010,0010)"""
    study_date: date | None
    """(0008,0020)"""
    study_description: str | None
    """(0008,1030)"""
    accession_number: str | None
    """(0008,0050)"""
    modalities: list[str]
    """Of its series, (0008,0060)."""
    dose: Known
    """`none`: no object gave anything; `partly`: something was read, and something lacks."""
    lacks: list[Lacking]
    """The doses that its modalities demand and that are not known."""
    last_received_at: datetime
    """When the newest of its objects arrived."""
    refused_count: int
    """Objects of it that were read and hold no dose."""
    refusals: list[Refusal]
    """Why they hold none, the most frequent reason first."""


class MonthOfDevice(Record):
    """How many studies of a device in a month have dose, and how many have none; `month` is its first day."""

    manufacturer: str | None
    manufacturer_model_name: str | None
    station_name: str | None
    device_serial_number: str | None
    month: date | None
    """Its first day; null where studies have no date."""
    study_count: int
    without_dose_count: int
    """Of them, those of which no object gave a dose."""
    partial_dose_count: int
    """Of them, those with a dose that lack one which this device's series demand."""


def select_without_dose(
    connection: Connection,
    *,
    study_date_from: date | None = None,
    study_date_to: date | None = None,
    dose: Known | None = None,
    lacks: Lacking | None = None,
    has_refusals: bool | None = None,
) -> Select[Any]:
    """Studies that miss a dose, in no order. One whose objects still wait to be read is not among them yet; one that
    counts in another study, or is no patient's, misses nothing."""
    own = {name for name in StudyWithoutDose.model_fields if name in study.c}
    query = select(
        *(study.c[name] for name in StudyWithoutDose.model_fields if name in own),
        case((_HAS_DOSE, "partly"), else_="none").label("dose"),
        _lacks().label("lacks"),
        _refused_count().label("refused_count"),
        _refusals().label("refusals"),
    ).select_from(_STUDIES)
    lacks_something = and_(_HAS_DOSE, dose_study.c.lacks != cast([], ARRAY(Text)), *_COUNTS_ITSELF)
    has_none = and_(~_HAS_DOSE, ~is_no_patient_without_dose(connection))
    query = query.where(_of_dose_modality(), or_(lacks_something, has_none), ~_waits())
    if study_date_from is not None:
        query = query.where(study.c.study_date >= study_date_from)
    if study_date_to is not None:
        query = query.where(study.c.study_date <= study_date_to)
    if dose is not None:
        query = query.where(_HAS_DOSE if dose == "partly" else ~_HAS_DOSE)
    if lacks is not None:
        query = query.where(_lacks().contains(cast([lacks], ARRAY(Text))))
    if has_refusals is not None:
        query = query.where(_has_refusals() if has_refusals else ~_has_refusals())
    return query


def count_missing_by_month(
    connection: Connection, *, study_date_from: date | None = None, study_date_to: date | None = None
) -> list[MonthOfDevice]:
    """By device and month, devices by name and months from the oldest on. A study is counted for the device of each of
    its dose series, as lacking a dose for those whose series demand it."""
    conditions = [or_(_of_dose_modality(), study.c.instance_count == 0)]  # one that was pruned has no modality any more
    if study_date_from is not None:
        conditions.append(study.c.study_date >= study_date_from)
    if study_date_to is not None:
        conditions.append(study.c.study_date <= study_date_to)
    is_no_patient = and_(~_HAS_DOSE, is_no_patient_without_dose(connection))
    taken = (
        select(
            study.c.orthanc_study_id,
            cast(func.date_trunc("month", study.c.study_date), Date).label("month"),
            _HAS_DOSE.label("has_dose"),
            dose_study.c.lacks,
        )
        .select_from(_STUDIES)
        .where(*conditions, ~_waits(), *_COUNTS_ITSELF, ~is_no_patient)
        .subquery()
    )
    device = tuple(series.c[name] for name in DEVICE)
    own = (*device, taken.c.orthanc_study_id, taken.c.month, taken.c.has_dose)
    one = (
        select(*own, func.bool_or(_is_demanded(series.c.modality, taken.c.lacks)).label("lacks"))
        .join(taken, taken.c.orthanc_study_id == series.c.orthanc_study_id)
        .where(series.c.modality.in_(DOSE_MODALITIES))
        .group_by(*own)
        .subquery()
    )
    keys = [*(one.c[name] for name in DEVICE), one.c.month]
    counts = (
        func.count().label("study_count"),
        func.count().filter(~one.c.has_dose).label("without_dose_count"),
        func.count().filter(one.c.has_dose, one.c.lacks).label("partial_dose_count"),
    )
    query = select(*keys, *counts).group_by(*keys).order_by(*(column.asc().nulls_last() for column in keys))
    return [MonthOfDevice(**row._mapping) for row in connection.execute(query)]


def _is_demanded(modality: ColumnElement[str | None], lacks: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a series of this modality waits for one of these."""
    return or_(
        *(
            and_(modality.in_(modalities), lacks.contains(cast([name], ARRAY(Text))))
            for name, modalities in DEMANDED.items()
        )
    )


def _lacks() -> ColumnElement[list[str]]:
    """Of a study with a dose what its row says; of one without, all that its modalities demand."""
    demanded = [case((_of(study.c.modalities, DEMANDED[name]), name), else_=null()) for name in WITHOUT_ANY]
    everything = func.array_remove(cast(array(demanded), ARRAY(Text)), null())
    return func.coalesce(dose_study.c.lacks, everything, type_=ARRAY(Text))


def _of(column: ColumnElement[Any], modalities: tuple[str, ...]) -> ColumnElement[bool]:
    return column.op("&&", return_type=Boolean())(cast(list(modalities), ARRAY(Text)))


def _of_dose_modality() -> ColumnElement[bool]:
    return _of(study.c.modalities, DOSE_MODALITIES)


def _waits() -> ColumnElement[bool]:
    return _has_source("unread")


def _has_refusals() -> ColumnElement[bool]:
    return _has_source("refused")


def _has_source(state: str) -> ColumnElement[bool]:
    key = dose_report.c.orthanc_study_id == study.c.orthanc_study_id
    return exists().where(key, dose_report.c.state == state).correlate(study)


def _refused_count() -> ColumnElement[int]:
    key = dose_report.c.orthanc_study_id == study.c.orthanc_study_id
    return select(func.count()).where(key, dose_report.c.state == "refused").correlate(study).scalar_subquery()


def _refusals() -> ColumnElement[list[dict[str, Any]]]:
    key = dose_report.c.orthanc_study_id == study.c.orthanc_study_id
    reasons = (
        select(dose_report.c.refused.label("reason"), func.count().label("count"))
        .where(key, dose_report.c.state == "refused", dose_report.c.refused.is_not(None))
        .group_by(dose_report.c.refused)
        .correlate(study)
        .subquery()
    )
    one = func.jsonb_build_object("reason", reasons.c.reason, "count", reasons.c["count"])
    ordered = aggregate_order_by(one, reasons.c["count"].desc(), cast(reasons.c.reason, Text))
    listed = select(func.coalesce(func.jsonb_agg(ordered), func.jsonb_build_array())).correlate(study).scalar_subquery()
    return type_coerce(listed, IssuesColumn())
