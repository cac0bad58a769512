"""What a request to one of Orthanc's own addresses is for the audit trail, by its path and what the gate asks. Pure.

The gate sees the request before Orthanc answers it: what it lets through is told as that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from treegarth.access.actors import Actor, Permission
from treegarth.audit.model import LONGEST_PATH, LONGEST_QUERY, Event, EventOutcome, Way, What, storable

_RESOURCE = re.compile(r"/(patients|studies|series|instances)/([0-9a-f]{8}(?:-[0-9a-f]{8}){4})(?:/|$)", re.ASCII)
_STUDY = re.compile(r"/studies/([0-9]+(?:\.[0-9]+)+)(?:/|$)", re.ASCII)
_PIXELS = re.compile(r"/(?:frames|preview|rendered|thumbnail|image-u?int(?:8|16)|matlab|numpy|bulk)(?:/|$)", re.ASCII)
_LISTS = re.compile(r"/(?:patients|studies|series|instances)/?$", re.ASCII)
_UID = re.compile(r"[0-9.]{1,64}", re.ASCII)
_STUDY_ARGUMENTS = ("studyUID", "StudyInstanceUID", "0020000D")
_PATIENT_ARGUMENTS = ("PatientID", "00100020")
_OF_ALL = frozenset({Permission.PUBLIC, Permission.SIGNED_IN})
_NO_PIXELS_OF_WADO = "application/dicom"
_BY_PERMISSION: Mapping[Permission, What] = {
    Permission.UPLOAD: What.STORE,
    Permission.DOWNLOAD: What.DOWNLOAD,
    Permission.ANNOTATE: What.CHANGE,
    Permission.ERASE: What.DELETE,
    Permission.SEND: What.SEND,
    Permission.ADMINISTER: What.ADMINISTER,
}


def event_of(
    *,
    actor: Actor,
    address: str,
    method: str | None,
    path: str,
    arguments: Mapping[str, str],
    needs: Permission,
    is_allowed: bool,
    at: datetime,
) -> Event | None:
    """None for what shows nothing of patients, and for objects that come: those are told when they are stored."""
    if is_allowed and (needs in _OF_ALL or needs is Permission.UPLOAD):
        return None
    what = _what(path, arguments, needs)
    resource, study = _RESOURCE.search(path), _STUDY.search(path)
    studies = [study[1]] if study else [arguments[one] for one in _STUDY_ARGUMENTS if arguments.get(one)]
    return Event(
        what=what,
        outcome=EventOutcome.PASSED if is_allowed else EventOutcome.REFUSED,
        at=at,
        way=Way.ORTHANC,
        actor=actor.name,
        user_id=actor.user_id,
        session_id=actor.session_id,
        token_id=actor.token_id,
        roles=actor.roles,
        address=storable(address, 100),
        place=method or "another method",
        status=None if is_allowed else 403,
        path=storable(path, LONGEST_PATH),
        query=storable("&".join(f"{name}={value}" for name, value in arguments.items()), LONGEST_QUERY),
        studies=tuple(uid for uid in studies if _UID.fullmatch(uid)),
        patients=tuple(storable(arguments[one], 200) for one in _PATIENT_ARGUMENTS if arguments.get(one)),
        resources=(f"{resource[1]}/{resource[2]}",) if resource else (),
        may_join=not is_allowed or method == "GET",
    )


def _what(path: str, arguments: Mapping[str, str], needs: Permission) -> What:
    if needs in _BY_PERMISSION:
        return _BY_PERMISSION[needs]
    if _PIXELS.search(path) or (arguments.get("objectUID") and arguments.get("contentType") != _NO_PIXELS_OF_WADO):
        return What.IMAGES
    return What.SEARCH if _LISTS.search(path) else What.VIEW
