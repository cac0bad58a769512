"""Read how a store job of Orthanc ended: how many objects went before it did, and what stopped it. Pure.

Written after answers of Orthanc 1.10.1. A job ends with the state Success or Failure; `Progress` is the part of the
objects that were handled, rounded to a percent; `ErrorDetails` says what the network or the node did:

    C-STORE SCU to AET "X" has failed with DIMSE status 0xA700            the node refused this object
    C-STORE SCU to AET "X" has failed with DIMSE status 0x0111            the node has an object of this UID
    Cannot transcode from 1.2.840.10008.1.2.1 to one of [ ]               it accepts no context of the SOP class
    Cannot transcode from 1.2.840.10008.1.2.4.90 to one of [ 1.2... ]     none of the transfer syntax, or of another
    DicomAssociation - connecting to AET "X": ...                         no association
    DicomAssociation - C-STORE to AET "X": Peer aborted Association ...   it may have taken the object or not
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from pydicom.uid import UID

from treegarth.features.deliveries.senders.stow_answers import ALREADY_THERE, reason_in_words
from treegarth.phrases import P_

LIVE_STATES = frozenset({"Pending", "Running", "Paused", "Retry"})
_CANCELED = 37
_NETWORK = 9
_NO_CONTEXT = 2015
_NO_ASSOCIATION = "connecting to AET"
_STATUS = re.compile(r"DIMSE status 0x([0-9A-Fa-f]{4})")
_UNSENDABLE = re.compile(r"Cannot transcode from ([0-9.]+) to one of \[([0-9. ]*)\]")
_REJECTED, _ABORTED, _SILENT = "Association Rejected", "Peer aborted Association", "No data available"  # dcmtk's words


class JobEnding(Enum):
    """What stopped a job."""

    DONE = auto()
    REFUSED = auto()  # the object at the position surely did not arrive
    DUPLICATE = auto()  # neither did this one, for the node says that it has one of its UID
    NO_CONTEXT = auto()  # the node takes nothing of the SOP class of the object at the position
    BROKEN = auto()  # the association ended in the middle of the object at the position
    UNREACHABLE = auto()  # no association
    CANCELED = auto()
    LOST = auto()  # Orthanc knows the job no more
    GONE = auto()  # Orthanc knows an object no more, so there was no job


@dataclass(frozen=True, kw_only=True)
class JobEnd:
    """How a job ended. `position` objects went before."""

    ending: JobEnding
    position: int
    reason: str = ""


def ending_of(job: Mapping[str, Any], count: int) -> JobEnd:
    """How this job of so many objects, at most a hundred, ended."""
    if job["State"] == "Success":
        return JobEnd(ending=JobEnding.DONE, position=count)
    details = str(job.get("ErrorDetails") or "")
    ending = _ending(job.get("ErrorCode"), details)
    position = min(int(job.get("Progress", 0) * count / 100 + 0.5), count)
    return JobEnd(ending=ending, position=position, reason=_reason(ending, details or job.get("ErrorDescription")))


def is_unreachable(details: str) -> bool:
    """Whether these words of Orthanc say that no association came about."""
    return _NO_ASSOCIATION in details


def unreachable(details: str) -> str:
    """Such words as a person reads them (PS3.8 9.3.4, 9.3.8)."""
    if _REJECTED in details:
        return P_("The node rejected the association: it may not know our AE title, or have another one itself.")
    if _ABORTED in details:
        return P_("The node aborted the association before it was open (A-ABORT).")
    return P_("No association could be opened. Orthanc says: %(details)s", details=details)


def _ending(code: Any, details: str) -> JobEnding:
    if code == _CANCELED:
        return JobEnding.CANCELED
    if is_unreachable(details):
        return JobEnding.UNREACHABLE
    if status := _STATUS.search(details):
        return JobEnding.DUPLICATE if int(status[1], 16) in ALREADY_THERE else JobEnding.REFUSED
    if found := _UNSENDABLE.search(details):
        return JobEnding.REFUSED if found[2].strip() else JobEnding.NO_CONTEXT
    if code == _NO_CONTEXT:
        return JobEnding.NO_CONTEXT
    return JobEnding.BROKEN if code == _NETWORK else JobEnding.REFUSED


def _reason(ending: JobEnding, details: str | None) -> str:
    if ending is JobEnding.CANCELED:
        return P_("The job of Orthanc that sent it was canceled.")
    if not details:
        return P_("Orthanc does not say why.")
    if status := _STATUS.search(details):
        return reason_in_words(int(status[1], 16))
    if ending is JobEnding.UNREACHABLE:
        return unreachable(details)
    if ending is JobEnding.BROKEN and _ABORTED in details:
        return P_("The node aborted the association in the middle of an object (A-ABORT).")
    if ending is JobEnding.BROKEN and _SILENT in details:
        return P_("The node fell silent in the middle of an object.")
    if ending is JobEnding.BROKEN:
        return P_("The connection broke. Orthanc says: %(details)s", details=details)
    if found := _UNSENDABLE.search(details):
        return _untakeable(found[1], found[2].split())
    return P_("Orthanc says: %(details)s", details=details)


def takes_no_such_class(sop_class_uid: str | None) -> str:
    """That no presentation context of an object's class was accepted, with the class as people know it."""
    name = UID(sop_class_uid).name if sop_class_uid else "?"
    return P_("The node takes no such objects: %(name)s.", name=name)


def _untakeable(transfer_syntax: str, accepted: Sequence[str]) -> str:
    names = ", ".join(UID(one).name for one in accepted)
    return P_(
        "The node takes such objects only as %(accepted)s. Orthanc cannot make that of %(syntax)s: without its plugin "
        "GDCM it decodes no JPEG 2000.",
        accepted=names,
        syntax=UID(transfer_syntax).name,
    )
