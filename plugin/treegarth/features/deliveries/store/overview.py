"""What the pages show of the ledger: deliveries with their counts, their objects, recent sends. Queries only, but that
objects can be sent again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, select, true, tuple_, update

from treegarth.features.deliveries.tables import (
    delivery,
    delivery_batch,
    delivery_member,
    delivery_object,
    destination,
)
from treegarth.index.studies import StudyKey, is_of
from treegarth.index.tables import series, study

FAILED = "failed"  # waiting, after attempts
STATES = ("waiting", FAILED, "sending", "sent", "confirmed", "given up", "gone")


@dataclass(frozen=True, kw_only=True)
class DeliveryFilter:
    """Which deliveries; None does not ask."""

    state: str | None = None
    destination_id: int | None = None
    rule_id: int | None = None  # 0: asked for by users
    study: StudyKey | None = None


@dataclass(frozen=True, kw_only=True)
class DeliveryLine:
    """A series on its way to a destination."""

    id: int
    rule_id: int
    asked_by: str | None
    destination_id: int
    destination_name: str
    orthanc_study_id: str
    orthanc_series_id: str
    study_instance_uid: str
    series_instance_uid: str
    modality: str | None
    series_description: str | None
    patient_name: str | None
    patient_id: str | None
    created_at: datetime
    changed_at: datetime
    is_paused: bool  # of the destination, as the next one
    down_since: datetime | None
    counts: dict[str, int] = field(default_factory=dict)  # by state, `failed` beside `waiting`
    size_bytes: int = 0

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def is_busy(self) -> bool:
        """Whether something of it is still on its way."""
        return any(self.counts.get(state) for state in ("waiting", FAILED, "sending", "sent"))


@dataclass(frozen=True, kw_only=True)
class ObjectLine:
    """One object of a delivery."""

    orthanc_instance_id: str
    sop_instance_uid: str
    sop_class_uid: str | None
    size_bytes: int
    state: str
    proof: str | None
    proof_wanted: str
    attempts: int
    next_attempt_at: datetime
    last_error: str | None
    queued_at: datetime
    sent_at: datetime | None
    confirmed_at: datetime | None
    via: int | None
    orthanc_study_id: str
    study_instance_uid: str

    @property
    def shown_state(self) -> str:
        return FAILED if self.state == "waiting" and self.attempts > 0 else self.state


@dataclass(frozen=True, kw_only=True)
class HourOfSends:
    """What was sent within an hour of the site's clock."""

    hour: datetime
    sends: int
    objects: int
    size_bytes: int
    failed: int


