"""The ledger as the API sums it up by destination; and what a person may do to one object."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select, update

from treegarth.errors import NotFound, RequestConflict
from treegarth.features.deliveries.model import NEVER, ObjectState
from treegarth.features.deliveries.store.overview import send_again, shown_state
from treegarth.features.deliveries.tables import delivery_batch, delivery_object, destination
from treegarth.phrases import P_, Phrase
from treegarth.record import Record

SPEED_OF = timedelta(minutes=5)
_STATES = {
    ObjectState.WAITING: P_("waiting"),
    ObjectState.SENDING: P_("sending"),
    ObjectState.SENT: P_("sent"),
    ObjectState.CONFIRMED: P_("confirmed"),
    ObjectState.GIVEN_UP: P_("given up"),
    ObjectState.GONE: P_("gone"),
}


class DestinationSum(Record):
    """How far the deliveries to a destination are."""

    destination: str
    objects: dict[str, int]
    """By state."""
    size_bytes: dict[str, int]
    """By state."""
    objects_per_s: float
    """Of the sends of the last five minutes that arrived whole."""
    mbyte_per_s: float


def sums_by_destination(connection: Connection, now: datetime) -> list[DestinationSum]:
    """Of each destination that was not removed. Counts every row of the ledger."""
    shown = shown_state().label("state")
    counted = select(
        delivery_object.c.destination_id, shown, func.count().label("objects"), func.sum(delivery_object.c.size_bytes)
    ).group_by(delivery_object.c.destination_id, shown)
    objects: dict[int, dict[str, int]] = {}
    sizes: dict[int, dict[str, int]] = {}
    for destination_id, state, number, size in connection.execute(counted):
        objects.setdefault(destination_id, {})[state] = number
        sizes.setdefault(destination_id, {})[state] = int(size)
    speeds = _speeds(connection, now)
    query = select(destination.c.id, destination.c.name).where(destination.c.removed_at.is_(None))
    return [
        DestinationSum(
            destination=name,
            objects=objects.get(number, {}),
            size_bytes=sizes.get(number, {}),
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
        connection, now, destination_id=destination_id, orthanc_instance_id=orthanc_instance_id, also_confirmed=True
    )
    if not done:
        raise RequestConflict(P_("It is %(state)s: it cannot be sent again now.", state=state))


def cancel_object(connection: Connection, destination_id: int, orthanc_instance_id: str, by: str | None) -> None:
    """Send an object no more. Raises NotFound; RequestConflict where nothing of it is open, or it is being sent."""
    state = _state(connection, destination_id, orthanc_instance_id)
    canceled = P_("Canceled by %(name)s.", name=by or P_("a user"))
    done = connection.execute(
        update(delivery_object)
        .where(delivery_object.c.destination_id == destination_id)
        .where(delivery_object.c.orthanc_instance_id == orthanc_instance_id)
        .where(delivery_object.c.state.in_(["waiting", "sent"]))
        .values(state="given up", batch=None, next_attempt_at=NEVER, last_error=canceled)
    )
    if not done.rowcount:
        raise RequestConflict(P_("It is %(state)s: there is nothing to cancel.", state=state))


def _state(connection: Connection, destination_id: int, orthanc_instance_id: str) -> Phrase:
    """In words."""
    query = select(delivery_object.c.state).where(
        delivery_object.c.destination_id == destination_id, delivery_object.c.orthanc_instance_id == orthanc_instance_id
    )
    state = connection.execute(query).scalar()
    if state is None:
        raise NotFound(P_("No such object was ever to be delivered there."))
    return _STATES[ObjectState(state)]
