"""One source of dose by its identifier. Queries only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, func, select

from treegarth.errors import NotFound
from treegarth.features.dose.registry.tables import dose_report
from treegarth.index.tables import instance, study
from treegarth.phrases import P_


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Where a source stands, and whether its object is still there."""

    orthanc_instance_id: str
    orthanc_study_id: str
    study_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str | None
    state: str
    kind: str | None
    patient_name: str | None
    """As the archive has it now, else as the object said it."""
    manufacturer: str | None
    manufacturer_model_name: str | None
    station_name: str | None
    study_date: date | None
    source_deleted_at: datetime | None
    read_at: datetime | None
    reader_version: int | None
    nesting_depth: int | None
    """Of an object that is nested deeper than Orthanc, and so this page, reads; None of every other."""


def find_source(connection: Connection, orthanc_instance_id: str) -> Source:
    """Raises NotFound."""
    own = [dose_report.c[name] for name in Source.__dataclass_fields__ if name in dose_report.c]
    columns = [column for column in own if column.name != "patient_name"]
    named = func.coalesce(study.c.patient_name, dose_report.c.patient_name).label("patient_name")
    query = (
        select(*columns, named, instance.c.nesting_depth)
        .outerjoin_from(dose_report, instance, instance.c.orthanc_instance_id == dose_report.c.orthanc_instance_id)
        .outerjoin(study, study.c.orthanc_study_id == dose_report.c.orthanc_study_id)
        .where(dose_report.c.orthanc_instance_id == orthanc_instance_id)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(P_("The registry knows no source of dose with this identifier."))
    return Source(**row._mapping)
