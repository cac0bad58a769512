"""What conditions can speak of in the ledger of deliveries: where a study's objects are, and where they are awaited."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, exists

from treegarth.conditions.model import Field, Kind, Level
from treegarth.conditions.vocabulary import Term
from treegarth.features.deliveries.model import ON_THE_WAY, Standing
from treegarth.features.deliveries.store.standing import has_left, stands
from treegarth.features.deliveries.tables import delivery_object, destination
from treegarth.phrases import N_


def condition_terms(study_key: ColumnElement[Any]) -> list[Term]:
    """The terms; `study_key` is the index's column that tells which study a row is."""
    here, other = delivery_object.c, delivery_object.alias("other_object")
    not_there = exists().where(
        other.c.orthanc_study_id == here.orthanc_study_id,
        other.c.destination_id == here.destination_id,
        ~stands(Standing.ARRIVED, rows=other),
        ~has_left(other),  # there is nothing of it to arrive
    )
    of_study = here.orthanc_study_id == study_key
    every = stands(Standing.ARRIVED) & ~not_there.correlate(delivery_object)
    return [
        _term("delivery.waiting", N_("A destination that objects wait for"), of_study & stands(Standing.WAITING)),
        _term(
            "delivery.sending", N_("A destination that objects are being sent to"), of_study & stands(Standing.SENDING)
        ),
        _term("delivery.arrived", N_("A destination where every object wanted there arrived"), of_study & every),
        _term(
            "delivery.unproved",
            N_("A destination that took objects and cannot be asked for them"),
            of_study & stands(Standing.UNPROVED),
        ),
        _term(
            "delivery.given_up",
            N_("A destination for which objects were given up"),
            of_study & stands(Standing.GIVEN_UP),
        ),
        _term(
            "delivery.open",
            N_("A destination that objects wait for or are being sent to"),
            of_study & stands(*ON_THE_WAY),
        ),
    ]


def _term(name: str, meaning: str, where: ColumnElement[bool]) -> Term:
    return Term(
        field=Field(name=name, level=Level.STUDY, kind=Kind.TEXT, many=True, meaning=meaning),
        expression=destination.c.name,
        rows=delivery_object.join(destination, destination.c.id == delivery_object.c.destination_id),
        where=where,
    )
