"""Notifications that leave the house: claimed by one worker at a time, then told, put off or given up. Queries only."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Connection, tuple_, update

from treegarth.features.rules.messages import Notification
from treegarth.features.rules.tables import notification
from treegarth.tasks import leases

LEASE = timedelta(minutes=2)  # longer than any attempt lasts; a worker that vanishes gives it back by then
_DUE = (notification.c.state == "waiting", notification.c.channel.in_(("email", "webhook")))


def claim_notification(
    connection: Connection, now: datetime, *, except_targets: Collection[tuple[str, str]] = ()
) -> Notification | None:
    """The one that has waited longest, for this worker alone; its attempt is counted. None: nothing is due."""
    only = [*_DUE]
    if except_targets:
        only.append(tuple_(notification.c.channel, notification.c.target).not_in(list(except_targets)))
    columns = [notification.c[name] for name in Notification.__dataclass_fields__]
    claimed = leases.claim(connection, notification, now, LEASE, *only, limit=1, returning=columns)
    return Notification(**claimed[0]._mapping) if claimed else None


def note_told(connection: Connection, notification_id: int, now: datetime) -> None:
    """It was taken by its target."""
    values = {"state": "sent", "sent_at": now, "last_error": None}
    connection.execute(update(notification).where(notification.c.id == notification_id).values(values))


def note_not_told(connection: Connection, notification_id: int, reason: str, next_attempt_at: datetime | None) -> None:
    """It failed: tried again then, or given up until a person asks."""
    values = {"last_error": reason}
    again = {"next_attempt_at": next_attempt_at} if next_attempt_at is not None else {"state": "given up"}
    connection.execute(update(notification).where(notification.c.id == notification_id).values(**values, **again))
