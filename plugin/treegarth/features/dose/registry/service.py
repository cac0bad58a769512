"""What the dose feature does: note sources with the index, read what waits, try again what failed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias

from sqlalchemy import Connection, Engine

from treegarth.database.engine import connect, transaction
from treegarth.dicom.relabelling import NONE, Relabellings
from treegarth.errors import DatabaseUnavailable, NotFound, TreegarthError
from treegarth.features.dose.reading import read_dose_bytes
from treegarth.features.dose.registry.candidates import (
    is_candidate,
    is_image,
    is_sampled,
)
from treegarth.features.dose.registry.store import modalities, queue, readings, samples
from treegarth.features.dose.registry.store.archive_index import KnownInstance, sources_in
from treegarth.features.dose.registry.store.exams import decide_studies, refresh_study
from treegarth.features.dose.registry.store.undecided import take_undecided
from treegarth.index.instances import IndexedInstance
from treegarth.index.relabelling import relabellings_for
from treegarth.orthanc.header_fetch import StreamSource, read_beginning
from treegarth.phrases import P_
from treegarth.tasks.backoff import Backoff

LEASE = timedelta(seconds=60)
"""For how long a claim keeps others off; fetching is bounded to half of it, reading takes seconds at most."""

FETCH_TIMEOUT_S = 20.0

BACKOFF = Backoff(first=timedelta(seconds=15), longest=timedelta(hours=1), most_attempts=6)
"""Doubles with every attempt: 15 s, 30 s, 1, 2, 4 minutes; a person decides after that."""

logger = logging.getLogger(__name__)


StudyRead: TypeAlias = Callable[[Connection, str, datetime], object]
"""Told of a study, by Orthanc's identifier, when no source of its dose waits any more, in the transaction that sees it.
It may be told more than once."""


class ObjectSource(StreamSource, Protocol):
    """Where the bytes of an object come from: the client of Orthanc."""

    def get_bytes(self, path: str, *, timeout_s: float | None = None) -> bytes: ...


def follow_indexed(connection: Connection, instances: Sequence[IndexedInstance]) -> None:
    """Every instance that can be a source of dose waits to be read, or to be chosen among the images of its series,
    in the transaction that indexes it. No more than two statements for what is new: the store path waits for them."""
    again = [instance for instance in instances if instance.is_stored_again]
    if again:
        _follow_stored_again(connection, again)
    candidates = [instance for instance in instances if is_candidate(instance)]
    queue.note_sources(connection, [one for one in candidates if not is_sampled(one)])
    samples.await_rest(connection, [one for one in candidates if is_sampled(one) and not one.is_known])


def _follow_stored_again(connection: Connection, instances: Sequence[IndexedInstance]) -> None:
    """What was read of objects that are of another kind now is not in the archive any more."""
    classes = {one.orthanc_instance_id: one.sop_class_uid if is_candidate(one) else None for one in instances}
    for orthanc_study_id in queue.drop_other_classes(connection, classes):
        refresh_study(connection, orthanc_study_id, max(one.received_at for one in instances))
    modalities.forget_modalities(connection, instances)


def choose_samples(
    engine: Engine, *, limit: int, clock: Callable[[], datetime], followers: Sequence[StudyRead] = ()
) -> int:
    """Choose the sources of up to `limit` series that have come to rest, one transaction each; how many there were.

    May be called by any number of processes at once, and be killed at any point.
    """
    for done in range(limit):
        with transaction(engine) as connection:
            choice = samples.choose_next(connection, clock())
            if choice is not None and choice.is_to_decide:
                refresh_study(connection, choice.orthanc_study_id, clock())
            if choice is not None:
                _tell(connection, choice.orthanc_study_id, followers, clock())
        if choice is None:
            return done
    return limit


def next_series_due(engine: Engine) -> datetime | None:
    """When `choose_samples` has something to do again; None when no series waits."""
    with connect(engine) as connection:
        return samples.next_due(connection)


def note_again(connection: Connection, instances: Sequence[KnownInstance]) -> int:
    """The sources among these wait to be read again; how many there are."""
    candidates = [instance for instance in instances if is_candidate(instance)]
    others = [one for one in candidates if not is_sampled(one)]
    queue.note_sources(connection, others, again=True)
    return len(others) + samples.note_again(connection, [one for one in candidates if is_sampled(one)])


def read_series_again(connection: Connection, orthanc_series_ids: Sequence[str]) -> int:
    """The sources in these series that were read or chosen wait to be read again; how many there are."""
    return note_again(connection, sources_in(connection, orthanc_series_ids))


def follow_deleted(connection: Connection, orthanc_instance_ids: Sequence[str], at: datetime) -> None:
    """The objects left the archive: their dose stays and says so; what was never read is waited for no more."""
    for orthanc_study_id in queue.forget_sources(connection, orthanc_instance_ids, at):
        refresh_study(connection, orthanc_study_id, at)


def read_waiting(
    engine: Engine,
    orthanc: ObjectSource,
    *,
    limit: int,
    clock: Callable[[], datetime],
    followers: Sequence[StudyRead] = (),
) -> int:
    """Read up to `limit` sources that wait, one transaction each; the number of claims that were worked on.

    May be called by any number of processes at once, and be killed at any point: each source is read until it was
    read once, or has failed for good. Raises DatabaseUnavailable; every other failure is recorded with its source.
    """
    for done in range(limit):
        with transaction(engine) as connection:
            claim = queue.claim_next(connection, clock(), LEASE)
            relabellings = NONE if claim is None else relabellings_for(connection, claim.orthanc_instance_id)
        if claim is None:
            decide_undecided(engine, clock)
            return done
        _read_claimed(engine, orthanc, claim, relabellings, clock, followers)
    decide_undecided(engine, clock)
    return limit


def decide_undecided(engine: Engine, clock: Callable[[], datetime]) -> None:
    """Decide the studies anew with which another one has something in common, one transaction each."""
    taken: str | None = ""
    while taken is not None:
        with transaction(engine) as connection:
            taken = take_undecided(connection)
            if taken is not None:
                decide_studies(connection, [taken], clock())


def _read_claimed(
    engine: Engine,
    orthanc: ObjectSource,
    claim: queue.Claim,
    relabellings: Relabellings,
    clock: Callable[[], datetime],
    followers: Sequence[StudyRead],
) -> None:
    try:
        reading = read_dose_bytes(_fetch(orthanc, claim), relabellings)
        modified_from = _modified_from(orthanc, claim) if reading.kind is not None else None
        with transaction(engine) as connection:
            if readings.write_reading(connection, claim, reading, clock(), modified_from=modified_from):
                _tell(connection, claim.orthanc_study_id, followers, clock())
    except DatabaseUnavailable:
        raise
    except TreegarthError as error:
        _record_failure(engine, claim, error.sentence, clock(), followers)
    except Exception as error:
        logger.exception("Dose source %s could not be read or stored.", claim.orthanc_instance_id)
        reason = P_("%(kind)s while it was read or stored; see the log.", kind=type(error).__name__)
        _record_failure(engine, claim, reason, clock(), followers)


def _tell(connection: Connection, orthanc_study_id: str, followers: Sequence[StudyRead], now: datetime) -> None:
    if followers and queue.nothing_waits(connection, orthanc_study_id):
        for follow in followers:
            follow(connection, orthanc_study_id, now)


def _fetch(orthanc: ObjectSource, claim: queue.Claim) -> bytes:
    """The file; of an image only its header: a mammogram has 30 MB of pixels."""
    if is_image(claim.sop_class_uid):
        return read_beginning(orthanc, claim.orthanc_instance_id)
    return orthanc.get_bytes(f"/instances/{claim.orthanc_instance_id}/file", timeout_s=FETCH_TIMEOUT_S)


def _modified_from(orthanc: ObjectSource, claim: queue.Claim) -> str | None:
    """The instance that Orthanc made this one of, as when a patient ID was corrected; None for most."""
    try:
        found = orthanc.get_bytes(
            f"/instances/{claim.orthanc_instance_id}/metadata/ModifiedFrom", timeout_s=FETCH_TIMEOUT_S
        )
    except NotFound:
        return None
    return found.decode("ascii", errors="replace").strip() or None


def _record_failure(
    engine: Engine, claim: queue.Claim, reason: str, now: datetime, followers: Sequence[StudyRead]
) -> None:
    next_attempt_at = BACKOFF.next_attempt(claim.attempts, now)
    with transaction(engine) as connection:
        queue.record_failure(connection, claim, reason, next_attempt_at)
        if next_attempt_at is None:  # what could be read of the study was
            _tell(connection, claim.orthanc_study_id, followers, now)
