"""By whom an object was stored, as an event of the audit trail. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from treegarth.audit.model import Event, Outcome, Way, What, storable
from treegarth.host.request_filter import Asked

BY_DICOM = 2  # orthanc.InstanceOrigin.DICOM_PROTOCOL
BY_REQUEST = (3, 4)  # REST_API; PLUGIN, as the DICOMweb plugin hands on what STOW-RS brings


def stored(about: Mapping[str, Any], asked: Asked | None, at: datetime) -> Event:
    """`about` is what Orthanc says of the object, `asked` the request that its thread answers, where it is one."""
    name = storable(str(about["id"]), 50)
    if about["origin"] == BY_DICOM or asked is None or about["origin"] not in BY_REQUEST:
        return Event(
            what=What.STORE,
            outcome=Outcome.DONE,
            at=at,
            way=Way.DICOM if about["origin"] == BY_DICOM else Way.ORTHANC,
            actor=storable(str(about.get("RemoteAET") or about.get("HttpUsername") or ""), 100) or None,
            address=storable(str(about.get("RemoteIP") or ""), 100),
            place="C-STORE" if about["origin"] == BY_DICOM else "",
            resources=(f"instances/{name}",),
            may_join=True,
        )
    return Event(
        what=What.STORE,
        outcome=Outcome.DONE,
        at=at,
        way=Way.ORTHANC,
        actor=asked.actor.name,
        user_id=asked.actor.user_id,
        session_id=asked.actor.session_id,
        token_id=asked.actor.token_id,
        roles=asked.actor.roles,
        address=storable(asked.address, 100),
        place=asked.method or "",
        resources=(f"instances/{name}",),
        may_join=True,
    )
