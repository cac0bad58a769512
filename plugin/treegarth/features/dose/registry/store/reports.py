"""The reports of one study with all that was read of them. Queries only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Table, func, or_, select

from treegarth.features.dose.reading.model import Values, report_json
from treegarth.features.dose.registry.candidates import IMAGE_CLASSES
from treegarth.features.dose.registry.store.decisions import decisions_of_study, is_source_of
from treegarth.features.dose.registry.tables import administration, dose_report, dose_study, irradiation_event
from treegarth.index.tables import instance


@dataclass(frozen=True, kw_only=True, slots=True)
class DoseReport:
    """One source object of dose, as read, refused, waiting or failed. Of one that waits again, the last reading."""

    orthanc_instance_id: str
    orthanc_series_id: str
    orthanc_study_id: str
    sop_instance_uid: str
    sop_class_uid: str | None
    study_instance_uid: str
    state: str
    last_error: str | None
    read_at: datetime | None
    reader_version: int | None
    source_deleted_at: datetime | None
    kind: str | None
    source: str | None
    refused: str | None
    totals: Values
    report: Values
    issues: Sequence[dict[str, str]]
    manufacturer: str | None
    manufacturer_model_name: str | None
    station_name: str | None
    device_serial_number: str | None
    study_date: date | None
    nesting_depth: int | None
    """Of an object that is nested deeper than Orthanc reads; None of every other, and of one that is gone."""
    irradiation_events: Sequence[Values]
    administrations: Sequence[Values]

    def as_json(self) -> dict[str, Any]:
        """What `treegarth dose read --json` prints for this object; `file` is its Orthanc identifier with ".dcm"."""
        return report_json(
            file=f"{self.orthanc_instance_id}.dcm",
            sop_class_uid=self.sop_class_uid,
            kind=self.kind,
            refused=self.refused,
            totals=self.totals,
            irradiation_events=self.irradiation_events,
            administrations=self.administrations,
            issues=self.issues,
        )


_FROM_ROW = [name for name in DoseReport.__dataclass_fields__ if name in dose_report.c]


def reports_of_study(connection: Connection, orthanc_study_id: str, *, all_images: bool = False) -> list[DoseReport]:
    """The sources of the study, and those of which a person moved something here, by SOP Instance UID: dose reports,
    also those that wait, were refused or failed, and the images that count. With `all_images` also those that a report
    or another image makes superfluous, and the rest.
    """
    decided = {one.orthanc_instance_id for one in decisions_of_study(connection, orthanc_study_id)}
    query = (
        select(*(dose_report.c[name] for name in _FROM_ROW), instance.c.nesting_depth)
        .outerjoin_from(dose_report, instance, instance.c.orthanc_instance_id == dose_report.c.orthanc_instance_id)
        .where(is_source_of(orthanc_study_id, decided))
        .order_by(dose_report.c.sop_instance_uid, dose_report.c.orthanc_instance_id)
    )
    if not all_images:
        counted = select(func.unnest(dose_study.c.counted_report_ids)).where(
            dose_study.c.orthanc_study_id == orthanc_study_id
        )
        is_image = func.coalesce(dose_report.c.sop_class_uid, "").in_(sorted(IMAGE_CLASSES))
        query = query.where(or_(~is_image, dose_report.c.orthanc_instance_id.in_(counted)))
    rows = connection.execute(query).all()
    identifiers = [row.orthanc_instance_id for row in rows]
    events = _values_by_report(connection, irradiation_event, identifiers)
    administrations = _values_by_report(connection, administration, identifiers)
    return [
        DoseReport(
            **{
                **row._mapping,
                "totals": row.totals or {},
                "report": row.report or {},
                "issues": row.issues or [],
                "irradiation_events": events.get(row.orthanc_instance_id, []),
                "administrations": administrations.get(row.orthanc_instance_id, []),
            }
        )
        for row in rows
    ]


def _values_by_report(connection: Connection, table: Table, identifiers: Sequence[str]) -> dict[str, list[Values]]:
    if not identifiers:
        return {}
    query = (
        select(table.c.orthanc_instance_id, table.c["values"].label("found"))
        .where(table.c.orthanc_instance_id.in_(identifiers))
        .order_by(table.c.orthanc_instance_id, table.c.position)
    )
    by_report: dict[str, list[Values]] = {}
    for row in connection.execute(query):
        by_report.setdefault(row.orthanc_instance_id, []).append(row.found)
    return by_report
