"""What conditions can speak of in the ledger of deliveries: where a study's objects are, and where they are awaited."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_

from treegarth.conditions.model import Field, Kind, Level
from treegarth.conditions.vocabulary import Term
from treegarth.features.deliveries.model import NEVER, ObjectState
from treegarth.features.deliveries.tables import delivery_object, destination
from treegarth.phrases import N_


def condition_terms(study_key: ColumnElement[Any]) -> list[Term]:
    """The terms; `study_key` is the index's column that tells which study a row is."""
    here, other = delivery_object.c, delivery_object.alias("other_object")
    unconfirmed = exists().where(
        other.c.orthanc_study_id == here.orthanc_study_id,
        other.c.destination_id == here.destination_id,
        other.c.state.not_in([ObjectState.CONFIRMED.value, ObjectState.GONE.value]),
    )
    of_study = here.orthanc_study_id == study_key
    is_open = or_(
        here.state.in_([ObjectState.WAITING.value, ObjectState.SENDING.value]),
        and_(here.state == ObjectState.SENT.value, here.next_attempt_at < NEVER),  # better proof is to come
    )
    return [
        _term(
            "delivery.confirmed",
            N_("A destination that confirmed every object wanted there"),
            and_(of_study, here.state == ObjectState.CONFIRMED.value, ~unconfirmed.correlate(delivery_object)),
        ),
        _term("delivery.open", N_("A destination that objects are still on their way to"), and_(of_study, is_open)),
    ]


def _term(name: str, meaning: str, where: ColumnElement[bool]) -> Term:
    return Term(
        field=Field(name=name, level=Level.STUDY, kind=Kind.TEXT, many=True, meaning=meaning),
        expression=destination.c.name,
        rows=delivery_object.join(destination, destination.c.id == delivery_object.c.destination_id),
        where=where,
    )
