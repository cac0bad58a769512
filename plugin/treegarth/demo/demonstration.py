"""Shows a running server at work: pushes a made-up hospital day, waits until all of it is read, checks, and tells."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

from treegarth.demo.examinations import Extent
from treegarth.demo.expected import ExpectedStudy
from treegarth.demo.hospital_day import hospital_day
from treegarth.demo.outcome import ct_reports, dose_differences, study_differences
from treegarth.demo.push import Archive, push
from treegarth.demo.table import Alignment, table
from treegarth.errors import NotFound, OrthancRefused, OrthancUnavailable, TreegarthError
from treegarth.orthanc.client import OrthancAddress, OrthancClient

SEED = 1
_API = "/treegarth/api/v1"
_POLL_S = 0.5


class DemonstrationUnfinished(TreegarthError):
    """The server did not finish reading the day in time; the message says what was seen last."""


def demonstrate(
    base_url: str,
    dicom_port: int,
    ae_title: str,
    once: bool,
    output: TextIO,
    authorization: str | None = None,
    *,
    now: datetime | None = None,
    extent: Extent | None = None,
    patience_s: float = 180.0,
) -> int:
    """Pushes today's made-up day and checks that the server knows it: 0, or 1 with each difference in a sentence.

    `base_url` is Orthanc's, without a path. A second run on the same day sends the same objects again, which changes
    nothing. `once` only shapes the farewell: the caller decides whether to go on serving.
    """
    now = (now or datetime.now(UTC)).astimezone()
    address = base_url.rstrip("/")
    client = OrthancClient(OrthancAddress(url=address, authorization=authorization))
    try:
        _say(
            output, f"Sending a made-up hospital day ({now.date().isoformat()}) to {ae_title} on port {dicom_port} ..."
        )
        started = time.monotonic()
        sent = push(
            hospital_day(SEED, now.date(), zone=now.tzinfo or UTC, extent=extent),
            Archive(ae_title=ae_title, dicom_port=dicom_port),
        )
        instances = sum(study.instance_count for study in sent)
        _say(
            output, f"Sent {len(sent)} studies, {instances} objects in {time.monotonic() - started:.1f} s. Reading ..."
        )
        code = check_what_was_read(client, sent, output, patience_s=patience_s)
    except TreegarthError as error:
        _say(output, f"The demonstration failed: {error}")
        return 1
    finally:
        client.close()
    _say(output, f"{'The dashboard was' if once else 'The dashboard is'} at {address}/treegarth/")
    return code


def check_what_was_read(
    client: OrthancClient, sent: Sequence[ExpectedStudy], output: TextIO, *, patience_s: float = 180.0
) -> int:
    """Waits until the server has read what was sent, prints its studies and each difference: 0, or 1 with differences.

    Raises DemonstrationUnfinished when the server is not done after `patience_s`.
    """
    _wait_until_read(client, sent, patience_s)
    differences: list[str] = []
    rows = []
    for study in sent:
        dose = _dose(client, study)
        try:
            told = client.get(f"{_API}/studies/{study.study_instance_uid}")
        except NotFound:
            differences.append(f"Study {study.study_instance_uid} is not in the index.")
            continue
        differences += study_differences(study, told) + dose_differences(study, dose)
        rows.append(_row(told, dose))
    _say(output, "\n" + table(_HEADS, rows, _ALIGNMENTS) + "\n")
    for difference in differences:
        _say(output, difference)
    if not differences:
        _say(output, "The server knows every study, object and CT dose as it was sent.")
    return 1 if differences else 0


def _say(output: TextIO, line: str) -> None:
    print(line, file=output, flush=True)


def _wait_until_read(client: OrthancClient, sent: Sequence[ExpectedStudy], patience_s: float) -> None:
    """Returns when every object is indexed and every CT dose is read. Raises DemonstrationUnfinished."""
    deadline = time.monotonic() + patience_s
    while True:
        missing = _what_is_missing(client, sent)
        if missing is None:
            return
        if time.monotonic() > deadline:
            raise DemonstrationUnfinished(f"after {patience_s:.0f} s {missing}.")
        time.sleep(_POLL_S)


def _what_is_missing(client: OrthancClient, sent: Sequence[ExpectedStudy]) -> str | None:
    """What the server has not done yet, or None. A server that does not answer may be about to."""
    try:
        status = client.get(f"{_API}/status")
        indexed, stored = status.get("indexed_instances"), status.get("orthanc_instances")
        if not status.get("idle") or stored is None or indexed != stored:
            return f"{indexed} of {stored} instances are indexed, {status.get('pending')} pending"
        if stored < sum(study.instance_count for study in sent):
            return f"Orthanc has only {stored} instances"
        unread = [study for study in sent if study.ct_dose and not ct_reports(_dose(client, study))]
    except (OrthancUnavailable, OrthancRefused) as error:
        return f"the server does not answer as it should ({error})"
    return f"the CT dose of {len(unread)} studies is not read" if unread else None


def _dose(client: OrthancClient, study: ExpectedStudy) -> Mapping[str, Any]:
    """What the API tells of the study's dose; nothing yet is an empty list of reports."""
    try:
        answer: Mapping[str, Any] = client.get(f"{_API}/dose/studies/{study.study_instance_uid}")
    except NotFound:
        return {"reports": []}
    return answer


_HEADS = ("Patient", "ID", "Study", "Modalities", "Series", "Objects", "DLP mGy·cm", "Events")
_ALIGNMENTS: tuple[Alignment, ...] = ("left", "left", "left", "left", "right", "right", "right", "right")


def _row(told: Mapping[str, Any], dose: Mapping[str, Any]) -> list[str]:
    """A study as the server tells it, not as it was sent."""
    reports = ct_reports(dose)
    totals = [report["totals"].get("dlp_total_mgy_cm") for report in reports]
    return [
        readable_name(told.get("patient_name") or ""),
        told.get("patient_id") or "",
        told.get("study_description") or "",
        ", ".join(sorted(told.get("modalities") or [])),
        str(told.get("series_count")),
        str(told.get("instance_count")),
        " + ".join("?" if total is None else f"{total:.2f}" for total in totals),
        str(sum(len(report.get("irradiation_events") or []) for report in reports)) if reports else "",
    ]


def readable_name(patient_name: str) -> str:
    """A DICOM name for people: the alphabetic group, and the phonetic one where there is one (PS3.5 6.2.1)."""
    groups = patient_name.split("=")
    alphabetic = " ".join(part for part in groups[0].split("^") if part)
    phonetic = groups[2].replace("^", "") if len(groups) > 2 else ""
    return f"{alphabetic} {phonetic}".strip()
