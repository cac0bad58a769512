"""Deliveries, each a series on its way to a destination, with the objects that it is made of; recent sends. Queries
only, but that objects can be sent again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    ScalarSelect,
    Select,
    case,
    cast,
    func,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from treegarth.features.deliveries.model import NEVER, ShownState
from treegarth.features.deliveries.tables import (
    Moment,
    delivery,
    delivery_batch,
    delivery_member,
    delivery_object,
    destination,
)
from treegarth.index.studies import StudyKey, is_of
from treegarth.index.tables import series, study
from treegarth.record import Record


class Delivery(Record):
    """A series on its way to a destination, as a rule or a user asked for it."""

    id: int
    rule_id: int
    """The rule that asked for it; 0: a user."""
    asked_by: str | None
    """The rule's name, or the user."""
    destination_id: int
    destination_name: str
    orthanc_study_id: str
    orthanc_series_id: str
    study_instance_uid: str
    series_instance_uid: str
    modality: str | None
    """(0008,0060)"""
    series_description: str | None
    """(0008,103E); null where the series has left the index."""
    patient_name: str | None
    """(0010,0010)"""
    patient_id: str | None
    """(0010,0020)"""
    created_at: datetime
    changed_at: datetime
    """When objects were last added."""
    is_paused: bool
    """Of the destination."""
    down_since: datetime | None
    """When the destination stopped answering; null: it answers."""
    counts: dict[str, int]
    """Its objects by state; `failed` waits for its next try."""
    size_bytes: int
    """Of all its objects."""

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def is_busy(self) -> bool:
        """Whether something of it is still on its way."""
        return any(self.counts.get(state) for state in ON_THE_WAY)


class DeliveryItem(Record):
    """An object on its way to a destination."""

    destination_id: int
    destination: str
    sop_instance_uid: str
    sop_class_uid: str | None
    study_instance_uid: str
    orthanc_study_id: str
    series_instance_uid: str
    orthanc_instance_id: str
    size_bytes: int
    state: ShownState
    proof: str | None
    """What shows that it arrived: commitment, find, qido, stored or status."""
    proof_wanted: str
    attempts: int
    """Sends that were begun."""
    last_error: str | None
    next_attempt_at: datetime | None
    """When something happens next: a try, a question, the end of a lease."""
    queued_at: datetime
    sent_at: datetime | None
    confirmed_at: datetime | None
    via: str | None
    """The alternate that it was sent to instead."""


ON_THE_WAY = ("waiting", "failed", "sending", "sent")


@dataclass(frozen=True, kw_only=True)
class HourOfSends:
    """What was sent within an hour of the site's clock."""

    hour: datetime
    sends: int
    objects: int
    size_bytes: int
    failed: int


def select_deliveries(
    *,
    state: ShownState | None = None,
    destination_id: int | None = None,
    rule_id: int | None = None,
    study_key: StudyKey | None = None,
    delivery_id: int | None = None,
) -> Select[Any]:
    """Deliveries, in no order. Of `state`: some object of it is."""
    gone = series.c.orthanc_series_id.is_(None)
    query = (
        select(
            *(delivery.c[name] for name in _OWN),
            case((gone, delivery.c.modality), else_=series.c.modality).label("modality"),
            destination.c.name.label("destination_name"),
            (~destination.c.is_on).label("is_paused"),
            destination.c.down_since,
            study.c.patient_name,
            study.c.patient_id,
            series.c.series_description,
            _counts().label("counts"),
            _size().label("size_bytes"),
        )
        .join(destination, destination.c.id == delivery.c.destination_id)
        .outerjoin(study, study.c.orthanc_study_id == delivery.c.orthanc_study_id)
        .outerjoin(series, series.c.orthanc_series_id == delivery.c.orthanc_series_id)
    )
    wanted = {"destination_id": destination_id, "rule_id": rule_id, "id": delivery_id}
    query = query.where(*(delivery.c[name] == value for name, value in wanted.items() if value is not None))
    if study_key is not None:
        query = query.where(is_of(delivery, study_key))
    return query if state is None else query.where(_members().where(in_state(state)).exists())


