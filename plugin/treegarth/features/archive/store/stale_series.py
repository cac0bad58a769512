"""Which series are to be read anew, and how far a long reading of them is. Queries only."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select

from treegarth.database.parameters import is_among, written_out
from treegarth.features.archive.store.reconciliation import read_state, write_state
from treegarth.index.tables import instance, series

_STATE = "mending"


@dataclass(frozen=True, kw_only=True)
class StaleSeries:
    """A series that is to be read anew, and the object that says its attributes: that with the smallest identifier."""

    orthanc_series_id: str
    orthanc_instance_id: str


@dataclass(frozen=True, kw_only=True)
class Mending:
    """How far the reading of many stale series is. It went on at `resumed_at`, when `left_then` were left."""

    started_at: datetime
    finished_at: datetime | None
    total: int
    resumed_at: datetime
    left_then: int
    saved_at: datetime
    left: int

    @property
    def done(self) -> int:
        return self.total - self.left

    @property
    def per_second(self) -> float | None:
        seconds, series = (self.saved_at - self.resumed_at).total_seconds(), self.left_then - self.left
        return series / seconds if seconds > 0 and series > 0 else None

    @property
    def seconds_left(self) -> float | None:
        return self.left / self.per_second if self.per_second else None


def stale_series(connection: Connection, *, after: str, limit: int) -> list[StaleSeries]:
    """The next stale series behind this one, in the order of Orthanc's identifiers."""
    key = series.c.orthanc_series_id
    return _series(connection, _stale().where(key > after).order_by(key).limit(limit))


def stale_among(connection: Connection, orthanc_series_ids: Sequence[str]) -> list[StaleSeries]:
    """Those of the series that are stale."""
    return _series(connection, _stale().where(is_among(series.c.orthanc_series_id, orthanc_series_ids)))


def _series(connection: Connection, query: Select[Any]) -> list[StaleSeries]:
    rows = connection.execute(query)
    return [StaleSeries(orthanc_series_id=row[0], orthanc_instance_id=row[1]) for row in rows]


def _stale() -> Select[Any]:
    of_series = instance.c.orthanc_series_id == series.c.orthanc_series_id
    first = select(func.min(instance.c.orthanc_instance_id)).where(of_series).scalar_subquery()
    return select(series.c.orthanc_series_id, first).where(*_IS_STALE)


_IS_STALE = (series.c.is_stale, series.c.instance_count > written_out(0))  # as their index has it


def count_stale(connection: Connection) -> int:
    """How many series are to be read anew: by an index of their own."""
    return connection.execute(select(func.count()).select_from(series).where(*_IS_STALE)).scalar_one()


def last_mending(connection: Connection) -> Mending | None:
    """The reading that goes on, or the last one; None before the first."""
    value = read_state(connection, _STATE)
    if value is None:
        return None
    times = {
        name: datetime.fromisoformat(value[name]) if value[name] else None
        for name in ("started_at", "finished_at", "resumed_at", "saved_at")
    }
    return Mending(**{**value, **times})


def is_unfinished(connection: Connection) -> bool:
    """Whether a reading was interrupted: its end is still to be noted, however little is left."""
    last = last_mending(connection)
    return last is not None and last.finished_at is None


def begin_mending(connection: Connection, now: datetime) -> Mending:
    """Note that it begins, or goes on after it was interrupted."""
    left, last = count_stale(connection), last_mending(connection)
    goes_on = last is not None and last.finished_at is None
    progress = Mending(
        started_at=last.started_at if last is not None and goes_on else now,
        finished_at=None,
        total=max(left, last.total if last is not None and goes_on else 0),
        resumed_at=now,
        left_then=left,
        saved_at=now,
        left=left,
    )
    return _save(connection, progress)


def save_mending(connection: Connection, progress: Mending, *, left: int, is_done: bool, now: datetime) -> Mending:
    """Note how far it is now."""
    finished_at = now if is_done else None
    left = 0 if is_done else max(left, 0)
    return _save(connection, dataclasses.replace(progress, left=left, finished_at=finished_at, saved_at=now))


def _save(connection: Connection, progress: Mending) -> Mending:
    fields = dataclasses.asdict(progress)
    write_state(
        connection,
        _STATE,
        {name: value.isoformat() if isinstance(value, datetime) else value for name, value in fields.items()},
    )
    return progress
