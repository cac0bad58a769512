"""Decide what Orthanc's report of a store means for the index. Pure: no request, no query.

Orthanc also reports an object that it has already and does not take again, with the bytes that it threw away. What
tells is when it received the object that it keeps (in whole seconds): before the report, or just now.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum, auto
from zlib import adler32, crc32

from treegarth.index.instances import IndexedInstance, KnownStore, StoredInstance

JUST_NOW = timedelta(seconds=2)  # two time stamps of one store, one of them in whole seconds
_LONG_AGO = timedelta(seconds=10)  # before a report: then it is surely not of what was stored with it


class Verdict(Enum):
    """What to do with what was reported."""

    WRITE = auto()  # it is what Orthanc keeps
    SKIP = auto()  # the index has it already
    ASK = auto()  # only Orthanc knows what it keeps


def latest_clear(reports: Sequence[StoredInstance]) -> StoredInstance | None:
    """The last of the reports of one instance, where they agree on what Orthanc keeps and it was stored just now."""
    last = reports[-1]
    is_clear = last.data is not None and all(
        one.reported_at is not None
        and one.reported_at - one.received_at <= JUST_NOW
        and one.size_bytes == last.size_bytes
        and one.data == last.data
        for one in reports
    )
    return last if is_clear else None


def judge(reported: IndexedInstance, known: KnownStore | None) -> Verdict:
    """What a clear report means, given what the index has. Where times go back, Orthanc is asked."""
    if known is None or reported.received_at > known.received_at:
        return Verdict.WRITE
    if not is_same(reported, known):
        return Verdict.ASK
    return Verdict.WRITE if tells_uploader(reported, known) else Verdict.SKIP


def tells_uploader(reported: StoredInstance | IndexedInstance, known: KnownStore) -> bool:
    """Whether a report says who uploaded what the index had from Orthanc first, which does not know that."""
    return reported.origin.http_user is not None and known.origin.http_user is None


def is_same(stored: IndexedInstance, known: KnownStore) -> bool:
    """Whether the index has just this store, with this header."""
    return (
        stored.received_at == known.received_at
        and stored.size_bytes == known.size_bytes
        and stored.header_checksum is not None
        and stored.header_checksum == known.header_checksum
    )


def is_stored_again(stored: IndexedInstance, known: KnownStore | None) -> bool:
    """Whether the index has the instance with another header."""
    if known is None:
        return False
    if known.header_checksum is None or stored.header_checksum is None:
        return not is_same_time(stored.received_at, known)
    return stored.header_checksum != known.header_checksum


def says_nothing_new(reported: StoredInstance, known: KnownStore | None) -> bool:
    """Whether the index has the object that Orthanc keeps: what was reported was refused, or is the same."""
    if known is None or reported.reported_at is None or not is_same_time(reported.received_at, known):
        return False
    if reported.reported_at - reported.received_at > _LONG_AGO:
        return True
    return (
        reported.data is not None
        and reported.size_bytes == known.size_bytes
        and header_checksum(reported.data) == known.header_checksum
    )


def is_store_of(stored: StoredInstance | IndexedInstance, known: KnownStore) -> bool:
    """Whether the index took the instance up from this store, as far as time and size tell."""
    return stored.size_bytes == known.size_bytes and is_same_time(stored.received_at, known)


def is_same_time(received_at: datetime, known: KnownStore) -> bool:
    """Whether the index took the instance up from this store, as far as its time tells."""
    if known.received_at.microsecond:  # by the clock of the plugin, as older versions wrote it
        return abs(received_at - known.received_at) <= JUST_NOW
    return received_at == known.received_at


def header_checksum(data: bytes) -> int:
    """Tells headers of one instance apart: two checksums in 64 bits, in a fifth of a digest's time."""
    return (crc32(data) << 32 | adler32(data)) - (1 << 63)
