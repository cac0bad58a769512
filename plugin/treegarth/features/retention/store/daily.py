"""What arrived, what policies freed, and how the free space of the disk changed, by day and by week. Reads only."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
    Date,
    Select,
    Text,
    cast,
    distinct,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from treegarth.features.retention.tables import prune_ledger, retention_policy
from treegarth.features.system.tables import system_sample
from treegarth.index.tables import study
from treegarth.record import Record

_WEEK_S = 7 * 24 * 3600


class FreedDay(Record):
    """A day on which policies deleted something."""

    day: date
    """In the site's zone."""
    policies: list[str]
    instance_count: int
    size_bytes: int
    """Of the objects that were deleted, as they were received."""
    received_bytes: int
    """What arrived on that day."""
    free_change_bytes: int | None
    """How much more was free on the disk of the objects at the day's end than at its beginning; null where that was not
    measured. With what arrived it is what the disk gave back, if nothing else wrote to it."""


def freed_by_day(connection: Connection, since: datetime, zone: ZoneInfo) -> list[FreedDay]:
    """The latest first."""
    ledger = prune_ledger.c
    day = cast(func.timezone(zone.key, ledger.deleted_at), Date)
    freed = (
        select(
            day.label("day"),
            func.array_agg(distinct(retention_policy.c.name), type_=ARRAY(Text)).label("policies"),
            func.count().label("instance_count"),
            cast(func.sum(ledger.size_bytes), BigInteger).label("size_bytes"),
        )
        .join_from(prune_ledger, retention_policy, retention_policy.c.id == ledger.policy_id)
        .where(ledger.deleted_at >= since, ledger.state == "deleted")
        .group_by("day")
        .subquery("freed")
    )
    arrived = cast(func.timezone(zone.key, study.c.first_received_at), Date)
    received = (
        select(
            arrived.label("day"),
            cast(func.sum(study.c.size_bytes + study.c.pruned_size_bytes), BigInteger).label("size_bytes"),
        )
        .where(study.c.last_received_at >= since, study.c.first_received_at >= since)
        .group_by("day")
        .subquery("received")
    )
    changed = _free_changes(since, zone).subquery("changed")
    query = (
        select(freed, func.coalesce(received.c.size_bytes, 0).label("received_bytes"), changed.c.free_change_bytes)
        .outerjoin(received, received.c.day == freed.c.day)
        .outerjoin(changed, changed.c.day == freed.c.day)
        .order_by(freed.c.day.desc())
    )
    return [FreedDay(**row._mapping) for row in connection.execute(query)]


def growth_by_week(connection: Connection, weeks: int, now: datetime) -> list[int]:
    """Bytes received less bytes freed in each of the last whole weeks, the oldest first, none before a study."""
    since = now - timedelta(weeks=weeks)
    first = connection.execute(select(func.min(study.c.first_received_at))).scalar()
    if first is None:
        return []
    whole = min(weeks, int((now - first).total_seconds() // _WEEK_S))
    received = select(
        study.c.first_received_at.label("at"), (study.c.size_bytes + study.c.pruned_size_bytes).label("size_bytes")
    ).where(study.c.last_received_at >= since, study.c.first_received_at >= since)
    freed = select(prune_ledger.c.deleted_at, -prune_ledger.c.size_bytes).where(
        prune_ledger.c.deleted_at >= since, prune_ledger.c.policy_id.is_not(None), prune_ledger.c.state == "deleted"
    )
    flows = union_all(received, freed).subquery("flows")
    ago = func.floor(func.extract("epoch", literal(now) - flows.c.at) / _WEEK_S).label("ago")
    query = select(ago, func.sum(flows.c.size_bytes).label("size_bytes")).group_by("ago")
    by_week = {int(row.ago): int(row.size_bytes) for row in connection.execute(query)}
    return [by_week.get(number, 0) for number in range(whole - 1, -1, -1)]


def _free_changes(since: datetime, zone: ZoneInfo) -> Select[Any]:
    """By day, of the server that measured last: from the first hour that was measured to the last."""
    table = system_sample.c
    latest = select(table.server).where(table.hourly).order_by(table.at.desc()).limit(1).scalar_subquery()
    free = table.storage_free_bytes
    orders = (table.at, table.at.desc())
    first, last = (func.array_agg(aggregate_order_by(free, one), type_=ARRAY(BigInteger)) for one in orders)
    return (
        select(
            cast(func.timezone(zone.key, table.at), Date).label("day"),
            (last[1] - first[1]).label("free_change_bytes"),
        )
        .where(table.hourly, table.server == latest, table.at >= since, free.is_not(None))
        .group_by("day")
        .having(func.count() > 1)
    )
