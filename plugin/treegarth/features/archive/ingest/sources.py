"""Where a stored instance's header comes from: the frame that the plugin sent, or Orthanc itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from treegarth.dicom.headers import Header, Issue, OrthancIdentifiers, read_header_values
from treegarth.errors import NotFound, OrthancRefused, UnreadableObject
from treegarth.features.archive.model import Origin, StoredInstance
from treegarth.host.beginnings import read_beginning
from treegarth.host.frames import Frame
from treegarth.host.orthanc_client import OrthancClient

_SAME_STORE = timedelta(seconds=2)  # between our time stamp of a store and Orthanc's, which is in whole seconds
_ORIGINS = {"DicomProtocol": 2, "RestApi": 3, "Plugins": 4, "Lua": 5, "WebDav": 6}


def instance_of_frame(frame: Frame) -> StoredInstance:
    """The stored instance that a frame tells of."""
    about = frame.about
    return StoredInstance(
        orthanc_instance_id=about["id"],
        data=frame.data or None,
        size_bytes=about["size"],
        received_at=datetime.fromtimestamp(about["at"], UTC),
        origin=Origin(
            kind=about["origin"],
            remote_ae_title=about.get("RemoteAET") or None,
            called_ae_title=about.get("CalledAET") or None,
            remote_ip=about.get("RemoteIP") or None,
            http_user=about.get("HttpUsername") or None,
        ),
        nesting=about.get("nesting"),
    )


def instance_of_orthanc(orthanc: OrthancClient, orthanc_instance_id: str, now: datetime) -> StoredInstance | None:
    """The stored instance as Orthanc knows it; None where it is gone. Raises OrthancUnavailable or OrthancRefused."""
    try:
        metadata = orthanc.get(f"/instances/{orthanc_instance_id}/metadata", parameters={"expand": ""})
        summary = orthanc.get(f"/instances/{orthanc_instance_id}")
        data = _beginning_if_readable(orthanc, orthanc_instance_id)
    except NotFound:
        return None
    return StoredInstance(
        orthanc_instance_id=orthanc_instance_id,
        data=data,
        size_bytes=summary["FileSize"],
        received_at=reception_date(metadata.get("ReceptionDate")) or now,
        origin=Origin(
            kind=_ORIGINS.get(metadata.get("Origin", "")),
            remote_ae_title=metadata.get("RemoteAET") or None,
            called_ae_title=metadata.get("CalledAET") or None,
            remote_ip=metadata.get("RemoteIP") or None,
            http_user=metadata.get("HttpUsername") or None,
        ),
    )


def is_refused_duplicate(orthanc: OrthancClient, stored: StoredInstance) -> bool:
    """Whether Orthanc reported an object that it had already, and kept the one that it had."""
    try:
        date = orthanc.get_bytes(f"/instances/{stored.orthanc_instance_id}/metadata/ReceptionDate")
    except NotFound:
        return False
    kept = reception_date(date.decode("ascii", "replace"))
    return kept is not None and kept + _SAME_STORE < stored.received_at


def _beginning_if_readable(orthanc: OrthancClient, orthanc_instance_id: str) -> bytes:
    """The file up to its pixel data; nothing where Orthanc's storage does not give it: the index then has what
    Orthanc's own database knows."""
    try:
        return read_beginning(orthanc, orthanc_instance_id)
    except (NotFound, OrthancRefused):
        return b""


def header_by_orthanc(orthanc: OrthancClient, orthanc_instance_id: str, reason: str) -> Header | None:
    """What Orthanc itself made of an object that we cannot read, with the reason as an issue; None where it is gone."""
    try:
        instance = orthanc.get(f"/instances/{orthanc_instance_id}")
        series = orthanc.get(f"/series/{instance['ParentSeries']}")
        study = orthanc.get(f"/studies/{series['ParentStudy']}")
    except NotFound:
        return None
    tags = {**study["PatientMainDicomTags"], **study["MainDicomTags"], **series["MainDicomTags"]}
    tags |= instance["MainDicomTags"]
    try:
        return read_header_values(tags, Issue(path="", reason=reason))
    except UnreadableObject:  # its UIDs are no text that could be kept: Orthanc's own identifiers stand for them
        uids = {"StudyInstanceUID": study["ID"], "SeriesInstanceUID": series["ID"], "SOPInstanceUID": instance["ID"]}
        return read_header_values(tags | uids, Issue(path="", reason=reason))


def identifiers_by_orthanc(orthanc: OrthancClient, orthanc_instance_id: str) -> OrthancIdentifiers | None:
    """The instance's parents as Orthanc knows them; None where it is gone."""
    try:
        series = orthanc.get(f"/instances/{orthanc_instance_id}/series")
        study = orthanc.get(f"/series/{series['ID']}/study")
    except NotFound:
        return None
    return OrthancIdentifiers(
        patient=study["ParentPatient"], study=study["ID"], series=series["ID"], instance=orthanc_instance_id
    )


def reception_date(value: Any) -> datetime | None:
    """Orthanc's own time stamp, `20261121T022935`, which is UTC."""
    try:
        return datetime.strptime(value, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except (TypeError, ValueError):
        return None
