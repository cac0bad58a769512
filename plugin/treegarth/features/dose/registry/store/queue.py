"""Which sources wait to be read: note them, claim one, record how it went. Queries only.

A claim is a lease: the row's `next_attempt_at` moves into the future in a short transaction, so that reading holds no
lock that a store of the same object would wait for. A worker that dies loses its lease, and another reads once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from treegarth.database.parameters import is_among
from treegarth.errors import RequestConflict
from treegarth.features.dose.registry.store.archive_index import KnownInstance
from treegarth.features.dose.registry.store.source import find_source
from treegarth.features.dose.registry.tables import dose_report, dose_sampling
from treegarth.phrases import P_
from treegarth.tasks import leases

SAME_STORE = timedelta(seconds=2)
"""Between two time stamps of one store: the plugin's own, and Orthanc's, which is in whole seconds."""

UNREAD, READ, REFUSED, FAILED = "unread", "read", "refused", "failed"
OTHER = "other"
"""A structured report about something else: no source of dose, and nobody expects one of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """The right to read one source until the lease ends. `stored_count` tells whether it was overwritten meanwhile."""

    orthanc_instance_id: str
    orthanc_study_id: str
    stored_count: int
    attempts: int
    sop_class_uid: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceCounts:
    """How many sources are in which state, series whose images are still to be chosen among those that wait;
    `with_issues` are read, but not in every part."""

    waiting: int
    read: int
    refused: int
    failed: int
    with_issues: int


@dataclass(frozen=True, kw_only=True, slots=True)
class FailedSource:
    """A source that could not be read after every attempt."""

    orthanc_instance_id: str
    orthanc_study_id: str
    study_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str | None
    attempts: int
    last_error: str | None
    discovered_at: datetime


def note_sources(connection: Connection, instances: Iterable[KnownInstance], *, again: bool = False) -> None:
    """Make these sources wait to be read, also those that were overwritten since they were read.

    The index meets one store more than once (the pipe, the comparison, a second Orthanc): what is noted of it already
    stays as it is, unless it is to be read `again`.
    """
    rows = {
        instance.orthanc_instance_id: {
            "orthanc_instance_id": instance.orthanc_instance_id,
            "orthanc_series_id": instance.orthanc_series_id,
            "orthanc_study_id": instance.orthanc_study_id,
            "sop_instance_uid": instance.sop_instance_uid,
            "sop_class_uid": instance.sop_class_uid,
            "study_instance_uid": instance.study_instance_uid,
            "modality": instance.modality,
            "received_at": instance.received_at,
            "size_bytes": instance.size_bytes,
            "header_checksum": instance.header_checksum,
        }
        for instance in instances
    }
    if not rows:
        return
    statement = insert(dose_report).values([rows[key] for key in sorted(rows)])
    new = {name: statement.excluded[name] for name in next(iter(rows.values())) if name != "orthanc_instance_id"}
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[dose_report.c.orthanc_instance_id],
            set_=new
            | {
                "state": UNREAD,
                "stored_count": dose_report.c.stored_count + 1,
                "attempts": 0,
                "next_attempt_at": func.now(),
                "last_error": None,
                "source_deleted_at": None,
            },
            where=None if again else ~_same_content(statement.excluded),
        )
    )


def _same_content(new: ReadOnlyColumnCollection[str, Any]) -> ColumnElement[bool]:
    """Whether the row tells of just this content, and of an object that is still there. Where a row of an older version
    does not know its content, it tells of the same store, if it knows that."""
    ours = dose_report.c
    same_store = and_(
        ours.size_bytes == new.size_bytes,
        ours.received_at.between(new.received_at - SAME_STORE, new.received_at + SAME_STORE),
    )
    same = case((ours.header_checksum.is_(None), same_store), else_=ours.header_checksum == new.header_checksum)
    return and_(ours.source_deleted_at.is_(None), func.coalesce(same, False))


def lock_sources(connection: Connection, orthanc_study_ids: Sequence[str]) -> None:
    """Lock all sources of these studies, in the order in which every writer locks them: who then writes them study by
    study and another who writes them in one go do not wait for each other in a circle."""
    ours = is_among(dose_report.c.orthanc_study_id, orthanc_study_ids)
    in_order = select(dose_report.c.orthanc_instance_id).where(ours).order_by(dose_report.c.orthanc_instance_id)
    connection.execute(in_order.with_for_update())


def forget_sources(connection: Connection, orthanc_instance_ids: Sequence[str], at: datetime) -> list[str]:
    """The objects left the archive: rows without any reading go, dose that was read stays. The studies that changed."""
    if not orthanc_instance_ids:
        return []
    ours = dose_report.c.orthanc_instance_id.in_(orthanc_instance_ids)
    in_order = select(dose_report.c.orthanc_instance_id).where(ours).order_by(dose_report.c.orthanc_instance_id)
    connection.execute(in_order.with_for_update())  # as every writer locks them: nobody waits in a circle
    connection.execute(delete(dose_report).where(ours, dose_report.c.read_at.is_(None)))
    state = case(  # a re-reading will not happen any more: what the last one made of it stands
        (dose_report.c.state != UNREAD, dose_report.c.state),
        (dose_report.c.refused.is_not(None), REFUSED),
        else_=READ,
    )
    changed = connection.execute(
        update(dose_report)
        .where(ours)
        .values(source_deleted_at=at, state=state)
        .returning(dose_report.c.orthanc_study_id)
    )
    return sorted(set(changed.scalars()))


