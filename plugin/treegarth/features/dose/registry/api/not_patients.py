"""The rules for phantoms, quality assurance and service over HTTP: the dialect of all documents, and trying one out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection

from treegarth.access.actors import Permission
from treegarth.documents.language import Documents, Pages, validated_at
from treegarth.documents.store import Stored, Wording
from treegarth.errors import DocumentRefused, InvalidRequest, NotFound, Problem
from treegarth.features.dose.registry.api.parts import Listed, dose_route
from treegarth.features.dose.registry.marking import mark_studies, take_back
from treegarth.features.dose.registry.paths import NotPatientRulePath
from treegarth.features.dose.registry.rule_parameters import PatternParameters, Reason, RuleParameters
from treegarth.features.dose.registry.store.marks import Said
from treegarth.features.dose.registry.store.not_patients import (
    NOT_PATIENTS,
    MarkOfStudy,
    check_patterns,
    count_marked,
    preview_not_patients,
    standing_of,
)
from treegarth.features.dose.registry.store.studies import study_of_uid
from treegarth.phrases import N_, P_
from treegarth.web.call import AnyCall, Call
from treegarth.web.path_models import StudyPath
from treegarth.web.routes import Route
from treegarth.web.which_study import WhichStudy

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
    institution_name: str | None
    not_patient: str | None
    """What it is said to be already."""


class Preview(Listed):
    """What patterns match."""

    study_count: int
    marked_count: int
    """Of them, those that are marked already."""
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
    example={
        "name": "phantoms of ours",
        "meaning": "phantom",
        "patient_id": "PHANTOM*",
        "note": "the weekly constancy test",
    },
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


class MarkBody(WhichStudy):
    """What a person says of a study."""

    meaning: Said
    """`phantom`, `qa`, `service`, or `patient`: a patient after all, whatever rules and objects say."""
    reason: Reason
    """Why, in a sentence."""


class TakeBack(WhichStudy):
    """Why what was said is taken back."""

    reason: Reason
    """In a sentence."""


def standing(call: Call[WhichStudy, None, StudyPath]) -> MarkOfStudy:
    """Raises AmbiguousStudy where several patients have a study of this UID."""
    with call.connect() as connection:
        return standing_of(connection, _study(connection, call.path, call.query))


def mark(call: Call[None, MarkBody, StudyPath]) -> MarkOfStudy:
    body, now = call.body, call.services.clock()
    with call.begin() as connection:
        study = _study(connection, call.path, body)
        mark_studies(connection, [study], body.meaning, reason=body.reason, by=call.actor.name, now=now)
        return standing_of(connection, study)


def take_mark_back(call: Call[None, TakeBack, StudyPath]) -> MarkOfStudy:
    body, now = call.body, call.services.clock()
    with call.begin() as connection:
        study = _study(connection, call.path, body)
        take_back(connection, study, reason=body.reason, by=call.actor.name, now=now)
        return standing_of(connection, study)


def _study(connection: Connection, path: StudyPath, which: WhichStudy) -> str:
    key = study_of_uid(connection, path.study_instance_uid, which.orthanc_study_id)
    if key is None:
        raise NotFound(P_("There is no study with this Study Instance UID."))
    return key.orthanc_study_id


def routes() -> list[Route]:
    """What they answer beside the dialect."""
    of_study = "studies/{study_instance_uid}/not-patient"
    return [
        dose_route(
            "dose_study_not_patient",
            of_study,
            standing,
            "What a study is said to be instead of a patient, by what, and what people said of it.",
            problems=(409, 503),
        ),
        dose_route(
            "mark_dose_study",
            of_study,
            mark,
            "Say that a study is of a phantom, for QA or service, or of a patient after all.",
            method="POST",
            permission=Permission.DECIDE_DOSE,
            problems=(404, 409, 503),
        ),
        dose_route(
            "take_mark_back",
            f"{of_study}/take-back",
            take_mark_back,
            "Take back what was said of a study: rules and objects speak again.",
            method="POST",
            permission=Permission.DECIDE_DOSE,
            problems=(404, 409, 503),
        ),
        dose_route(
            "preview_not_patient_rule",
            "not-patients/preview",
            preview,
            "Which studies a rule with these patterns would mark.",
        ),
    ]
