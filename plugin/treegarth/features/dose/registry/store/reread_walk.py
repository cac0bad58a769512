"""Re-reading of the whole archive: where the walk through the index stands, and how much is left. Queries only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from pydantic import computed_field
from sqlalchemy import Connection, Row, func, insert, select, update

from treegarth.features.dose.reading.model import READER_VERSION
from treegarth.features.dose.registry.store.archive_index import ArchivedInstance, archived_instances
from treegarth.features.dose.registry.store.queue import UNREAD, count_waiting
from treegarth.features.dose.registry.tables import dose_report, dose_reread, dose_sampling
from treegarth.index.tables import instance
from treegarth.record import Record

Note = Callable[[Connection, Sequence[ArchivedInstance]], int]


class RereadProgress(Record):
    """The latest re-reading. `walked` instances of the index were looked at, `noted` are sources, `waiting` of the
    registry's sources wait to be read. `of_other_versions` rows were made by other readers: with `waiting` 0 these are
    of objects that left the archive."""

    id: int
    reader_version: int
    """Of the reader that reads."""
    started_by: str | None
    started_at: datetime
    finished_at: datetime | None
    """Null while it runs."""
    walked: int
    """Instances of the index that were looked at."""
    noted: int
    """Sources among them, which wait to be read or were read since."""
    is_walked: bool
    """Whether the whole index was looked at."""
    waiting: int
    """Sources of the whole registry that wait to be read."""
    of_other_versions: int
    """Rows that another version of the reader made. When all is done these are of objects that left the archive."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def is_running(self) -> bool:
        return self.finished_at is None


def start_reread(connection: Connection, started_by: str | None, now: datetime) -> int:
    """The identifier of the re-reading that runs now: a new one, or the one that was not finished."""
    connection.execute(select(func.pg_advisory_xact_lock(7_312)))
    running = running_reread(connection)
    if running is not None:
        return running
    values = {"reader_version": READER_VERSION, "started_by": started_by, "started_at": now}
    return int(connection.execute(insert(dose_reread).values(**values).returning(dose_reread.c.id)).scalar_one())


def running_reread(connection: Connection) -> int | None:
    """The re-reading that was not finished, if there is one."""
    return connection.execute(select(dose_reread.c.id).where(dose_reread.c.finished_at.is_(None))).scalar_one_or_none()


def walk_on(connection: Connection, reread: int, note: Note, now: datetime, *, count: int = 500) -> bool:
    """Look at the next instances of the index and note the sources among them. False at the end."""
    state = connection.execute(select(dose_reread).where(dose_reread.c.id == reread).with_for_update()).one()
    if state.walked_at is not None:
        return False
    found = _instances_after(connection, state.walked_to, count)
    values: dict[str, object] = {"walked": state.walked + len(found), "noted": state.noted + note(connection, found)}
    if len(found) < count:
        values["walked_at"] = now
    if found:
        values["walked_to"] = found[-1].orthanc_instance_id
    connection.execute(update(dose_reread).where(dose_reread.c.id == reread).values(**values))
    return len(found) == count


def finish_reread(connection: Connection, reread: int, now: datetime) -> bool:
    """Say that it is done, when the whole index was looked at and nothing waits; whether it is."""
    waits = select(dose_report.c.orthanc_instance_id).where(dose_report.c.state == UNREAD).exists()
    met = dose_sampling.c.first_at <= dose_reread.c.walked_at  # by the walk; later ones are new arrivals
    is_to_choose = select(dose_sampling.c.orthanc_series_id).where(met).correlate(dose_reread).exists()
    done = connection.execute(
        update(dose_reread)
        .where(dose_reread.c.id == reread, dose_reread.c.walked_at.is_not(None), dose_reread.c.finished_at.is_(None))
        .where(~waits, ~is_to_choose)
        .values(finished_at=now)
    )
    return done.rowcount == 1


def reread_progress(connection: Connection) -> RereadProgress | None:
    """The latest re-reading; None when there was none."""
    row = connection.execute(select(dose_reread).order_by(dose_reread.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else _progress(connection, row)


def _progress(connection: Connection, row: Row[tuple[object, ...]]) -> RereadProgress:
    others = select(func.count()).where(dose_report.c.reader_version != READER_VERSION)
    found = row._mapping
    return RereadProgress(
        **{name: found[name] for name in ("id", "reader_version", "started_by", "started_at", "finished_at")},
        walked=found["walked"],
        noted=found["noted"],
        is_walked=found["walked_at"] is not None,
        waiting=count_waiting(connection),
        of_other_versions=connection.execute(others).scalar_one(),
    )


def _instances_after(connection: Connection, walked_to: str | None, count: int) -> list[ArchivedInstance]:
    query = archived_instances().limit(count)
    if walked_to is not None:
        query = query.where(instance.c.orthanc_instance_id > walked_to)
    return [ArchivedInstance(**row._mapping) for row in connection.execute(query)]
