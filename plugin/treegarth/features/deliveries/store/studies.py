"""Deliveries as people ask for them: a study on its way to a destination, whoever wished it. Queries only.

The ledger keeps a wish for each rule and series. The first of a study and a destination stands for all of them: by it
they are ordered and paged, and it stays the first whatever is wished later. What its objects come to is reckoned for
the rows of a page, after they are ordered.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, ScalarSelect, Select, Text, cast, func, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from treegarth.features.deliveries.model import ON_THE_WAY, Standing
from treegarth.features.deliveries.store.gates import Gates, next_try
from treegarth.features.deliveries.store.standing import standing, stands
from treegarth.features.deliveries.tables import delivery, delivery_object, destination
from treegarth.index.studies import StudyKey, is_of
from treegarth.index.tables import study
from treegarth.record import Record


class Delivery(Record):
    """A study on its way to a destination, as rules and users asked for it."""

    id: int
    """In the order in which each was first asked for."""
    destination_id: int
    destination_name: str
    orthanc_study_id: str
    study_instance_uid: str
    patient_name: str | None
    """(0010,0010); null, as what follows of patient and study, where the index has the study no more."""
    patient_id: str | None
    """(0010,0020)"""
    study_date: date | None
    """(0008,0020)"""
    study_description: str | None
    """(0008,1030)"""
    modalities: list[str] | None
    """(0008,0061)"""
    asked_by: list[str]
    """The rules and users that asked for it, by name; empty where only someone without a login did."""
    rule_ids: list[int]
    """These rules' numbers."""
    created_at: datetime
    """When it was first asked for."""
    changed_at: datetime
    """When objects were last added."""
    is_paused: bool
    """Of the destination."""
    down_since: datetime | None
    """When the destination stopped answering; null: it answers."""
    counts: dict[Standing, int]
    """Its objects by state; what none is in is left out."""
    size_bytes: int
    """Of all its objects."""
    attempts: int
    """The most sends that were begun of an object that waits, is sent or was given up."""
    last_error: str | None
    """Why one of these did not end well the last time."""
    next_attempt_at: datetime | None
    """When the first of what waits is tried next, by its own pause and its destination's, and in the hours of that; a
    moment that has passed is at once, null: nothing waits, or a person has to let the destination go on."""

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def is_busy(self) -> bool:
        """Whether something of it is still on its way."""
        return any(self.counts.get(state) for state in ON_THE_WAY)


_earlier, _any = delivery.alias("earlier_delivery"), delivery.alias("any_delivery")
_UNSETTLED = (Standing.WAITING, Standing.SENDING, Standing.GIVEN_UP)


def select_deliveries(
    gates: Gates,
    *,
    states: Sequence[Standing] = (),
    destination_id: int | None = None,
    rule_id: int | None = None,
    study_key: StudyKey | None = None,
    delivery_id: int | None = None,
) -> Select[Any]:
    """Deliveries, in no order. Of `states`: some object of it is in one of them."""
    query = (
        select(
            *(delivery.c[name] for name in ("id", "destination_id", "orthanc_study_id", "study_instance_uid")),
            *(study.c[name] for name in ("patient_name", "patient_id", "study_date", "study_description")),
            study.c.modalities,
            delivery.c.created_at,
            destination.c.name.label("destination_name"),
            (~destination.c.is_on).label("is_paused"),
            destination.c.down_since,
            _of_wishes(_names()).label("asked_by"),
            _of_wishes(func.array_agg(_any.c.rule_id.distinct())).label("rule_ids"),
            _of_wishes(func.max(_any.c.changed_at)).label("changed_at"),
            _counts().label("counts"),
            _of_objects(cast(func.coalesce(func.sum(delivery_object.c.size_bytes), 0), BigInteger)).label("size_bytes"),
            _of_objects(func.coalesce(func.max(delivery_object.c.attempts).filter(stands(*_UNSETTLED)), 0)).label(
                "attempts"
            ),
            _last_error().label("last_error"),
            _of_objects(
                next_try(gates, delivery, func.min(delivery_object.c.next_attempt_at).filter(stands(Standing.WAITING)))
            ).label("next_attempt_at"),
        )
        .join(destination, destination.c.id == delivery.c.destination_id)
        .outerjoin(study, study.c.orthanc_study_id == delivery.c.orthanc_study_id)
        .where(_is_first())
    )
    wanted = {"destination_id": destination_id, "id": delivery_id}
    query = query.where(*(delivery.c[name] == value for name, value in wanted.items() if value is not None))
    if rule_id is not None:
        query = query.where(_same_as_ours(_any, _any.c.rule_id == rule_id).exists())
    if study_key is not None:
        query = query.where(is_of(delivery, study_key))
    return query.where(_some_object_stands(*states)) if states else query