_OWN = (
    *("id", "rule_id", "asked_by", "destination_id", "orthanc_study_id", "orthanc_series_id", "study_instance_uid"),
    *("series_instance_uid", "created_at", "changed_at"),
)
_MEMBER_IS_OBJECT = (delivery_object.c.destination_id == delivery_member.c.destination_id) & (
    delivery_object.c.orthanc_instance_id == delivery_member.c.orthanc_instance_id
)


def _members(*columns: ColumnElement[Any]) -> Select[Any]:
    """Of the objects of the delivery of a row."""
    members = select(*(columns or (delivery_object.c.state,))).join(delivery_member, _MEMBER_IS_OBJECT)
    return members.where(delivery_member.c.delivery_id == delivery.c.id).correlate(delivery)


def _counts() -> ColumnElement[dict[str, int]]:
    """How many objects the delivery of a row has, by state: reckoned for the rows of a page, after they are ordered."""
    shown = shown_state().label("state")
    by_state = _members(shown, func.count().label("objects")).group_by(shown).subquery()
    counts = select(func.jsonb_object_agg(by_state.c.state, by_state.c.objects)).scalar_subquery()
    return func.coalesce(counts, cast({}, JSONB), type_=JSONB)


def _size() -> ScalarSelect[int]:
    size = cast(func.coalesce(func.sum(delivery_object.c.size_bytes), 0), BigInteger)
    return _members(size).scalar_subquery()


def list_deliveries(connection: Connection, of_study: StudyKey, *, limit: int) -> list[Delivery]:
    """Those of a study, the newest first."""
    query = select_deliveries(study_key=of_study).order_by(delivery.c.id.desc()).limit(limit)
    return [Delivery(**row._mapping) for row in connection.execute(query)]


def read_delivery(connection: Connection, delivery_id: int) -> Delivery | None:
    """One delivery with its counts; None where there is none."""
    row = connection.execute(select_deliveries(delivery_id=delivery_id)).one_or_none()
    return None if row is None else Delivery(**row._mapping)


def select_objects(
    *,
    state: ShownState | None = None,
    destination_name: str | None = None,
    destination_id: int | None = None,
    orthanc_study_id: str | None = None,
    orthanc_instance_id: str | None = None,
    delivery_id: int | None = None,
) -> Select[Any]:
    """Objects with their destinations, in no order: a row for each object and destination."""
    ours = delivery_object.c
    via = destination.alias("via_destination")
    query = (
        select(
            *(ours[name] for name in _OF_AN_OBJECT),
            shown_state().label("state"),
            destination.c.name.label("destination"),
            via.c.name.label("via"),
            func.nullif(ours.next_attempt_at, NEVER, type_=Moment).label("next_attempt_at"),
        )
        .join(destination, destination.c.id == ours.destination_id)
        .outerjoin(via, via.c.id == ours.via)
    )
    if delivery_id is not None:
        query = query.join(delivery_member, _MEMBER_IS_OBJECT).where(delivery_member.c.delivery_id == delivery_id)
    if state is not None:
        query = query.where(in_state(state))
    if destination_name is not None:
        query = query.where(destination.c.name == destination_name)
    wanted = {
        "destination_id": destination_id,
        "orthanc_study_id": orthanc_study_id,
        "orthanc_instance_id": orthanc_instance_id,
    }
    return query.where(*(ours[name] == value for name, value in wanted.items() if value is not None))


_OF_AN_OBJECT = (
    *("destination_id", "orthanc_instance_id", "sop_instance_uid", "sop_class_uid", "study_instance_uid"),
    *("orthanc_study_id", "series_instance_uid", "size_bytes", "proof", "proof_wanted", "attempts", "last_error"),
    *("queued_at", "sent_at", "confirmed_at"),
)


def shown_state() -> ColumnElement[str]:
    """What waits after attempts is shown as failed."""
    failed = (delivery_object.c.state == "waiting") & (delivery_object.c.attempts > 0)
    return case((failed, "failed"), else_=delivery_object.c.state)


def in_state(state: ShownState) -> ColumnElement[bool]:
    """The condition that an object is shown in this state."""
    if state not in ("waiting", "failed"):
        return delivery_object.c.state == state
    tried = delivery_object.c.attempts > 0
    return (delivery_object.c.state == "waiting") & (tried if state == "failed" else ~tried)


