"""Whether one study is of a patient: what marks it, what people said of it, and the form in which they say it."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Response
from markupsafe import Markup
from pydantic import Field

from treegarth.access.actors import Permission
from treegarth.errors import NotFound
from treegarth.features.dose.registry.marking import mark_studies, take_back
from treegarth.features.dose.registry.pages.names import MEANING_NAMES, SAID_NAMES
from treegarth.features.dose.registry.rule_parameters import LONGEST_REASON
from treegarth.features.dose.registry.store.marks import Said
from treegarth.features.dose.registry.store.not_patients import By, standing_of
from treegarth.features.dose.registry.store.studies import find_study_with_dose, study_of_uid
from treegarth.index.studies import StudyKey
from treegarth.phrases import N_, P_
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.parts import render_part
from treegarth.web.path_models import StudyPath
from treegarth.web.routes import AnyText, Route
from treegarth.web.told import see_other
from treegarth.web.which_study import WhichStudy

BY_NAMES: dict[By, str] = {
    "person": N_("a person says so"),
    "rule": N_("a rule says so"),
    "intent": N_("its dose report says so: Quality Control Intent"),
    "subject": N_("its objects say so: Quality Control Subject"),
    "image": N_("its images say so: Quality Control Image"),
}


class MarkForm(WhichStudy):
    """What a person says of a study, or that it is taken back."""

    meaning: Said | Literal["take back"]
    """`phantom`, `qa`, `service`, `patient`: a patient after all; `take back`: rules and objects speak again."""
    reason: Annotated[AnyText, Field(max_length=LONGEST_REASON)] = ""
    """Why, in a sentence."""


def routes() -> list[Route]:
    return [
        route(
            name="dose.mark_study_page",
            path="/treegarth/dose/studies/{study_instance_uid}/not-patient",
            method="POST",
            permission=Permission.DECIDE_DOSE,
            handler=mark,
            summary="Say that a study is of a phantom, for QA or service, or of a patient after all; or take it back.",
        )
    ]


def this_study(call: AnyCall, study: StudyKey) -> Markup:
    """What the page of an exam includes."""
    with call.connect() as connection:
        standing = standing_of(connection, study.orthanc_study_id)
    return render_part(
        call,
        "dose/this_study.html",
        study=study,
        standing=standing,
        meanings=MEANING_NAMES,
        said_names=SAID_NAMES,
        by_names=BY_NAMES,
        longest_reason=LONGEST_REASON,
        may_mark=call.actor.may(Permission.DECIDE_DOSE),
    )


def mark(call: Call[None, MarkForm, StudyPath]) -> Response:
    """Back to the study's page afterwards, by GET: to that of its dose, where it has one."""
    body, uid, reason = call.body, call.path.study_instance_uid, call.body.reason.strip()
    by, now = call.actor.name, call.services.clock()
    with call.begin() as connection:
        key = study_of_uid(connection, uid, body.orthanc_study_id)
        if key is None:
            raise NotFound(N_("There is no study with this Study Instance UID."))
        study = key.orthanc_study_id
        page = "dose.study_page" if find_study_with_dose(connection, study) else "archive.study_page"
        here = call.site.url(page, study_instance_uid=uid, orthanc_study_id=body.orthanc_study_id) + "#this-study"
        if not reason:
            return see_other(call, here, P_("Say why, in a sentence: the reason is kept with it."), kind="attention")
        if body.meaning == "take back":
            take_back(connection, study, reason=reason, by=by, now=now)
        else:
            mark_studies(connection, [study], body.meaning, reason=reason, by=by, now=now)
    return see_other(call, here)
