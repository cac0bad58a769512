"""Decide that a study, or a series, has come to rest: once, however many workers and Orthancs there are.

What arrives stands in `arrival` with its time. Who deletes a row there has decided, and tells the followers in the same
transaction. Objects that come later make the study arrive, and come to rest, again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from sqlalchemy import Connection, Engine

from treegarth.database.engine import transaction
from treegarth.index.tables import arrival
from treegarth.tasks import leases


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
    turn, columns = arrival.c.last_arrived_at, [arrival.c[name] for name in Stable.__dataclass_fields__]
    taken = leases.take(connection, arrival, turn, turn < before, limit=limit, returning=columns)
    found = [Stable(**row._mapping) for row in taken]
    return sorted(found, key=lambda one: (one.orthanc_study_id, one.orthanc_series_id))
