"""Where a stored instance's header comes from: the frame that the plugin sent, or Orthanc itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from treegarth.dicom.headers import Header, Issue, OrthancIdentifiers, read_header_values
from treegarth.errors import NotFound, OrthancRefused, UnreadableObject
from treegarth.features.archive.ingest.stores import JUST_NOW
from treegarth.index.instances import Origin, StoredInstance
from treegarth.orthanc.client import OrthancClient
from treegarth.orthanc.frames import Frame
from treegarth.orthanc.header_fetch import read_beginning

_MOST_AT_ONCE = 1000  # instances in one question to Orthanc
_ORIGINS = {"DicomProtocol": 2, "RestApi": 3, "Plugins": 4, "Lua": 5, "WebDav": 6}


def instance_of_frame(frame: Frame) -> StoredInstance:
    """The stored instance that a frame tells of. Of an object that it had already, Orthanc gives the callback the
    metadata of the one that it keeps, with the bytes of the other."""
    about = frame.about
    reported_at = datetime.fromtimestamp(about["at"], UTC)
    received_at = reception_date(about.get("ReceptionDate"))
    origin = _origin(about, about["origin"])
    if received_at is None or reported_at - received_at <= JUST_NOW:  # else: another person's object, long here
        origin = _uploaded(origin, about.get("uploader"))
    return StoredInstance(
        orthanc_instance_id=about["id"],
        data=frame.data or None,
        size_bytes=about["size"],
        received_at=received_at or reported_at,
        origin=origin,
        reported_at=None if received_at is None else reported_at,
        nesting=about.get("nesting"),
    )


def stores_of_orthanc(
    orthanc: OrthancClient, orthanc_instance_ids: Sequence[str], now: datetime
) -> dict[str, StoredInstance]:
    """These instances as Orthanc has them, without their bytes; those that are gone are left out. It costs Orthanc
    0.04 ms each. Raises OrthancUnavailable or OrthancRefused."""
    found: dict[str, StoredInstance] = {}
    for place in range(0, len(orthanc_instance_ids), _MOST_AT_ONCE):
        asked = {"Resources": list(orthanc_instance_ids[place : place + _MOST_AT_ONCE]), "Level": "Instance"}
        for one in orthanc.post("/tools/bulk-content", {**asked, "Metadata": True}, timeout_s=120):
            metadata = one.get("Metadata", {})
            found[one["ID"]] = StoredInstance(
                orthanc_instance_id=one["ID"],
                data=None,
                size_bytes=one["FileSize"],
                received_at=reception_date(metadata.get("ReceptionDate")) or now,
                origin=_origin(metadata, _ORIGINS.get(metadata.get("Origin", ""))),
            )
    return found


def with_header(orthanc: OrthancClient, stored: StoredInstance) -> StoredInstance | None:
    """The instance with the beginning of its file, None where it is gone. Where Orthanc's storage does not give the
    file there are no bytes: the index then has what Orthanc's own database knows."""
    try:
        data = read_beginning(orthanc, stored.orthanc_instance_id, stored.size_bytes)
    except (NotFound, OrthancRefused):
        if not orthanc.exists(f"/instances/{stored.orthanc_instance_id}"):
            return None
        data = b""
    return dataclasses.replace(stored, data=data)


def _origin(about: Mapping[str, Any], kind: int | None) -> Origin:
    return Origin(
        kind=kind,
        remote_ae_title=about.get("RemoteAET") or None,
        called_ae_title=about.get("CalledAET") or None,
        remote_ip=about.get("RemoteIP") or None,
        http_user=about.get("HttpUsername") or None,
    )


def _uploaded(origin: Origin, uploader: Mapping[str, Any] | None) -> Origin:
    """With whom the plugin saw upload it. Of what comes by a plugin Orthanc knows no address."""
    if uploader is None:
        return origin
    return dataclasses.replace(
        origin,
        remote_ip=origin.remote_ip or uploader["address"] or None,
        http_user=uploader["name"],
        uploader_id=uploader["user"],
        session_id=uploader["session"],
        token_id=uploader["token"],
    )


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
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    except (TypeError, ValueError):
        return None