def _same_as_ours(wishes: Any, *more: ColumnElement[bool]) -> Select[Any]:
    """The wishes for the study and the destination of a row."""
    same = (
        wishes.c.orthanc_study_id == delivery.c.orthanc_study_id,
        wishes.c.destination_id == delivery.c.destination_id,
    )
    return select(wishes.c.id).where(*same, *more).correlate(delivery)


def _is_first() -> ColumnElement[bool]:
    return ~_same_as_ours(_earlier, _earlier.c.id < delivery.c.id).exists()


def _of_wishes(value: ColumnElement[Any]) -> ScalarSelect[Any]:
    return _same_as_ours(_any).with_only_columns(value).scalar_subquery()


def _names() -> ColumnElement[list[str]]:
    named = func.array_agg(_any.c.asked_by.distinct()).filter(_any.c.asked_by.is_not(None))
    return func.coalesce(named, cast([], ARRAY(Text)), type_=ARRAY(Text))


def _objects(*columns: ColumnElement[Any]) -> Select[Any]:
    """Of the objects of the study of a row that are wished at its destination."""
    ours = delivery_object.c
    of_row = (
        ours.orthanc_study_id == delivery.c.orthanc_study_id,
        ours.destination_id == delivery.c.destination_id,
    )
    return select(*columns).where(*of_row).correlate(delivery)


def _of_objects(value: ColumnElement[Any]) -> ScalarSelect[Any]:
    return _objects(value).scalar_subquery()


def _counts() -> ColumnElement[dict[str, int]]:
    shown = standing().label("state")
    by_state = _objects(shown, func.count().label("objects")).group_by(shown).subquery()
    counts = select(func.jsonb_object_agg(by_state.c.state, by_state.c.objects)).scalar_subquery()
    return func.coalesce(counts, cast({}, JSONB), type_=JSONB)


def _last_error() -> ScalarSelect[Any]:
    """Of what was given up before what waits."""
    ours = delivery_object.c
    said = _objects(ours.last_error).where(ours.last_error.is_not(None), stands(*_UNSETTLED))
    order = stands(Standing.GIVEN_UP).desc(), ours.next_attempt_at, ours.orthanc_instance_id
    return said.order_by(*order).limit(1).scalar_subquery()


def _some_object_stands(*states: Standing) -> ColumnElement[bool]:
    """By the ledger's partial indexes where few objects are; of what is through there are many: looked for by study."""
    if not {Standing.ARRIVED, Standing.UNPROVED}.isdisjoint(states):
        return _objects(delivery_object.c.state).where(stands(*states)).exists()
    key = tuple_(delivery.c.destination_id, delivery.c.orthanc_study_id)
    found = select(delivery_object.c.destination_id, delivery_object.c.orthanc_study_id).where(stands(*states))
    return key.in_(found.distinct())


def list_deliveries(connection: Connection, gates: Gates, of_study: StudyKey, *, limit: int) -> list[Delivery]:
    """Those of a study, the newest first."""
    query = select_deliveries(gates, study_key=of_study).order_by(delivery.c.id.desc()).limit(limit)
    return [Delivery(**row._mapping) for row in connection.execute(query)]


def list_unsettled(connection: Connection, gates: Gates, destination_id: int, *, limit: int) -> list[Delivery]:
    """Those of a destination of which something was given up, then those of which something waits."""
    found: dict[int, Delivery] = {}
    for state in (Standing.GIVEN_UP, Standing.WAITING):
        query = select_deliveries(gates, destination_id=destination_id, states=[state])
        query = query.order_by(delivery.c.id.desc()).limit(limit)
        for row in connection.execute(query):
            found.setdefault(row.id, Delivery(**row._mapping))
    return list(found.values())[:limit]


def read_delivery(connection: Connection, gates: Gates, delivery_id: int) -> Delivery | None:
    """One delivery by the number of any of its wishes; None where there is none."""
    same = select(delivery.c.destination_id, delivery.c.orthanc_study_id).where(delivery.c.id == delivery_id).subquery()
    query = select_deliveries(gates).join(
        same,
        (same.c.destination_id == delivery.c.destination_id) & (same.c.orthanc_study_id == delivery.c.orthanc_study_id),
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else Delivery(**row._mapping)
