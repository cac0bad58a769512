"""Make one examination of a study's sources: the row of the dose list, as the rules decide. Queries only."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from treegarth.features.dose.identity import Exposure
from treegarth.features.dose.rules import ExamDecision, ReportFacts, Rule, Source, resolve_exam
from treegarth.features.dose.store.modalities import modalities_of
from treegarth.features.dose.store.not_patients import mark_not_patients
from treegarth.features.dose.tables import administration, dose_report, dose_study, irradiation_event

TOTALS = ("dlp_total_mgy_cm", "dose_area_product_total_gy_m2", "dose_rp_total_gy")
SUMS = {
    "dlp_total_mgy_cm": ("dlp_of_events_mgy_cm", "dlp_mgy_cm"),
    "dose_area_product_total_gy_m2": ("dose_area_product_of_events_gy_m2", "dose_area_product_gy_m2"),
    "dose_rp_total_gy": ("dose_rp_of_events_gy", "dose_rp_gy"),
}
"""For each reported total, the column of the sum over the events and the column of an event."""

SAME = 0.005
"""A reported total and the sum of its events may differ by this part of the larger: devices round both."""

FROM_NEWEST_REPORT = (
    "study_instance_uid", "manufacturer", "manufacturer_model_name", "station_name", "device_serial_number",
    "patient_id", "patient_name", "patient_sex", "patient_age", "study_date", "study_time", "study_description",
    "accession_number",
)  # fmt: skip


def refresh_study(connection: Connection, orthanc_study_id: str, now: datetime) -> None:
    """Make the study's row say what its sources say. Concurrent callers for one study wait for each other."""
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(orthanc_study_id, 7_311))))
    reports = connection.execute(
        select(dose_report)
        .where(dose_report.c.orthanc_study_id == orthanc_study_id, dose_report.c.kind.is_not(None))
        .order_by(dose_report.c.sop_instance_uid, dose_report.c.orthanc_instance_id)
    ).all()
    if not reports:
        connection.execute(delete(dose_study).where(dose_study.c.orthanc_study_id == orthanc_study_id))
        return
    events = _entries(connection, orthanc_study_id, irradiation_event, _EVENT)
    given = _entries(connection, orthanc_study_id, administration, _ADMINISTRATION)
    row = _study_row(reports, events, given, now) | {"modalities": modalities_of(connection, orthanc_study_id)}
    statement = insert(dose_study).values(orthanc_study_id=orthanc_study_id, **row)
    connection.execute(statement.on_conflict_do_update(index_elements=[dose_study.c.orthanc_study_id], set_=row))
    mark_not_patients(connection, orthanc_study_id)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Entry:
    """One irradiation event or administration of one source, with the columns that matter here."""

    orthanc_instance_id: str
    position: int
    irradiation_event_uid: str | None
    exposure_key: str | None
    values: Mapping[str, Any]

    @property
    def exposure(self) -> Exposure:
        return Exposure(uid=self.irradiation_event_uid, acquisition=self.exposure_key)


_EVENT = (
    "dlp_mgy_cm", "dose_area_product_gy_m2", "dose_rp_gy", "mean_ctdi_vol_mgy", "acquisition_protocol",
    "ctdiw_phantom_type",
)  # fmt: skip
_ADMINISTRATION = ("radionuclide", "administered_activity_mbq", "effective_dose_msv")


def _entries(connection: Connection, orthanc_study_id: str, table: Table, names: Sequence[str]) -> list[_Entry]:
    common = ("orthanc_instance_id", "position", "irradiation_event_uid", "exposure_key")
    query = (
        select(*(table.c[name] for name in (*common, *names)))
        .join(dose_report, dose_report.c.orthanc_instance_id == table.c.orthanc_instance_id)
        .where(dose_report.c.orthanc_study_id == orthanc_study_id)
        .order_by(dose_report.c.sop_instance_uid, table.c.orthanc_instance_id, table.c.position)
    )
    return [
        _Entry(**{name: row._mapping[name] for name in common}, values={name: row._mapping[name] for name in names})
        for row in connection.execute(query)
    ]


