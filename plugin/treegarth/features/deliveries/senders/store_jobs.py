"""Read how a store job of Orthanc ended: how many objects went before it did, and what stopped it. Pure.

Written after answers of Orthanc 1.10.1. A job ends with the state Success or Failure; `Progress` is the part of the
objects that were handled, rounded to a percent; `ErrorDetails` says what the network or the node did:

    C-STORE SCU to AET "X" has failed with DIMSE status 0xA700            the node refused this object
    DicomAssociation - connecting to AET "X": ...                         no association
    DicomAssociation - C-STORE to AET "X": Peer aborted Association ...   it may have taken the object or not
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from treegarth.features.deliveries.senders.stow_answers import reason_in_words
from treegarth.phrases import P_

LIVE_STATES = frozenset({"Pending", "Running", "Paused", "Retry"})
_CANCELED = 37
_NETWORK = 9
_NO_ASSOCIATION = "connecting to AET"


class JobEnding(Enum):
    """What stopped a job."""

    DONE = auto()
    REFUSED = auto()  # the object at the position surely did not arrive
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
    """Such words as a person reads them."""
    return P_("No association could be opened. Orthanc says: %(details)s", details=details)


def _ending(code: Any, details: str) -> JobEnding:
    if code == _CANCELED:
        return JobEnding.CANCELED
    if is_unreachable(details):
        return JobEnding.UNREACHABLE
    if code == _NETWORK and "DIMSE status" not in details:
        return JobEnding.BROKEN
    return JobEnding.REFUSED


def _reason(ending: JobEnding, details: str | None) -> str:
    if not details:
        return P_("Orthanc does not say why.")
    if status := re.search(r"DIMSE status 0x([0-9A-Fa-f]{4})", details):
        return reason_in_words(int(status[1], 16))
    if ending is JobEnding.UNREACHABLE:
        return unreachable(details)
    if ending is JobEnding.BROKEN:
        return P_("The connection broke. Orthanc says: %(details)s", details=details)
    return P_("Orthanc says: %(details)s", details=details)
