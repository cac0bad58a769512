"""The series of the archive that nobody measured yet, a few at a time: the walk through the index. Queries only."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, func, or_, select

from treegarth.features.dose.analysis.size.store.queue import CT, FAILED, WAITING, count_waiting, note_series
from treegarth.features.dose.analysis.size.tables import series_ssde
from treegarth.index.tables import series
from treegarth.phrases import P_
from treegarth.work.kinds import Block
from treegarth.work.store import ClaimedWork, LongWork, start

KIND = "dose.measuring"
BATCH = 20
"""Series that one block notes: as many as are measured in some seconds, so that a stop holds soon."""
LOOKS_AGAIN = timedelta(seconds=2)


def start_measuring(connection: Connection, by: str | None, now: datetime) -> LongWork:
    """The one that runs now: a new one, or the one that was not finished."""
    return start(connection, KIND, by=by, now=now, total=count_series(connection))


def count_series(connection: Connection) -> int:
    """Of CT, in the archive."""
    query = select(func.count()).where(series.c.modality == CT, series.c.instance_count > 0)
    return connection.execute(query).scalar_one()


def walk_on(connection: Connection, work: ClaimedWork, version: int, now: datetime, *, count: int = BATCH) -> Block:
    """Note the next series that were never measured, or by another version; those that are noted are measured first.
    `place` is the last series."""
    waiting = count_waiting(connection)
    if waiting:
        said = P_("series that wait to be measured: %(count)s", count=waiting)
        return Block(place=work.place, waits=LOOKS_AGAIN, waits_for=said)
    found = _series_after(connection, work.place or "", version, count)
    noted = note_series(connection, found)
    if not found:
        left = max((work.total or 0) - work.done, 0)
        return Block(done=left, place=work.place, ends="done")
    passed = _count_between(connection, work.place or "", found[-1])
    return Block(done=passed, counts={"noted": noted}, place=found[-1])


def _series_after(connection: Connection, place: str, version: int, count: int) -> list[str]:
    ours = series_ssde.c
    is_new = or_(ours.orthanc_series_id.is_(None), ours.reader_version.is_distinct_from(version))
    query = (
        select(series.c.orthanc_series_id)
        .outerjoin(series_ssde, ours.orthanc_series_id == series.c.orthanc_series_id)
        .where(series.c.modality == CT, series.c.instance_count > 0, series.c.orthanc_series_id > place, is_new)
        .where(func.coalesce(ours.state, "").not_in((WAITING, FAILED)))
        .order_by(series.c.orthanc_series_id)
        .limit(count)
    )
    return list(connection.execute(query).scalars())


def _count_between(connection: Connection, place: str, last: str) -> int:
    key = series.c.orthanc_series_id
    query = select(func.count()).where(series.c.modality == CT, series.c.instance_count > 0, key > place, key <= last)
    return connection.execute(query).scalar_one()
