"""Re-reading of the whole archive: the walk through the index, until nothing waits to be read. Queries only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from treegarth.features.dose.registry.store.archive_index import ArchivedInstance, archived_instances
from treegarth.features.dose.registry.store.queue import UNREAD, count_waiting
from treegarth.features.dose.registry.tables import dose_report, dose_sampling
from treegarth.index.studies import count_instances
from treegarth.index.tables import instance
from treegarth.phrases import P_
from treegarth.work.kinds import Block
from treegarth.work.store import ClaimedWork, LongWork, start

KIND = "dose.reread"
BATCH = 500
"""Instances of the index that one transaction looks at."""
LOOKS_AGAIN = timedelta(seconds=5)

Note = Callable[[Connection, Sequence[ArchivedInstance]], int]


def start_reread(connection: Connection, by: str | None, now: datetime) -> LongWork:
    """The one that runs now: a new one, or the one that was not finished."""
    return start(connection, KIND, by=by, now=now, total=count_instances(connection))


def walk_on(connection: Connection, work: ClaimedWork, note: Note, now: datetime, *, count: int = BATCH) -> Block:
    """Look at the next instances of the index and note the sources among them; behind the last one wait for those who
    read. `place` is the last instance, and when all were looked at."""
    walked_to, walked_at = work.place or (None, None)
    if walked_at is not None:
        return _wait(connection, work, datetime.fromisoformat(walked_at))
    found = _instances_after(connection, walked_to, count)
    is_last = len(found) < count
    return Block(
        done=len(found),
        counts={"noted": note(connection, found)},
        place=(found[-1].orthanc_instance_id if found else walked_to, now.isoformat() if is_last else None),
        total=work.done + len(found) if is_last else None,
    )


def _wait(connection: Connection, work: ClaimedWork, walked_at: datetime) -> Block:
    waits = select(dose_report.c.orthanc_instance_id).where(dose_report.c.state == UNREAD).exists()
    met = dose_sampling.c.first_at <= walked_at  # by the walk; later ones are new arrivals
    is_to_choose = select(dose_sampling.c.orthanc_series_id).where(met).exists()
    if not connection.execute(select(waits | is_to_choose)).scalar_one():
        return Block(place=work.place, ends="done")
    waiting = count_waiting(connection)
    return Block(
        place=work.place,
        waits=LOOKS_AGAIN,
        waits_for=P_("all are noted; sources that wait to be read: %(count)s", count=waiting),
    )


def _instances_after(connection: Connection, walked_to: str | None, count: int) -> list[ArchivedInstance]:
    query = archived_instances().limit(count)
    if walked_to is not None:
        query = query.where(instance.c.orthanc_instance_id > walked_to)
    return [ArchivedInstance(**row._mapping) for row in connection.execute(query)]
