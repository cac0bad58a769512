"""Which series are to be read anew. Queries only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, func, select

from treegarth.database.parameters import is_among, written_out
from treegarth.index.tables import instance, series


@dataclass(frozen=True, kw_only=True)
class StaleSeries:
    """A series that is to be read anew, and the object that says its attributes: that with the smallest identifier."""

    orthanc_series_id: str
    orthanc_instance_id: str


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
