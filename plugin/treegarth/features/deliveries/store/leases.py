"""Claim objects of a destination by lease: to be sent, to be asked about, or after an interrupted send. Queries only.

A claim names its batch in each row and moves `next_attempt_at` to the end of the lease. Its worker prolongs it; the
lease of a worker that vanished ends, and its objects are unsure: they are asked about before anything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, literal_column, select, update

from treegarth.features.deliveries.model import OPEN, DeliveryObject, ObjectState, fitting, free_at
from treegarth.features.deliveries.store.archive_index import stored_at
from treegarth.features.deliveries.tables import delivery_batch, delivery_object, destination
from treegarth.index.tables import instance
from treegarth.phrases import P_
from treegarth.tasks.leases import unlocked

LEASE = timedelta(seconds=30)
"""Prolonged every few seconds while its worker lives."""

_VANISHED = P_("Its worker vanished, or could not record how it ended.")
_LOOKED_AT = 100
_SENDS_LOOKED_AT = 20  # of the last ones, for the bandwidth: each of two seconds of it, or of one object
_OBJECT = [delivery_object.c[name] for name in DeliveryObject.__dataclass_fields__]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Objects of one destination that this worker alone deals with until its lease ends."""

    batch: str
    objects: tuple[DeliveryObject, ...]

    @property
    def destination_id(self) -> int:
        return self.objects[0].destination_id

    @property
    def size_bytes(self) -> int:
        return sum(one.size_bytes for one in self.objects)


@dataclass(frozen=True, kw_only=True)
class Rest:
    """The bandwidth is used up until then."""

    until: datetime


def claim_to_send(
    connection: Connection,
    destination_id: int,
    batch: str,
    now: datetime,
    *,
    most_open: int,
    most_objects: int,
    max_mbit_per_s: float | None = None,
) -> Claim | Rest | None:
    """Objects that wait, as one send with a row of its own; None where nothing is due or enough sends are open."""
    connection.execute(select(destination.c.id).where(destination.c.id == destination_id).with_for_update())
    if count_open(connection, destination_id, now) >= most_open:
        return None
    if max_mbit_per_s is not None and (until := _free_at(connection, destination_id, max_mbit_per_s)) > now:
        return Rest(until=until)
    due = _due(connection, destination_id, ObjectState.WAITING, now, most_objects)
    objects = due[: fitting(due, max_mbit_per_s)]
    if not objects:
        return None
    claim = _take(
        connection,
        objects,
        batch,
        now,
        {
            "state": ObjectState.SENDING,
            "attempts": delivery_object.c.attempts + 1,
            "last_error": None,  # of this try; with one that its worker's end interrupted there is none
            **_content(),
        },
    )
    connection.execute(
        delivery_batch.insert().values(
            batch=batch,
            destination_id=destination_id,
            started_at=now,
            lease_until=now + LEASE,
            object_count=len(claim.objects),
            size_bytes=claim.size_bytes,
            orthanc_instance_ids=[one.orthanc_instance_id for one in claim.objects],
        )
    )
    return claim


def _content() -> dict[str, Any]:
    """What a send notes of the content that it will carry: at least as new as the index has it now.

    The database's clock, as the index takes it: then no two clocks are compared.
    """
    row = delivery_object.c
    is_it = instance.c.orthanc_instance_id == row.orthanc_instance_id
    was_other = (
        select(
            (func.coalesce(row.begun_at, row.sent_at) < stored_at)
            & (
                (row.begun_checksum == instance.c.header_checksum).is_not(True)
                | (row.size_bytes != instance.c.size_bytes)
            )
        )
        .where(is_it)
        .scalar_subquery()
    )
    return {
        "begun_at": func.now(),
        "begun_checksum": select(instance.c.header_checksum).where(is_it).scalar_subquery(),
        "size_bytes": func.coalesce(select(instance.c.size_bytes).where(is_it).scalar_subquery(), row.size_bytes),
        "had_other_content": row.had_other_content | func.coalesce(was_other, False),
    }


def claim_unsure(connection: Connection, destination_id: int, batch: str, now: datetime, limit: int) -> Claim | None:
    """Objects whose send was interrupted. Ends the batches that were lost."""
    lost = (
        update(delivery_batch)
        .where(delivery_batch.c.destination_id == destination_id, delivery_batch.c.ended_at.is_(None))
        .where(delivery_batch.c.lease_until <= now)
        .values(ended_at=now, outcome="lost", reason=_VANISHED)
    )
    connection.execute(lost)
    objects = _due(connection, destination_id, ObjectState.SENDING, now, limit)
    return _take(connection, objects, batch, now, {}) if objects else None


def claim_to_ask(connection: Connection, destination_id: int, batch: str, now: datetime, limit: int) -> Claim | None:
    """Objects that were sent and whose arrival is still to be shown."""
    objects = _due(connection, destination_id, ObjectState.SENT, now, limit)
    return _take(connection, objects, batch, now, {}) if objects else None


def count_open(connection: Connection, destination_id: int, now: datetime) -> int:
    """How many sends to the destination are going on."""
    going_on = (
        select(func.count())
        .select_from(delivery_batch)
        .where(delivery_batch.c.destination_id == destination_id, delivery_batch.c.ended_at.is_(None))
        .where(delivery_batch.c.lease_until > now)
    )
    return connection.execute(going_on).scalar_one()


