"""What is missing: studies of dose modalities without any dose that could be read. Queries only."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Connection, Date, Select, Text, cast, exists, func, or_, select

from treegarth.features.dose.registry.tables import dose_report, dose_study
from treegarth.index.tables import series, study
from treegarth.record import Record

DOSE_MODALITIES = ("CR", "CT", "DX", "IO", "MG", "NM", "PT", "PX", "RF", "RG", "XA")
"""Modalities (PS3.3 C.7.3.1.1.1) whose acquisition is an exposure or follows an administration."""


DEVICE = ("manufacturer", "manufacturer_model_name", "station_name", "device_serial_number")


class StudyWithoutDose(Record):
    """One study of a dose modality without dose."""

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
    last_received_at: datetime
    """When the newest of its objects arrived."""
    refused_count: int
    """Objects of it that were read and hold no dose."""


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


def select_without_dose(*, study_date_from: date | None, study_date_to: date | None) -> Select[Any]:
    """Studies without dose, in no order. One whose objects still wait to be read is not among them yet."""
    refused = (
        select(func.count())
        .where(dose_report.c.orthanc_study_id == study.c.orthanc_study_id, dose_report.c.state == "refused")
        .scalar_subquery()
    )
    names = [name for name in StudyWithoutDose.model_fields if name != "refused_count"]
    query = select(*(study.c[name] for name in names), refused.label("refused_count")).where(
        _of_dose_modality(), ~_has_dose(), ~_waits()
    )
    if study_date_from is not None:
        query = query.where(study.c.study_date >= study_date_from)
    return query if study_date_to is None else query.where(study.c.study_date <= study_date_to)


def count_missing_by_month(connection: Connection, *, study_date_from: date | None = None) -> list[MonthOfDevice]:
    """By device and month, devices by name and months from the oldest on. A study is counted for the device of each of
    its dose series."""
    conditions = [or_(_of_dose_modality(), study.c.instance_count == 0)]  # one that was pruned has no modality any more
    if study_date_from is not None:
        conditions.append(study.c.study_date >= study_date_from)
    key = dose_study.c.orthanc_study_id
    taken = (
        select(
            study.c.orthanc_study_id,
            cast(func.date_trunc("month", study.c.study_date), Date).label("month"),
            key.is_not(None).label("has_dose"),
        )
        .select_from(study.outerjoin(dose_study, key == study.c.orthanc_study_id))
        .where(*conditions, ~_waits())
        .subquery()
    )
    device = tuple(series.c[name] for name in DEVICE)
    one = (
        select(*device, taken)
        .join(taken, taken.c.orthanc_study_id == series.c.orthanc_study_id)
        .where(series.c.modality.in_(DOSE_MODALITIES))
        .distinct()
        .subquery()
    )
    keys = [*(one.c[name] for name in DEVICE), one.c.month]
    counts = (func.count().label("study_count"), func.count().filter(~one.c.has_dose).label("without_dose_count"))
    query = select(*keys, *counts).group_by(*keys).order_by(*(column.asc().nulls_last() for column in keys))
    return [MonthOfDevice(**row._mapping) for row in connection.execute(query)]


def _of_dose_modality() -> ColumnElement[bool]:
    return study.c.modalities.op("&&")(cast(list(DOSE_MODALITIES), ARRAY(Text)))


def _has_dose() -> ColumnElement[bool]:
    return exists().where(dose_study.c.orthanc_study_id == study.c.orthanc_study_id)


def _waits() -> ColumnElement[bool]:
    return exists().where(dose_report.c.orthanc_study_id == study.c.orthanc_study_id, dose_report.c.state == "unread")
