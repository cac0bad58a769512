"""The ledger object by object, with whose each is. Queries only."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Select, case, func, select

from treegarth.features.deliveries.model import NEVER, Standing
from treegarth.features.deliveries.store.gates import Gates, next_try
from treegarth.features.deliveries.store.standing import standing, stands
from treegarth.features.deliveries.tables import Moment, delivery, delivery_object, destination
from treegarth.index.tables import study
from treegarth.record import Record


class DeliveryItem(Record):
    """An object on its way to a destination."""

    destination_id: int
    destination: str
    patient_name: str | None
    """(0010,0010); null, as what follows of patient and study, where the index has the study no more."""
    patient_id: str | None
    """(0010,0020)"""
    study_date: date | None
    """(0008,0020)"""
    study_description: str | None
    """(0008,1030)"""
    sop_instance_uid: str
    sop_class_uid: str | None
    study_instance_uid: str
    orthanc_study_id: str
    series_instance_uid: str
    orthanc_instance_id: str
    size_bytes: int
    state: Standing
    """`waiting`: not sent yet; `sending`: on its way, or taken and asked about; `arrived`: shown to be there;
    `unproved`: taken, and nothing better can be had; `given up`: tried no more, see `last_error`."""
    proof: str | None
    """What shows that it arrived: commitment, find, qido, stored or status."""
    proof_wanted: str
    attempts: int
    """Sends that were begun."""
    last_error: str | None
    """Why the last try did not end well."""
    next_attempt_at: datetime | None
    """Of what waits: when it is tried next, by its own pause and its destination's, and in the hours of that; a moment
    that has passed is at once, null: when a person lets the destination go on. Of what is being sent: when its end is
    asked for."""
    queued_at: datetime
    sent_at: datetime | None
    """When it was taken."""
    arrived_at: datetime | None
    """When that was shown."""
    via: str | None
    """The alternate that it was sent to instead."""


_OWN = (
    *("destination_id", "orthanc_instance_id", "sop_instance_uid", "sop_class_uid", "study_instance_uid"),
    *("orthanc_study_id", "series_instance_uid", "size_bytes", "proof", "proof_wanted", "attempts", "last_error"),
    *("queued_at", "sent_at"),
)
_OF_STUDY = ("patient_name", "patient_id", "study_date", "study_description")


def select_objects(
    gates: Gates,
    *,
    state: Standing | None = None,
    destination_name: str | None = None,
    destination_id: int | None = None,
    orthanc_study_id: str | None = None,
    orthanc_instance_id: str | None = None,
    delivery_id: int | None = None,
) -> Select[Any]:
    """Objects with their destinations, in no order: a row for each object and destination. Of a delivery: all that is
    wished of its study at its destination."""
    ours = delivery_object.c
    via = destination.alias("via_destination")
    at = case(
        (stands(Standing.WAITING), next_try(gates, delivery_object, ours.next_attempt_at)),
        (stands(Standing.SENDING), func.nullif(ours.next_attempt_at, NEVER, type_=Moment)),
    )
    query = (
        select(
            *(ours[name] for name in _OWN),
            *(study.c[name] for name in _OF_STUDY),
            standing().label("state"),
            destination.c.name.label("destination"),
            via.c.name.label("via"),
            ours.confirmed_at.label("arrived_at"),
            at.label("next_attempt_at"),
        )
        .join(destination, destination.c.id == ours.destination_id)
        .outerjoin(via, via.c.id == ours.via)
        .outerjoin(study, study.c.orthanc_study_id == ours.orthanc_study_id)
    )
    if delivery_id is not None:
        of_one = (delivery.c.destination_id == ours.destination_id) & (
            delivery.c.orthanc_study_id == ours.orthanc_study_id
        )
        query = query.join(delivery, of_one).where(delivery.c.id == delivery_id)
    if state is not None:
        query = query.where(stands(state))
    if destination_name is not None:
        query = query.where(destination.c.name == destination_name)
    wanted = {
        "destination_id": destination_id,
        "orthanc_study_id": orthanc_study_id,
        "orthanc_instance_id": orthanc_instance_id,
    }
    return query.where(*(ours[name] == value for name, value in wanted.items() if value is not None))


def read_object(connection: Connection, gates: Gates, destination_id: int, orthanc_instance_id: str) -> DeliveryItem:
    """One object that is there."""
    query = select_objects(gates, destination_id=destination_id, orthanc_instance_id=orthanc_instance_id)
    return DeliveryItem(**connection.execute(query).one()._mapping)