def list_trouble(connection: Connection, destination_id: int, *, limit: int = 50) -> list[DeliveryItem]:
    """Objects of a destination that were given up, and those that wait for another try."""
    found: list[DeliveryItem] = []
    states: tuple[ShownState, ...] = ("given up", "failed")
    for state in states:
        query = select_objects(destination_id=destination_id, state=state)
        query = query.order_by(delivery_object.c.orthanc_instance_id).limit(limit - len(found))
        found.extend(DeliveryItem(**row._mapping) for row in connection.execute(query))
    return found


def read_object(connection: Connection, destination_id: int, orthanc_instance_id: str) -> DeliveryItem:
    """One object that is there."""
    query = select_objects(destination_id=destination_id, orthanc_instance_id=orthanc_instance_id)
    return DeliveryItem(**connection.execute(query).one()._mapping)


def sends_by_hour(connection: Connection, destination_id: int, since: datetime, zone: str) -> list[HourOfSends]:
    """What was sent in each hour of the site's clock; hours without a send are not there."""
    hour = func.date_trunc("hour", delivery_batch.c.started_at, zone).label("hour")
    arrived = delivery_batch.c.outcome == "arrived"
    query = (
        select(
            hour,
            func.count().label("sends"),
            func.coalesce(func.sum(delivery_batch.c.object_count).filter(arrived), 0).label("objects"),
            func.coalesce(func.sum(delivery_batch.c.size_bytes).filter(arrived), 0).label("size_bytes"),
            func.coalesce(func.sum(delivery_batch.c.object_count).filter(~arrived), 0).label("failed"),
        )
        .where(delivery_batch.c.destination_id == destination_id, delivery_batch.c.started_at >= since)
        .where(delivery_batch.c.ended_at.is_not(None))
        .group_by(hour)
        .order_by(hour)
    )
    return [HourOfSends(**{**row._mapping, "size_bytes": int(row.size_bytes)}) for row in connection.execute(query)]


def count_given_up(connection: Connection) -> dict[str, int]:
    """By destination that was not removed, how many objects were given up."""
    query = (
        select(destination.c.name, func.count())
        .join(delivery_object, delivery_object.c.destination_id == destination.c.id)
        .where(delivery_object.c.state == "given up", destination.c.removed_at.is_(None))
        .group_by(destination.c.name)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def send_again(
    connection: Connection,
    now: datetime,
    *,
    delivery_id: int | None = None,
    destination_id: int | None = None,
    orthanc_instance_id: str | None = None,
    also_confirmed: bool = False,
) -> int:
    """Let objects be sent once more, from the first attempt; how many. Those of a delivery, of a destination, or one.

    What was given up and what failed goes again, what was sent or confirmed only where a person asks for it. A
    destination that did not answer is tried at once.
    """
    states = ["given up", "waiting", *(["sent", "confirmed"] if also_confirmed else [])]
    chosen = update(delivery_object).where(delivery_object.c.state.in_(states))
    if delivery_id is not None:
        members = select(delivery_member.c.destination_id, delivery_member.c.orthanc_instance_id)
        key = tuple_(delivery_object.c.destination_id, delivery_object.c.orthanc_instance_id)
        chosen = chosen.where(key.in_(members.where(delivery_member.c.delivery_id == delivery_id)))
    if destination_id is not None:
        chosen = chosen.where(delivery_object.c.destination_id == destination_id)
    if orthanc_instance_id is not None:
        chosen = chosen.where(delivery_object.c.orthanc_instance_id == orthanc_instance_id)
    present = select(destination.c.id).where(destination.c.removed_at.is_(None))
    chosen = chosen.where(delivery_object.c.destination_id.in_(present))
    fresh = {"state": "waiting", "attempts": 0, "next_attempt_at": now, "last_error": None, "proof": None}
    cleared = dict.fromkeys(("batch", "transaction_uid", "committing_since", "sent_at", "confirmed_at", "via"))
    begun_at = func.coalesce(delivery_object.c.begun_at, delivery_object.c.sent_at)  # what older versions sent
    changed = (
        connection.execute(
            chosen.values(**fresh, **cleared, begun_at=begun_at).returning(delivery_object.c.destination_id)
        )
        .scalars()
        .all()
    )
    at_once = update(destination).where(destination.c.id.in_(set(changed)), destination.c.next_attempt_at > now)
    connection.execute(at_once.values(next_attempt_at=now))
    return len(changed)
