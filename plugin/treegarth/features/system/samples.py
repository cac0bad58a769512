"""What the server took of the machine over time: kept, thinned out, and read for charts. Queries only.

A minute is kept for two days, an hour for a year: 12,000 rows for each Orthanc, and no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from sqlalchemy import BigInteger, ColumnElement, Connection, Engine, Label, and_, cast, delete, func, or_, select, true
from sqlalchemy.dialects.postgresql import insert

from treegarth.database.engine import transaction
from treegarth.features.system.storage import database_facts
from treegarth.features.system.store import count_tasks
from treegarth.features.system.tables import system_sample
from treegarth.web.services import HostStatus

MINUTES_KEPT = timedelta(days=2)
HOURS_KEPT = timedelta(days=366)
Span: TypeAlias = Literal["day", "week", "year"]
SPANS: Mapping[Span, tuple[timedelta, timedelta, bool]] = {
    "day": (timedelta(days=1), timedelta(minutes=15), False),
    "week": (timedelta(days=7), timedelta(hours=2), True),
    "year": (timedelta(days=365), timedelta(days=5), True),
}
"""How far back, how much time is one point, and whether it is made of hours."""
LEAST = ("storage_free_bytes", "database_free_bytes")
VALUES = tuple(column.name for column in system_sample.c if not column.primary_key)


@dataclass(frozen=True, kw_only=True)
class Point:
    """What a while came to: of what is free the least, of the rest the most. None where nobody measured it."""

    at: datetime
    storage_total_bytes: int | None
    storage_free_bytes: int | None
    database_bytes: int | None
    database_free_bytes: int | None
    orthanc_memory_bytes: int | None
    indexer_memory_bytes: int | None
    workers_memory_bytes: int | None
    database_memory_bytes: int | None
    waiting_instances: int | None
    waiting_tasks: int | None


def keep_sample(engine: Engine, status: HostStatus, server: str, now: datetime) -> None:
    """Keep what is measured now, what whole hours came to, and nothing that is too old. Raises DatabaseUnavailable."""
    disks = {disk.place: disk for disk in status.disks}
    storage, database = disks.get("storage"), disks.get("database")
    with transaction(engine) as connection:
        tasks = count_tasks(connection)
        sample = {
            "storage_total_bytes": storage.total_bytes if storage else None,
            "storage_free_bytes": storage.free_bytes if storage else None,
            "database_bytes": database_facts(connection).size_bytes,
            "database_free_bytes": database.free_bytes if database else None,
            **{f"{part}_memory_bytes": size for part, size in status.memory_bytes.items()},
            "waiting_instances": status.pending,
            "waiting_tasks": tasks.todo + tasks.doing,
        }
        write_sample(connection, server, now, sample)


def write_sample(connection: Connection, server: str, now: datetime, sample: Mapping[str, int | None]) -> None:
    """One a minute, and what follows from its being there."""
    row = {"server": server, "hourly": False, "at": now.replace(second=0, microsecond=0), **sample}
    connection.execute(insert(system_sample).values(row).on_conflict_do_nothing())
    _sum_up_hours(connection, server, now)
    table = system_sample.c
    too_old = or_(and_(~table.hourly, table.at < now - MINUTES_KEPT), and_(table.hourly, table.at < now - HOURS_KEPT))
    connection.execute(delete(system_sample).where(too_old))


def read_points(connection: Connection, span: Span, now: datetime) -> list[Point]:
    """Of the server that measured last, the newest first."""
    length, step, is_hourly = SPANS[span]
    table = system_sample.c
    latest = select(table.server).where(~table.hourly).order_by(table.at.desc()).limit(1).scalar_subquery()
    place = _beginning_of(step).label("place")
    query = (
        select(place, *_came_to())
        .where(table.server == latest, table.hourly == is_hourly, table.at > now - length)
        .group_by("place")
        .order_by(place.desc())
    )
    return [Point(at=row.place, **{name: getattr(row, name) for name in VALUES}) for row in connection.execute(query)]


def _sum_up_hours(connection: Connection, server: str, now: datetime) -> None:
    """Those that are over and have no row yet."""
    table = system_sample.c
    last = select(func.max(table.at)).where(table.server == server, table.hourly).scalar_subquery()
    hour = _beginning_of(timedelta(hours=1)).label("hour")
    begun = now.replace(minute=0, second=0, microsecond=0)
    hours = (
        select(table.server, true().label("hourly"), hour, *_came_to())
        .where(table.server == server, ~table.hourly, table.at < begun)
        .where(or_(last.is_(None), table.at >= last + timedelta(hours=1)))
        .group_by(table.server, "hour")
    )
    names = ["server", "hourly", "at", *VALUES]
    connection.execute(insert(system_sample).from_select(names, hours).on_conflict_do_nothing())


def _beginning_of(step: timedelta) -> ColumnElement[datetime]:
    seconds = int(step.total_seconds())
    return func.to_timestamp(cast(func.extract("epoch", system_sample.c.at), BigInteger) // seconds * seconds)


def _came_to() -> list[Label[int | None]]:
    table = system_sample.c
    return [(func.min if name in LEAST else func.max)(table[name]).label(name) for name in VALUES]