def drop_other_classes(connection: Connection, classes: Mapping[str, str | None]) -> list[str]:
    """Drop the sources of these objects that were of another class than they are now (None: no source at all), with
    what was read of them; the studies that changed."""
    ours = dose_report.c.orthanc_instance_id.in_(sorted(classes))
    in_order = select(dose_report.c.orthanc_instance_id, dose_report.c.sop_class_uid).where(ours)
    found = connection.execute(in_order.order_by(dose_report.c.orthanc_instance_id).with_for_update()).all()
    other = [row.orthanc_instance_id for row in found if row.sop_class_uid != classes[row.orthanc_instance_id]]
    if not other:
        return []
    gone = delete(dose_report).where(dose_report.c.orthanc_instance_id.in_(other))
    return sorted(set(connection.execute(gone.returning(dose_report.c.orthanc_study_id)).scalars()))


def claim_next(connection: Connection, now: datetime, lease: timedelta) -> Claim | None:
    """Claim the source that has waited longest; commit before reading it. None when nothing is due."""
    columns = [dose_report.c[name] for name in Claim.__dataclass_fields__]
    unread = dose_report.c.state == UNREAD
    claimed = leases.claim(connection, dose_report, now, lease, unread, limit=1, returning=columns)
    return Claim(**claimed[0]._mapping) if claimed else None


def record_failure(connection: Connection, claim: Claim, reason: str, next_attempt_at: datetime | None) -> None:
    """The attempt failed: try again at that time, or, with None, leave it to a person."""
    values = {"last_error": reason} | (
        {"state": FAILED} if next_attempt_at is None else {"next_attempt_at": next_attempt_at}
    )
    connection.execute(update(dose_report).where(*held(claim)).values(**values))


def nothing_waits(connection: Connection, orthanc_study_id: str) -> bool:
    """Whether no source of this study waits to be read or chosen. Of several that end the waiting at once, the last to
    commit sees that it is so."""
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(orthanc_study_id, 7_311))))
    unread = select(dose_report.c.orthanc_instance_id).where(
        dose_report.c.orthanc_study_id == orthanc_study_id, dose_report.c.state == UNREAD
    )
    choosing = select(dose_sampling.c.orthanc_series_id).where(dose_sampling.c.orthanc_study_id == orthanc_study_id)
    return not connection.execute(select(unread.exists() | choosing.exists())).scalar_one()


def held(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    """The condition that the claim still stands: not overwritten, not claimed by another since."""
    return (
        dose_report.c.orthanc_instance_id == claim.orthanc_instance_id,
        dose_report.c.stored_count == claim.stored_count,
        dose_report.c.attempts == claim.attempts,
        dose_report.c.state == UNREAD,
    )


def count_sources(connection: Connection) -> SourceCounts:
    """Sources by state. Counting those that were read goes through an index of them all: not for every page."""
    by_state = select(dose_report.c.state, func.count().label("number")).where(dose_report.c.state != READ)
    counted = {row.state: row.number for row in connection.execute(by_state.group_by(dose_report.c.state))}
    read = select(func.count()).where(dose_report.c.state == READ)
    with_issues = select(func.count()).where(dose_report.c.state == READ, dose_report.c.issue_count > 0)
    return SourceCounts(
        waiting=counted.get(UNREAD, 0) + _count_series(connection),
        read=connection.execute(read).scalar_one(),
        refused=counted.get(REFUSED, 0),
        failed=counted.get(FAILED, 0),
        with_issues=connection.execute(with_issues).scalar_one(),
    )


def count_waiting(connection: Connection) -> int:
    """How many sources wait to be read, or to be chosen: they are few and have an index of their own."""
    unread = connection.execute(select(func.count()).where(dose_report.c.state == UNREAD)).scalar_one()
    return unread + _count_series(connection)


def _count_series(connection: Connection) -> int:
    """How many series wait until some of their images are chosen."""
    return connection.execute(select(func.count()).select_from(dose_sampling)).scalar_one()


def list_failed(connection: Connection, *, limit: int = 200) -> list[FailedSource]:
    """The sources that need a person, the latest first."""
    columns = [dose_report.c[name] for name in FailedSource.__dataclass_fields__]
    query = select(*columns).where(dose_report.c.state == FAILED).order_by(dose_report.c.discovered_at.desc())
    return [FailedSource(**row._mapping) for row in connection.execute(query.limit(limit))]


def retry_source(connection: Connection, orthanc_instance_id: str) -> int:
    """Let one failed source wait to be read once more. Raises NotFound, or RequestConflict where it has not failed."""
    if not (done := retry_failed(connection, [orthanc_instance_id])):
        find_source(connection, orthanc_instance_id)
        raise RequestConflict(P_("This source has not failed."))
    return done


def retry_failed(connection: Connection, orthanc_instance_ids: Sequence[str] | None = None) -> int:
    """Let failed sources, these or all, wait to be read once more; how many there were."""
    again = update(dose_report).where(dose_report.c.state == FAILED)
    if orthanc_instance_ids is not None:
        again = again.where(dose_report.c.orthanc_instance_id.in_(orthanc_instance_ids))
    done = connection.execute(again.values(state=UNREAD, attempts=0, next_attempt_at=func.now()))
    return done.rowcount