def _study_row(
    reports: Sequence[Row[Any]], events: Sequence[_Entry], given: Sequence[_Entry], now: datetime
) -> dict[str, Any]:
    decision = resolve_exam(_facts(reports, [*events, *given]))
    counted = [report for report in reports if report.orthanc_instance_id in decision.counted]
    best = min(counted, key=lambda report: list(Source).index(report.source or Source.REPORT)).source
    newest = [report for report in counted if report.source == best][-1]
    gone = [report.source_deleted_at for report in reports]
    return {
        **{name: getattr(newest, name) for name in FROM_NEWEST_REPORT},
        **_totals(counted, decision, _distinct(events, decision, reports)),
        **_administered(_distinct(given, decision, reports)),
        "kinds": sorted({report.kind for report in reports}),
        "report_count": len(reports),
        "counted_report_ids": list(decision.counted),
        "rule": "+".join(decision.rules),
        "decisions": [asdict(one) for one in decision.decisions],
        "source": best,
        "issue_count": sum(report.issue_count for report in counted),
        "source_deleted_at": None if None in gone else max(gone),
        "changed_at": now,
    }


def _totals(counted: Sequence[Row[Any]], decision: ExamDecision, events: Sequence[_Entry]) -> dict[str, Any]:
    known = [report for report in counted if report.kind not in decision.overlapping_kinds]
    row: dict[str, Any] = {name: _sum([getattr(report, name) for report in known]) for name in TOTALS}
    for column, of_event in SUMS.values():
        row[column] = _sum([event.values[of_event] for event in events])
    for side in ("left", "right"):
        name = f"accumulated_average_glandular_dose_{side}_mgy"
        row[f"glandular_dose_{side}_mgy"] = _sum([(report.totals or {}).get(name) for report in known])
    indexes = [event.values["mean_ctdi_vol_mgy"] for event in events]
    phantoms = {event.values["ctdiw_phantom_type"] or "unknown" for event in events if event.values["dlp_mgy_cm"]}
    protocols = [event.values["acquisition_protocol"] for event in events]
    return row | {
        "irradiation_event_count": len(events),
        "mean_ctdi_vol_max_mgy": max((index for index in indexes if index is not None), default=None),
        "dlp_phantoms": sorted(phantoms),
        "protocols": list(dict.fromkeys(protocol for protocol in protocols if protocol)),
        "differences": [total for total, (column, _) in SUMS.items() if _differ(row[total], row[column])],
    }


def _administered(given: Sequence[_Entry]) -> dict[str, Any]:
    nuclides = {one.values["radionuclide"] for one in given}
    activities = [one.values["administered_activity_mbq"] for one in given]
    doses = [one.values["effective_dose_msv"] for one in given]
    return {
        "administration_count": len(given),
        "radionuclides": sorted(nuclide for nuclide in nuclides if nuclide),
        "administered_activity_mbq": _sum(activities) if len(nuclides) == 1 and None not in activities else None,
        "effective_dose_msv": _sum(doses) if None not in doses else None,
    }


def _facts(reports: Sequence[Row[Any]], entries: Sequence[_Entry]) -> list[ReportFacts]:
    of_report: dict[str, list[_Entry]] = {}
    for entry in entries:
        of_report.setdefault(entry.orthanc_instance_id, []).append(entry)
    facts = []
    for report in reports:
        source, own = Source(report.source or Source.REPORT), of_report.get(report.orthanc_instance_id, [])
        is_header = source is Source.HEADER
        facts.append(
            ReportFacts(
                orthanc_instance_id=report.orthanc_instance_id,
                sop_instance_uid=report.sop_instance_uid,
                kind=report.kind,
                source=source,
                events=frozenset(entry.irradiation_event_uid for entry in own if entry.irradiation_event_uid),
                exposures=tuple(entry.exposure for entry in own) if is_header else (),
                richness=sum(value is not None for entry in own for value in entry.values.values()) if is_header else 0,
            )
        )
    return facts


def _distinct(entries: Sequence[_Entry], decision: ExamDecision, reports: Sequence[Row[Any]]) -> list[_Entry]:
    """Each event once: by UID as the last report of those that rule has it, by exposure of headers that count."""
    superseded = {one.orthanc_instance_id for one in decision.decisions if one.rule is Rule.SUPERSEDED}
    headers = {report.orthanc_instance_id for report in reports if report.source == Source.HEADER}
    found: dict[Hashable, _Entry] = {}
    for entry in entries:
        source = entry.orthanc_instance_id
        if source in headers:
            if source in decision.counted:
                found.setdefault(decision.exposure_names[source, entry.exposure], entry)
        elif entry.irradiation_event_uid and source not in superseded:
            found[entry.irradiation_event_uid] = entry
        elif source in decision.counted:
            found[source, entry.position] = entry
    return list(found.values())


def _sum(numbers: Sequence[float | None]) -> float | None:
    """The sum of what is known; None when nothing is."""
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def _differ(total: float | None, of_events: float | None) -> bool:
    if total is None or of_events is None:
        return False
    return abs(total - of_events) > SAME * max(abs(total), abs(of_events))
