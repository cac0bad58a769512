"""Write what was read: a report's row, its events and administrations, and the row of its study. Queries only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, update

from treegarth.dicom.headers import LONGEST_TEXT
from treegarth.features.dose.reading.model import READER_VERSION, DoseReading, Values
from treegarth.features.dose.registry.candidates import source_of
from treegarth.features.dose.registry.store.exams import refresh_study
from treegarth.features.dose.registry.store.queue import OTHER, READ, REFUSED, Claim, held
from treegarth.features.dose.registry.store.undecided import lock_uids
from treegarth.features.dose.registry.tables import administration, dose_report, irradiation_event

EVENT_NUMBERS = (
    "dlp_mgy_cm",
    "mean_ctdi_vol_mgy",
    "scanning_length_mm",
    "pitch_factor",
    "dose_area_product_gy_m2",
    "dose_rp_gy",
    "average_glandular_dose_mgy",
)
EVENT_TEXTS = ("irradiation_event_uid", "irradiation_event_type", "acquisition_protocol", "ctdiw_phantom_type")


def write_reading(
    connection: Connection, claim: Claim, reading: DoseReading, now: datetime, *, modified_from: str | None = None
) -> bool:
    """Replace what was known of this source. False, and nothing is written, when the claim stands no more.
    `modified_from` is the instance that Orthanc made this one of."""
    row = _report_row(reading, now) | {"modified_from": modified_from}
    done = connection.execute(update(dose_report).where(*held(claim)).values(**row))
    if done.rowcount == 0:
        return False
    for table in (irradiation_event, administration):
        connection.execute(delete(table).where(table.c.orthanc_instance_id == claim.orthanc_instance_id))
    if reading.irradiation_events:
        connection.execute(insert(irradiation_event), _event_rows(claim, reading))
    if reading.administrations:
        connection.execute(insert(administration), _administration_rows(claim, reading))
    lock_uids(connection, _uids(claim, reading, modified_from))
    refresh_study(connection, claim.orthanc_study_id, now)
    return True


def _uids(claim: Claim, reading: DoseReading, modified_from: str | None) -> list[str]:
    """What another study can have in common with this source."""
    given = (one.get("irradiation_event_uid") for one in (*reading.irradiation_events, *reading.administrations))
    objects = (reading.sop_instance_uid, claim.orthanc_instance_id, modified_from)
    return [one for one in (*given, *objects) if isinstance(one, str)]


def _report_row(reading: DoseReading, now: datetime) -> dict[str, Any]:
    return {
        "state": READ if reading.refused is None else OTHER if reading.is_other else REFUSED,
        "last_error": None,
        "read_at": now,
        "reader_version": READER_VERSION,
        "kind": reading.kind,
        "source": None if reading.kind is None else source_of(reading.sop_class_uid, reading.kind),
        "refused": reading.refused,
        "totals": dict(reading.totals),
        "report": dict(reading.report),
        "issues": [asdict(issue) for issue in reading.issues],
        "issue_count": len(reading.issues),
        "irradiation_event_count": len(reading.irradiation_events),
        "administration_count": len(reading.administrations),
        "dlp_total_mgy_cm": _number(reading.totals, "dlp_total_mgy_cm"),
        "dose_area_product_total_gy_m2": _number(reading.totals, "dose_area_product_total_gy_m2"),
        "dose_rp_total_gy": _number(reading.totals, "dose_rp_total_gy"),
        "acquisition_protocols": _protocols(reading),
        **_context_row(reading),
    }


def _context_row(reading: DoseReading) -> dict[str, Any]:
    equipment, study = asdict(reading.equipment), asdict(reading.study)
    names = [column.name for column in dose_report.c]
    row = {name: value for name, value in {**equipment, **study}.items() if name in names}
    row["procedure_codes"] = [dict(code) for code in reading.study.procedure_codes]
    return {name: value[:LONGEST_TEXT] if isinstance(value, str) else value for name, value in row.items()}


def _protocols(reading: DoseReading) -> list[str]:
    named = (event.get("acquisition_protocol") for event in reading.irradiation_events)
    return list(dict.fromkeys(name[:LONGEST_TEXT] for name in named if isinstance(name, str)))


def _event_rows(claim: Claim, reading: DoseReading) -> list[dict[str, Any]]:
    return [
        {
            "orthanc_instance_id": claim.orthanc_instance_id,
            "position": position,
            "target_region": _meaning(event.get("target_region_code")),
            "values": dict(event),
            **{name: _number(event, name) for name in EVENT_NUMBERS},
            **{name: event.get(name) for name in EVENT_TEXTS},
        }
        for position, event in enumerate(reading.irradiation_events, start=1)
    ]


def _administration_rows(claim: Claim, reading: DoseReading) -> list[dict[str, Any]]:
    return [
        {
            "orthanc_instance_id": claim.orthanc_instance_id,
            "position": position,
            "irradiation_event_uid": given.get("irradiation_event_uid"),
            "agent": _meaning(given.get("agent_code")) or given.get("radiopharmaceutical"),
            "radionuclide": _meaning(given.get("radionuclide_code")),
            "administered_activity_mbq": _number(given, "administered_activity_mbq"),
            "effective_dose_msv": _number(given, "effective_dose_msv"),
            "values": dict(given),
        }
        for position, given in enumerate(reading.administrations, start=1)
    ]


def _number(values: Values, name: str) -> float | None:
    value = values.get(name)
    return float(value) if isinstance(value, (int, float)) else None


def _meaning(code: object) -> str | None:
    return code.get("meaning") if isinstance(code, Mapping) else None
