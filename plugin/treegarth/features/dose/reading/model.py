"""What a dose source says: the reading of one DICOM object. Pure data.

The names of totals, events and administrations, with the unit at their end, are listed in docs/dose.md; each stands in
one table of the reading package beside the code that it comes from. A name that is missing was not in the object.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from typing import Any, Literal, TypeAlias

READER_VERSION = 6
"""Rises whenever the same object would be read differently; rows say which version made them."""

DECIDER_VERSION = 8
"""Rises whenever the same readings would be decided differently; rows of studies say which version made them."""

Kind: TypeAlias = Literal["ct", "projection", "mammography", "radiopharmaceutical"]
Values: TypeAlias = Mapping[str, Any]
"""Names of docs/dose.md with numbers, texts, codes ({code, scheme, meaning}), or lists of these: always JSON."""


@dataclass(frozen=True, slots=True)
class Issue:
    """What could not be read: where in the object, and why."""

    path: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Equipment:
    """The device that irradiated (PS3.3 C.7.5.1); what the header does not say, in the report's own words."""

    manufacturer: str | None = None
    manufacturer_model_name: str | None = None
    device_serial_number: str | None = None
    station_name: str | None = None
    institution_name: str | None = None
    software_versions: str | None = None
    device_observer_uid: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyContext:
    """What the header says about the study and the patient at the time; the age as in DICOM (AS)."""

    patient_id: str | None = None
    issuer_of_patient_id: str | None = None
    patient_name: str | None = None
    patient_birth_date: date | None = None
    patient_sex: str | None = None
    patient_age: str | None = None
    patient_size_m: float | None = None
    patient_weight_kg: float | None = None
    pregnancy_status: int | None = None
    study_date: date | None = None
    study_time: time | None = None
    study_description: str | None = None
    series_description: str | None = None
    accession_number: str | None = None
    protocol_name: str | None = None
    requested_procedure_description: str | None = None
    procedure_codes: tuple[Mapping[str, str], ...] = ()
    performing_physician_name: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DoseReading:
    """The dose that one object reports, or the reason for which it reports none.

    `refused` is None or the reason; a refused reading holds no dose. `report` holds what is said about the whole
    report (scope, start and end of irradiation, source of the dose information). `is_other`: a refused structured
    report is about something else by its own title, as one of measurements: nobody expects a dose of it.
    """

    sop_class_uid: str | None = None
    sop_instance_uid: str | None = None
    study_instance_uid: str | None = None
    kind: Kind | None = None
    refused: str | None = None
    is_other: bool = False
    totals: Values = field(default_factory=dict)
    irradiation_events: tuple[Values, ...] = ()
    administrations: tuple[Values, ...] = ()
    report: Values = field(default_factory=dict)
    issues: tuple[Issue, ...] = ()
    equipment: Equipment = field(default_factory=Equipment)
    study: StudyContext = field(default_factory=StudyContext)


def json_object(file: str, reading: DoseReading) -> dict[str, Any]:
    """The object that `treegarth dose read --json` and the API print for one source."""
    return report_json(
        file=file,
        sop_class_uid=reading.sop_class_uid,
        kind=reading.kind,
        refused=reading.refused,
        totals=reading.totals,
        irradiation_events=reading.irradiation_events,
        administrations=reading.administrations,
        issues=[{"path": issue.path, "reason": issue.reason} for issue in reading.issues],
    )


def report_json(
    *,
    file: str,
    sop_class_uid: str | None,
    kind: str | None,
    refused: str | None,
    totals: Values,
    irradiation_events: Sequence[Values],
    administrations: Sequence[Values],
    issues: Sequence[Mapping[str, str]],
) -> dict[str, Any]:
    """The same object from its parts; the one place that knows its shape."""
    return {
        "file": file,
        "sop_class_uid": sop_class_uid,
        "kind": kind,
        "refused": refused,
        "totals": dict(totals),
        "irradiation_events": [dict(event) for event in irradiation_events],
        "administrations": [dict(administration) for administration in administrations],
        "issues": [dict(issue) for issue in issues],
    }


def to_json(file: str, reading: DoseReading) -> str:
    """One line of JSON, in UTF-8 without escapes."""
    return json.dumps(json_object(file, reading), ensure_ascii=False, allow_nan=False)
