"""Decide that a study, or a series, has come to rest: once, however many workers and Orthancs there are.

What arrives stands in `arrival` with its time. Who deletes a row there has decided, and tells the followers in the same
transaction. Objects that come later make the study arrive, and come to rest, again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from sqlalchemy import Connection, Engine, delete, select, tuple_

from treegarth.database.engine import transaction
from treegarth.index.tables import arrival


@dataclass(frozen=True, kw_only=True, slots=True)
class Stable:
    """Nothing of it arrived for a while. `orthanc_series_id` is "" where the study as a whole is meant."""

    orthanc_study_id: str
    orthanc_series_id: str


StabilityFollower: TypeAlias = Callable[[Connection, Sequence[Stable], datetime], object]


def decide_stable(
    engine: Engine,
    rest: timedelta,
    followers: Sequence[StabilityFollower],
    clock: Callable[[], datetime],
    *,
    limit: int = 500,
) -> int:
    """Decide on up to `limit` studies and series of which nothing arrived for `rest`, and tell the followers in the
    same transaction; how many there were. Those that another worker decides on now are left to it."""
    now = clock()
    with transaction(engine) as connection:
        stable = _take(connection, now - rest, limit)
        if stable:
            for follow in followers:
                follow(connection, stable, now)
    return len(stable)


def _take(connection: Connection, before: datetime, limit: int) -> list[Stable]:
    key = (arrival.c.orthanc_study_id, arrival.c.orthanc_series_id)
    due = (
        select(*key)
        .where(arrival.c.last_arrived_at < before)
        .order_by(arrival.c.last_arrived_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = connection.execute(delete(arrival).where(tuple_(*key).in_(due)).returning(*key))
    found = [Stable(orthanc_study_id=row[0], orthanc_series_id=row[1]) for row in taken]
    return sorted(found, key=lambda one: (one.orthanc_study_id, one.orthanc_series_id))
