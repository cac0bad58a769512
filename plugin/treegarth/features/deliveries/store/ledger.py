"""The ledger as the API sums it up by destination; and what a person may do to one object."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Connection, cast, func, select, update

from treegarth.errors import NotFound, RequestConflict
from treegarth.features.deliveries.model import NEVER, ObjectState, Standing
from treegarth.features.deliveries.store.retrying import send_again
from treegarth.features.deliveries.store.standing import by_standing, standing, stands
from treegarth.features.deliveries.tables import delivery_batch, delivery_object, destination
from treegarth.features.deliveries.words import STATES
from treegarth.phrases import P_, Phrase
from treegarth.record import Record

SPEED_OF = timedelta(minutes=5)


class DestinationSum(Record):
    """How far the deliveries to a destination are."""

    destination: str
    objects: dict[Standing, int]
    """By state; every one is named."""
    size_bytes: dict[Standing, int]
    """By state."""
    objects_per_s: float
    """Of the sends of the last five minutes that arrived whole."""
    mbyte_per_s: float


def sums_by_destination(connection: Connection, now: datetime) -> list[DestinationSum]:
    """Of each destination that was not removed. Counts every row of the ledger."""
    shown = standing().label("state")
    size = cast(func.sum(delivery_object.c.size_bytes), BigInteger)
    counted = select(delivery_object.c.destination_id, shown, func.count(), size)
    objects: dict[int, list[tuple[str, int]]] = {}
    sizes: dict[int, list[tuple[str, int]]] = {}
    for destination_id, state, number, of_all in connection.execute(
        counted.group_by(delivery_object.c.destination_id, shown)
    ):
        objects.setdefault(destination_id, []).append((state, number))
        sizes.setdefault(destination_id, []).append((state, of_all))
    speeds = _speeds(connection, now)
    query = select(destination.c.id, destination.c.name).where(destination.c.removed_at.is_(None))
    return [
        DestinationSum(
            destination=name,
            objects=by_standing(objects.get(number, ())),
            size_bytes=by_standing(sizes.get(number, ())),
            objects_per_s=speeds.get(number, (0.0, 0.0))[0],
            mbyte_per_s=speeds.get(number, (0.0, 0.0))[1],
        )
        for number, name in connection.execute(query.order_by(destination.c.name))
    ]


def _speeds(connection: Connection, now: datetime) -> dict[int, tuple[float, float]]:
    """Objects and megabytes a second of the sends of the last minutes that arrived whole, pauses between them too."""
    ours = delivery_batch.c
    span = func.extract("epoch", func.max(ours.ended_at) - func.min(ours.started_at))
    query = (
        select(ours.destination_id, func.sum(ours.object_count), func.sum(ours.size_bytes), span)
        .where(ours.started_at > now - SPEED_OF, ours.outcome == "arrived")
        .group_by(ours.destination_id)
    )
    return {
        number: (float(objects) / float(seconds), float(size) / 1e6 / float(seconds))
        for number, objects, size, seconds in connection.execute(query)
        if seconds
    }


def resend_object(connection: Connection, destination_id: int, orthanc_instance_id: str, now: datetime) -> None:
    """Send an object once more, whatever is known of it. Raises NotFound; RequestConflict while it is being sent."""
    state = _state(connection, destination_id, orthanc_instance_id)
    done = send_again(
        connection,
        now,
        destination_id=destination_id,
        orthanc_instance_id=orthanc_instance_id,
        states=list(Standing),
    )
    if not done:
        raise RequestConflict(P_("It is %(state)s: it cannot be sent again now.", state=state))


def cancel_object(connection: Connection, destination_id: int, orthanc_instance_id: str, by: str | None) -> None:
    """Send an object no more. Raises NotFound; RequestConflict where nothing of it is open, or it is being sent."""
    state = _state(connection, destination_id, orthanc_instance_id)
    canceled = P_("Canceled by %(name)s.", name=by or P_("a user"))
    ours = delivery_object.c
    is_taken = stands(Standing.SENDING) & (ours.state != ObjectState.SENDING.value)
    done = connection.execute(
        update(delivery_object)
        .where(ours.destination_id == destination_id, ours.orthanc_instance_id == orthanc_instance_id)
        .where(stands(Standing.WAITING) | is_taken)
        .values(state=ObjectState.GIVEN_UP, batch=None, next_attempt_at=NEVER, last_error=canceled)
    )
    if not done.rowcount:
        raise RequestConflict(P_("It is %(state)s: there is nothing to cancel.", state=state))


def _state(connection: Connection, destination_id: int, orthanc_instance_id: str) -> Phrase:
    """In words."""
    query = select(standing()).where(
        delivery_object.c.destination_id == destination_id, delivery_object.c.orthanc_instance_id == orthanc_instance_id
    )
    state = connection.execute(query).scalar()
    if state is None:
        raise NotFound(P_("No such object was ever to be delivered there."))
    return Phrase(STATES[Standing(state)])
