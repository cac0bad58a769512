"""The last hours of a destination, by the hours of the site's clock. Queries only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import BigInteger, Connection, cast, func, select

from treegarth.features.deliveries.model import Standing
from treegarth.features.deliveries.store.standing import by_standing, standing
from treegarth.features.deliveries.tables import delivery_batch, delivery_object


@dataclass(frozen=True, kw_only=True)
class Hour:
    """What was asked for within an hour, as it stands now; and what was sent within it."""

    counts: Mapping[Standing, int] = field(default_factory=lambda: by_standing(()))  # objects
    sends: int = 0
    sent_bytes: int = 0


def read_hours(connection: Connection, destination_id: int, since: datetime, zone: str) -> dict[datetime, Hour]:
    """By the beginning of each hour of the site's clock; hours of nothing are not there."""
    asked = func.date_trunc("hour", delivery_object.c.queued_at, zone).label("hour")
    state = standing().label("state")
    counted = (
        select(asked, state, func.count().label("objects"))
        .where(delivery_object.c.destination_id == destination_id, delivery_object.c.queued_at >= since)
        .group_by(asked, state)
    )
    begun = func.date_trunc("hour", delivery_batch.c.started_at, zone).label("hour")
    size = cast(func.coalesce(func.sum(delivery_batch.c.size_bytes), 0), BigInteger)
    sent = (
        select(begun, func.count().label("sends"), size.label("sent_bytes"))
        .where(delivery_batch.c.destination_id == destination_id, delivery_batch.c.started_at >= since)
        .where(delivery_batch.c.ended_at.is_not(None))
        .group_by(begun)
    )
    objects: dict[datetime, list[tuple[str, int]]] = {}
    for row in connection.execute(counted):
        objects.setdefault(row.hour, []).append((row.state, row.objects))
    sends = {row.hour: row for row in connection.execute(sent)}
    return {
        hour: Hour(
            counts=by_standing(objects.get(hour, ())),
            sends=sends[hour].sends if hour in sends else 0,
            sent_bytes=sends[hour].sent_bytes if hour in sends else 0,
        )
        for hour in objects.keys() | sends.keys()
    }
