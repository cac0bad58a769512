"""By whom an object was stored, as an event of the audit trail. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from treegarth.audit.model import Event, EventOutcome, Way, What, storable

BY_DICOM = 2  # orthanc.InstanceOrigin.DICOM_PROTOCOL


def stored(about: Mapping[str, Any], at: datetime) -> Event:
    """`about` is what Orthanc says of the object, with its `uploader` where the filter of requests knew one."""
    by_dicom, uploader = about["origin"] == BY_DICOM, about.get("uploader") or {}
    name = uploader.get("name") or about.get("RemoteAET") or about.get("HttpUsername") or ""
    return Event(
        what=What.STORE,
        outcome=EventOutcome.DONE,
        at=at,
        way=Way.DICOM if by_dicom else Way.ORTHANC,
        actor=storable(str(name), 100) or None,
        user_id=uploader.get("user"),
        session_id=uploader.get("session"),
        token_id=uploader.get("token"),
        address=storable(str(uploader.get("address") or about.get("RemoteIP") or ""), 100),
        place="C-STORE" if by_dicom else "POST",
        resources=(f"instances/{storable(str(about['id']), 50)}",),
        may_join=True,
    )
