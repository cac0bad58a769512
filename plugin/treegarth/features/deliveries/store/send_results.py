"""Record what became of claimed objects, how sends ended, and whether a destination answers. Queries only.

Only who still holds the claim records: what a worker says whose lease ended, and that another took over, is not heard.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, String, Text, bindparam, column, func, select, update
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.types import BigInteger, Integer

from treegarth.database.parameters import is_among
from treegarth.database.phrase_column import kept
from treegarth.features.deliveries.tables import delivery_batch, delivery_object, destination
from treegarth.features.deliveries.transitions import Change

_MOMENT = TIMESTAMP(timezone=True)
_COLUMNS: dict[str, Any] = {
    "orthanc_instance_id": String,
    "state": Text,
    "next_attempt_at": _MOMENT,
    "attempts": Integer,
    "proof": Text,
    "last_error": JSONB,
    "transaction_uid": String,
    "committing_since": _MOMENT,
    "sent_at": _MOMENT,
    "confirmed_at": _MOMENT,
    "via": BigInteger,
}


def record_changes(connection: Connection, destination_id: int, batch: str, changes: Sequence[Change]) -> int:
    """Write what the objects are from now on, where the batch still holds them; the number of rows."""
    if not changes:
        return 0
    ids = sorted(one.orthanc_instance_id for one in changes)
    ours = (delivery_object.c.destination_id == destination_id) & (delivery_object.c.batch == batch)
    connection.execute(
        select(delivery_object.c.orthanc_instance_id)
        .where(ours, is_among(delivery_object.c.orthanc_instance_id, ids))
        .order_by(delivery_object.c.orthanc_instance_id)  # as every writer locks them
        .with_for_update()
    )
    rows = bindparam("rows", [_row(one) for one in changes], JSONB)
    columns = (column(name, kind) for name, kind in _COLUMNS.items())
    new = func.jsonb_to_recordset(rows).table_valued(*columns).render_derived("new", with_types=True)
    values = {name: new.c[name] for name in _COLUMNS if name != "orthanc_instance_id"}
    done = connection.execute(
        update(delivery_object)
        .where(ours, delivery_object.c.orthanc_instance_id == new.c.orthanc_instance_id)
        .values({**values, "batch": None})
    )
    return done.rowcount


def end_batch(connection: Connection, batch: str, *, outcome: str, reason: str | None, at: datetime) -> bool:
    """A send ended; whether it was still this worker's."""
    ended = (
        update(delivery_batch)
        .where(delivery_batch.c.batch == batch, delivery_batch.c.ended_at.is_(None))
        .values(ended_at=at, outcome=outcome, reason=reason)
    )
    return connection.execute(ended).rowcount == 1


def note_success(connection: Connection, destination_id: int, now: datetime) -> None:
    """The destination answers."""
    connection.execute(
        update(destination)
        .where(destination.c.id == destination_id)
        .values(failures=0, down_since=None, next_attempt_at=None, last_success_at=now)
    )


def note_answer(connection: Connection, destination_id: int) -> None:
    """The destination answers, whatever it said."""
    values = {"failures": 0, "down_since": None, "next_attempt_at": None}
    connection.execute(update(destination).where(destination.c.id == destination_id).values(values))


def note_echo(connection: Connection, destination_id: int) -> None:
    """The destination answers an echo: it is not down, but only what it says of an object ends the care with it."""
    values = {"down_since": None, "next_attempt_at": None}
    connection.execute(update(destination).where(destination.c.id == destination_id).values(values))


def note_failure(connection: Connection, destination_id: int, reason: str, now: datetime, pause: timedelta) -> None:
    """The destination does not answer: it is left alone for a while."""
    connection.execute(
        update(destination)
        .where(destination.c.id == destination_id)
        .values(
            failures=destination.c.failures + 1,
            down_since=func.coalesce(destination.c.down_since, now),
            next_attempt_at=now + pause,
            last_error=reason,
            last_error_at=now,
        )
    )


def note_trouble(connection: Connection, destination_id: int, reason: str, now: datetime) -> None:
    """The destination answers, but did not take an object."""
    connection.execute(
        update(destination).where(destination.c.id == destination_id).values(last_error=reason, last_error_at=now)
    )


def learn(
    connection: Connection, destination_id: int, *, can_find: bool | None = None, can_commit: bool | None = None
) -> None:
    """What turned out about how it can be asked."""
    learnt = {"can_find": can_find, "can_commit": can_commit}
    new = {name: value for name, value in learnt.items() if value is not None}
    if new:
        connection.execute(update(destination).where(destination.c.id == destination_id).values(**new))


def _row(change: Change) -> dict[str, Any]:
    row = {name: getattr(change, name) for name in _COLUMNS} | {"last_error": kept(change.last_error)}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}