def list_deliveries(
    connection: Connection, wanted: DeliveryFilter, *, before: int | None = None, limit: int = 50
) -> list[DeliveryLine]:
    """The newest first, with the counts of their objects."""
    query = (
        select(
            *(delivery.c[name] for name in _OWN),
            case((series.c.orthanc_series_id.is_(None), delivery.c.modality), else_=series.c.modality).label(
                "modality"
            ),
            destination.c.name.label("destination_name"),
            destination.c.is_paused,
            destination.c.down_since,
            study.c.patient_name,
            study.c.patient_id,
            series.c.series_description,
        )
        .join(destination, destination.c.id == delivery.c.destination_id)
        .outerjoin(study, study.c.orthanc_study_id == delivery.c.orthanc_study_id)
        .outerjoin(series, series.c.orthanc_series_id == delivery.c.orthanc_series_id)
        .where(*_wanted(wanted))
        .order_by(delivery.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(delivery.c.id < before)
    rows = connection.execute(query).all()
    counts = _counts(connection, [row.id for row in rows])
    return [DeliveryLine(**row._mapping, **counts.get(row.id, {})) for row in rows]


_OWN = (
    *("id", "rule_id", "asked_by", "destination_id", "orthanc_study_id", "orthanc_series_id", "study_instance_uid"),
    *("series_instance_uid", "created_at", "changed_at"),
)


def _wanted(wanted: DeliveryFilter) -> list[ColumnElement[bool]]:
    conditions = [
        delivery.c[name] == value
        for name in ("destination_id", "rule_id")
        if (value := getattr(wanted, name)) is not None
    ]
    if wanted.study is not None:
        conditions.append(is_of(delivery, wanted.study))
    if wanted.state is not None:
        member = (
            select(true())
            .select_from(delivery_member)
            .join(delivery_object, _MEMBER_IS_OBJECT)
            .where(delivery_member.c.delivery_id == delivery.c.id, _in_state(wanted.state))
        )
        conditions.append(member.exists())
    return conditions


_MEMBER_IS_OBJECT = (delivery_object.c.destination_id == delivery_member.c.destination_id) & (
    delivery_object.c.orthanc_instance_id == delivery_member.c.orthanc_instance_id
)


def _in_state(state: str) -> ColumnElement[bool]:
    if state == FAILED:
        return (delivery_object.c.state == "waiting") & (delivery_object.c.attempts > 0)
    if state == "waiting":
        return (delivery_object.c.state == "waiting") & (delivery_object.c.attempts == 0)
    return delivery_object.c.state == state


def _counts(connection: Connection, delivery_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    if not delivery_ids:
        return {}
    tried = (delivery_object.c.attempts > 0).label("tried")
    query = (
        select(
            delivery_member.c.delivery_id,
            delivery_object.c.state,
            tried,
            func.count().label("objects"),
            func.sum(delivery_object.c.size_bytes).label("size_bytes"),
        )
        .join(delivery_object, _MEMBER_IS_OBJECT)
        .where(delivery_member.c.delivery_id.in_(delivery_ids))
        .group_by(delivery_member.c.delivery_id, delivery_object.c.state, tried)
    )
    found: dict[int, dict[str, Any]] = {}
    for row in connection.execute(query):
        of_one = found.setdefault(row.delivery_id, {"counts": {}, "size_bytes": 0})
        state = FAILED if row.state == "waiting" and row.tried else row.state
        of_one["counts"][state] = of_one["counts"].get(state, 0) + row.objects
        of_one["size_bytes"] += int(row.size_bytes)
    return found


def read_delivery(connection: Connection, delivery_id: int) -> DeliveryLine | None:
    """One delivery with its counts; None where there is none."""
    query = select(delivery.c.id).where(delivery.c.id == delivery_id)
    if connection.execute(query).first() is None:
        return None
    found = list_deliveries(connection, DeliveryFilter(), before=delivery_id + 1, limit=1)
    return found[0] if found and found[0].id == delivery_id else None


def list_objects(
    connection: Connection, delivery_id: int, *, after: str = "", state: str | None = None, limit: int = 100
) -> list[ObjectLine]:
    """The objects of a delivery, by Orthanc's identifiers."""
    query = (
        select(*(delivery_object.c[name] for name in ObjectLine.__dataclass_fields__))
        .join(delivery_member, _MEMBER_IS_OBJECT)
        .where(delivery_member.c.delivery_id == delivery_id, delivery_object.c.orthanc_instance_id > after)
        .order_by(delivery_object.c.orthanc_instance_id)
        .limit(limit)
    )
    if state is not None:
        query = query.where(_in_state(state))
    return [ObjectLine(**row._mapping) for row in connection.execute(query)]


def list_trouble(connection: Connection, destination_id: int, *, limit: int = 50) -> list[ObjectLine]:
    """Objects of a destination that were given up, and those that wait for another try."""
    found: list[ObjectLine] = []
    for state in ("given up", FAILED):
        query = (
            select(*(delivery_object.c[name] for name in ObjectLine.__dataclass_fields__))
            .where(delivery_object.c.destination_id == destination_id, _in_state(state))
            .order_by(delivery_object.c.orthanc_instance_id)
            .limit(limit - len(found))
        )
        found.extend(ObjectLine(**row._mapping) for row in connection.execute(query))
    return found


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
