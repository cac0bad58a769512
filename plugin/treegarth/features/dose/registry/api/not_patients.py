"""The rules for phantoms, quality assurance and service over HTTP: the dialect of all documents, and trying one out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection

from treegarth.documents.language import Documents, Pages, validated_at
from treegarth.documents.store import Stored, Wording
from treegarth.errors import DocumentRefused, InvalidRequest, Problem
from treegarth.features.dose.registry.api.parts import Listed, dose_route
from treegarth.features.dose.registry.paths import NotPatientRulePath
from treegarth.features.dose.registry.rule_parameters import PatternParameters, RuleParameters
from treegarth.features.dose.registry.store.not_patients import (
    NOT_PATIENTS,
    check_patterns,
    count_marked,
    preview_not_patients,
)
from treegarth.phrases import N_
from treegarth.web.call import AnyCall, Call
from treegarth.web.routes import Route

STUDIES_OF_A_PREVIEW = 50


class NotPatientRule(Stored):
    """A rule and what it marks."""

    study_count: int
    """Studies that it marks now. Of several rules that match the one with the lowest number marks."""


class PreviewStudy(Listed):
    """A study that matches."""

    study_instance_uid: str
    patient_id: str | None
    patient_name: str | None
    study_date: date | None
    study_description: str | None
    manufacturer: str | None
    manufacturer_model_name: str | None
    station_name: str | None
    device_serial_number: str | None
    not_patient: str | None
    """What a rule that holds already says it is."""


class Preview(Listed):
    """What patterns match."""

    study_count: int
    marked_count: int
    """Of them, those that a rule marks already."""
    studies: list[PreviewStudy]
    """The newest, at most 50."""


def preview(call: Call[PatternParameters, None, None]) -> Preview:
    with call.connect() as connection:
        found = preview_not_patients(connection, call.query.patterns(), limit=STUDIES_OF_A_PREVIEW)
    return Preview.model_validate(found)


def parse(call: AnyCall, connection: Connection, document: Any, place: str) -> Wording:
    rule: RuleParameters = validated_at(RuleParameters, document, place)
    try:
        check_patterns(rule.patterns())
    except InvalidRequest as refused:
        raise DocumentRefused([Problem(place, refused.sentence)]) from None
    return Wording(document=rule.document())


def items(call: AnyCall, connection: Connection, stored: Sequence[Stored]) -> list[NotPatientRule]:
    """Each with how many studies it marks."""
    marked = count_marked(connection)
    return [NotPatientRule(**dict(one), study_count=marked.get(one.id, 0)) for one in stored]


NOT_PATIENT_DOCUMENTS = Documents(
    kind=NOT_PATIENTS,
    name="not_patient_rule",
    names="not_patient_rules",
    one="rule",
    many="rules",
    path="dose/not-patients",
    tag="dose",
    number=NotPatientRulePath,
    parse=parse,
    model=RuleParameters,
    answer=NotPatientRule,
    answers=items,
    pages=Pages(
        title=N_("Phantoms, QA and service"),
        place="dose/not-patients",
        prefix="not_patients",
        frame="dose/frame.html",
        list_page="dose.not_patients_page",
    ),
)


def routes() -> list[Route]:
    """What they answer beside the dialect."""
    return [
        dose_route(
            "preview_not_patient_rule",
            "not-patients/preview",
            preview,
            "Which studies a rule with these patterns would mark.",
        )
    ]
