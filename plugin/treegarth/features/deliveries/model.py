"""What the ledger knows of an object and a destination, and the decisions about them: when to try again, how much to
send at once, what is to show that it arrived. Pure: times and chance are arguments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from treegarth.tasks.backoff import Backoff

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""The next attempt of what needs none."""

BACKOFF = Backoff(first=timedelta(seconds=5), longest=timedelta(minutes=30))
"""Of an object whose attempt failed; how many attempts it gets is a setting of the destination."""
BACKOFF_WHILE_DOWN = Backoff(first=timedelta(seconds=2), longest=timedelta(minutes=2))
"""Of a destination that is down: what waits must not wait long after it is back."""

MOST_OBJECTS = 100
"""Of one send. Orthanc tells where a send stopped only as its progress in whole percents: of up to a hundred objects
that names the one that failed."""
CHUNK_S = 2.0
"""How long one send may take where the bandwidth is limited: the pauses between them make the rate."""
LONGEST_SEND = timedelta(days=365)  # at a rate next to none the calendar would end first
ALTERNATE_AFTER = timedelta(seconds=30)
"""A destination that is down for so long is replaced by its alternate."""
DARK = timedelta(minutes=2)
"""For how long a destination may list nothing of what it took before that is sent again: some list late."""
COMMITMENT_PATIENCE = timedelta(minutes=5)
"""How long a storage commitment is waited for before the destination is asked in another way, or for another one."""


class ObjectState(StrEnum):
    """What the ledger does with an object next. What people and programs are told is its `Standing`."""

    WAITING = "waiting"  # to be sent at next_attempt_at
    SENDING = "sending"  # a batch holds the lease; after its end nobody knows whether it arrived
    SENT = "sent"  # the destination took it; with a proof, nothing better can be had
    CONFIRMED = "confirmed"  # shown to be there: not sent there again unless a person asks
    GIVEN_UP = "given up"  # after max_attempts, or by a person
    GONE = "gone"  # left Orthanc before it was sent: waits again when it is back and wished again


class Standing(StrEnum):
    """How far an object is on its way to a destination: the one word of pages, files, API, metrics and conditions.

    `store/standing.py` says which rows of the ledger are which.
    """

    WAITING = "waiting"  # not sent yet; its tries are said beside
    SENDING = "sending"  # begun, and its end is not known: on its way, or taken and asked about
    ARRIVED = "arrived"  # shown to be there, by the proof that is wanted
    UNPROVED = "unproved"  # taken, and the destination cannot be asked for more
    GIVEN_UP = "given up"  # no more tried, for a reason


ON_THE_WAY = (Standing.WAITING, Standing.SENDING)
OPEN = (ObjectState.WAITING, ObjectState.SENDING, ObjectState.SENT)


class Proof(StrEnum):
    """What shows that an object arrived."""

    COMMITMENT = "commitment"  # storage commitment (PS3.4 J)
    FIND = "find"  # C-FIND lists it
    QIDO = "qido"  # QIDO-RS lists it
    STORED = "stored"  # read back, or its size and checksum compared
    STATUS = "status"  # its taking was answered with success


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryObject:
    """An object on its way to a destination."""

    destination_id: int
    orthanc_instance_id: str
    orthanc_series_id: str
    orthanc_study_id: str
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str | None
    size_bytes: int
    proof_wanted: str
    attempts: int = 0
    transaction_uid: str | None = None
    committing_since: datetime | None = None
    sent_at: datetime | None = None
    proof: str | None = None
    via: int | None = None
    last_error: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How the sending of one object ended. `arrived` None: not known, the destination is to be asked."""

    orthanc_instance_id: str
    arrived: bool | None
    proof: Proof | None = None  # of what arrived
    reason: str | None = None  # of what did not
    begun: bool = True  # False: the send ended before its turn came
    gone: bool = False  # it is not in Orthanc any more
    has_it: bool = False  # it was not taken, for the destination says that it has an object of this UID
    answered: bool = False  # where it is not known: the destination answered, so nothing broke


class Asking(StrEnum):
    """How to find out whether what was sent is there."""

    COMMITMENT = "commitment"
    FIND = "find"
    NOT_AT_ALL = "not at all"  # there is nothing better than the answer to the send


def choose_asking(wanted: str, *, can_commit: bool | None, can_find: bool | None, patient: bool = True) -> Asking:
    """How the arrival of an object is to be shown. `patient`: a storage commitment may still be waited for."""
    if wanted == "commitment":
        return Asking.COMMITMENT
    if wanted == "best" and can_commit and patient:
        return Asking.COMMITMENT
    if wanted in ("best", "find") and can_find is not False:
        return Asking.FIND
    return Asking.NOT_AT_ALL


def next_question(now: datetime, sent_at: datetime | None) -> datetime:
    """When to ask again for what was not listed: soon at first, then after as long again as it has lasted."""
    age = now - sent_at if sent_at is not None else timedelta(0)
    return now + min(max(age, timedelta(seconds=2)), timedelta(minutes=1))


def is_missing(now: datetime, sent_at: datetime | None) -> bool:
    """Whether what is not listed by now counts as not there."""
    return sent_at is None or now - sent_at >= DARK


def fitting(objects: Sequence[DeliveryObject], max_mbit_per_s: float | None) -> int:
    """How many of the objects, from the first, one send takes: at least one."""
    if max_mbit_per_s is None:
        return min(len(objects), MOST_OBJECTS)
    room = max_mbit_per_s * 1e6 / 8 * CHUNK_S
    count, total = 0, 0
    for one in objects[:MOST_OBJECTS]:
        total += one.size_bytes
        if count and total > room:
            break
        count += 1
    return count


def free_at(sends: Iterable[tuple[datetime, int]], max_mbit_per_s: float) -> datetime:
    """When the bandwidth has room for another send, after these: their beginnings, the oldest first, and bytes.

    However many of them went on at once: each takes its time of the line behind the one before.
    """
    free = datetime.min.replace(tzinfo=UTC)
    for started_at, size_bytes in sends:
        seconds = min(size_bytes * 8 / (max_mbit_per_s * 1e6), LONGEST_SEND.total_seconds())
        free = max(free, started_at) + timedelta(seconds=seconds)
    return free
