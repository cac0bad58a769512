"""Let objects be sent once more. The only way by which a person has something of the ledger tried again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, exists, func, or_, select, tuple_, update

from treegarth.features.deliveries.model import ObjectState, Standing
from treegarth.features.deliveries.store.standing import has_left, stands
from treegarth.features.deliveries.tables import delivery, delivery_object, destination
from treegarth.index.tables import instance


def send_again(
    connection: Connection,
    now: datetime,
    *,
    delivery_id: int | None = None,
    destination_id: int | None = None,
    orthanc_instance_id: str | None = None,
    states: Sequence[Standing] = (Standing.GIVEN_UP, Standing.WAITING),
) -> int:
    """Let objects in these states be sent once more, from the first attempt; how many. Those of a delivery, of a
    destination, or one.

    What is being sent is left alone, but what was taken and is only asked about; what left Orthanc goes when it is
    back. A destination that did not answer is tried at once.
    """
    ours = delivery_object.c
    is_back = exists().where(instance.c.orthanc_instance_id == ours.orthanc_instance_id)
    chosen = update(delivery_object).where(
        stands(*states), ours.state != ObjectState.SENDING.value, or_(~has_left(), is_back)
    )
    if delivery_id is not None:
        of_one = select(delivery.c.destination_id, delivery.c.orthanc_study_id).where(delivery.c.id == delivery_id)
        chosen = chosen.where(tuple_(ours.destination_id, ours.orthanc_study_id).in_(of_one))
    if destination_id is not None:
        chosen = chosen.where(ours.destination_id == destination_id)
    if orthanc_instance_id is not None:
        chosen = chosen.where(ours.orthanc_instance_id == orthanc_instance_id)
    present = select(destination.c.id).where(destination.c.removed_at.is_(None))
    chosen = chosen.where(ours.destination_id.in_(present))
    fresh = {"state": "waiting", "attempts": 0, "next_attempt_at": now, "last_error": None, "proof": None}
    cleared = dict.fromkeys(("batch", "transaction_uid", "committing_since", "sent_at", "confirmed_at", "via"))
    begun_at = func.coalesce(ours.begun_at, ours.sent_at)  # what older versions sent
    changed = (
        connection.execute(chosen.values(**fresh, **cleared, begun_at=begun_at).returning(ours.destination_id))
        .scalars()
        .all()
    )
    at_once = update(destination).where(destination.c.id.in_(set(changed)), destination.c.next_attempt_at > now)
    connection.execute(at_once.values(next_attempt_at=now))
    return len(changed)
