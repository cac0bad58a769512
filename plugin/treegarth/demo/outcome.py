"""Compares what the API tells with what was sent: each difference is a sentence. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isclose
from typing import Any

from treegarth.demo.expected import ExpectedCtDose, ExpectedStudy

_SIMPLE_FIELDS = (
    "patient_id",
    "patient_name",
    "study_date",
    "study_description",
    "accession_number",
    "series_count",
    "instance_count",
)


def study_differences(expected: ExpectedStudy, told: Mapping[str, Any]) -> list[str]:
    """How `studies/{study_instance_uid}` differs from what was sent."""
    uid = expected.study_instance_uid
    differences = [
        f"Study {uid}: {field} is {told.get(field)!r}, sent was {getattr(expected, field)!r}."
        for field in _SIMPLE_FIELDS
        if told.get(field) != getattr(expected, field)
    ]
    modalities = sorted(told.get("modalities") or [])
    if modalities != list(expected.modalities):
        differences.append(f"Study {uid}: modalities are {modalities}, sent were {list(expected.modalities)}.")
    return differences


def ct_reports(told: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The CT dose reports that `dose/studies/{study_instance_uid}` tells of."""
    return [report for report in told.get("reports") or [] if report.get("kind") == "ct" and not report.get("refused")]


def dose_differences(expected: ExpectedStudy, told: Mapping[str, Any]) -> list[str]:
    """How `dose/studies/{study_instance_uid}` differs from the CT dose that was sent."""
    if expected.ct_dose is None:
        return []
    uid = expected.study_instance_uid
    reports = ct_reports(told)
    if len(reports) != 1:
        return [f"Study {uid}: {len(reports)} CT dose reports were read, sent was 1."]
    return [f"Study {uid}: {difference}" for difference in _report_differences(expected.ct_dose, reports[0])]


def _report_differences(expected: ExpectedCtDose, report: Mapping[str, Any]) -> list[str]:
    differences = []
    total = (report.get("totals") or {}).get("dlp_total_mgy_cm")
    if not _same(expected.dlp_total_mgy_cm, total):
        differences.append(f"the DLP total is {total} mGy.cm, sent was {expected.dlp_total_mgy_cm}.")
    events: Sequence[Mapping[str, Any]] = report.get("irradiation_events") or []
    if len(events) != len(expected.events):
        differences.append(f"{len(events)} irradiation events were read, sent were {len(expected.events)}.")
    by_uid = {event.get("irradiation_event_uid"): event for event in events}
    for sent in expected.events:
        event = by_uid.get(sent.irradiation_event_uid)
        if event is None:
            differences.append(f"irradiation event {sent.irradiation_event_uid} was not read.")
            continue
        for field in ("mean_ctdi_vol_mgy", "dlp_mgy_cm"):
            if not _same(getattr(sent, field), event.get(field)):
                differences.append(
                    f"{field} of event {sent.irradiation_event_uid} is {event.get(field)}, "
                    f"sent was {getattr(sent, field)}."
                )
    return differences


def _same(sent: float | None, told: float | None) -> bool:
    if sent is None or told is None:
        return sent is None and told is None
    return isclose(sent, told, rel_tol=1e-6)