def _free_at(connection: Connection, destination_id: int, max_mbit_per_s: float) -> datetime:
    query = (
        select(delivery_batch.c.started_at, delivery_batch.c.size_bytes)
        .where(delivery_batch.c.destination_id == destination_id)
        .order_by(delivery_batch.c.started_at.desc())
        .limit(_SENDS_LOOKED_AT)
    )
    rows = connection.execute(query).all()
    return free_at([(row.started_at, row.size_bytes) for row in reversed(rows)], max_mbit_per_s)


def open_jobs(connection: Connection, now: datetime) -> set[str]:
    """Orthanc's jobs that some living worker watches."""
    query = (
        select(delivery_batch.c.orthanc_job_id)
        .where(delivery_batch.c.ended_at.is_(None), delivery_batch.c.lease_until > now)
        .where(delivery_batch.c.orthanc_job_id.is_not(None))
    )
    return {str(one) for one in connection.execute(query).scalars()}


def record_job(connection: Connection, batch: str, orthanc_job_id: str) -> bool:
    """Remember the job that sends the batch; whether the batch is still this worker's."""
    done = connection.execute(
        update(delivery_batch)
        .where(delivery_batch.c.batch == batch, delivery_batch.c.ended_at.is_(None))
        .values(orthanc_job_id=orthanc_job_id)
    )
    return done.rowcount == 1


def prolong(connection: Connection, claim: Claim, now: datetime) -> None:
    """This worker lives and is still at it."""
    connection.execute(
        update(delivery_batch)
        .where(delivery_batch.c.batch == claim.batch, delivery_batch.c.ended_at.is_(None))
        .values(lease_until=now + LEASE)
    )
    held = (
        select(delivery_object.c.orthanc_instance_id)
        .where(delivery_object.c.destination_id == claim.destination_id, delivery_object.c.batch == claim.batch)
        .where(delivery_object.c.orthanc_instance_id.in_([one.orthanc_instance_id for one in claim.objects]))
        .order_by(delivery_object.c.orthanc_instance_id)
        .with_for_update()
    )
    connection.execute(
        update(delivery_object)
        .where(delivery_object.c.destination_id == claim.destination_id)
        .where(delivery_object.c.orthanc_instance_id.in_(connection.execute(held).scalars().all()))
        .values(next_attempt_at=now + LEASE)
    )


def next_due(connection: Connection, destination_id: int, states: Sequence[ObjectState]) -> datetime | None:
    """When the first of the objects in these states is due."""
    query = select(func.min(delivery_object.c.next_attempt_at)).where(
        delivery_object.c.destination_id == destination_id, is_open(), delivery_object.c.state.in_(states)
    )
    due: datetime | None = connection.execute(query).scalar_one()
    return due


def due_destinations(connection: Connection, now: datetime, destination_id: int | None = None) -> dict[int, set[str]]:
    """Destinations, or this one, that have something to do now, with the states of what is due first.

    One that is down is asked again also where nothing waits for it: it is not to be called down when it is up.
    """
    found: dict[int, set[str]] = {}
    answers = destination.c.next_attempt_at.is_(None) | (destination.c.next_attempt_at <= now)
    is_down = (destination.c.down_since.is_not(None) & destination.c.is_on & answers).label("is_down")
    every = select(destination.c.id, is_down).order_by(destination.c.id).where(destination.c.removed_at.is_(None))
    every = every.where(answers | destination.c.alternate.is_not(None))
    if destination_id is not None:
        every = every.where(destination.c.id == destination_id)
    for destination_id, is_down in connection.execute(every).all():
        first = (
            select(delivery_object.c.state)
            .where(delivery_object.c.destination_id == destination_id, delivery_object.c.next_attempt_at <= now)
            .where(is_open())
            .order_by(delivery_object.c.next_attempt_at)
            .limit(_LOOKED_AT)
            .subquery()
        )
        states = set(connection.execute(select(first.c.state).distinct()).scalars())
        if states or is_down:
            found[destination_id] = states or {ObjectState.WAITING.value}
    return found


def _due(
    connection: Connection, destination_id: int, state: ObjectState, now: datetime, limit: int
) -> list[DeliveryObject]:
    """In the order of the index, series by series where they were wished together."""
    query = (
        select(*_OBJECT)
        .where(delivery_object.c.destination_id == destination_id, delivery_object.c.next_attempt_at <= now)
        .where(delivery_object.c.state == state, is_open())
        .order_by(delivery_object.c.next_attempt_at, delivery_object.c.orthanc_series_id)
        .order_by(delivery_object.c.orthanc_instance_id)
        .limit(limit)
    )
    return [_object(row) for row in connection.execute(unlocked(query))]


def _take(
    connection: Connection, objects: Sequence[DeliveryObject], batch: str, now: datetime, values: dict[str, Any]
) -> Claim:
    taken = (
        update(delivery_object)
        .where(delivery_object.c.destination_id == objects[0].destination_id)
        .where(delivery_object.c.orthanc_instance_id.in_([one.orthanc_instance_id for one in objects]))
        .values(batch=batch, next_attempt_at=now + LEASE, **values)
        .returning(*_OBJECT)
    )
    rows = {row.orthanc_instance_id: _object(row) for row in connection.execute(taken)}
    return Claim(batch=batch, objects=tuple(rows[one.orthanc_instance_id] for one in objects))


def is_open() -> ColumnElement[bool]:
    """The condition of the partial index: the millions of rows that are done are not read."""
    return delivery_object.c.state.in_([literal_column(f"'{state}'") for state in OPEN])


def _object(row: Row[Any]) -> DeliveryObject:
    return DeliveryObject(**row._mapping)
