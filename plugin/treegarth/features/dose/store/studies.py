"""The dose of studies: keep one row per study in step with its reports, and list them. Queries only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, literal, or_, select
from sqlalchemy.dialects.postgresql import array, insert

from treegarth.database.paging import SortKey, read_page
from treegarth.features.dose.rules import ExamDecision, ReportFacts, resolve_exam
from treegarth.features.dose.tables import dose_report, dose_study, irradiation_event

TOTALS = ("dlp_total_mgy_cm", "dose_area_product_total_gy_m2", "dose_rp_total_gy")
FROM_NEWEST_REPORT = (
    "study_instance_uid", "manufacturer", "manufacturer_model_name", "station_name", "device_serial_number",
    "patient_id", "patient_name", "patient_sex", "patient_age", "study_date", "study_time", "study_description",
    "accession_number",
)  # fmt: skip


class DoseStudySort(StrEnum):
    """The orders of the dose list."""

    NEWEST = "newest"
    OLDEST = "oldest"
    DLP = "dlp"


@dataclass(frozen=True, kw_only=True, slots=True)
class DoseStudyFilter:
    """Which studies are wanted; None wants all. Texts are contained, without regard to case; `patient_id` is exact."""

    kind: str | None = None
    patient_id: str | None = None
    protocol: str | None = None
    equipment: str | None = None
    study_date_from: date | None = None
    study_date_to: date | None = None
    dlp_from_mgy_cm: float | None = None
    dlp_to_mgy_cm: float | None = None
    dap_from_gy_m2: float | None = None
    dap_to_gy_m2: float | None = None
    device: str | None = None  # a key that `device_key` gives
    not_patient: bool | None = None  # False: without phantoms, QA and service; True: only these


@dataclass(frozen=True, kw_only=True, slots=True)
class DoseStudy:
    """One study of the dose list. Totals are the reported ones of the reports that count; None is unknown, not zero."""

    orthanc_study_id: str
    study_instance_uid: str
    kinds: Sequence[str]
    report_count: int
    rule: str
    irradiation_event_count: int
    issue_count: int
    dlp_total_mgy_cm: float | None
    dlp_of_events_mgy_cm: float | None
    dose_area_product_total_gy_m2: float | None
    dose_rp_total_gy: float | None
    manufacturer: str | None
    manufacturer_model_name: str | None
    station_name: str | None
    device_serial_number: str | None
    protocols: Sequence[str]
    patient_id: str | None
    patient_name: str | None
    patient_sex: str | None
    patient_age: str | None
    study_date: date | None
    study_time: time | None
    study_description: str | None
    accession_number: str | None
    source_deleted_at: datetime | None
    source: str | None = None  # report, capture or header
    decisions: Sequence[Mapping[str, Any]] | None = None
    differences: Sequence[str] | None = None
    dose_area_product_of_events_gy_m2: float | None = None
    dose_rp_of_events_gy: float | None = None
    mean_ctdi_vol_max_mgy: float | None = None
    dlp_phantoms: Sequence[str] | None = None
    glandular_dose_left_mgy: float | None = None
    glandular_dose_right_mgy: float | None = None
    administration_count: int = 0
    administered_activity_mbq: float | None = None
    radionuclides: Sequence[str] | None = None
    effective_dose_msv: float | None = None
    not_patient: str | None = None  # phantom, qa or service


@dataclass(frozen=True, kw_only=True, slots=True)
class DoseStudyPage:
    """Studies and the cursor of what follows; None at the end."""

    studies: tuple[DoseStudy, ...]
    next: str | None


_ID = SortKey(column=dose_study.c.orthanc_study_id, read=str)
_ID_DESCENDING = SortKey(column=dose_study.c.orthanc_study_id, read=str, descending=True)
_SORTS: dict[DoseStudySort, tuple[SortKey, ...]] = {
    DoseStudySort.NEWEST: (
        SortKey(column=dose_study.c.study_date, read=date.fromisoformat, descending=True, nullable=True),
        SortKey(column=dose_study.c.study_time, read=time.fromisoformat, descending=True, nullable=True),
        _ID_DESCENDING,
    ),
    DoseStudySort.OLDEST: (
        SortKey(column=dose_study.c.study_date, read=date.fromisoformat, nullable=True, nulls_first=True),
        SortKey(column=dose_study.c.study_time, read=time.fromisoformat, nullable=True, nulls_first=True),
        _ID,
    ),
    DoseStudySort.DLP: (
        SortKey(column=dose_study.c.dlp_total_mgy_cm, read=float, descending=True, nullable=True),
        _ID_DESCENDING,
    ),
}


def list_studies_with_dose(
    connection: Connection,
    filters: DoseStudyFilter,
    *,
    sort: DoseStudySort = DoseStudySort.NEWEST,
    limit: int = 50,
    cursor: str | None = None,
) -> DoseStudyPage:
    """A page of the studies whose dose was read. Raises InvalidRequest for a cursor that is not of this sort."""
    columns = [dose_study.c[name] for name in DoseStudy.__dataclass_fields__]
    query = select(*columns).where(*_conditions(filters))
    page = read_page(connection, query, _SORTS[sort], name=f"dose {sort}", limit=limit, cursor=cursor)
    return DoseStudyPage(studies=tuple(DoseStudy(**row._mapping) for row in page.rows), next=page.next)


def count_studies_with_dose(connection: Connection, filters: DoseStudyFilter, *, at_most: int = 10_000) -> int:
    """How many studies are wanted, counted no further than `at_most`, so that a title costs little."""
    some = select(literal(1)).select_from(dose_study).where(*_conditions(filters)).limit(at_most).subquery()
    return connection.execute(select(func.count()).select_from(some)).scalar_one()


def device_key(table: Any) -> ColumnElement[str]:
    """The fingerprint of the device of a row: the same whenever manufacturer, model, station and serial number are."""
    parts = (table.manufacturer, table.manufacturer_model_name, table.station_name, table.device_serial_number)
    return func.substr(func.md5(func.array_to_string(array(parts), "\x1f", "")), 1, 16)


def _conditions(wanted: DoseStudyFilter) -> list[ColumnElement[bool]]:
    table = dose_study.c
    found: list[ColumnElement[bool]] = []
    if wanted.kind is not None:
        found.append(table.kinds.contains([wanted.kind]))
    if wanted.patient_id is not None:
        found.append(table.patient_id == wanted.patient_id)
    if wanted.protocol is not None:
        found.append(func.array_to_string(table.protocols, "\n").icontains(wanted.protocol, autoescape=True))
    if wanted.equipment is not None:
        names = (table.manufacturer, table.manufacturer_model_name, table.station_name)
        found.append(or_(*(name.icontains(wanted.equipment, autoescape=True) for name in names)))
    if wanted.device is not None:
        found.append(device_key(table) == wanted.device)
    if wanted.not_patient is not None:
        found.append(table.not_patient.is_not(None) if wanted.not_patient else table.not_patient.is_(None))
    ranges = (
        (table.study_date, wanted.study_date_from, wanted.study_date_to),
        (table.dlp_total_mgy_cm, wanted.dlp_from_mgy_cm, wanted.dlp_to_mgy_cm),
        (table.dose_area_product_total_gy_m2, wanted.dap_from_gy_m2, wanted.dap_to_gy_m2),
    )
    for column, low, high in ranges:
        found += [column >= low] if low is not None else []
        found += [column <= high] if high is not None else []
    return found


def refresh_study(connection: Connection, orthanc_study_id: str, now: datetime) -> None:
    """Make the study's row say what its reports say. Concurrent callers for one study wait for each other."""
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(orthanc_study_id, 7_311))))
    reports = connection.execute(
        select(dose_report)
        .where(dose_report.c.orthanc_study_id == orthanc_study_id, dose_report.c.kind.is_not(None))
        .order_by(dose_report.c.sop_instance_uid, dose_report.c.orthanc_instance_id)
    ).all()
    if not reports:
        connection.execute(delete(dose_study).where(dose_study.c.orthanc_study_id == orthanc_study_id))
        return
    row = _study_row(reports, _events(connection, orthanc_study_id), now)
    statement = insert(dose_study).values(orthanc_study_id=orthanc_study_id, **row)
    connection.execute(statement.on_conflict_do_update(index_elements=[dose_study.c.orthanc_study_id], set_=row))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Event:
    orthanc_instance_id: str
    position: int
    irradiation_event_uid: str | None
    dlp_mgy_cm: float | None
    acquisition_protocol: str | None
    ctdiw_phantom_type: str | None


def _events(connection: Connection, orthanc_study_id: str) -> list[_Event]:
    columns = [irradiation_event.c[name] for name in _Event.__dataclass_fields__]
    query = (
        select(*columns)
        .join(dose_report, dose_report.c.orthanc_instance_id == irradiation_event.c.orthanc_instance_id)
        .where(dose_report.c.orthanc_study_id == orthanc_study_id)
        .order_by(dose_report.c.sop_instance_uid, columns[0], columns[1])
    )
    return [_Event(**row._mapping) for row in connection.execute(query)]


def _study_row(reports: Sequence[Row[Any]], events: Sequence[_Event], now: datetime) -> dict[str, Any]:
    decision = resolve_exam(_facts(reports, events))
    counted = [report for report in reports if report.orthanc_instance_id in decision.counted]
    newest = counted[-1]
    distinct = _distinct(events, decision)
    gone = [report.source_deleted_at for report in reports]
    return {
        **{name: getattr(newest, name) for name in FROM_NEWEST_REPORT},
        **{name: _sum([getattr(r, name) for r in counted]) if decision.totals_are_known else None for name in TOTALS},
        "kinds": sorted({report.kind for report in reports}),
        "report_count": len(reports),
        "counted_report_ids": list(decision.counted),
        "rule": "+".join(decision.rules),
        "irradiation_event_count": len(distinct),
        "issue_count": sum(report.issue_count for report in counted),
        "dlp_of_events_mgy_cm": _sum([event.dlp_mgy_cm for event in distinct]),
        "dlp_phantoms": sorted(
            {event.ctdiw_phantom_type or "unknown" for event in distinct if event.dlp_mgy_cm is not None}
        ),
        "protocols": list(
            dict.fromkeys(event.acquisition_protocol for event in distinct if event.acquisition_protocol)
        ),
        "source_deleted_at": None if None in gone else max(gone),
        "changed_at": now,
    }


def _facts(reports: Sequence[Row[Any]], events: Sequence[_Event]) -> list[ReportFacts]:
    uids: dict[str, set[str]] = {}
    for event in events:
        if event.irradiation_event_uid:
            uids.setdefault(event.orthanc_instance_id, set()).add(event.irradiation_event_uid)
    return [
        ReportFacts(
            orthanc_instance_id=report.orthanc_instance_id,
            sop_instance_uid=report.sop_instance_uid,
            kind=report.kind,
            events=frozenset(uids.get(report.orthanc_instance_id, ())),
        )
        for report in reports
    ]


def _distinct(events: Sequence[_Event], decision: ExamDecision) -> list[_Event]:
    """Each irradiation event once, as the last report has it; events without a UID only of counted reports."""
    found: dict[object, _Event] = {}
    for event in events:
        if event.irradiation_event_uid:
            found[event.irradiation_event_uid] = event
        elif event.orthanc_instance_id in decision.counted:
            found[event.orthanc_instance_id, event.position] = event
    return list(found.values())


def _sum(numbers: Sequence[float | None]) -> float | None:
    """The sum of what is known; None when nothing is."""
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None
